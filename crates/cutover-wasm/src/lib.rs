//! cutover-wasm
