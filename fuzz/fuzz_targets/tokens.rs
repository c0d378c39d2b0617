//! Feeds bytes to `longshore_auth::fuzzing::tokens`, where the properties are.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| longshore_auth::fuzzing::tokens(input));
