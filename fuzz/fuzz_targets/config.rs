//! Feeds bytes to `longshore::config::fuzzing::config`, where the properties are.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| longshore::config::fuzzing::config(input));
