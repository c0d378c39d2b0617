//! What must hold for any input at all: the fuzz targets of this crate, one function each.
//!
//! They stand beside what they check, which is private. Each panics, by an assertion, on the first property that does
//! not hold. No target checks a password: that is slow on purpose.

pub use crate::htpasswd::fuzzing::htpasswd;
pub use crate::token::fuzzing::{keys, tokens};

/// A fuzz target: its name, which is also that of its corpus, and its body.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 3] = [("tokens", tokens), ("keys", keys), ("htpasswd", htpasswd)];

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    use super::{TARGETS, replay};

    #[test]
    fn every_kept_input_keeps_every_property() {
        replay::every_input(&TARGETS);
    }

    #[test]
    fn every_target_is_fuzzed() {
        replay::every_target_is_fuzzed(&TARGETS);
    }
}
