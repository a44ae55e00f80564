//! `cutover:plugin/log`: the last line a plugin said during a call, bounded and harmless to print.

use crate::instance::Context;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, WasmStr};

/// Bytes kept of what a plugin says.
pub const MAX_SAID_BYTES: usize = 512;

/// Name of the interface.
pub(crate) const INTERFACE: &str = "cutover:plugin/log@0.1.0";

/// The last line that was said. Its buffer is made once per instance.
#[derive(Debug, Default)]
pub(crate) struct Said(String);

impl Said {
    pub(crate) fn with_room() -> Self {
        Self(String::with_capacity(MAX_SAID_BYTES))
    }

    /// Forgets what was said; before each call.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// What was said, if anything.
    pub(crate) fn line(&self) -> Option<&str> {
        (!self.0.is_empty()).then_some(self.0.as_str())
    }

    fn replace(&mut self, text: &str) {
        self.0.clear();
        append_printable(&mut self.0, text);
    }
}

/// A text from a plugin, fit for one line of a log.
pub(crate) fn printable(text: &str) -> String {
    let mut line = String::new();
    append_printable(&mut line, text);
    line
}

/// Control characters become spaces, so that no plugin can forge a line of a log or move a terminal's cursor.
fn append_printable(line: &mut String, text: &str) {
    for character in text.trim().chars() {
        let harmless = if character.is_control() { ' ' } else { character };
        if line.len() + harmless.len_utf8() > MAX_SAID_BYTES {
            return;
        }
        line.push(harmless);
    }
}

/// Gives plugins `log.say`.
pub(crate) fn link(linker: &mut Linker<Context>) -> wasmtime::Result<()> {
    linker.instance(INTERFACE)?.func_wrap(
        "say",
        |mut store: StoreContextMut<'_, Context>, (text,): (WasmStr,)| {
            // The text lies in the store, so the buffer leaves it for as long as it is being filled.
            let mut said = std::mem::take(&mut store.data_mut().said);
            let outcome = text.to_str(&store).map(|text| said.replace(&text));
            store.data_mut().said = said;
            outcome
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_bounded_and_cannot_forge_others() {
        assert_eq!(printable("a\nb\u{1b}[2J\r\n"), "a b [2J");
        let long = printable(&"é".repeat(MAX_SAID_BYTES));
        assert_eq!(long.len(), MAX_SAID_BYTES);
    }
}
