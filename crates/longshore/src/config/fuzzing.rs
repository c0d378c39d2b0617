//! What must hold for any file and any environment at all: the bodies of the fuzz targets, one function each.
//!
//! Each function panics, by an assertion, on the first property that does not hold. An input is a file and, each after
//! a NUL, the variables over it as `NAME=VALUE`; so a file alone is an input too.

use super::show::{self, Shown};
use super::{Config, Origin, Problems, Reader};
use crate::distribution;

/// A fuzz target: its name, which is also that of its corpus, and its body.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 2] = [("config", config), ("distribution", distribution)];

/// Reads our own file and `LONGSHORE__*` variables: what is taken reads back from what is shown, what is refused names
/// a place in the input.
pub fn config(input: &[u8]) {
    let Some((file, variables)) = split(input) else {
        return;
    };
    let read = Config::load(Some(("f.toml", file)), variables.clone(), &[]);
    check(read, |at| match at {
        Origin::File { line, .. } => (1..=file.split('\n').count()).contains(line),
        at => is_one_of(&variables, at),
    });
}

/// Reads a `config.yml` with `REGISTRY_*` variables and ours over it, with the same properties.
pub fn distribution(input: &[u8]) {
    let Some((file, variables)) = split(input) else {
        return;
    };
    let mut reader = Reader::default();
    let read = distribution::read(&mut reader, Some(("f.yml", file)), &variables);
    reader.environment(variables.clone());
    check(
        read.and_then(|_| Config::from_reader(reader)),
        |at| match at {
            // After either, the key may stand in brackets.
            Origin::Distribution(place) => {
                let is_after = |name: &str| {
                    place
                        .strip_prefix(name)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', ' ']))
                };
                is_after("f.yml") || variables.iter().any(|(name, _)| is_after(name))
            }
            at => is_one_of(&variables, at),
        },
    );
    distribution::any_variable(&variables);
}

/// The file and the variables of an input; none where it is not text, as both must be.
fn split(input: &[u8]) -> Option<(&str, Vec<(String, String)>)> {
    let mut parts = std::str::from_utf8(input).ok()?.split('\0');
    let file = parts.next()?;
    let variables = parts
        .filter_map(|part| part.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Some((file, variables))
}

fn is_one_of(variables: &[(String, String)], at: &Origin) -> bool {
    matches!(at, Origin::Variable(at) if variables.iter().any(|(name, _)| name == at))
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
#[path = "../../../../fuzz/replay.rs"]
mod replay;

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
    fn every_kept_input_keeps_every_property() {
        replay::every_input(&TARGETS);
    }

    #[test]
    fn every_target_is_fuzzed() {
        replay::every_target_is_fuzzed(&TARGETS);
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
