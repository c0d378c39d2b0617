//! Replays every input that fuzzing kept, with a stable compiler and no fuzzer.
//!
//! The tests of each crate that has targets take this file in as a module, so a change that breaks a property for an
//! input that was ever worth keeping fails the ordinary tests.

#![allow(clippy::expect_used, clippy::print_stderr, reason = "tests")]

use std::path::Path;

/// A fuzz target: its name, which is also that of its corpus, and its body.
type Target = (&'static str, fn(&[u8]));

/// Feeds each target the files of its corpus, of which there must be some.
pub(crate) fn every_input(targets: &[Target]) {
    for (name, target) in targets {
        let corpus = fuzz_folder().join("corpus").join(name);
        let entries = std::fs::read_dir(&corpus).expect("every target has a corpus");
        let mut replayed = 0;
        for entry in entries {
            let path = entry.expect("the corpus can be listed").path();
            let input = std::fs::read(&path).expect("an input can be read");
            // A failing property panics without saying which input broke it; the last line before the panic does.
            eprintln!("{}", path.display());
            target(&input);
            replayed += 1;
        }
        assert!(replayed > 0, "the corpus of {name} is empty");
    }
}

/// Checks that each target has a program that the fuzzer can run.
pub(crate) fn every_target_is_fuzzed(targets: &[Target]) {
    let manifest = std::fs::read_to_string(fuzz_folder().join("Cargo.toml"))
        .expect("the fuzzer's manifest can be read");
    for (name, _) in targets {
        assert!(
            manifest.contains(&format!("name = \"{name}\"")),
            "{name} has no fuzz target"
        );
    }
}

fn fuzz_folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}
