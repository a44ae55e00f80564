//! What was measured at some sizes.

use crate::fit::{self, Law};
use std::time::{Duration, Instant};

#[derive(Clone, Debug)]
pub(crate) struct Curve {
    pub(crate) title: &'static str,
    /// What there are more and more of.
    pub(crate) of: &'static str,
    pub(crate) unit: Unit,
    /// How it was measured, in a sentence.
    pub(crate) how: &'static str,
    /// Ascending in the first.
    pub(crate) points: Vec<(usize, f64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Nanoseconds,
    Instructions,
    Bytes,
}

impl Curve {
    /// Of a busy machine it says nothing.
    pub(crate) fn is_time(&self) -> bool {
        self.unit == Unit::Nanoseconds
    }

    pub(crate) fn fitted(&self) -> Law {
        let points: Vec<(f64, f64)> = self.points.iter().map(|(n, y)| (*n as f64, *y)).collect();
        fit::law(&points)
    }

    /// The law in words.
    pub(crate) fn law(&self) -> String {
        self.fitted().say(self.of, |value| self.unit.say(value))
    }
}

impl Unit {
    /// A value as people write it.
    pub(crate) fn say(self, value: f64) -> String {
        let sign = if value < 0.0 { "-" } else { "" };
        let size = value.abs();
        let (size, unit) = match self {
            Self::Nanoseconds if size >= 1e9 => (size / 1e9, "s"),
            Self::Nanoseconds if size >= 1e6 => (size / 1e6, "ms"),
            Self::Nanoseconds if size >= 1e3 => (size / 1e3, "µs"),
            Self::Nanoseconds => (size, "ns"),
            Self::Instructions => (size, "instructions"),
            // Decimal, because the axes are.
            Self::Bytes if size >= 1e9 => (size / 1e9, "GB"),
            Self::Bytes if size >= 1e6 => (size / 1e6, "MB"),
            Self::Bytes if size >= 1e3 => (size / 1e3, "kB"),
            Self::Bytes => (size, "B"),
        };
        let whole = size >= 100.0 || matches!(unit, "instructions" | "B") && size >= 10.0;
        // Three digits that say something, whatever the size.
        let places = match size {
            _ if whole || size == 0.0 => 0,
            10.0.. => 1,
            1.0.. => 2,
            _ => 2 + (-size.log10()).ceil() as usize,
        };
        format!("{sign}{size:.places$} {unit}")
    }
}

/// What one of `times` calls takes, in nanoseconds: of five batches the fastest, since others' work only adds.
pub(crate) fn fastest(times: usize, mut call: impl FnMut(usize)) -> f64 {
    let batches = (0..5).map(|_| {
        let began = now();
        (0..times).for_each(&mut call);
        began.elapsed().as_nanos() as f64 / times as f64
    });
    batches.fold(f64::INFINITY, f64::min)
}

/// What one call takes and what it gives, without the time to drop that.
pub(crate) fn timed<T>(call: impl FnOnce() -> T) -> (T, Duration) {
    let began = now();
    let given = call();
    (given, began.elapsed())
}

#[expect(clippy::disallowed_methods, reason = "measures time")]
fn now() -> Instant {
    Instant::now()
}

/// 1, 10, 100 and so on, up to this.
pub(crate) fn decades(most: usize) -> Vec<usize> {
    std::iter::successors(Some(1), |n: &usize| n.checked_mul(10))
        .take_while(|n| *n <= most)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_unit_that_fits_them() {
        for (unit, value, said) in [
            (Unit::Nanoseconds, 105.4, "105 ns"),
            (Unit::Nanoseconds, 1_234.0, "1.23 µs"),
            (Unit::Nanoseconds, 2.5e9, "2.50 s"),
            (Unit::Nanoseconds, 0.000_543_2, "0.000543 ns"),
            (Unit::Bytes, 142.4, "142 B"),
            (Unit::Bytes, 20_480.0, "20.5 kB"),
            (Unit::Instructions, -12.0, "-12 instructions"),
        ] {
            assert_eq!(unit.say(value), said);
        }
        assert_eq!(decades(1_000), [1, 10, 100, 1_000]);
    }
}
