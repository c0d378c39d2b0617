//! What a run found, and the line it ends with.

use std::fmt;
use std::process::ExitCode;

/// How many findings of a run are told in words; the rest are only counted.
const TOLD: usize = 40;
/// After how many findings a run ends early.
const ENOUGH: u64 = 20;
/// What the line of a finding begins with.
pub(crate) const FOUND: &str = "  found: ";

/// What a run found.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally {
    /// Cycles, images, sites, seeds or events that were tried.
    pub(crate) cases: u64,
    /// Acknowledged things that were gone or wrong, and half states.
    pub(crate) lost: u64,
    /// Things that nobody will ever use or remove.
    pub(crate) left_behind: u64,
    /// Answers that a client should not have got.
    pub(crate) client_errors: u64,
    /// Broken builds that were not caught.
    pub(crate) controls_missed: u64,
    told: Vec<String>,
}

impl Tally {
    /// One acknowledged thing is gone or wrong.
    pub(crate) fn lose(&mut self, what: impl Into<String>) {
        self.lost += 1;
        self.tell(what.into());
    }

    /// One thing is left that nobody uses.
    pub(crate) fn leave(&mut self, what: impl Into<String>) {
        self.left_behind += 1;
        self.tell(what.into());
    }

    /// A client was told what it should not have been.
    pub(crate) fn err(&mut self, what: impl Into<String>) {
        self.client_errors += 1;
        self.tell(what.into());
    }

    /// A broken build got through.
    pub(crate) fn miss(&mut self, what: impl Into<String>) {
        self.controls_missed += 1;
        self.tell(what.into());
    }

    fn tell(&mut self, what: String) {
        if self.told.len() < TOLD {
            crate::say(&format!("{FOUND}{what}"));
            self.told.push(what);
        }
    }

    /// The first findings, in words.
    pub(crate) fn told(&self) -> &[String] {
        &self.told
    }

    /// Whether so much was found that there is no use in going on; `first` is enough where it is known that something is wrong.
    pub(crate) fn is_enough(&self, first: bool) -> bool {
        self.lost + self.client_errors > if first { 0 } else { ENOUGH }
    }

    /// Whether nothing was found.
    pub(crate) fn is_clean(&self) -> bool {
        self.lost + self.left_behind + self.client_errors + self.controls_missed == 0
    }

    /// Adds what another part of the run found.
    pub(crate) fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.lost += other.lost;
        self.left_behind += other.left_behind;
        self.client_errors += other.client_errors;
        self.controls_missed += other.controls_missed;
        self.told.extend(other.told);
    }

    /// What the process says to whoever started it: a run without a case proves nothing.
    pub(crate) fn code(&self) -> ExitCode {
        if self.is_clean() && self.cases > 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "crash: cases={} lost={} left_behind={} client_errors={} controls_missed={}",
            self.cases, self.lost, self.left_behind, self.client_errors, self.controls_missed
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_found_something_or_tried_nothing_fails() {
        let mut tally = Tally::default();
        assert_ne!(tally.code(), ExitCode::SUCCESS);
        tally.cases = 2;
        assert_eq!(tally.code(), ExitCode::SUCCESS);
        let other = Tally {
            controls_missed: 1,
            ..Tally::default()
        };
        tally.add(other);
        assert_ne!(tally.code(), ExitCode::SUCCESS);
        assert_eq!(
            tally.to_string(),
            "crash: cases=2 lost=0 left_behind=0 client_errors=0 controls_missed=1"
        );
    }
}
