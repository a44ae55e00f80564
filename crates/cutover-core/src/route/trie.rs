//! The search: a trie of path segments in flat vectors, walked from the left with backtracking.
//!
//! A node is one cache line and holds the text of the edge that leads to it, chains of single
//! children merged into one. Children of a node with several are found in one hash index over all
//! edges, so that 100,000 siblings cost what two do.
//!
//! Cost: the trie is a tree, so whatever the path, a walk enters each node at most once, and only
//! nodes whose pattern agrees with the path so far. Depth is bounded by the longest pattern, not by
//! the path. Bytes looked at in a node: those of its edge, plus one segment if it has a parameter.
//! No memo is needed, and none is kept.

use super::Spans;
use crate::slots::{Slots, hash};

/// Bytes of an edge's text kept in the node itself.
const INLINE: usize = 36;

const NONE: u32 = u32::MAX;
/// Children are in the index.
const MANY: u32 = u32::MAX - 1;

/// The end of a pattern: the routes that share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leaf(u32);

impl Leaf {
    const NONE: Self = Self(NONE);
    const GROUP: u32 = 1 << 30;

    /// One route that holds for every request.
    pub(super) fn open(route: u32) -> Self {
        Self(route)
    }

    /// A group of candidates.
    pub(super) fn group(index: u32) -> Self {
        Self(index | Self::GROUP)
    }

    #[inline]
    pub(super) fn routes(self) -> LeafRoutes {
        if self.0 & Self::GROUP == 0 {
            LeafRoutes::Open(self.0)
        } else {
            LeafRoutes::Group(self.0 & !Self::GROUP)
        }
    }
}

/// What a [`Leaf`] stands for.
pub(super) enum LeafRoutes {
    Open(u32),
    Group(u32),
}

/// Where a parameter leads: to a node, or to a leaf if nothing can follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Link(u32);

impl Link {
    const NONE: Self = Self(NONE);
    const LEAF: u32 = 1 << 31;

    #[inline]
    fn leaf(self) -> Option<Leaf> {
        (self.0 & Self::LEAF != 0).then_some(Leaf(self.0 & !Self::LEAF))
    }
}

/// One state of the walk. Aligned, so that entering it touches one cache line.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Node {
    /// Pattern that ends here.
    here: Leaf,
    /// Catch-all below.
    rest: Leaf,
    param: Link,
    /// The only child by text, or [`NONE`], or [`MANY`].
    child: u32,
    /// Tells children of different nodes apart in the index.
    parent: u32,
    /// Where the edge's text begins if it is too long to be kept here.
    text_at: u32,
    text_len: u32,
    text: [u8; INLINE],
}

/// Sees what a walk passes.
pub(super) trait Visit {
    /// Where the walk notes the parameters it has passed.
    fn spans(&mut self) -> &mut Spans;

    /// A pattern matched the path, with these spans; `true` ends the walk. Patterns come best
    /// first.
    fn leaf(&mut self, leaf: Leaf) -> bool;

    /// A node was entered.
    #[inline(always)]
    fn node(&mut self) {}
}

/// All patterns of a table, under one root for each host.
#[derive(Clone, Debug, Default)]
pub(super) struct Trie {
    nodes: Box<[Node]>,
    index: Slots,
    /// The node of each entry of the index.
    children: Box<[u32]>,
    /// Edge texts that do not fit into their nodes.
    texts: Box<str>,
    /// Length of the longest first segment of an indexed edge.
    longest: usize,
}

impl Trie {
    /// Walks all patterns under `root` that match the path, best first, until `visit` has seen
    /// enough.
    #[inline]
    pub(super) fn walk(&self, root: u32, path: &str, visit: &mut impl Visit) -> bool {
        let path = path.as_bytes();
        // Positions are kept in 32 bits.
        let walkable = path.first() == Some(&b'/') && path.len() < NONE as usize;
        walkable && self.descend(visit, path, root, 1, 0)
    }

    /// Goes on from a node: before the segment that begins at `at`, which is one past the path's
    /// end if there is none left, with `used` parameters passed.
    fn descend(
        &self,
        visit: &mut impl Visit,
        path: &[u8],
        mut node: u32,
        mut at: usize,
        mut used: usize,
    ) -> bool {
        loop {
            visit.node();
            let here = &self.nodes[node as usize];
            if at > path.len() {
                return here.here != Leaf::NONE && visit.leaf(here.here);
            }
            let no_other_way = here.param == Link::NONE && here.rest == Leaf::NONE;
            if let Some((child, next)) = self.exact(here.child, node, path, at) {
                if no_other_way {
                    (node, at) = (child, next);
                    continue;
                }
                if self.descend(visit, path, child, next, used) {
                    return true;
                }
            }
            if no_other_way {
                return false;
            }
            if here.param != Link::NONE {
                let end = segment_end(path, at);
                visit.spans()[used] = (at as u32, end as u32);
                if end == at {
                    // An empty segment is no value.
                } else if let Some(leaf) = here.param.leaf() {
                    if end == path.len() && visit.leaf(leaf) {
                        return true;
                    }
                } else if here.rest == Leaf::NONE {
                    (node, at, used) = (here.param.0, end + 1, used + 1);
                    continue;
                } else if self.descend(visit, path, here.param.0, end + 1, used + 1) {
                    return true;
                }
            }
            if here.rest == Leaf::NONE {
                return false;
            }
            visit.spans()[used] = (at as u32, path.len() as u32);
            return visit.leaf(here.rest);
        }
    }

    /// The child whose text the path continues with at `at`, and where the path goes on behind it.
    #[inline]
    fn exact(&self, child: u32, parent: u32, path: &[u8], at: usize) -> Option<(u32, usize)> {
        match child {
            NONE => None,
            MANY => self.indexed(parent, path, at),
            child => self.follow(child, path, at).map(|next| (child, next)),
        }
    }

    // Apart from the walk, which keeps its registers to itself that way.
    #[inline(never)]
    fn indexed(&self, parent: u32, path: &[u8], at: usize) -> Option<(u32, usize)> {
        // A segment longer than any that is known cannot be one of them, however long it is.
        let known = &path[..path.len().min(at + self.longest + 1)];
        let first = &path[at..segment_end(known, at)];
        let mut found = None;
        self.index.find(edge_hash(self.index.seed(), parent, first), |entry| {
            let child = self.children[entry as usize];
            if self.nodes[child as usize].parent == parent {
                found = self.follow(child, path, at).map(|next| (child, next));
            }
            found.is_some()
        });
        found
    }

    /// Where the path goes on behind the text of a child, if it continues with it.
    #[inline]
    fn follow(&self, child: u32, path: &[u8], at: usize) -> Option<usize> {
        let text = self.text(&self.nodes[child as usize]);
        let end = at + text.len();
        let next = path.get(end);
        let agrees = path.get(at..end)? == text && (next == Some(&b'/') || next.is_none());
        agrees.then_some(end + 1)
    }

    #[inline]
    fn text<'t>(&'t self, node: &'t Node) -> &'t [u8] {
        let length = node.text_len as usize;
        match node.text.get(..length) {
            Some(text) => text,
            None => &self.texts.as_bytes()[node.text_at as usize..][..length],
        }
    }

    /// Number of nodes.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }
}

#[inline]
fn edge_hash(seed: u64, parent: u32, first: &[u8]) -> u64 {
    hash(seed ^ (u64::from(parent) << 8), first)
}

/// Where the segment that begins at `at` ends, eight bytes at a time.
#[inline]
fn segment_end(path: &[u8], mut at: usize) -> usize {
    while let Some(word) = path.get(at..).and_then(|rest| rest.first_chunk()) {
        let hit = slashes(u64::from_le_bytes(*word));
        if hit != 0 {
            return at + hit.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    // Fewer than eight bytes are left: look at the last eight, and shift out those before.
    let left = path.len() - at;
    if let Some(word) = path.last_chunk()
        && left != 0
    {
        let hit = slashes(u64::from_le_bytes(*word) >> ((8 - left) * 8));
        return if hit == 0 { path.len() } else { at + hit.trailing_zeros() as usize / 8 };
    }
    at + path[at..].iter().position(|&b| b == b'/').unwrap_or(left)
}

/// The high bit of each byte that is a slash; bits above the lowest may be wrong.
#[inline]
fn slashes(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zero_if_slash = word ^ (ONES * b'/' as u64);
    zero_if_slash.wrapping_sub(ONES) & !zero_if_slash & HIGH
}

/// Collects nodes, parents before children, and freezes them.
#[derive(Debug, Default)]
pub(super) struct TrieBuilder {
    nodes: Vec<Node>,
    texts: String,
    /// Children that go into the index, with the length of their text's first segment.
    indexed: Vec<(u32, usize)>,
}

/// What a node says about itself before its children are known.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ends {
    /// Pattern that ends at the node.
    pub(super) here: Option<Leaf>,
    /// Catch-all below it.
    pub(super) rest: Option<Leaf>,
}

/// How a new node is reached.
#[derive(Clone, Copy, Debug)]
pub(super) enum Edge<'t> {
    Root,
    /// The only child by text.
    Only(u32, &'t str),
    /// One of several children by text.
    OneOf(u32, &'t str),
    Param(u32),
}

impl TrieBuilder {
    /// Adds a node.
    pub(super) fn node(&mut self, edge: Edge<'_>, ends: Ends) -> u32 {
        let id = self.nodes.len() as u32;
        let (parent, text) = match edge {
            Edge::Root => (NONE, ""),
            Edge::Only(parent, text) | Edge::OneOf(parent, text) => (parent, text),
            Edge::Param(parent) => (parent, ""),
        };
        match edge {
            Edge::Root => {}
            Edge::Only(..) => self.nodes[parent as usize].child = id,
            Edge::OneOf(..) => {
                self.nodes[parent as usize].child = MANY;
                self.indexed.push((id, segment_end(text.as_bytes(), 0)));
            }
            Edge::Param(_) => self.nodes[parent as usize].param = Link(id),
        }
        let mut inline = [0; INLINE];
        let mut text_at = 0;
        match inline.get_mut(..text.len()) {
            Some(place) => place.copy_from_slice(text.as_bytes()),
            None => {
                text_at = u32::try_from(self.texts.len()).expect("patterns of 4 GiB fit no memory");
                self.texts.push_str(text);
            }
        }
        self.nodes.push(Node {
            here: ends.here.unwrap_or(Leaf::NONE),
            rest: ends.rest.unwrap_or(Leaf::NONE),
            param: Link::NONE,
            child: NONE,
            parent,
            text_at,
            text_len: text.len() as u32,
            text: inline,
        });
        id
    }

    /// Number of nodes so far, which is the id of the next.
    pub(super) fn len(&self) -> u32 {
        self.nodes.len() as u32
    }

    /// Adds a parameter that ends its patterns.
    pub(super) fn last_param(&mut self, parent: u32, leaf: Leaf) {
        self.nodes[parent as usize].param = Link(leaf.0 | Link::LEAF);
    }

    /// Freezes the trie.
    pub(super) fn finish(self) -> Trie {
        let mut trie = Trie {
            nodes: self.nodes.into(),
            index: Slots::default(),
            children: self.indexed.iter().map(|(child, _)| *child).collect(),
            texts: self.texts.into(),
            longest: self.indexed.iter().map(|(_, first)| *first).max().unwrap_or(0),
        };
        trie.index = Slots::build(self.indexed.len(), |seed, entry| {
            let (child, first) = self.indexed[entry as usize];
            let node = &trie.nodes[child as usize];
            edge_hash(seed, node.parent, &trie.text(node)[..first])
        });
        trie
    }
}

#[cfg(test)]
mod tests {
    use super::segment_end;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn segments_end_where_they_end(path in "[a/.\\x00\u{e9}]{0,40}") {
            let bytes = path.as_bytes();
            for at in 0..=bytes.len() {
                let end = bytes[at..].iter().position(|&b| b == b'/').map_or(bytes.len(), |n| at + n);
                prop_assert_eq!(segment_end(bytes, at), end, "from {}", at);
            }
        }
    }
}
