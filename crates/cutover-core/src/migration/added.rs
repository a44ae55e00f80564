//! Rules that people add while the proxy runs: what does not count in comparisons, by whom and why.
//!
//! They lie beside the configuration's, and make evidence about something else, as a change of the
//! configuration does: it begins anew, and opinions on it are void. Which rules hold is what counts,
//! and not who wrote them: a rule that moves from here into the configuration changes nothing.

use super::Moment;
use super::apply::Proposed;
use super::command::Order;
use super::course::Course;
use super::observation::Fingerprint;
use super::people::Mark;
use super::refusal::Refusal;
use super::standing::{Position, Progress};
use super::transition::Draft;
use crate::compare::IgnoreRule;
use crate::evidence::{Epoch, Grouped};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;

/// No migration has more of them; who needs more has a service that answers something else.
pub const MOST_ADDED_RULES: usize = 100;

/// How much of the reason stays beside the rule, in bytes; the audit log has all of it.
const MOST_WHY: usize = 512;

/// A rule that somebody added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddedRule {
    /// The rule.
    pub rule: IgnoreRule,
    /// Who, why, and when.
    pub mark: Mark,
}

impl Course {
    /// What evidence is about: what the configuration says but for its rules to ignore, and those
    /// rules together with the ones that were added, whoever has which.
    pub fn about(&self, rest: Fingerprint, added: &[AddedRule]) -> Fingerprint {
        let mut rules: BTreeSet<IgnoreRule> = self.rules.ignores().collect();
        rules.extend(added.iter().map(|added| added.rule.clone()));
        if rules.is_empty() {
            return rest;
        }
        let mut digest = Sha256::new_with_prefix(rest.0);
        for rule in rules {
            digest.update(rule.list().name());
            digest.update((rule.text().len() as u64).to_le_bytes());
            digest.update(rule.text());
        }
        Fingerprint(digest.finalize().into())
    }
}

pub(super) fn add(at: &Moment<'_>, order: &Order, rule: &IgnoreRule) -> Proposed {
    let progress = at.progress();
    admit(progress)?;
    let configured = &at.course.rules;
    if configured.has(rule) {
        return Err(Refusal::AlreadySo("the configuration has this rule"));
    }
    if progress.added.iter().any(|added| added.rule == *rule) {
        return Err(Refusal::AlreadySo("this rule has been added"));
    }
    let refused = |what: &str, help: &str| Err(Refusal::Rule(rule.finding(what, help).into()));
    if configured.contradicts(rule) {
        let what = "the configuration says something else about this path";
        return refused(what, "change its compare, and reload");
    }
    if progress.added.len() >= MOST_ADDED_RULES {
        let what = format!("{MOST_ADDED_RULES} rules have been added already");
        return refused(&what, "move them into compare of the configuration, and remove them here");
    }
    let mut to = progress.clone();
    let why = &order.why[..order.why.floor_char_boundary(MOST_WHY)];
    let mark = Mark { by: order.by.clone(), why: why.into(), at: at.now };
    to.added.push(AddedRule { rule: rule.clone(), mark });
    Ok((another_question(at, to), Vec::new()))
}

pub(super) fn remove(at: &Moment<'_>, rule: &IgnoreRule) -> Proposed {
    let progress = at.progress();
    admit(progress)?;
    let configured = at.course.rules.has(rule);
    let mut to = progress.clone();
    to.added.retain(|added| added.rule != *rule);
    if to.added.len() == progress.added.len() {
        let (what, help) = match configured {
            true => ("it stands in the configuration", "take it out of compare there, and reload"),
            false => ("no such rule was added", "diff lists those that were"),
        };
        return Err(Refusal::Rule(rule.finding(what, help).into()));
    }
    let mut draft = another_question(at, to);
    if configured {
        draft.warnings.push("the configuration has the same rule, which stays in force".to_owned());
    }
    Ok((draft, Vec::new()))
}

/// Something is compared, or will be.
fn admit(progress: &Progress) -> Result<(), Refusal> {
    let from = progress.position;
    if matches!(from, Position::Complete | Position::Retired) {
        return Err(Refusal::NotHere { from, why: "nothing is compared any more" });
    }
    Ok(())
}

/// Evidence about other rules is other evidence.
fn another_question(at: &Moment<'_>, mut to: Progress) -> Draft {
    let before = at.progress();
    let about = at.course.about(at.seen.fingerprint, &to.added);
    if about == before.fingerprint {
        return Draft::of(to);
    }
    to.fingerprint = about;
    to.epoch = Epoch(to.epoch.0 + 1);
    to.opinions.clear();
    let mut warnings = Vec::new();
    if before.position.is_judged() {
        let mut told = "the evidence begins anew".to_owned();
        if let Some(needed) = at.seen.comparisons_needed {
            let needed = Grouped(needed);
            told += &format!(": mismatch needs about {needed} more comparisons that match");
        }
        warnings.push(told);
    }
    if !before.opinions.is_empty() {
        warnings.push("approvals and objections are void: they saw other evidence".to_owned());
    }
    if let Some(latch) = &before.latch {
        warnings.push(format!("{} has failed, and holds everything up until retry", latch.gate));
    }
    Draft { warnings, ..Draft::of(to) }
}
