//! Which law some points follow, found by fitting and not by hope.
//!
//! Four forms are tried: a constant, `a + b·ln n`, `a + b·n`, and `a·n^k`. Each is fitted by least squares of the logarithm of
//! fitted over measured, so that the smallest sizes count as much as the largest, and too much as much as too little. The
//! simplest form within a tenth of the best error is the law; the slope in a log-log diagram is told beside it, because it does
//! not depend on any form.

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Law {
    pub(crate) form: Form,
    /// By how much it is typically off: root mean square of the logarithms, as a share.
    pub(crate) error: f64,
    /// Least squares in the logarithms of both.
    pub(crate) slope: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Form {
    Constant(f64),
    Logarithm { at_one: f64, each_e: f64 },
    Line { fixed: f64, each: f64 },
    Power { at_one: f64, exponent: f64 },
}

/// Errors below this are the measurement's, and no reason for a form with more in it.
const GOOD_ENOUGH: f64 = 0.03;
/// By so much a form must be better than a simpler one.
const CLEARLY: f64 = 1.1;
/// Of Gauss and Newton; a handful is enough.
const STEPS: usize = 100;

impl Form {
    pub(crate) fn at(self, n: f64) -> f64 {
        match self {
            Self::Constant(value) => value,
            Self::Logarithm { at_one, each_e } => at_one + each_e * n.ln(),
            Self::Line { fixed, each } => fixed + each * n,
            Self::Power { at_one, exponent } => at_one * n.powf(exponent),
        }
    }

    /// Root mean square of the logarithms; endless where it is not positive.
    fn off(self, points: &[(f64, f64)]) -> f64 {
        let square = |(n, y): &(f64, f64)| {
            let fitted = self.at(*n);
            if fitted > 0.0 { (fitted / y).ln().powi(2) } else { f64::INFINITY }
        };
        (points.iter().map(square).sum::<f64>() / points.len() as f64).sqrt()
    }
}

/// The law of these points, whose values must be positive.
pub(crate) fn law(points: &[(f64, f64)]) -> Law {
    let logs: Vec<(f64, f64)> = points.iter().map(|(n, y)| (n.ln(), y.ln())).collect();
    let level: Vec<(f64, f64, f64)> = logs.iter().map(|(x, y)| (*x, *y, 1.0)).collect();
    let (power_log, slope) = weighted(&level);
    let middle = logs.iter().map(|(_, y)| y).sum::<f64>() / logs.len() as f64;
    let simplest_first = [
        Form::Constant(middle.exp()),
        refined(points, |at_one, each_e| Form::Logarithm { at_one, each_e }, f64::ln),
        refined(points, |fixed, each| Form::Line { fixed, each }, |n| n),
        Form::Power { at_one: power_log.exp(), exponent: slope },
    ];
    let fitted = simplest_first.map(|form| (form, form.off(points)));
    let best = fitted.iter().map(|(_, off)| *off).fold(f64::INFINITY, f64::min);
    let enough = (best * CLEARLY).max(GOOD_ENOUGH);
    let (form, off) = fitted.into_iter().find(|(_, off)| *off <= enough).unwrap_or(fitted[0]);
    Law { form, error: off.exp_m1(), slope }
}

/// The best `a + b·x` in logarithms, where `x` is of `n`: by Gauss and Newton from the line through the ends.
fn refined(points: &[(f64, f64)], form: impl Fn(f64, f64) -> Form, x: impl Fn(f64) -> f64) -> Form {
    let [(first, low), .., (last, high)] = points else { return form(points[0].1, 0.0) };
    let mut b = (high - low) / (x(*last) - x(*first));
    let mut a = low - b * x(*first);
    if a <= 0.0 {
        a = low / 2.0;
    }
    let mut off = form(a, b).off(points);
    for _ in 0..STEPS {
        let now = form(a, b);
        // What is still missing, in units of what is there: the logarithm's first term.
        let missing: Vec<(f64, f64, f64)> = points
            .iter()
            .map(|(n, y)| (x(*n), (y / now.at(*n)).ln() * now.at(*n), now.at(*n)))
            .collect();
        let (da, db) = weighted(&missing);
        let mut part = 1.0;
        while part > 1e-3 && form(a + part * da, b + part * db).off(points) >= off {
            part /= 2.0;
        }
        let next = form(a + part * da, b + part * db).off(points);
        if next >= off {
            break;
        }
        (a, b, off) = (a + part * da, b + part * db, next);
    }
    form(a, b)
}

/// Intercept and slope of the line through `(x, y)`, each weighted by 1/`z²`.
fn weighted(points: &[(f64, f64, f64)]) -> (f64, f64) {
    let sum = |of: &dyn Fn(f64, f64) -> f64| {
        points.iter().map(|(x, y, z)| of(*x, *y) / (z * z)).sum::<f64>()
    };
    let (all, x, y) = (sum(&|_, _| 1.0), sum(&|x, _| x), sum(&|_, y| y));
    let (xx, xy) = (sum(&|x, _| x * x), sum(&|x, y| x * y));
    let spread = all * xx - x * x;
    if spread.abs() < f64::EPSILON * all * xx {
        return (y / all, 0.0);
    }
    let slope = (all * xy - x * y) / spread;
    ((y - slope * x) / all, slope)
}

impl Law {
    /// In words, with values as `say` writes them.
    pub(crate) fn say(&self, of: &str, say: impl Fn(f64) -> String) -> String {
        let one = of.strip_suffix('s').unwrap_or(of);
        let plus = |value: f64| {
            let sign = if value < 0.0 { "-" } else { "+" };
            format!("{sign} {}", say(value.abs()))
        };
        let form = match self.form {
            Form::Constant(value) => format!("constant, {}", say(value)),
            Form::Logarithm { at_one, each_e } => {
                let each = plus(each_e * std::f64::consts::LN_10);
                format!("{} {each} for every tenfold of {of}", say(at_one))
            }
            Form::Line { fixed, each } if fixed.abs() < each.abs() * 1e-9 => {
                format!("{} for each {one}", say(each))
            }
            Form::Line { fixed, each } => format!("{} {} for each {one}", say(fixed), plus(each)),
            Form::Power { at_one, exponent } => format!("{} · n^{exponent:.2}", say(at_one)),
        };
        format!("{form} (off by {:.0} %; log-log slope {:.2})", self.error * 100.0, self.slope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(of: impl Fn(f64) -> f64) -> Law {
        let points: Vec<(f64, f64)> =
            [1.0, 10.0, 100.0, 1e3, 1e4, 1e5].map(|n| (n, of(n))).to_vec();
        law(&points)
    }

    fn close(a: f64, b: f64) -> bool {
        (a / b - 1.0).abs() < 0.001
    }

    #[test]
    fn each_form_is_found_in_points_of_it() {
        let flat = fitted(|_| 7.0);
        assert!(matches!(flat.form, Form::Constant(value) if close(value, 7.0)), "{flat:?}");
        let log = fitted(|n| 100.0 + 30.0 * n.ln());
        assert!(
            matches!(log.form, Form::Logarithm { at_one, each_e } if close(at_one, 100.0) && close(each_e, 30.0)),
            "{log:?}"
        );
        let steep = fitted(|n| 300.0 + if n < 1e4 { 2.0 * n } else { 6.0 * n });
        assert!(matches!(steep.form, Form::Line { each, .. } if each > 1.0), "{steep:?}");
        let line = fitted(|n| 5_000.0 + 80.0 * n);
        assert!(
            matches!(line.form, Form::Line { fixed, each } if close(fixed, 5_000.0) && close(each, 80.0)),
            "{line:?}"
        );
        let power = fitted(|n| 3.0 * n.powf(1.5));
        assert!(
            matches!(power.form, Form::Power { at_one, exponent } if close(at_one, 3.0) && close(exponent, 1.5)),
            "{power:?}"
        );
        assert!(close(power.slope, 1.5) && power.error < 0.001, "{power:?}");
    }

    #[test]
    fn noise_of_the_measurement_makes_no_law() {
        let noisy = fitted(|n| 100.0 + (n.log10() * 7.0).sin() * 3.0);
        assert!(matches!(noisy.form, Form::Constant(_)), "{noisy:?}");
    }

    #[test]
    fn the_error_is_told() {
        // A step, which is none of the forms.
        let step = fitted(|n| if n < 500.0 { 10.0 } else { 1_000.0 });
        assert!(step.error > 0.3, "{step:?}");
        let said = step.say("routes", |value| format!("{value:.0}"));
        assert!(said.contains(&format!("off by {:.0} %", step.error * 100.0)), "{said}");
        // A beginning that is rounding is not told.
        let form = Form::Line { fixed: -5e-13, each: 80.0 };
        let said = Law { form, ..step }.say("routes", |value| format!("{value}"));
        assert!(said.starts_with("80 for each route ("), "{said}");
    }
}
