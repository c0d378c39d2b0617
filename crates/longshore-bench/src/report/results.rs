//! All that was measured, and what is made of it: medians, spreads, verdicts.

use std::collections::BTreeMap;

use crate::goal::{Against, Goal, Judged, Verdict, Wanted};
use crate::line::{Figure, Line, Sample};
use crate::peer::Program;

use super::Machine;

/// The samples of a run.
#[derive(Debug, Default)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    pub(crate) rounds: u32,
    samples: BTreeMap<(String, Program), Vec<Sample>>,
}

/// Several rounds of one figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// Of `values`; `None` when there are none.
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let upper = *values.get(middle)?;
        let median = if values.len() % 2 == 1 {
            upper
        } else {
            f64::midpoint(*values.get(middle - 1)?, upper)
        };
        Some(Self {
            median,
            least: *values.first()?,
            most: *values.last()?,
        })
    }
}

impl Results {
    pub(crate) fn new(machine: Machine, rounds: u32) -> Self {
        Self {
            machine,
            rounds,
            samples: BTreeMap::new(),
        }
    }

    pub(crate) fn add(&mut self, line: &str, program: Program, sample: Sample) {
        self.samples
            .entry((line.to_owned(), program))
            .or_default()
            .push(sample);
    }

    /// The rounds of one program on one line.
    pub(crate) fn samples(&self, line: &str, program: Program) -> &[Sample] {
        self.samples
            .get(&(line.to_owned(), program))
            .map_or(&[], Vec::as_slice)
    }

    /// One figure; `None` when it was not measured or any round had an error.
    pub(crate) fn figure(&self, line: &str, program: Program, figure: Figure) -> Option<Spread> {
        let samples = self.samples(line, program);
        if samples.iter().any(|sample| sample.errors > 0) {
            return None;
        }
        Spread::of(
            samples
                .iter()
                .filter_map(|sample| sample.figures.get(&figure).copied())
                .collect(),
        )
    }

    /// Why a line could not be measured here.
    pub(crate) fn skipped(&self, line: &str) -> Option<&str> {
        let mut all = Program::ALL
            .iter()
            .flat_map(|program| self.samples(line, *program));
        all.find_map(|sample| sample.skipped.as_deref())
    }

    /// Whatever had errors: the line, the program, the first error.
    pub(crate) fn void(&self) -> Vec<(&str, Program, &str)> {
        let first = |samples: &'_ Vec<Sample>| samples.iter().position(|sample| sample.errors > 0);
        let each = self
            .samples
            .iter()
            .filter_map(|((line, program), samples)| {
                let sample = samples.get(first(samples)?)?;
                Some((
                    line.as_str(),
                    *program,
                    sample.error.as_deref().unwrap_or("unknown"),
                ))
            });
        each.collect()
    }

    /// The goals of `lines` whose peers took part.
    pub(crate) fn judge(&self, lines: &[Line]) -> Vec<Judged> {
        let mut judged = Vec::new();
        for line in lines
            .iter()
            .filter(|line| self.skipped(&line.name).is_none())
        {
            for goal in &line.goals {
                if let Some(verdict) = self.verdict(&line.name, goal) {
                    judged.push(Judged {
                        line: line.name.clone(),
                        goal: goal.clone(),
                        verdict,
                    });
                }
            }
        }
        judged
    }

    fn verdict(&self, line: &str, goal: &Goal) -> Option<Verdict> {
        let theirs = match &goal.against {
            Against::Nothing => None,
            Against::Peer(program) => Some((line, *program)),
            Against::Line(other) => Some((other.as_str(), Program::Longshore)),
        };
        let ratio = match theirs {
            None => self
                .figure(line, Program::Longshore, goal.figure)
                .map(|spread| spread.median),
            Some((line, program)) if self.samples(line, program).is_empty() => return None,
            Some(theirs) => self.ratio((line, Program::Longshore), theirs, goal.figure),
        };
        let limit = match goal.against {
            Against::Peer(program) => self.limit(line, program, goal),
            Against::Line(_) | Against::Nothing => None,
        };
        Some(
            Verdict::of(goal.wanted, ratio)
                .within(goal.wanted, limit)
                .above(goal.floor),
        )
    }

    /// How `ours` compares with `theirs`: the median of what each round says by itself, for whatever else happens on the machine
    /// happens to both of a round. `None` when either was not measured or had an error.
    fn ratio(&self, ours: (&str, Program), theirs: (&str, Program), figure: Figure) -> Option<f64> {
        let of = |(line, program)| {
            self.figure(line, program, figure)?;
            Some(self.samples(line, program))
        };
        let rounds = of(ours)?.iter().zip(of(theirs)?);
        let each = rounds.filter_map(|(one, other)| {
            Some(one.figures.get(&figure)? / other.figures.get(&figure)?)
        });
        let each: Vec<f64> = each.collect();
        let sound = each.iter().all(|ratio| ratio.is_finite());
        sound.then(|| Spread::of(each))?.map(|spread| spread.median)
    }

    /// How the best of the servers that only send files compares with `program`, where they took part.
    fn limit(&self, line: &str, program: Program, goal: &Goal) -> Option<f64> {
        let plain = Program::ALL
            .into_iter()
            .filter(|program| matches!(program, Program::Plain(_)));
        let each =
            plain.filter_map(|plain| self.ratio((line, plain), (line, program), goal.figure));
        each.reduce(match goal.wanted {
            Wanted::Least(_) => f64::max,
            Wanted::Most(_) => f64::min,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plain::Way;

    fn sample(rate: f64, errors: u64) -> Sample {
        Sample {
            figures: [(Figure::Rate, rate)].into(),
            errors,
            ..Sample::default()
        }
    }

    fn results(ours: &[(f64, u64)], theirs: &[(f64, u64)]) -> Results {
        let mut results = Results::default();
        for (program, samples) in [(Program::Longshore, ours), (Program::Nginx, theirs)] {
            for (rate, errors) in samples {
                results.add("l", program, sample(*rate, *errors));
            }
        }
        results
    }

    fn goal(against: Against) -> Goal {
        Goal {
            name: "G1",
            figure: Figure::Rate,
            against,
            wanted: Wanted::Least(0.9),
            floor: None,
        }
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
        assert_eq!(
            Spread::of(vec![4.0, 1.0, 3.0]),
            Some(Spread {
                median: 3.0,
                least: 1.0,
                most: 4.0
            })
        );
        let even = Spread::of(vec![4.0, 1.0, 2.0, 3.0]).unwrap();
        assert!((even.median - 2.5).abs() < 1e-9);
        assert_eq!(Spread::of(Vec::new()), None);
    }

    #[test]
    fn a_verdict_compares_what_was_measured_in_the_same_round() {
        let against = goal(Against::Peer(Program::Nginx));
        // The machine was half as fast in the second round, and one of the two was alone in being disturbed in the third.
        let good = results(
            &[(9.0, 0), (4.5, 0), (1.0, 0)],
            &[(10.0, 0), (5.0, 0), (10.0, 0)],
        );
        assert_eq!(good.verdict("l", &against), Some(Verdict::Ok(0.9)));
        let bad = results(&[(8.0, 0)], &[(10.0, 0)]);
        assert_eq!(bad.verdict("l", &against), Some(Verdict::Short(0.8)));
    }

    #[test]
    fn nothing_is_compared_with_nothing_done() {
        let against = goal(Against::Peer(Program::Nginx));
        let results = results(&[(9.0, 0), (9.0, 0)], &[(10.0, 0), (0.0, 0)]);
        assert_eq!(results.verdict("l", &against), Some(Verdict::Void));
    }

    #[test]
    fn the_best_of_those_that_only_send_files_is_the_limit() {
        let mut results = results(&[(8.0, 0)], &[(10.0, 0)]);
        for (way, rate) in [(Way::Copy, 4.0), (Way::Sendfile, 8.5)] {
            results.add("l", Program::Plain(way), sample(rate, 0));
        }
        assert_eq!(
            results.verdict("l", &goal(Against::Peer(Program::Nginx))),
            Some(Verdict::Beyond {
                ratio: 0.8,
                limit: 0.85
            })
        );
    }

    #[test]
    fn one_error_in_one_round_makes_the_line_void() {
        let results = results(&[(9.0, 0), (9.0, 1)], &[(1.0, 0)]);
        assert_eq!(
            results.verdict("l", &goal(Against::Peer(Program::Nginx))),
            Some(Verdict::Void)
        );
        assert_eq!(results.void(), [("l", Program::Longshore, "unknown")]);
    }

    #[test]
    fn a_peer_that_took_no_part_is_not_compared_with() {
        let results = results(&[(9.0, 0)], &[]);
        assert_eq!(
            results.verdict("l", &goal(Against::Peer(Program::Nginx))),
            None
        );
        assert_eq!(
            results.verdict("l", &goal(Against::Line("other".to_owned()))),
            None
        );
    }
}
