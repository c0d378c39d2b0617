//! Replays what fuzzing kept for the targets of this crate.

#[path = "../../../fuzz/replay.rs"]
mod replay;

use longshore_spec::fuzzing::TARGETS;

#[test]
fn every_kept_input_keeps_every_property() {
    replay::every_input(&TARGETS);
}

#[test]
fn every_target_is_fuzzed() {
    replay::every_target_is_fuzzed(&TARGETS);
}
