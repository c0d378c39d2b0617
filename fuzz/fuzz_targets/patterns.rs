//! Feeds bytes to `longshore_spec::fuzzing::patterns`, where the properties are.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| longshore_spec::fuzzing::patterns(input));
