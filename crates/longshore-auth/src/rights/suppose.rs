//! What is supposed to be other than it is: what a decision would be made from after changes that nobody has made.
//!
//! It takes effect where facts are read, so that all that follows from it follows here as it would there: whoever leaves an
//! organisation leaves its teams, and who gets into a team has what that has around what is asked about. Absent on purpose: names
//! and rights. Whoever puts this together says what the asker may suppose.

use longshore_meta::bindings::{Binding, Subject};
use longshore_meta::namespaces::{NamespaceId, Visibility};
use longshore_meta::principals::PrincipalId;

use super::ground::Ground;
use super::rule::Rule;

/// Something that is seen by some, and can be read-only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot {
    /// The installation, which is only ever read-only.
    System,
    /// A namespace.
    Namespace(NamespaceId),
    /// A repository, by its id.
    Repository(i64),
}

/// What somebody is supposed to get into and out of. What is left is left first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moves {
    /// Who it is.
    pub of: PrincipalId,
    /// The organisations and teams they are in no more, whoever says that they are; with an organisation go its teams.
    pub leaves: Vec<PrincipalId>,
    /// The active organisations and teams they are in, each with the organisation that a team is of, else 0.
    pub joins: Vec<(PrincipalId, PrincipalId)>,
}

/// What is supposed to be other than it is. The default is that nothing is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Supposed {
    /// Bindings more, with what their roles say.
    pub with: Vec<Binding>,
    /// Bindings less, by their ids.
    pub without: Vec<i64>,
    /// What roles say now, by their ids: names of actions, parted by spaces.
    pub roles: Vec<(i64, String)>,
    /// Who is in what.
    pub moves: Option<Moves>,
    /// Who sees what, as it says of itself; a repository may say nothing.
    pub visibility: Vec<(Spot, Option<Visibility>)>,
    /// What is read-only, and what is not.
    pub read_only: Vec<(Spot, bool)>,
}

impl Supposed {
    /// What somebody is in, of what they are in.
    pub(super) fn within(&self, who: PrincipalId, within: &mut Vec<(PrincipalId, PrincipalId)>) {
        let Some(moves) = self.moves.as_ref().filter(|moves| moves.of == who) else {
            return;
        };
        within.retain(|(party, owner)| {
            !moves.leaves.contains(party) && !moves.leaves.contains(owner)
        });
        within.extend(&moves.joins);
    }

    /// The rules that the bindings are of a party, of those that it has.
    pub(super) fn rules(&self, rows: Vec<Binding>) -> impl Iterator<Item = Rule> {
        let left = rows
            .into_iter()
            .filter(|row| !self.without.contains(&row.id));
        left.filter_map(|row| self.rule(row))
    }

    /// The rules more of whoever has this subject.
    pub(super) fn more(&self, subject: Subject) -> impl Iterator<Item = Rule> {
        let own = self.with.iter().filter(move |row| row.subject == subject);
        own.filter_map(|row| self.rule(row.clone()))
    }

    fn rule(&self, mut row: Binding) -> Option<Rule> {
        if let Some((_, actions)) = self.roles.iter().rfind(|(role, _)| *role == row.role) {
            row.actions.clone_from(actions);
        }
        Rule::read(&row)
    }

    /// What lies around, of what does.
    pub(super) fn around(&self, ground: &mut Ground) {
        for (spot, word) in &self.visibility {
            match spot {
                Spot::System => {}
                Spot::Namespace(id) => {
                    let found = ground.chain.iter_mut().find(|around| around.id == *id);
                    if let (Some(found), Some(word)) = (found, word) {
                        found.visibility = *word;
                    }
                }
                Spot::Repository(id) => {
                    if let Some(repo) = ground.repo.as_mut().filter(|repo| repo.id == Some(*id)) {
                        repo.visibility = *word;
                    }
                }
            }
        }
        for (spot, read_only) in &self.read_only {
            match spot {
                Spot::System => ground.read_only = *read_only,
                Spot::Namespace(id) => {
                    if let Some(found) = ground.chain.iter_mut().find(|around| around.id == *id) {
                        found.read_only = *read_only;
                    }
                }
                Spot::Repository(id) => {
                    if let Some(repo) = ground.repo.as_mut().filter(|repo| repo.id == Some(*id)) {
                        repo.read_only = *read_only;
                    }
                }
            }
        }
    }
}
