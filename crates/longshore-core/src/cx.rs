//! Who asks, what they may do, and when: the context that every operation gets.
//!
//! Edges make a [`Cx`] from credentials; nothing below an edge makes one except jobs. Rights are plain data here; they
//! are compared with operations in one place only, the rights gate of `longshore-layers`.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use longshore_spec::name::RepoName;

/// The context of one operation.
#[derive(Debug, Clone)]
pub struct Cx {
    /// Who asks.
    pub actor: Actor,
    /// What they may do.
    pub rights: Rights,
    /// The id of the request, in each log line and error body it causes.
    pub request: u128,
    /// The time at which the request came in. Nothing below the edge asks a clock.
    pub now: SystemTime,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Actor {
    /// Somebody who has not said who they are.
    Anonymous,
    /// Somebody whose credentials were checked; the name is unique at the source that checked them.
    Named(Arc<str>),
    /// The registry itself, by the name of the job.
    Job(&'static str),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Anonymous => f.write_str("-"),
            Actor::Named(name) => f.write_str(name),
            Actor::Job(name) => write!(f, "job:{name}"),
        }
    }
}

/// One thing that can be allowed on a repository, or on the registry as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Read content.
    Pull,
    /// Write content.
    Push,
    /// Remove content.
    Delete,
    /// List the repositories of the registry.
    Catalog,
}

impl Verb {
    /// The action's name in a token scope (docker token specification, "scope").
    pub const fn action(self) -> &'static str {
        match self {
            Verb::Pull => "pull",
            Verb::Push => "push",
            Verb::Delete => "delete",
            Verb::Catalog => "*",
        }
    }
}

/// A set of [`Verb`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Verbs(u8);

impl Verbs {
    /// No verb.
    pub const NONE: Verbs = Verbs(0);
    /// Every verb.
    pub const ALL: Verbs = Verbs(0b1111);

    /// This set and one more.
    #[must_use]
    pub const fn with(self, verb: Verb) -> Verbs {
        Verbs(self.0 | 1 << verb as u8)
    }

    /// Whether `verb` is in the set.
    pub const fn has(self, verb: Verb) -> bool {
        self.0 & (1 << verb as u8) != 0
    }

    /// Both sets.
    #[must_use]
    pub const fn and(self, other: Verbs) -> Verbs {
        Verbs(self.0 | other.0)
    }
}

impl FromIterator<Verb> for Verbs {
    fn from_iter<I: IntoIterator<Item = Verb>>(verbs: I) -> Self {
        verbs.into_iter().fold(Verbs::NONE, Verbs::with)
    }
}

/// What a [`Grant`] is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum On {
    /// One repository, by its exact name.
    Repo(RepoName),
    /// All repositories.
    EveryRepo,
    /// The registry's list of repositories.
    Catalog,
}

/// Some verbs on something.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Grant {
    /// What it is about.
    pub on: On,
    /// What is allowed there.
    pub verbs: Verbs,
}

/// What a caller may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rights {
    /// Nothing at all.
    Nothing,
    /// What is listed, and nothing else.
    Listed(Arc<[Grant]>),
    /// Everything.
    Everything,
}

/// The repositories some right reaches, as a condition for listings and anonymous mounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Every repository.
    All,
    /// These, sorted by name.
    Only(Vec<RepoName>),
}

impl Rights {
    /// To pull everything and list it: what a registry open for reading gives to strangers.
    pub fn reader() -> Self {
        Rights::Listed(
            [
                Grant {
                    on: On::EveryRepo,
                    verbs: Verbs::NONE.with(Verb::Pull),
                },
                Grant {
                    on: On::Catalog,
                    verbs: Verbs::NONE.with(Verb::Catalog),
                },
            ]
            .into(),
        )
    }

    /// Whether `verb` is allowed on `repo`, or on the registry where there is none.
    pub fn allow(&self, repo: Option<&RepoName>, verb: Verb) -> bool {
        match self {
            Rights::Nothing => false,
            Rights::Everything => true,
            Rights::Listed(grants) => grants.iter().any(|grant| {
                grant.verbs.has(verb)
                    && match (&grant.on, repo) {
                        (On::Repo(name), Some(repo)) => name == repo,
                        (On::EveryRepo, Some(_)) | (On::Catalog, None) => true,
                        _ => false,
                    }
            }),
        }
    }

    /// The repositories the caller may pull from.
    pub fn pullable(&self) -> Reach {
        match self {
            Rights::Nothing => Reach::Only(Vec::new()),
            Rights::Everything => Reach::All,
            Rights::Listed(grants) => {
                let mut names = Vec::new();
                for grant in grants.iter().filter(|grant| grant.verbs.has(Verb::Pull)) {
                    match &grant.on {
                        On::EveryRepo => return Reach::All,
                        On::Repo(name) => names.push(name.clone()),
                        On::Catalog => {}
                    }
                }
                names.sort();
                names.dedup();
                Reach::Only(names)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repo(name: &str) -> RepoName {
        name.parse().unwrap()
    }

    #[test]
    fn a_grant_is_for_the_exact_name_and_not_for_what_begins_with_it() {
        let rights = Rights::Listed(
            [Grant {
                on: On::Repo(repo("acme/app")),
                verbs: Verbs::NONE.with(Verb::Pull),
            }]
            .into(),
        );
        assert!(rights.allow(Some(&repo("acme/app")), Verb::Pull));
        for other in ["acme/app2", "acme/app/x", "acme"] {
            assert!(!rights.allow(Some(&repo(other)), Verb::Pull), "{other}");
        }
        assert!(!rights.allow(Some(&repo("acme/app")), Verb::Push));
        assert!(!rights.allow(None, Verb::Catalog));
    }

    #[test]
    fn a_reader_pulls_everything_and_changes_nothing() {
        let rights = Rights::reader();
        assert!(rights.allow(Some(&repo("a")), Verb::Pull));
        assert!(rights.allow(None, Verb::Catalog));
        assert!(!rights.allow(Some(&repo("a")), Verb::Push));
        assert!(!rights.allow(Some(&repo("a")), Verb::Delete));
        assert_eq!(rights.pullable(), Reach::All);
    }

    #[test]
    fn reach_is_sorted_and_has_only_what_may_be_pulled() {
        let grant = |name, verb| Grant {
            on: On::Repo(repo(name)),
            verbs: Verbs::NONE.with(verb),
        };
        let rights = Rights::Listed(
            [
                grant("b", Verb::Pull),
                grant("c", Verb::Push),
                grant("a", Verb::Pull),
            ]
            .into(),
        );
        assert_eq!(rights.pullable(), Reach::Only(vec![repo("a"), repo("b")]));
        assert_eq!(Rights::Nothing.pullable(), Reach::Only(vec![]));
    }
}
