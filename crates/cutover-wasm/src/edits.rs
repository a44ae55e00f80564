//! `cutover:plugin/edits`: header edits, noted while the plugin runs, judged after it, applied if all of them hold.
//!
//! Wired by hand: the list's bytes are copied once into a buffer that the instance keeps, so an edit allocates nothing.
//! An import that returned an error would kill the store, so a bad edit is noted and judged when the call is over.

use crate::error::Fault;
use crate::instance::Context;
use cutover_core::edit::HeaderSink;
use http::{HeaderName, HeaderValue};
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, WasmList};

/// Edits of one call.
pub const MAX_EDITS: usize = 64;

/// Bytes of one value.
pub const MAX_EDIT_BYTES: usize = 8 * 1024;

/// The bad answer of a plugin that edits a header which its manifest does not declare.
pub const UNDECLARED_WRITE: &str = "an edit's index is not in manifest.writes";

/// Name of the interface.
pub(crate) const INTERFACE: &str = "cutover:plugin/edits@0.1.0";

/// The edits of one call.
#[derive(Debug)]
pub(crate) struct EditLog {
    edits: Vec<Edit>,
    values: Vec<u8>,
    /// `None` outside a rewrite call.
    writable: Option<u16>,
    bad: Option<&'static str>,
    /// The last value of each declared header; most plugins write the same one again and again.
    recent: Vec<Option<HeaderValue>>,
}

#[derive(Clone, Copy, Debug)]
struct Edit {
    verb: Verb,
    name: u16,
    start: u32,
    end: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Set,
    Append,
    Remove,
}

impl EditLog {
    /// A log for a plugin that declared so many headers. One that declared none needs no buffers.
    pub(crate) fn new(writes: usize) -> Self {
        let (edits, bytes) = if writes == 0 { (0, 0) } else { (MAX_EDITS, 1024) };
        Self {
            edits: Vec::with_capacity(edits),
            values: Vec::with_capacity(bytes),
            writable: None,
            bad: None,
            recent: vec![None; writes],
        }
    }

    /// Before a rewrite call.
    pub(crate) fn open(&mut self) {
        self.edits.clear();
        self.values.clear();
        self.bad = None;
        self.writable = Some(self.recent.len() as u16);
    }

    /// Before any other call: edits are then a bad answer.
    pub(crate) fn close(&mut self) {
        self.bad = None;
        self.writable = None;
    }

    /// What the plugin did wrong, if anything.
    pub(crate) fn fault(&self) -> Option<Fault> {
        self.bad.map(Fault::BadAnswer)
    }

    /// Applies every edit, in order, or none.
    pub(crate) fn apply(
        &mut self,
        names: &[HeaderName],
        headers: &mut dyn HeaderSink,
    ) -> Result<(), Fault> {
        for edit in &self.edits {
            let value = &self.values[edit.start as usize..edit.end as usize];
            if !value.iter().all(|&byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f)) {
                return Err(Fault::BadAnswer("an edit's value has bytes that no header may have"));
            }
        }
        for edit in &self.edits {
            let name = &names[usize::from(edit.name)];
            if edit.verb == Verb::Remove {
                headers.remove(name);
                continue;
            }
            let value = &self.values[edit.start as usize..edit.end as usize];
            let value = header_value(&mut self.recent[usize::from(edit.name)], value)?;
            match edit.verb {
                Verb::Set => headers.set(name, value),
                Verb::Append | Verb::Remove => headers.append(name, value),
            }
        }
        Ok(())
    }

    fn note(&mut self, verb: Verb, name: u16, value: &[u8]) {
        let Some(writable) = self.writable else {
            self.bad = Some("edits were made outside a rewrite call");
            return;
        };
        if name >= writable {
            self.bad = Some(UNDECLARED_WRITE);
        } else if value.len() > MAX_EDIT_BYTES {
            self.bad = Some("an edit's value is larger than 8 KiB");
        } else if self.edits.len() == MAX_EDITS {
            self.bad = Some("more than 64 edits were made in one call");
        } else {
            let start = self.values.len() as u32;
            self.values.extend_from_slice(value);
            self.edits.push(Edit { verb, name, start, end: self.values.len() as u32 });
        }
    }
}

/// The value, shared with the last one if it is the same.
fn header_value(recent: &mut Option<HeaderValue>, value: &[u8]) -> Result<HeaderValue, Fault> {
    if let Some(same) = recent.as_ref().filter(|recent| recent.as_bytes() == value) {
        return Ok(same.clone());
    }
    let fresh = HeaderValue::from_bytes(value)
        .map_err(|_| Fault::BadAnswer("an edit's value has bytes that no header may have"))?;
    Ok(recent.insert(fresh).clone())
}

/// Gives plugins `edits.set`, `edits.append` and `edits.remove`.
pub(crate) fn link(linker: &mut Linker<Context>) -> wasmtime::Result<()> {
    let mut edits = linker.instance(INTERFACE)?;
    for (name, verb) in [("set", Verb::Set), ("append", Verb::Append)] {
        edits.func_wrap(
            name,
            move |mut store: StoreContextMut<'_, Context>, (name, value): (u16, WasmList<u8>)| {
                // The bytes lie in the store, so the log leaves it for as long as they are copied.
                let nothing = EditLog::new(0);
                let mut log = std::mem::replace(&mut store.data_mut().edits, nothing);
                log.note(verb, name, value.as_le_slice(&store));
                store.data_mut().edits = log;
                Ok(())
            },
        )?;
    }
    edits.func_wrap("remove", |mut store: StoreContextMut<'_, Context>, (name,): (u16,)| {
        store.data_mut().edits.note(Verb::Remove, name, &[]);
        Ok(())
    })
}
