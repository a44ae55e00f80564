//! Where old disagrees with itself: noise, learnt by asking it twice, and the rules it suggests.
//!
//! A rule is suggested, never applied: a field that differs at random may also differ in earnest,
//! and only a person can tell whether anybody would mind.

use super::Comparison;
use super::difference::{Difference, Kind};
use std::collections::{BTreeMap, BTreeSet};

/// How many fields are counted, over all routes. What comes later is only counted as left out.
pub const MAX_NOISE_FIELDS: usize = 4_096;

/// Fewer comparisons than this, of either kind, suggest nothing.
const MIN_COMPARED: u64 = 50;

/// Fewer disagreements of old with itself suggest nothing.
const MIN_NOISE: u64 = 3;

/// A field stands out of its noise if the two rates are further apart than this share of their sum
/// (Diffy's threshold, 20 %) …
const RELATIVE: f64 = 0.20;

/// … and further than this share of the requests (Diffy's, 0.03 %).
const ABSOLUTE: f64 = 0.0003;

/// Counters for each route and normalised path.
#[derive(Clone, Debug, Default)]
pub struct Noise {
    routes: BTreeMap<Box<str>, Route>,
    left_out: u64,
}

#[derive(Clone, Debug, Default)]
struct Route {
    raw: u64,
    noise: u64,
    fields: BTreeMap<Box<str>, Counts>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    raw: u64,
    noise: u64,
    /// Of `noise`: only the order differed.
    order: u64,
}

/// How often a field differed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldNoise {
    /// Label of the route.
    pub route: String,
    /// The field, as [`Place::path`](super::Place::path) writes it.
    pub path: String,
    /// Comparisons of old with new in which it differed …
    pub raw: u64,
    /// … of so many.
    pub raw_of: u64,
    /// Comparisons of old with old in which it differed …
    pub noise: u64,
    /// … of so many.
    pub noise_of: u64,
}

/// A rule that would silence a field that is as noisy within old as between old and new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// What speaks for it.
    pub field: FieldNoise,
    /// The list of [`RuleSpec`](super::RuleSpec) it would stand in: `ignore` or `unordered`.
    pub list: &'static str,
    /// The rule.
    pub rule: String,
}

impl Noise {
    /// Counts a comparison of old with new. Only such as were not held back: settled, transient and
    /// matching ones alike.
    pub fn count_raw(&mut self, route: &str, comparison: &Comparison) {
        self.count(route, comparison, false);
    }

    /// Counts a comparison of old with old.
    pub fn count_noise(&mut self, route: &str, comparison: &Comparison) {
        self.count(route, comparison, true);
    }

    fn count(&mut self, route: &str, comparison: &Comparison, noise: bool) {
        let found: Vec<&Difference> = match comparison {
            Comparison::Match => Vec::new(),
            Comparison::Differs(differences) => differences.iter().collect(),
            Comparison::Failed { .. } => return,
        };
        let mut room = MAX_NOISE_FIELDS - self.fields().min(MAX_NOISE_FIELDS);
        if !self.routes.contains_key(route) {
            if self.routes.len() >= MAX_NOISE_FIELDS {
                self.left_out += 1;
                return;
            }
            self.routes.insert(route.into(), Route::default());
        }
        let Some(route) = self.routes.get_mut(route) else { return };
        *(if noise { &mut route.noise } else { &mut route.raw }) += 1;
        // Ten elements that differ in one field are one comparison in which it differs.
        let mut fields: BTreeMap<String, bool> = BTreeMap::new();
        for difference in found {
            let only_order = fields.entry(difference.place.path()).or_insert(true);
            *only_order &= difference.kind == Kind::Order;
        }
        for (path, only_order) in fields {
            if !route.fields.contains_key(&*path) {
                if room == 0 {
                    self.left_out += 1;
                    continue;
                }
                room -= 1;
            }
            let counts = route.fields.entry(path.into()).or_default();
            *(if noise { &mut counts.noise } else { &mut counts.raw }) += 1;
            counts.order += u64::from(noise && only_order);
        }
    }

    fn fields(&self) -> usize {
        self.routes.values().map(|route| route.fields.len()).sum()
    }

    /// How often each field differed.
    pub fn iter(&self) -> impl Iterator<Item = FieldNoise> {
        self.routes.iter().flat_map(|(name, route)| {
            route.fields.iter().map(|(path, counts)| route.field(name, path, *counts))
        })
    }

    /// Times that a field could not be counted for want of room.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Rules to consider.
    pub fn suggestions(&self) -> Vec<Suggestion> {
        let mut suggestions = Vec::new();
        let mut said = BTreeSet::new();
        for (name, route) in &self.routes {
            for (path, counts) in &route.fields {
                let field = route.field(name, path, *counts);
                // Nobody should be talked into ignoring statuses or whole bodies.
                let nameable = path.starts_with('/') || path.starts_with("header:");
                if nameable && field.is_noise() && said.insert((name, path)) {
                    let order = counts.order == counts.noise;
                    let list = if order { "unordered" } else { "ignore" };
                    suggestions.push(Suggestion { field, list, rule: path.to_string() });
                }
            }
        }
        suggestions
    }

    /// Halves all counters, and forgets what becomes zero: what is noise may change, and the engine
    /// lets the past count less by calling this from time to time.
    pub fn fade(&mut self) {
        for route in self.routes.values_mut() {
            (route.raw, route.noise) = (route.raw / 2, route.noise / 2);
            for counts in route.fields.values_mut() {
                *counts = Counts {
                    raw: counts.raw / 2,
                    noise: counts.noise / 2,
                    order: counts.order / 2,
                };
            }
            route.fields.retain(|_, counts| counts.raw > 0 || counts.noise > 0);
        }
        self.routes.retain(|_, route| route.raw > 0 || route.noise > 0);
    }
}

impl Route {
    fn field(&self, route: &str, path: &str, counts: Counts) -> FieldNoise {
        FieldNoise {
            route: route.to_owned(),
            path: path.to_owned(),
            raw: counts.raw,
            raw_of: self.raw,
            noise: counts.noise,
            noise_of: self.noise,
        }
    }
}

impl FieldNoise {
    /// Does the field differ between old and new clearly more often than within old? Rates are
    /// compared, because old is asked twice for a small share of the requests only.
    pub fn stands_out(&self) -> bool {
        let rate = |count: u64, of: u64| if of == 0 { 0.0 } else { count as f64 / of as f64 };
        let (raw, noise) = (rate(self.raw, self.raw_of), rate(self.noise, self.noise_of));
        raw > noise && (raw - noise) > RELATIVE * (raw + noise) && (raw - noise) > ABSOLUTE
    }

    /// Has it been seen often enough to say that it is noise?
    pub fn is_noise(&self) -> bool {
        self.raw_of.min(self.noise_of) >= MIN_COMPARED
            && self.noise >= MIN_NOISE
            && !self.stands_out()
    }
}
