//! Reads `[migrations.NAME.preflight]`, `gates`, `steps` and `drill` into the core's own words.

use super::migration::in_table;
use crate::keys;
use crate::place::Span;
use crate::reader::{Item, Reader, Scalar};
use cutover_core::Percent;
use cutover_core::evidence::{Gate, Limit, LimitError, Limits};
use cutover_core::migration::{AutoLimit, CanaryStep, Course, DrillRule, Steps};
use std::time::Duration;

/// How the migration moves, and what it is judged by.
pub(super) struct Moves {
    pub(super) course: Course,
    pub(super) limits: Limits,
    pub(super) rollback: bool,
}

/// Fills in a course whose other parts are known.
pub(super) fn read(course: &Course, reader: &Reader<'_>) -> Moves {
    let course = in_table(reader, "steps", &keys::STEPS, |reader| steps(course, reader));
    let (required, drill) = in_table(reader, "drill", &keys::DRILL, drill);
    let mut moves = in_table(reader, "gates", &keys::GATES, |reader| gates(&course, reader));
    moves.course.drill = required.then_some(drill);
    moves.limits.drill = drill.good_for;
    let preflight = in_table(reader, "preflight", &keys::PREFLIGHT, preflight);
    moves.course.preflight = preflight.required;
    (moves.limits.observe, moves.limits.requests) = (preflight.observe, preflight.requests);
    moves
}

struct Preflight {
    required: Box<[Box<str>]>,
    observe: Duration,
    requests: u64,
}

fn preflight(reader: &Reader<'_>) -> Preflight {
    let gates = reader.list_or_default::<BeforeShadow>("required");
    let required = names(reader, gates.value.iter().map(|gate| (gate.value.0, gate.span)));
    let observe = reader.get_or_default::<Duration>("observe");
    let requests = reader.get_or_default::<u64>("requests");
    if !required.iter().any(|name| **name == *Gate::Baseline.name()) {
        for (key, span) in [("observe", observe.span), ("requests", requests.span)] {
            if reader.item(key).is_some() {
                let help = "add \"baseline\" to `required`, or remove the key";
                reader.warning(key, span, "nothing waits for it: `baseline` is not required", help);
            }
        }
    }
    Preflight { required, observe: observe.value, requests: requests.value }
}

fn steps(course: &Course, reader: &Reader<'_>) -> Course {
    let auto = reader.get_or_default::<Percent>("auto");
    if auto.value > AutoLimit::MOST.percent() {
        let help = "write auto = \"5%\" or less; a person promotes the larger steps";
        reader.error("auto", auto.span, "only steps up to 5% may advance by themselves", help);
    }
    Course {
        steps: canary(reader),
        auto: AutoLimit::new(auto.value),
        shadow_dwell: reader.get_or_default("shadow-dwell").value,
        soak: reader.get_or_default("soak").value,
        quiet: reader.get_or_default("quiet").value,
        approvals: reader.get_or_default::<u64>("approvals").value as u8,
        approval_lasts: reader.get_or_default("approval-lasts").value,
        graded: reader.get_or_default("graded").value,
        ..course.clone()
    }
}

/// The steps of the canary; the usual ones if those that are given are none.
fn canary(reader: &Reader<'_>) -> Steps {
    let percents = reader.list_or_default::<Percent>("percents");
    let dwell = reader.list_or_default::<Duration>("dwell");
    let (count, stays) = (percents.value.len(), dwell.value.len());
    let error = |what: &str, help: &str| reader.error("percents", percents.span, what, help);
    if count == 0 {
        error("must name at least one step", "write [100]");
        return Steps::usual();
    }
    if !percents.value.is_sorted_by(|a, b| a.value < b.value) {
        error("steps must grow", "write them like [1, 5, 20, 50, 100]");
    } else if percents.value.last().is_some_and(|last| last.value != Percent::FULL) {
        error("the last step must be 100", "end with 100: the ramp leads to everybody");
    }
    if percents.value[0].value == Percent::ZERO {
        error("0 is no step", "remove it");
    }
    if count != stays {
        let what = format!("{count} percents, but {stays} dwell times");
        reader.error("dwell", dwell.span, what, "write one dwell time for each percent");
    }
    let pairs = percents.value.iter().zip(&dwell.value);
    let step = |percent: Percent, dwell: Duration| CanaryStep { percent, dwell };
    let steps: Box<[_]> = pairs.map(|(percent, dwell)| step(percent.value, dwell.value)).collect();
    // What is wrong with them has been said above.
    Steps::new(steps).unwrap_or_else(|_| Steps::usual())
}

fn drill(reader: &Reader<'_>) -> (bool, DrillRule) {
    let rule = DrillRule {
        good_for: reader.get_or_default("good-for").value,
        within: reader.get_or_default("within").value,
        away: reader.get_or_default("away").value,
    };
    (reader.get_or_default("required").value, rule)
}

fn gates(course: &Course, reader: &Reader<'_>) -> Moves {
    let limits = Limits {
        errors: reader.get_or_default("errors").value,
        fallbacks: reader.get_or_default("fallbacks").value,
        mismatch: reader.get_or_default("mismatch").value,
        latency: reader.get_or_default("latency").value,
        coverage: reader.get_or_default("coverage").value,
        mirror: reader.get_or_default("shed").value,
        data: reader.get_or_default("data").value,
        ..Limits::default()
    };
    let silence = reader.get_or_default("silence").value;
    let course = Course { gates: required(reader), silence, ..course.clone() };
    Moves { course, limits, rollback: reader.get_or_default("rollback").value }
}

fn required(reader: &Reader<'_>) -> Box<[Box<str>]> {
    let gates = reader.list_or_default::<Gate>("required");
    let names = names(reader, gates.value.iter().map(|gate| (gate.value, gate.span)));
    if gates.value.is_empty() {
        let what = "no gate is required: reads move forward without evidence";
        reader.warning("required", gates.span, what, "remove the key, and the usual four are");
    }
    names
}

/// Names of gates that are required; none of them twice.
fn names(reader: &Reader<'_>, gates: impl Iterator<Item = (Gate, Span)>) -> Box<[Box<str>]> {
    let mut names: Vec<Box<str>> = Vec::new();
    for (gate, span) in gates {
        let name = gate.name();
        if names.iter().any(|known| **known == *name) {
            let what = format!("{name:?} is listed twice");
            reader.error("required", span, what, "remove one");
        } else {
            names.push(name.into());
        }
    }
    names.into()
}

/// A gate that is asked before shadow.
#[derive(Clone, Copy)]
struct BeforeShadow(Gate);

impl Scalar for BeforeShadow {
    fn read(item: &Item<'_>) -> Option<Self> {
        item.choice(&Gate::PREFLIGHT).map(Self)
    }

    fn from_default(text: &str) -> Option<Self> {
        Gate::from_default(text).map(Self)
    }
}

impl Scalar for Gate {
    fn read(item: &Item<'_>) -> Option<Self> {
        const REQUIRED: [Gate; 7] = [
            Gate::Errors,
            Gate::Fallbacks,
            Gate::Latency,
            Gate::Mismatch,
            Gate::Coverage,
            Gate::Mirror,
            Gate::Freshness,
        ];
        item.choice(&REQUIRED)
    }

    fn from_default(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|gate| gate.name() == text)
    }
}

impl Scalar for Limit {
    fn read(item: &Item<'_>) -> Option<Self> {
        let percent: Percent = item.get()?.value;
        let error = match Self::try_from(percent) {
            Ok(limit) => return Some(limit),
            Err(error) => error,
        };
        let help = match error {
            LimitError::Zero => {
                "write \"0.1%\"; a gate that is to hold nothing back is left out of `required`"
            }
            LimitError::AboveHalf | _ => "write \"0.1%\", or \"50%\" at most",
        };
        item.error(error, help);
        None
    }

    fn from_default(text: &str) -> Option<Self> {
        Self::try_from(text.parse::<Percent>().ok()?).ok()
    }
}
