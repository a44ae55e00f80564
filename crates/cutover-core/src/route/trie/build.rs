//! Building the trie: nodes one by one, parents before children, then frozen.

use super::segment::{segment_hash, segment_len};
use super::{Children, INLINE, Leaf, Link, NONE, Node, Trie};
use crate::slots::Slots;

/// Collects nodes, parents before children, and freezes them.
#[derive(Debug, Default)]
pub(in crate::route) struct TrieBuilder {
    nodes: Vec<Node>,
    texts: String,
    /// Children that go into the index.
    indexed: Vec<u32>,
    /// Length of the longest first segment among them.
    longest: usize,
}

/// What a node says about itself before its children are known.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::route) struct Ends {
    /// Pattern that ends at the node.
    pub(in crate::route) here: Option<Leaf>,
    /// Catch-all below it.
    pub(in crate::route) rest: Option<Leaf>,
}

/// How a new node is reached.
#[derive(Clone, Copy, Debug)]
pub(in crate::route) enum Edge<'t> {
    Root,
    /// The only child by text.
    Only(u32, &'t str),
    /// One of several children by text.
    OneOf(u32, &'t str),
    Param(u32),
}

impl TrieBuilder {
    /// Adds a node.
    pub(in crate::route) fn node(&mut self, edge: Edge<'_>, ends: Ends) -> u32 {
        let id = self.nodes.len() as u32;
        let (family, text) = match edge {
            Edge::Root => (NONE, ""),
            Edge::Param(parent) => {
                self.nodes[parent as usize].param = Link(id);
                (NONE, "")
            }
            Edge::Only(parent, text) => {
                self.nodes[parent as usize].children = Children(id);
                (NONE, text)
            }
            Edge::OneOf(parent, text) => {
                let family = parent | Children::MANY;
                self.nodes[parent as usize].children = Children(family);
                self.indexed.push(id);
                self.longest = self.longest.max(segment_len(text.as_bytes(), text.as_bytes()));
                (family, text)
            }
        };
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
            children: Children::NONE,
            family,
            text_at,
            text_len: text.len() as u32,
            text: inline,
        });
        id
    }

    /// Number of nodes so far, which is the id of the next.
    pub(in crate::route) fn len(&self) -> u32 {
        self.nodes.len() as u32
    }

    /// Adds a parameter that ends its patterns.
    pub(in crate::route) fn last_param(&mut self, parent: u32, leaf: Leaf) {
        self.nodes[parent as usize].param = Link(leaf.0 | Link::LEAF);
    }

    /// Freezes the trie.
    pub(in crate::route) fn finish(self) -> Trie {
        let mut trie = Trie {
            nodes: self.nodes.into(),
            index: Slots::default(),
            texts: self.texts.into(),
            longest: self.longest,
        };
        trie.index = Slots::build(&self.indexed.iter().copied(), |seed, child| {
            let node = &trie.nodes[child as usize];
            let text = trie.text(node);
            segment_hash(seed, node.family, text, text, trie.longest)
        });
        trie
    }
}
