//! Building a table: routes one by one into a draft, conflicts found on the way, then compiled at
//! once.

use super::host::{HostPattern, Hosts};
use super::path::{Segment, parse};
use super::predicate::{Candidate, can_both_hold, named_twice, rank};
use super::trie::{Edge, Ends, Leaf, TrieBuilder};
use super::{RouteError, RouteSpec, RouteTable};
use crate::RouteId;
use std::cmp::Reverse;
use std::collections::HashMap;

/// Routes one table may have; ids share their bits with flags.
const MAX_ROUTES: usize = 1 << 30;

/// Collects the routes of a [`RouteTable`].
#[derive(Debug, Default)]
pub struct RouteTableBuilder {
    specs: Vec<RouteSpec>,
    /// For each route, its list of parameter names.
    names: Vec<u32>,
    name_lists: Vec<Box<[Box<str>]>>,
    known_lists: HashMap<Box<[Box<str>]>, u32>,
    hosts: Vec<(HostPattern, u32)>,
    known_hosts: HashMap<HostPattern, u32>,
    texts: Vec<Box<str>>,
    known_texts: HashMap<Box<str>, u32>,
    children: HashMap<(u32, u32), u32>,
    nodes: Vec<Draft>,
}

/// A node before its neighbours are known: one segment to each edge.
#[derive(Debug, Default)]
struct Draft {
    /// Text and node of each child, in the order of insertion.
    exact: Vec<(u32, u32)>,
    param: Option<u32>,
    /// Routes whose pattern ends here.
    here: Vec<u32>,
    /// Routes whose pattern ends in a catch-all below.
    rest: Vec<u32>,
}

impl Draft {
    /// Nothing to do here but to go on to the only child?
    fn is_passage(&self) -> bool {
        self.here.is_empty()
            && self.rest.is_empty()
            && self.param.is_none()
            && self.exact.len() == 1
    }

    /// The end of its patterns, with nothing below?
    fn is_end(&self) -> bool {
        self.rest.is_empty() && self.param.is_none() && self.exact.is_empty()
    }
}

impl RouteTableBuilder {
    /// Adds a route; refused if it cannot be read, or if a request may match it and another route
    /// with equal rank.
    pub fn insert(&mut self, spec: RouteSpec) -> Result<RouteId, RouteError> {
        let refused = |what: &dyn std::fmt::Display| format!("`{}`: {what}", spec.path).into();
        let segments = parse(&spec.path).map_err(|error| RouteError::Path(refused(&error)))?;
        let host = HostPattern::parse(spec.host.as_deref()).map_err(|what| {
            RouteError::Host(format!("`{}`: {what}", spec.host.as_deref().unwrap_or("")).into())
        })?;
        if let Some(what) = named_twice(&spec) {
            let text = format!("`{}`: {what} is asked for twice in one route", spec.path);
            return Err(RouteError::Predicate(text.into()));
        }
        assert!(self.specs.len() < MAX_ROUTES, "a table holds fewer than 2^30 routes");
        let names: Box<[Box<str>]> = segments
            .iter()
            .filter_map(|segment| match segment {
                Segment::Param(name) | Segment::Rest(name) => Some(Box::from(*name)),
                Segment::Exact(_) => None,
            })
            .collect();
        let root = self.root(host);
        let (node, rest) = self.reach(root, &segments);
        let leaf = &self.nodes[node as usize];
        let peers = if rest { &leaf.rest } else { &leaf.here };
        let specs = &self.specs;
        let conflicts = |peer: &&u32| {
            let peer = &specs[**peer as usize];
            rank(peer) == rank(&spec) && can_both_hold(peer, &spec)
        };
        if let Some(peer) = peers.iter().find(conflicts) {
            return Err(RouteError::Conflict(RouteId(*peer)));
        }
        let id = self.specs.len() as u32;
        let leaf = &mut self.nodes[node as usize];
        if rest { &mut leaf.rest } else { &mut leaf.here }.push(id);
        let list = self.name_list(names);
        self.names.push(list);
        self.specs.push(spec);
        Ok(RouteId(id))
    }

    /// Compiles the table.
    pub fn finish(self) -> RouteTable {
        let mut compiler =
            Compiler { draft: &self, trie: TrieBuilder::default(), groups: Groups::default() };
        let roots: Vec<u32> = self.hosts.iter().map(|(_, root)| compiler.compile(*root)).collect();
        let Compiler { trie, groups, .. } = compiler;
        let trie = trie.finish();
        let hosts = self.hosts.into_iter().zip(roots).map(|((host, _), root)| (host, root));
        RouteTable {
            hosts: Hosts::new(hosts.collect()),
            trie,
            groups: groups.ranges.into(),
            candidates: groups.candidates.into(),
            specs: self.specs.into(),
            names: self.names.into(),
            name_lists: self.name_lists.into(),
        }
    }

    fn root(&mut self, host: HostPattern) -> u32 {
        if let Some(root) = self.known_hosts.get(&host) {
            return *root;
        }
        let root = self.node();
        self.known_hosts.insert(host.clone(), root);
        self.hosts.push((host, root));
        root
    }

    /// The node at the end of a pattern, and whether a catch-all follows it.
    fn reach(&mut self, root: u32, segments: &[Segment<'_>]) -> (u32, bool) {
        let mut at = root;
        for segment in segments {
            at = match segment {
                Segment::Exact(text) => self.exact_child(at, text),
                Segment::Param(_) => self.param_child(at),
                Segment::Rest(_) => return (at, true),
            };
        }
        (at, false)
    }

    fn exact_child(&mut self, parent: u32, text: &str) -> u32 {
        let text = match self.known_texts.get(text) {
            Some(known) => *known,
            None => {
                let id = self.texts.len() as u32;
                self.texts.push(text.into());
                self.known_texts.insert(text.into(), id);
                id
            }
        };
        if let Some(child) = self.children.get(&(parent, text)) {
            return *child;
        }
        let child = self.node();
        self.children.insert((parent, text), child);
        self.nodes[parent as usize].exact.push((text, child));
        child
    }

    fn param_child(&mut self, parent: u32) -> u32 {
        if let Some(child) = self.nodes[parent as usize].param {
            return child;
        }
        let child = self.node();
        self.nodes[parent as usize].param = Some(child);
        child
    }

    fn node(&mut self) -> u32 {
        let id = u32::try_from(self.nodes.len()).expect("2^32 nodes fit no memory");
        self.nodes.push(Draft::default());
        id
    }

    fn name_list(&mut self, names: Box<[Box<str>]>) -> u32 {
        if let Some(known) = self.known_lists.get(&names) {
            return *known;
        }
        let id = self.name_lists.len() as u32;
        self.name_lists.push(names.clone());
        self.known_lists.insert(names, id);
        id
    }
}

/// From drafts to the trie.
struct Compiler<'d> {
    draft: &'d RouteTableBuilder,
    trie: TrieBuilder,
    groups: Groups,
}

/// How a node that is still to be compiled will be reached.
enum Way {
    Root,
    Exact { parent: u32, alone: bool, text: String },
    Param(u32),
}

impl Way {
    fn edge(&self) -> Edge<'_> {
        match self {
            Self::Root => Edge::Root,
            Self::Exact { parent, alone: true, text } => Edge::Only(*parent, text),
            Self::Exact { parent, alone: false, text } => Edge::OneOf(*parent, text),
            Self::Param(parent) => Edge::Param(*parent),
        }
    }
}

/// Candidates of leaves with more than one route, or with one that asks for something.
#[derive(Default)]
struct Groups {
    ranges: Vec<(u32, u32)>,
    candidates: Vec<Candidate>,
}

impl Compiler<'_> {
    /// Compiles everything below a root. In preorder, so that the nodes of one pattern lie near
    /// each other.
    fn compile(&mut self, root: u32) -> u32 {
        let compiled_root = self.trie.len();
        let mut open = vec![(Way::Root, root)];
        while let Some((way, draft)) = open.pop() {
            let node = &self.draft.nodes[draft as usize];
            let ends = Ends { here: self.leaf(&node.here), rest: self.leaf(&node.rest) };
            let id = self.trie.node(way.edge(), ends);
            if let Some(param) = node.param {
                let below = &self.draft.nodes[param as usize];
                if below.is_end() {
                    if let Some(leaf) = self.leaf(&below.here) {
                        self.trie.last_param(id, leaf);
                    }
                } else {
                    open.push((Way::Param(id), param));
                }
            }
            let alone = node.exact.len() == 1;
            for (text, child) in node.exact.iter().rev() {
                let (text, end) = self.passage(*text, *child);
                open.push((Way::Exact { parent: id, alone, text }, end));
            }
        }
        compiled_root
    }

    /// Follows a chain of single children: the text of all its edges, and its last node.
    fn passage(&self, text: u32, mut node: u32) -> (String, u32) {
        let texts = &self.draft.texts;
        let mut joined = texts[text as usize].to_string();
        while let Draft { exact, .. } = &self.draft.nodes[node as usize]
            && self.draft.nodes[node as usize].is_passage()
        {
            let (text, child) = exact[0];
            joined.push('/');
            joined.push_str(&texts[text as usize]);
            node = child;
        }
        (joined, node)
    }

    fn leaf(&mut self, routes: &[u32]) -> Option<Leaf> {
        let specs = &self.draft.specs;
        let mut candidates: Vec<Candidate> =
            routes.iter().map(|route| Candidate::new(*route, &specs[*route as usize])).collect();
        // Candidates of equal rank exclude each other, so their order does not matter.
        candidates.sort_by_key(|candidate| Reverse(rank(&specs[candidate.route as usize])));
        match candidates.as_slice() {
            [] => None,
            [only] if only.is_open() => Some(Leaf::open(only.route)),
            _ => {
                let start = self.groups.candidates.len() as u32;
                self.groups.candidates.append(&mut candidates);
                let end = self.groups.candidates.len() as u32;
                self.groups.ranges.push((start, end));
                Some(Leaf::group(self.groups.ranges.len() as u32 - 1))
            }
        }
    }
}
