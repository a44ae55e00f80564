//! A migration as JSON: what an API's client reads, and the command line prints.

use crate::admin::ignores;
use cutover::View;
use cutover::core::evidence::{Answer, Verdict};
use cutover::core::migration::{Blocker, Opinion, Position, Remedy, Withdrawal};
use serde_json::{Value, json};
use std::time::Duration;

/// Adds where a migration stands, and what comes next, to what it has done.
pub(in crate::admin) fn add_view(value: &mut Value, view: &View) {
    let Some(members) = value.as_object_mut() else { return };
    let Value::Object(more) = described(view) else { return };
    members.extend(more);
}

fn described(view: &View) -> Value {
    let progress = view.standing.progress();
    json!({
        "generation": progress.generation.0,
        "position": progress.position.to_string(),
        "health": health(view),
        "overlays": progress.overlays(),
        "held": held(view),
        "withdrawal": withdrawal(&progress.withdrawal),
        "latch": progress.latch.as_ref().map(|latch| &latch.gate),
        "nowMs": view.at.millis(),
        "enteredMs": progress.entered.millis(),
        "expiresMs": view.expires.millis(),
        "step": step(view),
        "evidence": hex(&view.seen.evidence.0),
        "epoch": progress.epoch.0,
        "gates": gates(view),
        "next": next(view),
        "approvals": opinions(view),
        "drill": progress.drilled.as_ref().map(|drill| json!({
            "atMs": drill.at.millis(),
            "by": drill.by.to_string(),
            "outcome": drill.outcome.name(),
            "text": drill.to_string(),
        })),
        "toEverybodyMs": millis(view.durations.to_everybody),
        "backMs": millis(view.durations.back),
        "addedRules": ignores::added(view).count(),
        "barred": barred(view),
        "trouble": view.trouble,
    })
}

/// Verbs that this person's role may not give here, with those that may.
fn barred(view: &View) -> Value {
    let barred = view.barred.iter().filter_map(|(verb, why)| Some((*verb, why.clone()?)));
    barred.map(|(verb, why)| (verb.to_owned(), Value::String(why))).collect()
}

/// `ok`, `held` where somebody or something stops it, `failed` where it went wrong.
pub(in crate::admin) fn health(view: &View) -> &'static str {
    let progress = view.standing.progress();
    let gone_back = matches!(progress.withdrawal, Withdrawal::Whole(_) | Withdrawal::Graded(_));
    let red = view.gates.iter().any(|answer| answer.verdict() == Verdict::Fail);
    if gone_back || progress.latch.is_some() || view.trouble.is_some() || red {
        "failed"
    } else if progress.overlays().is_empty() {
        "ok"
    } else {
        "held"
    }
}

/// Why fewer users read from new than the phase says, in a word.
fn withdrawal(withdrawal: &Withdrawal) -> Option<&'static str> {
    match withdrawal {
        Withdrawal::None => None,
        Withdrawal::Drill(_) => Some("drill"),
        Withdrawal::Graded(_) => Some("graded"),
        Withdrawal::Whole(_) => Some("whole"),
    }
}

/// What lies over the phase, in words.
fn held(view: &View) -> Vec<String> {
    let progress = view.standing.progress();
    let withdrawn = match &progress.withdrawal {
        Withdrawal::None => None,
        Withdrawal::Drill(drill) => Some(format!("a drill is under way, by {}", drill.mark)),
        Withdrawal::Graded(graded) => {
            Some(format!("reads go back to old, now at {}, by {}", graded.percent, graded.mark))
        }
        Withdrawal::Whole(mark) => Some(format!("rolled back by {mark}")),
    };
    let latch = progress.latch.as_ref();
    let latch = latch.map(|latch| format!("{} failed: {}", latch.gate, latch.sentence));
    let marks = [
        ("paused", &progress.paused),
        ("frozen", &progress.frozen),
        ("inconclusive", &progress.inconclusive),
        ("expired", &progress.expired),
    ];
    let marks = marks.into_iter().filter_map(|(word, mark)| {
        let mark = mark.as_ref()?;
        Some(format!("{word} by {mark}"))
    });
    withdrawn.into_iter().chain(latch).chain(marks).collect()
}

/// Which step of how many, and how long it is kept at least.
fn step(view: &View) -> Value {
    let (steps, position) = (&view.course.steps, view.standing.progress().position);
    let (at, dwell) = match position {
        Position::Shadow => (0, view.course.shadow_dwell),
        Position::Canary(percent) => (steps.index(percent), steps.dwell(percent)),
        Position::ReadsNew => (steps.all().len(), view.course.soak),
        Position::Off
        | Position::Sync
        | Position::Cutover
        | Position::NewPrimary
        | Position::Complete
        | Position::Retired => return Value::Null,
    };
    json!({ "at": at, "of": steps.all().len(), "dwellMs": millis(Some(dwell)) })
}

pub(super) fn gates(view: &View) -> Vec<Value> {
    let required = |answer: &Answer| {
        let mut gates = view.course.gates.iter().chain(&view.course.preflight);
        gates.any(|name| **name == *answer.gate.name())
    };
    let remedy = |answer: &Answer| {
        let mut readings = view.seen.gates.iter();
        readings.find(|reading| *reading.gate == *answer.gate.name()).map(|reading| reading.remedy)
    };
    view.gates.iter().map(|answer| gate(answer, required(answer), remedy(answer))).collect()
}

fn gate(answer: &Answer, required: bool, remedy: Option<Remedy>) -> Value {
    let share = answer.share();
    json!({
        "gate": answer.gate.name(),
        "verdict": verdict(answer.verdict()),
        "required": required,
        "ifItFails": remedy.map(|remedy| match remedy {
            Remedy::Hold => "hold",
            Remedy::Latch => "stop",
            Remedy::RollBack => "roll-back",
        }),
        "text": answer.to_string(),
        "samples": answer.samples(),
        "bad": share.map(|share| share.counts.bad()),
        "value": answer.value(),
        "threshold": answer.threshold(),
        "statistic": answer.statistic().map(|(statistic, _)| statistic),
        "statisticNeeded": answer.statistic().map(|(_, needed)| needed),
        "cleanNeeded": share.and_then(|share| share.clean_needed),
        "perSecond": share.map(|share| share.per_second),
        "waitMs": share.and_then(|share| millis(share.wait_at(share.per_second))),
    })
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Inconclusive => "inconclusive",
    }
}

fn next(view: &View) -> Value {
    let command = view.command.command.as_ref();
    json!({
        "to": view.next.map(|next| next.to.to_string()),
        "missing": missing(&view.missing),
        "command": command.map(|command| command.spelled(&view.name)),
        "because": view.command.because,
        "afterMs": millis(view.command.after),
    })
}

/// What stands in the way, one by one.
pub(in crate::admin) fn missing(blockers: &[Blocker]) -> Vec<Value> {
    let one = |blocker: &Blocker| {
        json!({
            "name": blocker.name(),
            "text": blocker.to_string(),
            "leftMs": millis(blocker.left()),
        })
    };
    blockers.iter().map(one).collect()
}

pub(super) fn opinions(view: &View) -> Vec<Value> {
    let one = |opinion: &Opinion| {
        json!({
            "by": opinion.by.name,
            "role": opinion.by.role.name(),
            "approves": opinion.approves,
            "to": opinion.to.to_string(),
            "evidence": hex(&opinion.evidence.0),
            "reason": opinion.why,
            "atMs": opinion.at.millis(),
            "endsMs": opinion.ends(&view.course).millis(),
        })
    };
    view.standing.progress().opinions.iter().map(one).collect()
}

pub(super) fn rollback_cost(view: &View) -> Value {
    let progress = view.standing.progress();
    let reads = progress.reads().read_percent;
    let possible =
        matches!(progress.position, Position::Shadow | Position::Canary(_) | Position::ReadsNew);
    let text = match (possible, view.durations.back) {
        (false, _) => "there is no rollback from here".to_owned(),
        (true, None) => "no reads are on new: a rollback moves nobody".to_owned(),
        (true, Some(_)) => format!(
            "{reads} of the users read from old again; requests that have begun finish; nothing is \
             lost, because old takes all writes{}",
            if view.seen.old_is_cold {
                "; old is cold: give it time with --graded 30s"
            } else {
                ""
            }
        ),
    };
    json!({
        "name": view.name,
        "possible": possible,
        "readPercent": reads.to_string(),
        "withinMs": millis(view.durations.back),
        "writesLost": 0,
        "oldIsCold": view.seen.old_is_cold,
        "text": text,
    })
}

/// Milliseconds of a span, if there is one.
pub(in crate::admin) fn millis(span: Option<Duration>) -> Option<u64> {
    span.map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
}

pub(in crate::admin) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
