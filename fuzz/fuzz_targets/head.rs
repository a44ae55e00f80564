//! Any bytes as an HTTP/1 connection.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cutover_fuzz::head::check(data));
