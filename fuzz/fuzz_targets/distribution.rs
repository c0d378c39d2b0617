//! Feeds bytes to `longshore::config::fuzzing::distribution`, where the properties are.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| longshore::config::fuzzing::distribution(input));
