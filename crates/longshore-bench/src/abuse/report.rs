//! What came of the trials: goals, and a part of the page.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::path::Path;

use anyhow::Result;

use super::Abuse;
use super::trial::Trial;
use crate::goal::{Verdict, Wanted};
use crate::line::works::float;
use crate::report::{Machine, Part, Spread};

/// How much later the good clients may be answered.
const P99: f64 = 2.0;

/// A goal of an abuse with its verdict.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judged {
    abuse: &'static str,
    what: &'static str,
    wanted: Wanted,
    pub(super) verdict: Verdict,
}

impl fmt::Display for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            abuse,
            what,
            wanted,
            verdict,
        } = self;
        write!(f, "goal abuse-{abuse}-{what} ")?;
        f.write_str(&verdict.told(*wanted))
    }
}

/// The trials of a run.
#[derive(Debug)]
pub(super) struct Results {
    machine: Machine,
    rounds: u32,
    trials: BTreeMap<&'static str, Vec<Trial>>,
}

impl Results {
    pub(super) fn new(machine: Machine, rounds: u32) -> Self {
        Self {
            machine,
            rounds,
            trials: BTreeMap::new(),
        }
    }

    pub(super) fn add(&mut self, abuse: &'static str, trial: Trial) {
        self.trials.entry(abuse).or_default().push(trial);
    }

    /// What went wrong in any of them.
    pub(super) fn errors(&self) -> Vec<String> {
        let each = self.trials.iter().flat_map(|(abuse, trials)| {
            let errors = trials.iter().filter_map(|trial| trial.error.as_ref());
            errors.map(move |error| format!("{abuse}: {error}"))
        });
        each.collect()
    }

    /// The median of a figure.
    fn median(&self, abuse: &str, figure: impl Fn(&Trial) -> f64) -> Option<f64> {
        let trials = self.trials.get(abuse)?;
        Spread::of(trials.iter().map(figure).collect()).map(|spread| spread.median)
    }

    /// The highest of a figure.
    fn most(&self, abuse: &str, figure: impl Fn(&Trial) -> f64) -> Option<f64> {
        let trials = self.trials.get(abuse)?;
        Spread::of(trials.iter().map(figure).collect()).map(|spread| spread.most)
    }

    /// Three goals of each: the good clients by the median of the rounds, memory and disk by the worst of them.
    pub(super) fn judge(&self, abuses: &[Abuse]) -> Vec<Judged> {
        let mut judged = Vec::new();
        for abuse in abuses {
            let mut goal = |what, bound: f64, value| {
                let wanted = Wanted::Most((bound * 10.0).round() / 10.0);
                judged.push(Judged {
                    abuse: abuse.name,
                    what,
                    wanted,
                    verdict: Verdict::of(wanted, value),
                });
            };
            let late = self.median(abuse.name, |trial| trial.beside / trial.alone);
            goal("p99", P99, late);
            goal(
                "memory",
                abuse.memory.megabytes(),
                self.most(abuse.name, |trial| trial.memory),
            );
            goal("disk", 0.0, self.most(abuse.name, garbage));
        }
        judged
    }

    /// Writes the part of the page that is about abuse.
    ///
    /// # Errors
    /// When the page cannot be read or written, or has lost its markers.
    pub(super) fn write(&self, page: &Path, abuses: &[Abuse], goals: &[Judged]) -> Result<()> {
        Part::Abuse.write(page, &self.text(abuses, goals))
    }

    fn text(&self, abuses: &[Abuse], goals: &[Judged]) -> String {
        let machine = &self.machine;
        let mut text = format!(
            "Tried on {}: {}, {} processors, {}, Linux {}; {} rounds.\n\n",
            machine.date,
            machine.processor,
            machine.processors,
            machine.memory,
            machine.kernel,
            self.rounds
        );
        text.push_str("| abuse | what is done | acts a second | p99 of good clients, us: alone, beside | requests a second: alone, beside | memory, MB | its bound |\n|---|---|---|---|---|---|---|\n");
        for abuse in abuses {
            let figure = |figure: fn(&Trial) -> f64| self.median(abuse.name, figure).unwrap_or(0.0);
            let _ = writeln!(
                text,
                "| {} | {} | {:.0} | {:.0}, {:.0} | {:.0}, {:.0} | {:.1} | {} |",
                abuse.name,
                abuse.about,
                figure(|trial| trial.acts),
                figure(|trial| trial.alone),
                figure(|trial| trial.beside),
                figure(|trial| trial.rates.0),
                figure(|trial| trial.rates.1),
                self.most(abuse.name, |trial| trial.memory).unwrap_or(0.0),
                abuse.memory,
            );
        }
        text.push_str("\n```text\n");
        for goal in goals {
            let _ = writeln!(text, "{goal}");
        }
        text.push_str("```\n");
        text
    }
}

/// Files that no session holds when all have gone, and whatever is there when the sessions have expired.
fn garbage(trial: &Trial) -> f64 {
    let count = trial.left.beyond() + trial.expired.files + trial.expired.sessions;
    float(count as u64)
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;

    fn trial(beside: f64, files: usize) -> Trial {
        Trial {
            alone: 100.0,
            beside,
            rates: (1.0, 1.0),
            acts: 1.0,
            memory: 5.0,
            left: Left { files, sessions: 1 },
            expired: Left::default(),
            error: None,
        }
    }

    #[test]
    fn good_clients_are_judged_by_the_median_and_the_disk_by_the_worst() {
        let mut results = Results::new(Machine::default(), 3);
        for (beside, files) in [(150.0, 1), (900.0, 3), (180.0, 0)] {
            results.add("header-floods", trial(beside, files));
        }
        let abuses: Vec<Abuse> = super::super::all(1)
            .into_iter()
            .filter(|abuse| abuse.name == "header-floods")
            .collect();
        let told: Vec<String> = results
            .judge(&abuses)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            told,
            [
                "goal abuse-header-floods-p99 ratio=1.800 wanted=<=2 ok",
                "goal abuse-header-floods-memory ratio=5.000 wanted=<=20.2 ok",
                "goal abuse-header-floods-disk ratio=2.000 wanted=<=0 short",
            ]
        );
        assert!(
            results
                .text(&abuses, &[])
                .contains("| header-floods | 500 requests")
        );
    }
}
