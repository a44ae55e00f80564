//! Two JSON documents, side by side from the root down.
//!
//! Recursion goes as deep as a document nests; [`Document::parse`] refuses what nests deeper than
//! `MAX_DEPTH`.

use super::difference::{BodyPlace, Content, Difference, Found, Kind, Place, PlaceStep, Seen};
use super::json::{At, Document, Shape};
use super::number;
use super::pointer::{is_field_name, push_step};
use super::rules::{Down, List, Rules, Ruling};
use super::time;
use std::ops::Range;

/// Names longer than this are cut in pointers.
const MAX_NAME: usize = 256;
/// Room for most paths, in bytes.
const USUAL_PATH: usize = 64;

/// A comparison of two documents in progress.
pub(super) struct Walk<'a> {
    pub(super) old: &'a Document,
    pub(super) new: &'a Document,
    pub(super) rules: &'a Rules,
    pub(super) found: Found,
    /// How many more values may be looked at.
    pub(super) budget: usize,
    /// The same, to find out whether a list was only put into another order.
    pub(super) spare: usize,
    /// It only matters whether something differs, not what.
    pub(super) verifying: bool,
    /// Where the walk is.
    path: Vec<Trod<'a>>,
    /// Of the trie of rules: those of each level after those of the level above.
    pub(super) states: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Trod<'a> {
    Name(&'a str),
    Index(usize),
    /// An element of a list without order: it stands somewhere, but rules for one index pass it by.
    Somewhere(usize),
}

impl<'a> Trod<'a> {
    fn down(self) -> Down<'a> {
        match self {
            Self::Name(name) => Down::Name(name),
            Self::Index(index) => Down::Index(index),
            Self::Somewhere(_) => Down::Anywhere,
        }
    }
}

/// A side of a comparison, and its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Old,
    New,
}

impl<'a> Walk<'a> {
    /// `None` if the rules ask for more work than a comparison may take.
    pub(super) fn compare(old: &'a Document, new: &'a Document, rules: &'a Rules) -> Option<Found> {
        // Without lists that are out of order each value is looked at once. The factor is for those.
        let budget = 100_000 + 16 * (old.len() + new.len());
        let mut walk = Self {
            old,
            new,
            rules,
            found: Found::default(),
            budget,
            spare: budget,
            verifying: false,
            path: Vec::new(),
            states: Vec::new(),
        };
        let start = rules.start(&mut walk.states);
        walk.pair(old.root(), new.root(), start);
        (walk.budget > 0).then_some(walk.found)
    }

    pub(super) fn document(&self, of: Of) -> &'a Document {
        match of {
            Of::Old => self.old,
            Of::New => self.new,
        }
    }

    /// Counts one value; `false` once there were too many.
    pub(super) fn work(&mut self) -> bool {
        self.budget = self.budget.saturating_sub(1);
        self.budget > 0
    }

    /// Compares two values.
    pub(super) fn pair(&mut self, old: At, new: At, states: Range<usize>) {
        if !self.work() {
            return;
        }
        let ruling = self.rules.ruling(&self.states[states.clone()]);
        if ruling.ignore {
            return;
        }
        match (self.old.shape(old), self.new.shape(new)) {
            (Shape::Object, Shape::Object) => self.objects(old, new, states),
            (Shape::Array, Shape::Array) => match ruling.list {
                None => self.arrays(old, new, states),
                Some(List::Unordered) => self.unordered(old, new, states),
                Some(List::Keyed(key)) => self.keyed(old, new, states, key),
            },
            (is, was) => {
                if let Some(kind) = self.scalars(old, new, is, was, &ruling) {
                    self.differ(kind, Some(old), Some(new));
                }
            }
        }
    }

    /// Compares two values of which at most one is a container.
    fn scalars(
        &self,
        old: At,
        new: At,
        is: Shape,
        was: Shape,
        ruling: &Ruling<'_>,
    ) -> Option<Kind> {
        let (old_text, new_text) = (self.old.text(old), self.new.text(new));
        let same = match (is, was) {
            (Shape::String, Shape::String) => old_text == new_text,
            (Shape::Number, Shape::Number) => {
                number::same(self.rules.number, old_text, new_text)
                    || ruling.tolerance.is_some_and(|by| by.admits(old_text, new_text))
            }
            (is, was) => is == was,
        };
        let instant = |document: &Document, at: At| match document.shape(at) {
            Shape::String => time::of_text(document.text(at)),
            Shape::Number => time::of_number(document.text(at)),
            Shape::Null | Shape::False | Shape::True | Shape::Array | Shape::Object => None,
        };
        let close = |tolerance: i128| {
            let times = instant(self.old, old).zip(instant(self.new, new));
            times.is_some_and(|(old, new)| (old - new).abs() <= tolerance)
        };
        let boolean = |shape| matches!(shape, Shape::False | Shape::True);
        if same || ruling.time.is_some_and(close) {
            None
        } else if is == Shape::Null && self.null_is_missing() {
            Some(Kind::Extra)
        } else if was == Shape::Null && self.null_is_missing() {
            Some(Kind::Missing)
        } else if is == was || boolean(is) && boolean(was) {
            Some(Kind::Value)
        } else {
            Some(Kind::Type)
        }
    }

    fn objects(&mut self, old: At, new: At, states: Range<usize>) {
        let (olds, news) = (self.old.children(old), self.new.children(new));
        let alike = self.old.count(old) == self.new.count(new)
            && olds.zip(news).all(|(a, b)| self.old.name(a) == self.new.name(b));
        if alike {
            for (old, new) in self.old.children(old).zip(self.new.children(new)) {
                self.member(Some(old), Some(new), states.clone());
            }
            return;
        }
        // By name; members of the same name stay in their order and are compared in it.
        let sorted = |document: &'a Document, at| {
            let mut members: Vec<At> = document.children(at).collect();
            members.sort_by_key(|&member| document.name(member));
            members
        };
        let (olds, news) = (sorted(self.old, old), sorted(self.new, new));
        let (mut i, mut j) = (0, 0);
        while i < olds.len() || j < news.len() {
            let old = olds.get(i).copied();
            let new = news.get(j).copied();
            let names = old.map(|at| self.old.name(at)).zip(new.map(|at| self.new.name(at)));
            let order = match names {
                Some((old, new)) => old.cmp(new),
                None if old.is_some() => std::cmp::Ordering::Less,
                None => std::cmp::Ordering::Greater,
            };
            self.member(
                old.filter(|_| order.is_le()),
                new.filter(|_| order.is_ge()),
                states.clone(),
            );
            i += usize::from(order.is_le());
            j += usize::from(order.is_ge());
        }
    }

    fn member(&mut self, old: Option<At>, new: Option<At>, states: Range<usize>) {
        let name = match (old, new) {
            (Some(old), _) => self.old.name(old),
            (None, Some(new)) => self.new.name(new),
            (None, None) => return,
        };
        self.step(Trod::Name(name), old, new, states);
    }

    /// A value that only one side has.
    fn alone(&mut self, old: Option<At>, new: Option<At>, states: Range<usize>) {
        let ignored = self.rules.ruling(&self.states[states]).ignore;
        let is_null = |document: &Document, at| document.shape(at) == Shape::Null;
        let null = old.is_some_and(|at| is_null(self.old, at))
            || new.is_some_and(|at| is_null(self.new, at));
        if !self.work() || ignored || null && self.null_is_missing() {
            return;
        }
        let kind = if old.is_some() { Kind::Missing } else { Kind::Extra };
        self.differ(kind, old, new);
    }

    /// Is a null here as good as nothing? Of members only: an element that is null has a place.
    fn null_is_missing(&self) -> bool {
        self.rules.null_is_missing && matches!(self.path.last(), Some(Trod::Name(_)))
    }

    fn arrays(&mut self, old: At, new: At, states: Range<usize>) {
        // Elements are not aligned: after a removed one all the rest would seem to differ.
        if self.old.count(old) != self.new.count(new) {
            self.differ(Kind::Length, Some(old), Some(new));
            return;
        }
        let mark = self.found.mark();
        let mut others = 0;
        for (index, (a, b)) in self.old.children(old).zip(self.new.children(new)).enumerate() {
            let before = self.found.mark();
            self.step(Trod::Index(index), Some(a), Some(b), states.clone());
            others += usize::from(self.found.grew_since(before));
        }
        // One element alone cannot have changed places.
        if others > 1 && self.is_permutation(old, new, states) {
            self.found.take_back(mark);
            self.differ(Kind::Order, Some(old), Some(new));
        }
    }

    /// A child of both sides, or of one.
    pub(super) fn step(
        &mut self,
        step: Trod<'a>,
        old: Option<At>,
        new: Option<At>,
        states: Range<usize>,
    ) {
        let top = self.states.len();
        let states = self.rules.descend(&mut self.states, states, step.down());
        self.path.push(step);
        match (old, new) {
            (Some(old), Some(new)) => self.pair(old, new, states),
            (old, new) => self.alone(old, new, states),
        }
        self.path.pop();
        self.states.truncate(top);
    }

    pub(super) fn differ(&mut self, kind: Kind, old: Option<At>, new: Option<At>) {
        let Self { path, old: olds, new: news, .. } = self;
        self.found.add(|| Difference {
            place: place(path),
            kind,
            old: old.map_or(Seen::NOTHING, |at| seen(olds, at)),
            new: new.map_or(Seen::NOTHING, |at| seen(news, at)),
            whole: None,
        });
    }
}

fn place(trod: &[Trod<'_>]) -> Place {
    let (mut steps, mut path) = (Vec::with_capacity(trod.len()), String::with_capacity(USUAL_PATH));
    for step in trod {
        steps.push(match step {
            Trod::Index(index) | Trod::Somewhere(index) => {
                path.push_str("/*");
                PlaceStep::Index(*index)
            }
            Trod::Name(name) if is_field_name(name) => {
                push_step(&mut path, name);
                PlaceStep::Field((*name).into())
            }
            Trod::Name(name) => {
                path.push_str("/*");
                PlaceStep::Id(name[..name.floor_char_boundary(MAX_NAME)].into())
            }
        });
    }
    Place::Body(BodyPlace { steps, path })
}

fn seen(document: &Document, at: At) -> Seen {
    match document.shape(at) {
        Shape::Null => Seen(Content::Null),
        Shape::False => Seen(Content::Boolean(false)),
        Shape::True => Seen(Content::Boolean(true)),
        Shape::Number => Seen::number(document.text(at)),
        Shape::String => Seen::text(document.text(at)),
        Shape::Array => Seen(Content::Array(document.count(at))),
        Shape::Object => Seen(Content::Object(document.count(at))),
    }
}
