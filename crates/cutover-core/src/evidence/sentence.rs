//! Answers as people read them: "mismatch: 0 in 2,000 compared, needs 1,556 more clean; about 20
//! min at the current rate".

use super::Counts;
use super::baseline::{OldNow, Reach};
use super::coverage::Coverage;
use super::gate::{Age, Answer, BaselineNumbers, Gate, Numbers, Share, Why};
use std::fmt;
use std::time::Duration;

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.gate.name())?;
        match &self.numbers {
            Numbers::Share(share) => of_share(self, share, f),
            Numbers::Coverage(coverage, least) => {
                of_coverage(coverage, f)?;
                let holds = self.why == Why::Outside;
                if holds { write!(f, "; needs {least} and every critical class") } else { Ok(()) }
            }
            Numbers::Mirror(copies, _) if copies.is_empty() => f.write_str("nothing mirrored yet"),
            Numbers::Mirror(copies, most) => {
                let within = self.why == Why::Within;
                let then = if within { "" } else { ": comparisons are biased" };
                write!(f, "{} of the copies shed, at most {most}{then}", InAll(*copies))
            }
            Numbers::Freshness { .. } => match self.decisive_age().map(|decisive| decisive.age) {
                Some(Some(age)) if self.why == Why::Within => {
                    write!(f, "last observation {} ago", Span(age))
                }
                Some(Some(age)) => write!(f, "nothing was measured for {}", Span(age)),
                _ => f.write_str("nothing was ever measured"),
            },
            Numbers::Drill(drill) => match drill.age {
                None => f.write_str("a rollback was never practised"),
                Some(age) => {
                    let (age, most) = (Span(age), Span(drill.at_most));
                    write!(f, "rollback practised {age} ago, at most {most}")
                }
            },
            Numbers::Baseline(numbers) => of_baseline(*numbers, f),
            Numbers::Old(now, answered) => {
                of_old(now, *answered, f)?;
                let missing = self.why == Why::Missing;
                let then = ": send it requests, or give its backend a health check";
                if missing { f.write_str(then) } else { Ok(()) }
            }
        }
    }
}

fn of_coverage(coverage: &Coverage, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (classes, volume) = (coverage.classes(), coverage.volume());
    if volume.is_empty() {
        f.write_str("no traffic was seen yet")?;
    } else {
        let (good, all) = (Grouped(classes.good()), Grouped(classes.n()));
        let compared = Fraction(1.0 - volume.share());
        write!(f, "{compared} of the traffic compared ({good} of {all} route classes)")?;
    }
    let Some(name) = coverage.missing() else { return Ok(()) };
    match coverage.critical_missing() {
        0 => write!(f, ", never compared: {name}"),
        1 => write!(f, ", critical and never compared: {name}"),
        many => {
            let more = Grouped(many - 1);
            write!(f, ", critical and never compared: {name} and {more} more")
        }
    }
}

fn of_baseline(numbers: BaselineNumbers, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let BaselineNumbers { requests, span, needed, over } = numbers;
    let (good, all) = (Grouped(requests.good()), Grouped(requests.n()));
    if requests.is_empty() {
        f.write_str("old was asked nothing here yet")?;
    } else {
        write!(f, "old answered {good} of {all} requests in {}", Span(span))?;
    }
    if numbers.enough() {
        return Ok(());
    }
    write!(f, "; needs {} answers over {}", Grouped(needed), Span(over))?;
    match numbers.wait() {
        Some(wait) => write!(f, "; about {} at the current rate", Span(wait)),
        None => Ok(()),
    }
}

fn of_old(now: &OldNow, answered: Age, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let OldNow { reach, lately, .. } = *now;
    if reach.is_some_and(|reach| reach.addresses == 0) {
        return f.write_str("it has no address");
    }
    if let Some(Reach { addresses, usable, healthy }) = reach {
        write!(f, "{usable} of {addresses} addresses usable")?;
        match healthy {
            0 => {}
            1 => f.write_str(", 1 answers health checks")?,
            many => write!(f, ", {many} answer health checks")?,
        }
    }
    let comma = if reach.is_some() { ", " } else { "" };
    if !lately.is_empty() {
        let (good, all) = (Grouped(lately.good()), Grouped(lately.n()));
        return write!(f, "{comma}answered {good} of {all} requests of the last minute");
    }
    match (answered.age, reach.is_some_and(|reach| reach.healthy > 0)) {
        (Some(age), _) => write!(f, "{comma}last answer {} ago", Span(age)),
        (None, true) => Ok(()),
        (None, false) => write!(f, "{comma}nothing was heard of it yet"),
    }
}

fn of_share(answer: &Answer, share: &Share, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let limit = share.limit;
    if answer.why == Why::Missing {
        let mismatch = answer.gate == Gate::Mismatch;
        return f.write_str(if mismatch { "nothing compared yet" } else { "no requests yet" });
    }
    if let Why::NoControl(too_few) = answer.why {
        return write!(f, "{too_few}");
    }
    write!(f, "{} in {} ", Grouped(share.counts.bad()), Grouped(share.counts.n()))?;
    match share.bar {
        Some(bar) => {
            write!(f, "requests slower than {}", Span(Duration::from_micros(bar.slow_us())))?
        }
        None => f.write_str(measured(answer.gate))?,
    }
    match answer.why {
        Why::Within => write!(f, ", at most {} (limit {limit})", Fraction(share.bound)),
        Why::TooFew => of_wait(share, f),
        Why::Alarm => write!(f, ", too many of late for the limit of {limit}"),
        Why::HardStop(seen) => {
            let (bad, all) = (Grouped(seen.bad()), Grouped(seen.n()));
            write!(f, ", {bad} of {all} failed within five seconds")
        }
        Why::Precaution(hour) => {
            write!(f, ", {} in the last hour, above {limit}: pause as a precaution", InAll(hour))
        }
        Why::Stale(age) => write!(f, ", but none for {}", Span(age)),
        Why::Biased(copies) => write!(f, ", but {} of the copies were shed", InAll(copies)),
        Why::BaselineAbove(old) => {
            write!(f, ", but old itself has {}: a limit of {limit} is too strict", InAll(old))
        }
        Why::Missing | Why::NoControl(_) | Why::Outside => Ok(()),
    }
}

fn of_wait(share: &Share, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let Some(needed) = share.clean_needed else {
        return f.write_str(", more bad ones than good ones can ever outweigh");
    };
    write!(f, ", needs {} more clean; ", Grouped(needed))?;
    match share.wait_at(share.per_second) {
        Some(wait) => write!(f, "about {} at the current rate", Span(wait)),
        None => f.write_str("none arrive at present"),
    }
}

/// What happened to one observation of a gate.
fn measured(gate: Gate) -> &'static str {
    match gate {
        Gate::Mismatch => "compared",
        Gate::Fallbacks => "requests answered by old",
        Gate::Errors
        | Gate::Latency
        | Gate::Coverage
        | Gate::Mirror
        | Gate::Freshness
        | Gate::Drill
        | Gate::Baseline
        | Gate::Old => "requests",
    }
}

/// `12,345`.
pub(crate) struct Grouped(pub(crate) u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (at, digit) in digits.char_indices() {
            let comma = if at > 0 && (digits.len() - at).is_multiple_of(3) { "," } else { "" };
            write!(f, "{comma}{digit}")?;
        }
        Ok(())
    }
}

/// `37 of 12,345 (0.3%)`.
struct InAll(Counts);

impl fmt::Display for InAll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(counts) = self;
        let (bad, all) = (Grouped(counts.bad()), Grouped(counts.n()));
        write!(f, "{bad} of {all} ({})", Fraction(counts.share()))
    }
}

/// A share of one as a percent with two significant digits, more for what is nearly all: `0.084%`,
/// `12%`, `99.97%`.
struct Fraction(f64);

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = self.0 * 100.0;
        // Digits are spent on what is missing to nothing or to all, whichever is less.
        let telling = if percent > 50.0 { 100.0 - percent } else { percent };
        let places = if telling <= 0.0 { 0 } else { 1 - telling.log10().floor() as i32 };
        let text = format!("{percent:.*}", usize::try_from(places.min(9)).unwrap_or(0));
        let text = if text.contains('.') { text.trim_end_matches('0') } else { &text };
        write!(f, "{}%", text.trim_end_matches('.'))
    }
}

/// A span of time in one unit, rounded up: `45 s`, `20 min`, `7 h`, `25 days`; below a second
/// `132.5 ms`.
struct Span(Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.as_micros();
        if (1..1_000_000).contains(&micros) {
            let millis = format!("{:.1}", micros as f64 / 1_000.0);
            return write!(f, "{} ms", millis.strip_suffix(".0").unwrap_or(&millis));
        }
        let seconds = self.0.as_secs() + u64::from(self.0.subsec_nanos() > 0);
        match seconds {
            0..=99 => write!(f, "{seconds} s"),
            100..=5_999 => write!(f, "{} min", seconds.div_ceil(60)),
            6_000..=172_800 => write!(f, "{} h", seconds.div_ceil(3_600)),
            _ => write!(f, "{} days", Grouped(seconds.div_ceil(86_400))),
        }
    }
}
