//! Who asks, what they may do, and when: the context that every operation gets.
//!
//! Edges make a [`Cx`] from credentials; nothing below an edge makes one except jobs. Rights are plain data here; they
//! are compared with operations in one place only, the rights gate of `longshore-layers`.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use longshore_spec::name::RepoName;

use crate::limit::{Named, TagLimit};
use crate::reach::Reach;

/// The context of one operation.
#[derive(Debug, Clone)]
pub struct Cx {
    /// Who asks.
    pub actor: Actor,
    /// What they may do.
    pub rights: Rights,
    /// How the caller has shown who they are, and from where.
    pub origin: Origin,
    /// The id of the request, in each log line and error body it causes.
    pub request: u128,
    /// The time at which the request came in. Nothing below the edge asks a clock.
    pub now: SystemTime,
}

/// How somebody has shown who they are, and from where: for what is written down about what they do. Nothing is decided by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Origin {
    /// How.
    pub way: Way,
    /// From where; `None` for what came by no network.
    pub address: Option<IpAddr>,
}

/// How somebody has shown who they are. `Display` prints `token:7`: a kind of credential, and which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Way {
    /// The kind of credential, in a word; empty where nobody was asked.
    pub word: &'static str,
    /// The number of that credential among those of its kind; 0 where they have none.
    pub id: i64,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.id {
            0 => f.write_str(self.word),
            id => write!(f, "{}:{id}", self.word),
        }
    }
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

    /// What is in both sets.
    #[must_use]
    pub const fn common(self, other: Verbs) -> Verbs {
        Verbs(self.0 & other.0)
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
    /// The repositories that these ranges of names reach. A list of grants has one of these for each verb at most.
    Within(Arc<Reach>),
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
    /// The tags it is for; `None`: all, and content without a name too.
    pub tags: Option<Arc<TagLimit>>,
}

impl Grant {
    /// `verbs` on something, whatever the tag.
    pub fn new(on: On, verbs: Verbs) -> Self {
        Self {
            on,
            verbs,
            tags: None,
        }
    }
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

impl Rights {
    /// To pull everything and list it: what a registry open for reading gives to strangers.
    pub fn reader() -> Self {
        Rights::Listed(
            [
                Grant::new(On::EveryRepo, Verbs::NONE.with(Verb::Pull)),
                Grant::new(On::Catalog, Verbs::NONE.with(Verb::Catalog)),
            ]
            .into(),
        )
    }

    /// Whether `verb` is allowed on `repo`, or on the registry where there is none, with some tag at least.
    pub fn allow(&self, repo: Option<&RepoName>, verb: Verb) -> bool {
        self.any(repo, verb, |_| true)
    }

    /// Whether `verb` is allowed on `repo`, or on the registry where there is none, with what is `named`. Each tag may be
    /// allowed by another grant.
    pub fn allow_named(&self, repo: Option<&RepoName>, verb: Verb, named: Named<'_>) -> bool {
        match named {
            Named::Nothing | Named::Tags([]) => self.allow(repo, verb),
            Named::Tags(tags) => tags.iter().all(|tag| {
                self.any(repo, verb, |limit| {
                    limit.is_none_or(|limit| limit.allows(tag))
                })
            }),
            Named::Whatever => self.any(repo, verb, |limit| limit.is_none()),
        }
    }

    fn any(
        &self,
        repo: Option<&RepoName>,
        verb: Verb,
        limited: impl Fn(Option<&TagLimit>) -> bool,
    ) -> bool {
        match self {
            Rights::Nothing => false,
            Rights::Everything => true,
            Rights::Listed(grants) => grants.iter().any(|grant| {
                grant.verbs.has(verb)
                    && match (&grant.on, repo) {
                        (On::Repo(name), Some(repo)) => name == repo,
                        (On::Within(reach), Some(repo)) => reach.has(repo.as_str()),
                        (On::EveryRepo, Some(_)) | (On::Catalog, None) => true,
                        _ => false,
                    }
                    && limited(grant.tags.as_deref())
            }),
        }
    }

    /// Whether there may be a repository that the caller may pull from.
    pub fn pulls(&self) -> bool {
        match self {
            Rights::Nothing => false,
            Rights::Everything => true,
            Rights::Listed(grants) => grants.iter().any(|grant| {
                grant.verbs.has(Verb::Pull)
                    && match &grant.on {
                        On::Repo(_) | On::EveryRepo => true,
                        On::Within(reach) => !reach.is_nothing(),
                        On::Catalog => false,
                    }
            }),
        }
    }

    /// The repositories the caller is shown in lists: those it may pull from, and all where it may list every one.
    pub fn listed(&self) -> Reach {
        let lists_all = |grant: &Grant| grant.on == On::EveryRepo && grant.verbs.has(Verb::Catalog);
        match self {
            Rights::Listed(grants) if grants.iter().any(lists_all) => Reach::all(),
            _ => self.pullable(),
        }
    }

    /// The repositories the caller may pull from.
    pub fn pullable(&self) -> Reach {
        match self {
            Rights::Nothing => Reach::nothing(),
            Rights::Everything => Reach::all(),
            Rights::Listed(grants) => {
                let (mut names, mut ranges) = (Vec::new(), None);
                for grant in grants.iter().filter(|grant| grant.verbs.has(Verb::Pull)) {
                    match &grant.on {
                        On::EveryRepo => return Reach::all(),
                        On::Repo(name) => names.push(name.clone()),
                        On::Within(reach) => ranges = Some(reach),
                        On::Catalog => {}
                    }
                }
                match ranges {
                    None => Reach::only(names),
                    Some(ranges) => Reach::clone(ranges).and(names),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use longshore_spec::name::Tag;

    use super::*;

    fn repo(name: &str) -> RepoName {
        name.parse().unwrap()
    }

    #[test]
    fn a_grant_is_for_the_exact_name_and_not_for_what_begins_with_it() {
        let rights = Rights::Listed(
            [Grant::new(
                On::Repo(repo("acme/app")),
                Verbs::NONE.with(Verb::Pull),
            )]
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
        assert_eq!(rights.pullable(), Reach::all());
    }

    #[test]
    fn whoever_lists_every_repository_pulls_from_none_by_that() {
        let list = Verbs::NONE.with(Verb::Catalog);
        let rights = Rights::Listed([Grant::new(On::EveryRepo, list)].into());
        assert_eq!(rights.listed(), Reach::all());
        assert!(rights.pullable().is_nothing() && !rights.pulls());
        assert!(!rights.allow(Some(&repo("a")), Verb::Pull));
        assert!(!rights.allow(None, Verb::Catalog));
    }

    #[test]
    fn reach_is_sorted_and_has_only_what_may_be_pulled() {
        let grant = |name, verb| Grant::new(On::Repo(repo(name)), Verbs::NONE.with(verb));
        let rights = Rights::Listed(
            [
                grant("b", Verb::Pull),
                grant("c", Verb::Push),
                grant("a", Verb::Pull),
            ]
            .into(),
        );
        assert_eq!(rights.pullable(), Reach::only(vec![repo("a"), repo("b")]));
        assert!(rights.pulls() && !Rights::Nothing.pulls());
        assert!(Rights::Nothing.pullable().is_nothing());
    }

    #[test]
    fn a_right_for_some_tags_is_for_those_and_for_content_and_does_not_delete_by_digest() {
        let limit = TagLimit::read(["v*", "!v0*"]).unwrap();
        assert_eq!(limit.words(), ["v*", "!v0*"]);
        let all = Verbs::ALL;
        let mut grant = Grant::new(On::Repo(repo("a")), all);
        grant.tags = Some(Arc::new(limit));
        let rights = Rights::Listed([grant].into());
        let tags =
            |tags: &[&str]| -> Vec<Tag> { tags.iter().map(|tag| tag.parse().unwrap()).collect() };
        let name = repo("a");
        for (list, allowed) in [
            (&["v1"][..], true),
            (&["v0.1"], false),
            (&["latest"], false),
            (&["v1", "v2"], true),
            (&["v1", "latest"], false),
            (&[], true),
        ] {
            let named = tags(list);
            let named = Named::Tags(&named);
            assert_eq!(
                rights.allow_named(Some(&name), Verb::Push, named),
                allowed,
                "{list:?}"
            );
        }
        assert!(rights.allow_named(Some(&name), Verb::Pull, Named::Nothing));
        assert!(!rights.allow_named(Some(&name), Verb::Delete, Named::Whatever));
        assert!(Rights::Everything.allow_named(Some(&name), Verb::Delete, Named::Whatever));
    }
}
