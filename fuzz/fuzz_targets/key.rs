//! Any headers, cookies, queries, lists and percents.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cutover_fuzz::key::check(data));
