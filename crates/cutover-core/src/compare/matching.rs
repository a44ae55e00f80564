//! Which elements of two arrays belong together when their order says nothing.

use super::difference::Kind;
use super::json::{At, Shape};
use super::number::{Decimal, Numbers};
use super::pointer::Pointer;
use super::rules::{Down, Ruling};
use super::walk::{Of, Trod, Walk};
use std::hash::{Hash, Hasher};
use std::ops::Range;

/// Elements that look alike but for what tolerances cover: up to this many are assigned to each
/// other in the best way, more as they come.
const BEST_OF: usize = 64;

/// Hashes what a value looks like: quickly, because each value is hashed on its own, and not well,
/// because what looks the same is compared afterwards.
#[derive(Default)]
struct Look(u64);

impl Hasher for Look {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.write_u64(u64::from_le_bytes(*word)));
        rest.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u8(&mut self, byte: u8) {
        self.write_u64(u64::from(byte));
    }

    fn write_u64(&mut self, word: u64) {
        // Odd, with as many ones as zeros and no pattern: the golden ratio.
        let mixed = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ mixed >> 32;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// An element, and where it stands.
type Element = (usize, At);

impl<'a> Walk<'a> {
    /// Arrays whose order says nothing.
    pub(super) fn unordered(&mut self, old: At, new: At, states: Range<usize>) {
        if self.old.count(old) == 1 && self.new.count(new) == 1 {
            let (old, new) = (self.old.children(old).next(), self.new.children(new).next());
            self.step(Trod::Somewhere(0), old, new, states);
            return;
        }
        let (olds, news) = self.unmatched(old, new, states.clone());
        // One left on each side: rather one that changed than one lost and one won.
        if let ([(index, old_one)], [(_, new_one)]) = (&*olds, &*news) {
            if self.verifying {
                self.differ(Kind::Value, Some(old), Some(new));
            } else {
                self.step(Trod::Somewhere(*index), Some(*old_one), Some(*new_one), states);
            }
            return;
        }
        for (index, old) in olds {
            self.step(Trod::Somewhere(index), Some(old), None, states.clone());
        }
        for (index, new) in news {
            self.step(Trod::Somewhere(index), None, Some(new), states.clone());
        }
    }

    /// Has new the elements of old, in another order?
    pub(super) fn is_permutation(&mut self, old: At, new: At, states: Range<usize>) -> bool {
        if self.verifying {
            return false;
        }
        // This only sums up what is known to differ, so it has an allowance of its own.
        std::mem::swap(&mut self.budget, &mut self.spare);
        let (olds, news) = self.unmatched(old, new, states);
        let all = self.budget > 0 && olds.is_empty() && news.is_empty();
        std::mem::swap(&mut self.budget, &mut self.spare);
        all
    }

    /// Arrays whose elements belong together by a key. Those without a key, or with the same key,
    /// belong together in their order.
    pub(super) fn keyed(&mut self, old: At, new: At, states: Range<usize>, key: &Pointer) {
        let keys = |of: Of, at: At| {
            let document = self.document(of);
            let mut keys: Vec<(Option<(Shape, &'a str)>, Element)> = Vec::new();
            for (index, element) in document.children(at).enumerate() {
                let key = key.find(document, element);
                let key = key.filter(|&key| !document.shape(key).is_container());
                keys.push((
                    key.map(|key| (document.shape(key), document.text(key))),
                    (index, element),
                ));
            }
            keys.sort_by_key(|(key, _)| *key);
            keys
        };
        let (olds, news) = (keys(Of::Old, old), keys(Of::New, new));
        let (mut i, mut j) = (0, 0);
        while i < olds.len() || j < news.len() {
            match (olds.get(i), news.get(j)) {
                (Some((old_key, (index, old))), Some((new_key, (_, new))))
                    if old_key == new_key =>
                {
                    self.step(Trod::Somewhere(*index), Some(*old), Some(*new), states.clone());
                    (i, j) = (i + 1, j + 1);
                }
                (Some((old_key, (index, old))), other)
                    if other.is_none_or(|(new_key, _)| old_key < new_key) =>
                {
                    self.step(Trod::Somewhere(*index), Some(*old), None, states.clone());
                    i += 1;
                }
                (_, Some((_, (index, new)))) => {
                    self.step(Trod::Somewhere(*index), None, Some(*new), states.clone());
                    j += 1;
                }
                (_, None) => return,
            }
        }
    }

    /// The elements without a partner on the other side, in their order.
    fn unmatched(
        &mut self,
        old: At,
        new: At,
        states: Range<usize>,
    ) -> (Vec<Element>, Vec<Element>) {
        let top = self.states.len();
        let below = self.rules.descend(&mut self.states, states, Down::Anywhere);
        if self.is_straight(old, new, &below) {
            self.states.truncate(top);
            return (Vec::new(), Vec::new());
        }
        let (olds, news) = (self.marked(Of::Old, old, &below), self.marked(Of::New, new, &below));
        let (mut lost, mut won) = (Vec::new(), Vec::new());
        let (mut i, mut j) = (0, 0);
        while i < olds.len() || j < news.len() {
            let mark =
                [olds.get(i), news.get(j)].into_iter().flatten().map(|(mark, _)| *mark).min();
            if let ([(one, old), old_rest @ ..], [(other, new), new_rest @ ..]) =
                (&olds[i..], &news[j..])
                && one == other
                && old_rest.first().is_none_or(|(next, _)| next != one)
                && new_rest.first().is_none_or(|(next, _)| next != other)
            {
                if !self.equal(old.1, new.1, &below) {
                    lost.push(*old);
                    won.push(*new);
                }
                (i, j) = (i + 1, j + 1);
                continue;
            }
            let group = |all: &[(u64, Element)], from: usize| {
                let rest = all[from..].iter();
                rest.take_while(|(own, _)| Some(*own) == mark).map(|(_, e)| *e).collect()
            };
            let (some_olds, some_news): (Vec<Element>, Vec<Element>) =
                (group(&olds, i), group(&news, j));
            (i, j) = (i + some_olds.len(), j + some_news.len());
            let partners = self.partners(&some_olds, &some_news, &below);
            let mut taken = vec![false; some_olds.len()];
            partners.iter().flatten().for_each(|&partner| taken[partner] = true);
            let left = some_olds.iter().zip(&taken).filter(|(_, taken)| !**taken);
            lost.extend(left.map(|(element, _)| *element));
            let free = some_news.iter().zip(&partners).filter(|(_, partner)| partner.is_none());
            won.extend(free.map(|(element, _)| *element));
        }
        self.states.truncate(top);
        lost.sort_by_key(|(index, _)| *index);
        won.sort_by_key(|(index, _)| *index);
        (lost, won)
    }

    /// Has each element its partner in the same place? Mostly, lists without order have kept it.
    fn is_straight(&mut self, old: At, new: At, below: &Range<usize>) -> bool {
        let (olds, news) = (self.document(Of::Old), self.document(Of::New));
        olds.count(old) == news.count(new)
            && olds
                .children(old)
                .zip(news.children(new))
                .all(|(old, new)| self.equal(old, new, below))
    }

    /// The elements, ordered by what they look like.
    fn marked(&mut self, of: Of, at: At, below: &Range<usize>) -> Vec<(u64, Element)> {
        let mut marked: Vec<(u64, Element)> = Vec::new();
        for (index, element) in self.document(of).children(at).enumerate() {
            marked.push((self.look(of, element, below.clone()), (index, element)));
        }
        marked.sort_by_key(|(look, (index, _))| (*look, *index));
        marked
    }

    /// For each of `news` the index of its partner in `olds`.
    fn partners(
        &mut self,
        olds: &[Element],
        news: &[Element],
        below: &Range<usize>,
    ) -> Vec<Option<usize>> {
        let mut partners = vec![None; news.len()];
        for index in 0..olds.len() {
            if self.budget == 0 {
                break;
            }
            // What looks the same nearly always is.
            let straight = partners.get(index).is_some_and(Option::is_none)
                && self.equal(olds[index].1, news[index].1, below);
            if straight {
                partners[index] = Some(index);
            } else {
                let mut tried = vec![false; news.len()];
                self.assign(index, olds, news, below, &mut tried, &mut partners);
            }
        }
        partners
    }

    /// Finds a partner for one of `olds`, moving others to other partners if need be (Kuhn's
    /// algorithm). Recursion goes no deeper than [`BEST_OF`].
    fn assign(
        &mut self,
        index: usize,
        olds: &[Element],
        news: &[Element],
        below: &Range<usize>,
        tried: &mut [bool],
        partners: &mut [Option<usize>],
    ) -> bool {
        for candidate in 0..news.len() {
            if self.budget == 0 {
                return false;
            }
            if tried[candidate] || !self.equal(olds[index].1, news[candidate].1, below) {
                continue;
            }
            tried[candidate] = true;
            let free = match partners[candidate] {
                None => true,
                Some(_) if olds.len().max(news.len()) > BEST_OF => false,
                Some(other) => self.assign(other, olds, news, below, tried, partners),
            };
            if free {
                partners[candidate] = Some(index);
                return true;
            }
        }
        false
    }

    fn equal(&mut self, old: At, new: At, below: &Range<usize>) -> bool {
        let (mark, outer) = (self.found.mark(), self.verifying);
        self.verifying = true;
        self.pair(old, new, below.clone());
        self.verifying = outer;
        let equal = !self.found.grew_since(mark);
        self.found.take_back(mark);
        equal && self.budget > 0
    }

    /// A hash that is the same for values that are the same under the rules.
    fn look(&mut self, of: Of, at: At, states: Range<usize>) -> u64 {
        let ruling = self.rules.ruling(&self.states[states.clone()]);
        if ruling.ignore || !self.work() {
            return 0;
        }
        let document = self.document(of);
        let shape = document.shape(at);
        let mut hash = Look::default();
        match shape {
            Shape::Object => {
                let mut sum = 0u64;
                for member in document.children(at) {
                    let Some(look) = self.look_of_member(of, member, &states) else { continue };
                    let mut hash = Look::default();
                    (document.name(member), look).hash(&mut hash);
                    // The order of members says nothing.
                    sum = sum.wrapping_add(hash.finish());
                }
                (shape, sum).hash(&mut hash);
            }
            Shape::Array => {
                let mut sum = 0u64;
                for (index, element) in document.children(at).enumerate() {
                    let ordered = ruling.list.is_none();
                    let step = if ordered { Down::Index(index) } else { Down::Anywhere };
                    let look = self.look_of_element(of, element, &states, step);
                    if ordered {
                        look.hash(&mut hash);
                    } else {
                        sum = sum.wrapping_add(look);
                    }
                }
                (shape, sum).hash(&mut hash);
            }
            Shape::Null | Shape::False | Shape::True | Shape::Number | Shape::String => {
                self.look_of_scalar(shape, document.text(at), &ruling, &mut hash);
            }
        }
        hash.finish()
    }

    fn look_of_element(&mut self, of: Of, at: At, states: &Range<usize>, step: Down<'_>) -> u64 {
        let top = self.states.len();
        let below = self.rules.descend(&mut self.states, states.clone(), step);
        let look = self.look(of, at, below);
        self.states.truncate(top);
        look
    }

    /// `None` if the member is as good as missing.
    fn look_of_member(&mut self, of: Of, member: At, states: &Range<usize>) -> Option<u64> {
        let document = self.document(of);
        if self.rules.null_is_missing && document.shape(member) == Shape::Null {
            // It was looked at, however little there was to see.
            self.work();
            return None;
        }
        let top = self.states.len();
        let step = Down::Name(document.name(member));
        let below = self.rules.descend(&mut self.states, states.clone(), step);
        let ignored = self.rules.ruling(&self.states[below.clone()]).ignore;
        let look = (!ignored).then(|| self.look(of, member, below));
        self.states.truncate(top);
        look
    }

    fn look_of_scalar(
        &self,
        shape: Shape,
        text: &str,
        ruling: &Ruling<'_>,
        hash: &mut impl Hasher,
    ) {
        let number = shape == Shape::Number;
        // What a tolerance covers looks all the same here, and is told apart by comparing.
        if ruling.time.is_some() && (number || shape == Shape::String) {
            hash.write_u8(u8::MAX);
        } else if number && ruling.tolerance.is_some() {
            hash.write_u8(u8::MAX - 1);
        } else if number
            && self.rules.number == Numbers::Value
            && let Some(decimal) = Decimal::parse(text)
        {
            decimal.scale().hash(hash);
            decimal.digits().for_each(|digit| hash.write_u8(digit));
        } else {
            (shape, text).hash(hash);
        }
    }
}
