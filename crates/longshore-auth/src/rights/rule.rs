//! A binding as a decision reads it.

use std::net::IpAddr;
use std::time::SystemTime;

use longshore_meta::bindings::{Binding, Subject};
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::time::micros;
use longshore_spec::pattern::{RepoPatterns, TagPatterns};

use super::action::{Action, ActionSet};
use super::condition::{Hours, Network};
use super::ground::Ground;

/// What somebody has who has it for some tags only: nothing that is about the repository as a whole.
pub const OF_TAGS: ActionSet = ActionSet::of(&[
    Action::RepositoryList,
    Action::RepositoryPull,
    Action::RepositoryPush,
    Action::RepositoryDelete,
    Action::TagCreate,
    Action::TagDelete,
    Action::ScanRead,
    Action::ScanStart,
    Action::NamespaceCreateRepository,
]);

/// What a denial for everybody leaves: the actions that take it back.
pub const ALWAYS_LEFT: ActionSet = ActionSet::of(&[Action::RightsRead, Action::RightsManage]);

/// A binding: who may, or may not, do what where, and when that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The binding's id; 0 where there is no row (yet).
    pub id: i64,
    /// Whom it is for.
    pub subject: Subject,
    /// The role's name.
    pub role: String,
    /// What it allows or denies.
    pub actions: ActionSet,
    /// Whether it denies.
    pub deny: bool,
    /// Where; 0: everywhere.
    pub namespace: NamespaceId,
    /// The only repository it is for.
    pub repo: Option<i64>,
    /// The repositories it is for, below the namespace.
    pub repos: Option<RepoPatterns>,
    /// The tags it is for.
    pub tags: Option<TagPatterns>,
    /// The networks from which it counts.
    pub networks: Option<Vec<Network>>,
    /// The hours at which it counts.
    pub hours: Option<Hours>,
    /// Until when it counts, in microseconds.
    pub expires: Option<i64>,
}

/// Why a rule says nothing about what is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idle {
    /// Its role has no such action.
    Action,
    /// It is for other places.
    Place,
    /// It is for other tags.
    Tag,
    /// It has ended.
    Expired,
    /// It counts from other networks.
    Network,
    /// It counts at other hours.
    Hour,
}

impl Rule {
    /// What a binding says. A condition that cannot be read, since a later version wrote it, makes a binding that allows say
    /// nothing (`None`), and one that denies count always.
    pub fn read(row: &Binding) -> Option<Self> {
        let mut broken = false;
        let repos = part(row.repos.as_deref(), &mut broken, |text| text.parse().ok());
        let tags = part(row.tags.as_deref(), &mut broken, |text| text.parse().ok());
        let networks = part(row.networks.as_deref(), &mut broken, |text| {
            Network::list(text).ok()
        });
        let hours = part(row.hours.as_deref(), &mut broken, |text| {
            Hours::parse(text).ok()
        });
        if broken && !row.deny {
            return None;
        }
        Some(Self {
            id: row.id,
            subject: row.subject,
            role: row.role_name.clone(),
            actions: ActionSet::known(&row.actions),
            deny: row.deny,
            namespace: row.namespace,
            repo: row.repo,
            repos,
            tags,
            networks,
            hours,
            expires: row.expires,
        })
    }

    /// Whether it has ended, or does not count from there or then.
    pub fn sleeps(&self, from: IpAddr, now: SystemTime) -> Option<Idle> {
        if self.expires.is_some_and(|end| end <= micros(now)) {
            return Some(Idle::Expired);
        }
        let networks = self.networks.as_ref();
        if networks.is_some_and(|list| !list.iter().any(|network| network.has(from))) {
            return Some(Idle::Network);
        }
        if self.hours.as_ref().is_some_and(|hours| !hours.has(now)) {
            return Some(Idle::Hour);
        }
        None
    }

    /// Whether `action` is one of those it allows or denies.
    pub fn means(&self, action: Action) -> bool {
        let general = matches!(self.subject, Subject::EVERYBODY | Subject::LOGGED_IN);
        self.actions.has(action)
            && (self.tags.is_none() || OF_TAGS.has(action))
            && !(self.deny && general && ALWAYS_LEFT.has(action))
    }

    /// Whether it is about what is asked about, whatever the tag.
    pub fn is_at(&self, ground: &Ground) -> bool {
        if self.namespace == NamespaceId::EVERYWHERE {
            // Nothing more to look at.
        } else if !ground.lies_in(self.namespace) {
            return false;
        }
        if self.repo.is_none() && self.repos.is_none() && self.tags.is_none() {
            return true;
        }
        let Some(repo) = &ground.repo else {
            return false;
        };
        self.repo.is_none_or(|only| repo.id == Some(only))
            && self.repos.as_ref().is_none_or(|list| {
                ground
                    .below(self.namespace)
                    .is_some_and(|name| list.matches(name))
            })
    }
}

fn part<T>(text: Option<&str>, broken: &mut bool, read: impl Fn(&str) -> Option<T>) -> Option<T> {
    let found = text.map(read);
    *broken |= matches!(found, Some(None));
    found.flatten()
}
