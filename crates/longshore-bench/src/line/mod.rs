//! The lines of the table: one piece of work each, done against several programs in turn.
//!
//! A family of lines is a file with a function `lines`, and a line is data: who takes part, on which processors, on which store, what is
//! done (mostly a [`works::Works`], a job for the load generator; anything else implements [`Measure`]) and what is to be reached.

mod beside;
mod cold;
mod collect;
mod figure;
mod foot;
mod house;
mod image;
mod index;
mod listing;
mod pull;
mod push;
mod repositories;
mod small;
mod store;
mod storm;
pub(crate) mod works;

use std::collections::BTreeMap;

use anyhow::Result;

use crate::fill::Shape;
use crate::goal::{Against, Floor, Goal, Wanted};
use crate::peer::{Ground, Peer, Program};
use crate::seed::{Content, Set};
pub(crate) use figure::Figure;
pub(crate) use store::{Size, Store};

/// Looks of a second in each round, where one of three says little: how fast big bodies go depends on which processor happens to send when an
/// acknowledgement comes, and a shared machine is half as fast at one moment as at another.
const LOOKS: u32 = 3;

/// Every line, in the order of the table.
pub(crate) fn all() -> Vec<Line> {
    let families = [
        pull::lines,
        small::lines,
        push::lines,
        image::lines,
        beside::lines,
        collect::lines,
        cold::lines,
        storm::lines,
        listing::lines,
        index::lines,
        foot::lines,
    ];
    families.iter().flat_map(|lines| lines()).collect()
}

/// One piece of work.
pub(crate) struct Line {
    pub(crate) name: String,
    /// What is done, for the reader of the table.
    pub(crate) about: String,
    pub(crate) unit: Unit,
    pub(crate) peers: Vec<Program>,
    pub(crate) stage: Stage,
    pub(crate) store: Store,
    pub(crate) needs: Vec<Set>,
    /// How many shorter looks each round takes of each program, in turn.
    pub(crate) looks: u32,
    /// Bytes that are stored while it is measured, if they are many.
    pub(crate) stores: u64,
    /// Brings into memory what is only on the disk, and much of it.
    pub(crate) cold: bool,
    /// Processors may sleep meanwhile.
    pub(crate) asleep: bool,
    /// Also part of `--quick`.
    pub(crate) quick: bool,
    pub(crate) measure: Box<dyn Measure>,
    pub(crate) goals: Vec<Goal>,
}

/// The figures, what [`Figure::Rate`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Gigabytes (10^9 bytes) a second.
    Bytes,
    Requests,
    Images,
    /// There is no rate; other figures say it all.
    Nothing,
}

/// On which processors, and whether over TLS. The lines of one stage are measured while the servers of that stage are up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// One processor for the server, one for the load.
    Pinned,
    /// The same over TLS.
    Tls,
    /// Both on all processors.
    Free,
}

/// What one round of one program gave.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample {
    pub(crate) figures: BTreeMap<Figure, f64>,
    /// Any makes the line void for this program.
    pub(crate) errors: u64,
    /// What the first error was.
    pub(crate) error: Option<String>,
    /// Why nothing could be measured on this machine; the goals of the line are left out then.
    pub(crate) skipped: Option<String>,
    /// The load generator had no processor time left while the server had.
    pub(crate) generator_bound: bool,
    /// The server had no processor time left.
    pub(crate) server_bound: bool,
}

/// What a measurement may use.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) ground: &'a Ground,
    pub(crate) content: &'a Content,
    /// What the store holds where it is a filled one.
    pub(crate) shape: Option<Shape>,
    pub(crate) stage: Stage,
    /// Counts the measurements of the run, so that no two push the same bytes to the same names.
    pub(crate) pass: u32,
    /// What durations are multiplied by.
    pub(crate) scale: f64,
    /// The processors of the server; all when empty.
    pub(crate) server_cores: &'a [usize],
    /// The processors of the load generator; all when empty.
    pub(crate) load_cores: &'a [usize],
    /// Something else works on the processors of the load generator, and must not be what delays its requests.
    pub(crate) crowded: bool,
}

/// One way to measure.
pub(crate) trait Measure {
    /// One round of one program.
    ///
    /// # Errors
    /// When it could not be measured at all; errors of single requests are counted in the sample.
    fn once(&self, scene: &Scene<'_>, peer: &Peer) -> Result<Sample>;
}

impl Line {
    /// A line on the seeded store with one processor for the server, for all programs.
    pub(crate) fn new(
        name: impl Into<String>,
        about: impl Into<String>,
        unit: Unit,
        measure: impl Measure + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            about: about.into(),
            unit,
            peers: Program::ALL
                .into_iter()
                .filter(|program| !matches!(program, Program::Plain(_)))
                .collect(),
            stage: Stage::Pinned,
            store: Store::Seeded,
            needs: vec![Set::App],
            looks: 1,
            stores: 0,
            cold: false,
            asleep: false,
            quick: false,
            measure: Box::new(measure),
            goals: Vec::new(),
        }
    }

    pub(crate) fn peers(mut self, peers: &[Program]) -> Self {
        self.peers = peers.to_vec();
        self
    }

    /// Also for those that only send files: blobs over HTTP, whole or a stretch of them.
    pub(crate) fn with_limits(mut self) -> Self {
        let plain = |program: &Program| matches!(program, Program::Plain(_));
        self.peers.extend(Program::ALL.into_iter().filter(plain));
        self
    }

    /// Only for those that take pushes.
    pub(crate) fn registries(mut self) -> Self {
        self.peers.retain(|program| program.is_registry());
        self
    }

    pub(crate) fn at(mut self, stage: Stage) -> Self {
        self.stage = stage;
        self
    }

    pub(crate) fn on(mut self, store: Store) -> Self {
        self.store = store;
        self
    }

    pub(crate) fn needs(mut self, sets: &[Set]) -> Self {
        self.needs = sets.to_vec();
        self
    }

    /// For lines whose figures depend on how client and server happen to fall in step: several short looks say more than a long one.
    pub(crate) fn looks(mut self, looks: u32) -> Self {
        self.looks = looks;
        self
    }

    pub(crate) fn storing(mut self, bytes: u64) -> Self {
        self.stores = bytes;
        self
    }

    pub(crate) fn cold(mut self) -> Self {
        self.cold = true;
        self
    }

    /// For lines where a client that is woken at once would ask so much that nothing is left for what it is measured beside.
    pub(crate) fn asleep(mut self) -> Self {
        self.asleep = true;
        self
    }

    pub(crate) fn quick(mut self) -> Self {
        self.quick = true;
        self
    }

    fn goal(
        mut self,
        name: &'static str,
        figure: Figure,
        against: Against,
        wanted: Wanted,
    ) -> Self {
        self.goals.push(Goal {
            name,
            figure,
            against,
            wanted,
            floor: None,
        });
        self
    }

    /// The last goal stood firm after three designs, which `decision` has; `held` is reached all the same.
    pub(crate) fn firm(mut self, decision: &'static str, held: Wanted) -> Self {
        if let Some(goal) = self.goals.last_mut() {
            goal.floor = Some(Floor { decision, held });
        }
        self
    }

    /// At least `bound` times the peer's rate.
    pub(crate) fn faster(self, name: &'static str, bound: f64, than: Program) -> Self {
        self.goal(
            name,
            Figure::Rate,
            Against::Peer(than),
            Wanted::Least(bound),
        )
    }

    /// At most `bound` times the peer's figure.
    pub(crate) fn lower(
        self,
        name: &'static str,
        figure: Figure,
        bound: f64,
        than: Program,
    ) -> Self {
        self.goal(name, figure, Against::Peer(than), Wanted::Most(bound))
    }

    /// At least `bound` times the peer's figure.
    pub(crate) fn higher(
        self,
        name: &'static str,
        figure: Figure,
        bound: f64,
        than: Program,
    ) -> Self {
        self.goal(name, figure, Against::Peer(than), Wanted::Least(bound))
    }

    /// The figure itself is at most `bound`.
    pub(crate) fn most(self, name: &'static str, figure: Figure, bound: f64) -> Self {
        self.goal(name, figure, Against::Nothing, Wanted::Most(bound))
    }

    /// The figure itself is at least `bound`.
    pub(crate) fn least(self, name: &'static str, figure: Figure, bound: f64) -> Self {
        self.goal(name, figure, Against::Nothing, Wanted::Least(bound))
    }

    /// Compared with our own figure on another line.
    pub(crate) fn beside_line(
        self,
        name: &'static str,
        figure: Figure,
        line: &str,
        wanted: Wanted,
    ) -> Self {
        self.goal(name, figure, Against::Line(line.to_owned()), wanted)
    }

    /// Whether it is compared with `other`.
    pub(crate) fn is_beside(&self, other: &Line) -> bool {
        let is_it =
            |goal: &Goal| matches!(&goal.against, Against::Line(line) if *line == other.name);
        self.goals.iter().any(is_it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_goals_speak_of_lines_and_peers_that_there_are() {
        let lines = all();
        let names: BTreeSet<&str> = lines.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names.len(), lines.len());
        for line in &lines {
            for goal in &line.goals {
                match &goal.against {
                    Against::Peer(program) => {
                        assert!(line.peers.contains(program), "{}", line.name);
                    }
                    Against::Line(other) => {
                        assert!(names.contains(other.as_str()), "{}", line.name);
                    }
                    Against::Nothing => {}
                }
            }
            assert!(line.peers.contains(&Program::Longshore), "{}", line.name);
        }
    }

    #[test]
    fn every_goal_of_the_list_has_a_line() {
        let lines = all();
        let named: BTreeSet<&str> = lines
            .iter()
            .flat_map(|line| line.goals.iter().map(|goal| goal.name))
            .collect();
        for goal in [
            "G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8", "G9", "G10", "G11", "G12", "G13",
            "G13b", "G14", "G15", "G16", "growth", "index", "storm", "tls",
        ] {
            assert!(named.contains(goal), "{goal}");
        }
    }
}
