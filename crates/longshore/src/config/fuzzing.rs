//! What must hold for any file at all: the bodies of the fuzz targets, one function each.
//!
//! Each function panics, by an assertion, on the first property that does not hold.

use super::show::{self, Shown};
use super::{Config, Origin, Problems, Reader};
use crate::distribution;

/// A fuzz target: its name, which is also that of its corpus, and its body.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 2] = [("config", config), ("distribution", distribution)];

/// Reads `input` as our own file: what is taken reads back from what is shown, what is refused names places in it.
pub fn config(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    check(Config::load(Some(("f.toml", text)), [], &[]), |at| {
        matches!(at, Origin::File { .. })
    });
}

/// Reads `input` as a `config.yml`, with the same properties.
pub fn distribution(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let mut reader = Reader::default();
    let read = distribution::read(&mut reader, Some(("f.yml", text)), &[]);
    check(read.and_then(|_| Config::from_reader(reader)), |at| {
        matches!(at, Origin::Distribution(_))
    });
}

fn check(read: Result<Config, Problems>, names_a_place: impl Fn(&Origin) -> bool) {
    match read {
        Ok(config) => {
            let shown = show::toml(&config, Shown::All);
            // A secret is hidden, and that is refused.
            if config.tracing.headers.is_some() {
                return;
            }
            let again = Config::load(Some(("shown.toml", &shown)), [], &[]);
            assert_eq!(
                again.map(|again| again.settings),
                Ok(config.settings),
                "{shown}"
            );
        }
        Err(problems) => {
            assert!(!problems.0.is_empty());
            for problem in problems.0 {
                assert!(names_a_place(&problem.at), "{problem}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The files of the tests, as seeds: each piece of each is a better start than chance.
    fn seeds() -> Vec<&'static str> {
        let ours = crate::config::tests::bad::BAD.iter().map(|(text, _)| *text);
        ours.chain(
            crate::distribution::tests::FILES
                .iter()
                .map(|(_, text, _)| *text),
        )
        .collect()
    }

    #[test]
    fn the_properties_hold_for_every_file_of_the_tests() {
        for seed in seeds() {
            for (_, target) in TARGETS {
                target(seed.as_bytes());
            }
        }
    }

    proptest! {
        #[test]
        fn the_properties_hold_for_files_cut_joined_and_changed(
            one in prop::sample::select(seeds()),
            other in prop::sample::select(seeds()),
            cut in any::<prop::sample::Index>(),
            from in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let (one, other) = (one.as_bytes(), other.as_bytes());
            let mut input = one[..cut.index(one.len())].to_vec();
            input.push(byte);
            input.extend(&other[from.index(other.len())..]);
            for (_, target) in TARGETS {
                target(&input);
            }
        }
    }
}
