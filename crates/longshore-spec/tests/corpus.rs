//! Replays every input that fuzzing kept, with a stable compiler and no fuzzer.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests"
)]

use std::path::Path;

use longshore_spec::fuzzing::TARGETS;

/// Feeds the files of `corpus/<target>` to the target and says how many there were.
fn replay(name: &str, target: fn(&[u8])) -> usize {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(name);
    let mut replayed = 0;
    for entry in std::fs::read_dir(&corpus).expect("every target has a corpus") {
        let path = entry.unwrap().path();
        let input = std::fs::read(&path).unwrap();
        // A failing property panics without saying which input broke it; the last line before the panic does.
        eprintln!("{}", path.display());
        target(&input);
        replayed += 1;
    }
    replayed
}

#[test]
fn every_kept_input_keeps_every_property() {
    for (name, target) in TARGETS {
        assert!(replay(name, target) > 0, "the corpus of {name} is empty");
    }
}

#[test]
fn every_target_is_fuzzed() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/Cargo.toml");
    let manifest = std::fs::read_to_string(manifest).unwrap();
    for (name, _) in TARGETS {
        assert!(
            manifest.contains(&format!("name = \"{name}\"")),
            "{name} has no fuzz target"
        );
    }
}
