//! What `cutover diff` shows: settled mismatches by route, field and kind, each with an example.

use super::difference::{Difference, Kind, Place, Whole};
use super::redact::{Redacted, Redaction};
use super::settle::Settled;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleLimits {
    /// Groups; beyond it the one that was seen the longest time ago goes.
    pub groups: NonZeroUsize,
    /// Age at which a group that was not seen again goes.
    pub age_ms: u64,
}

impl Default for SampleLimits {
    /// 500 groups, 14 days.
    fn default() -> Self {
        let groups = NonZeroUsize::MIN.saturating_add(499);
        Self { groups, age_ms: 14 * 24 * 60 * 60 * 1_000 }
    }
}

/// What differences are grouped by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKey {
    /// Label of the route.
    pub route: String,
    /// The field, as [`Place::path`] writes it.
    pub path: String,
    /// The kind.
    pub kind: Kind,
}

/// Differences of one kind in one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Settled mismatches in which it was found.
    pub count: u64,
    /// When it was found first.
    pub first_seen_ms: u64,
    /// When it was found last.
    pub last_seen_ms: u64,
    /// The latest of them.
    pub example: Sample,
}

/// One difference, redacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Id of the exchange, as the access log has it.
    pub exchange: String,
    /// In a body, the redacted pointer; else what [`Place::path`] says.
    pub pointer: String,
    /// What old had.
    pub old: Redacted,
    /// What new had.
    pub new: Redacted,
    /// Why JSON was not compared by structure.
    pub whole: Option<Whole>,
}

/// All groups, bounded in number and age.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    limits: SampleLimits,
    groups: BTreeMap<GroupKey, Group>,
    evicted: u64,
}

impl Samples {
    /// With these limits.
    pub fn new(limits: SampleLimits) -> Self {
        Self { limits, groups: BTreeMap::new(), evicted: 0 }
    }

    /// Adds the differences of a settled mismatch. Time is Unix time in milliseconds.
    pub fn record(
        &mut self,
        route: &str,
        exchange: &str,
        settled: &Settled,
        redaction: &Redaction,
        now_ms: u64,
    ) {
        self.expire(now_ms);
        // Ten elements with the same difference are one mismatch of that field.
        let mut seen = BTreeSet::new();
        for difference in settled.differences().iter() {
            let path = difference.place.path();
            let key = GroupKey { route: route.to_owned(), path, kind: difference.kind };
            if seen.insert(key.clone()) {
                let example = Sample::new(difference, exchange, redaction);
                self.add(key, example, now_ms);
            }
        }
    }

    fn add(&mut self, key: GroupKey, example: Sample, now_ms: u64) {
        if let Some(group) = self.groups.get_mut(&key) {
            group.count += 1;
            group.last_seen_ms = group.last_seen_ms.max(now_ms);
            group.example = example;
            return;
        }
        if self.groups.len() >= self.limits.groups.get() {
            let stale = self.groups.iter().min_by_key(|(_, group)| group.last_seen_ms);
            if let Some(stale) = stale.map(|(key, _)| key.clone()) {
                self.groups.remove(&stale);
                self.evicted += 1;
            }
        }
        let group = Group { count: 1, first_seen_ms: now_ms, last_seen_ms: now_ms, example };
        self.groups.insert(key, group);
    }

    /// Forgets what is too old.
    pub fn expire(&mut self, now_ms: u64) {
        let age_ms = self.limits.age_ms;
        self.groups.retain(|_, group| now_ms.saturating_sub(group.last_seen_ms) <= age_ms);
    }

    /// Forgets everything: the evidence begins anew.
    pub fn clear(&mut self) {
        self.groups.clear();
    }

    /// The groups, by route, path and kind.
    pub fn iter(&self) -> impl Iterator<Item = (&GroupKey, &Group)> {
        self.groups.iter()
    }

    /// The groups, the most frequent first.
    pub fn by_count(&self) -> Vec<(&GroupKey, &Group)> {
        let mut groups: Vec<_> = self.groups.iter().collect();
        groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.count));
        groups
    }

    /// How many groups there are.
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// None?
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Groups that went for want of room.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }
}

impl Sample {
    fn new(difference: &Difference, exchange: &str, redaction: &Redaction) -> Self {
        let place = &difference.place;
        let pointer = match place {
            Place::Body(body) => redaction.pointer(body),
            Place::Status | Place::Header(_) => place.path(),
        };
        Self {
            exchange: exchange.to_owned(),
            pointer,
            old: redaction.apply(place, &difference.old),
            new: redaction.apply(place, &difference.new),
            whole: difference.whole,
        }
    }
}
