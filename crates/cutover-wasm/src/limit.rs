//! What one instance may take: linear memory, table elements, stack, and memory copied for its answers.

use wasmtime::ResourceLimiter;

/// Elements that all tables of one instance may have together.
pub const MAX_TABLE_ELEMENTS: usize = 100_000;

/// Stack of one call, in bytes.
pub const MAX_STACK_BYTES: usize = 512 * 1024;

/// Bytes the engine may allocate to lift one answer or argument out of a plugin.
pub const MAX_LIFTED_BYTES: usize = 1024 * 1024;

/// Refuses growth beyond the caps by a trap, and remembers that it did.
#[derive(Debug)]
pub(crate) struct Limits {
    memory_cap_bytes: usize,
    memory_bytes: usize,
    table_elements: usize,
    refused: bool,
}

impl Limits {
    pub(crate) fn new(memory_cap_bytes: usize) -> Self {
        Self { memory_cap_bytes, memory_bytes: 0, table_elements: 0, refused: false }
    }

    /// Was growth refused? Then whatever error the call ended with was caused by it.
    pub(crate) fn refused(&self) -> bool {
        self.refused
    }
}

impl ResourceLimiter for Limits {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let total = self.memory_bytes.saturating_add(desired.saturating_sub(current));
        if total > self.memory_cap_bytes {
            self.refused = true;
            wasmtime::bail!("memory cap of {} bytes exceeded", self.memory_cap_bytes);
        }
        self.memory_bytes = total;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.refused = true;
        Err(error)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let total = self.table_elements.saturating_add(desired.saturating_sub(current));
        if total > MAX_TABLE_ELEMENTS {
            self.refused = true;
            wasmtime::bail!("cap of {MAX_TABLE_ELEMENTS} table elements exceeded");
        }
        self.table_elements = total;
        Ok(true)
    }
}
