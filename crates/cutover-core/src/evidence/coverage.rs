//! Coverage: what part of the traffic seen in production was also compared.

use super::Counts;

/// One class of requests, such as a route template with a method, as seen in production and as
/// compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteClass<'a> {
    /// As people know it: `PATCH /orders/{id}`.
    pub name: &'a str,
    /// Requests seen in production.
    pub seen: u64,
    /// Requests compared. One is enough: how many must agree is the mismatch gate's question.
    pub compared: u64,
    /// Must be compared whatever its share of the traffic, even if nobody asked for it yet.
    pub critical: bool,
}

/// All classes, summed up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    classes: Counts,
    volume: Counts,
    critical_missing: u64,
    missing: Option<Missing>,
}

/// The class most worth naming: a critical one before others, then the one with most traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Missing {
    critical: bool,
    seen: u64,
    name: Box<str>,
}

impl Coverage {
    /// Classes seen; bad are those that were never compared.
    pub fn classes(&self) -> Counts {
        self.classes
    }

    /// Requests seen; bad are those of classes that were never compared.
    pub fn volume(&self) -> Counts {
        self.volume
    }

    /// Critical classes that were never compared.
    pub fn critical_missing(&self) -> u64 {
        self.critical_missing
    }

    /// The class most worth comparing next: a critical one, if any is missing.
    pub fn missing(&self) -> Option<&str> {
        self.missing.as_ref().map(|missing| &*missing.name)
    }
}

impl<'a> FromIterator<RouteClass<'a>> for Coverage {
    fn from_iter<I: IntoIterator<Item = RouteClass<'a>>>(classes: I) -> Self {
        let mut sum = Self::default();
        for class in classes.into_iter().filter(|class| class.seen > 0 || class.critical) {
            let uncompared = class.compared == 0;
            sum.classes += Counts::new(1, u64::from(uncompared));
            sum.volume += Counts::new(class.seen, if uncompared { class.seen } else { 0 });
            if !uncompared {
                continue;
            }
            sum.critical_missing += u64::from(class.critical);
            let this = (class.critical, class.seen);
            if sum.missing.as_ref().is_none_or(|worst| this > (worst.critical, worst.seen)) {
                let RouteClass { critical, seen, name, .. } = class;
                sum.missing = Some(Missing { critical, seen, name: name.into() });
            }
        }
        sum
    }
}
