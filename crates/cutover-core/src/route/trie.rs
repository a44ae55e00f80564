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

mod build;
mod segment;

pub(super) use build::{Edge, Ends, TrieBuilder};

use super::Spans;
use crate::slots::Slots;
use segment::{same, segment_hash, segment_len};

/// Bytes of an edge's text kept in the node itself.
const INLINE: usize = 36;

const NONE: u32 = u32::MAX;

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

/// Where texts lead: to the only child, or to several in the index under the number of this family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Children(u32);

impl Children {
    const NONE: Self = Self(NONE);
    const MANY: u32 = 1 << 31;
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
    children: Children,
    /// Tells children of different nodes apart in the index: that of their parent.
    family: u32,
    /// Where the edge's text begins if it is too long to be kept here.
    text_at: u32,
    text_len: u32,
    text: [u8; INLINE],
}

/// Sees what a walk passes.
pub(super) trait Visit {
    /// Where the walk notes the parameters it has passed.
    fn spans(&mut self) -> &mut Spans;

    /// A pattern matched the path, with the spans noted; `true` ends the walk. Patterns come best
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
    /// Children of nodes that have several.
    index: Slots,
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
        let [b'/', left @ ..] = path else { return false };
        if path.len() >= NONE as usize {
            return false;
        }
        Walk { trie: self, path, visit }.descend(&self.nodes[root as usize], Some(left), 0)
    }

    /// The text that leads to a node.
    fn text<'t>(&'t self, node: &'t Node) -> &'t [u8] {
        node.text.get(..node.text_len as usize).unwrap_or_else(|| self.long_text(node))
    }

    /// A text that does not fit into its node.
    fn long_text(&self, node: &Node) -> &[u8] {
        &self.texts.as_bytes()[node.text_at as usize..][..node.text_len as usize]
    }

    /// Number of nodes.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }
}

/// A walk on its way.
struct Walk<'w, V> {
    trie: &'w Trie,
    path: &'w [u8],
    visit: &'w mut V,
}

impl<'w, V: Visit> Walk<'w, V> {
    /// Goes on from a node, with what is left of the path behind a slash, or `None` if no segment
    /// is left, and `used` parameters passed.
    fn descend(&mut self, mut here: &'w Node, mut left: Option<&'w [u8]>, mut used: usize) -> bool {
        loop {
            self.visit.node();
            let Some(rest) = left else {
                return here.here != Leaf::NONE && self.visit.leaf(here.here);
            };
            let only_way = here.param == Link::NONE && here.rest == Leaf::NONE;
            if let Some(child) = self.exact(here, rest) {
                let behind = rest.get(child.text_len as usize + 1..);
                if only_way {
                    (here, left) = (child, behind);
                    continue;
                }
                if self.descend(child, behind, used) {
                    return true;
                }
            }
            if only_way {
                return false;
            }
            if here.param != Link::NONE {
                let length = segment_len(self.path, rest);
                self.note(used, rest, length);
                let behind = rest.get(length + 1..);
                if length == 0 {
                    // An empty segment is no value.
                } else if let Some(leaf) = here.param.leaf() {
                    if behind.is_none() && self.visit.leaf(leaf) {
                        return true;
                    }
                } else {
                    let param = &self.trie.nodes[here.param.0 as usize];
                    if here.rest == Leaf::NONE {
                        (here, left, used) = (param, behind, used + 1);
                        continue;
                    }
                    if self.descend(param, behind, used + 1) {
                        return true;
                    }
                }
            }
            if here.rest == Leaf::NONE {
                return false;
            }
            self.note(used, rest, rest.len());
            return self.visit.leaf(here.rest);
        }
    }

    /// Notes where a parameter lies.
    #[inline]
    fn note(&mut self, used: usize, rest: &[u8], length: usize) {
        let at = self.path.len() - rest.len();
        self.visit.spans()[used] = (at as u32, (at + length) as u32);
    }

    /// The child with whose text the rest of the path begins.
    #[inline]
    fn exact(&self, here: &Node, rest: &[u8]) -> Option<&'w Node> {
        if here.children.0 & Children::MANY == 0 {
            let child = &self.trie.nodes[here.children.0 as usize];
            self.leads(child, rest).then_some(child)
        } else if here.children == Children::NONE {
            None
        } else {
            self.indexed(here.children.0, rest)
        }
    }

    // Apart from the walk, which keeps its registers to itself that way.
    #[inline(never)]
    fn indexed(&self, family: u32, rest: &[u8]) -> Option<&'w Node> {
        let Trie { nodes, index, longest, .. } = self.trie;
        let hash = segment_hash(index.seed(), family, self.path, rest, *longest);
        let child = index.find(hash, |child| {
            let node = &nodes[child as usize];
            node.family == family && self.leads(node, rest)
        });
        child.map(|child| &nodes[child as usize])
    }

    /// Does the rest of the path begin with the text that leads to the node?
    #[inline(always)]
    fn leads(&self, node: &Node, rest: &[u8]) -> bool {
        let length = node.text_len as usize;
        let Some((text, behind)) = rest.split_at_checked(length) else { return false };
        if let [first, ..] = behind
            && *first != b'/'
        {
            return false;
        }
        match node.text.get(..length) {
            Some(known) => same(text, known),
            None => text == self.trie.long_text(node),
        }
    }
}
