//! What can be allowed: a fixed list, as data. Everything that shows or checks rights is made from it.

use std::fmt;
use std::str::FromStr;

/// What an action is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The installation as a whole.
    System,
    /// A namespace; whoever may do it to all of them may do it to each.
    Namespace,
    /// A repository, or all that is in a namespace or will be.
    Repository,
}

/// What an action is and does.
#[derive(Debug)]
pub struct About {
    /// Its name, such as `repository:pull`.
    pub name: &'static str,
    /// What it is asked about.
    pub place: Place,
    /// Whether it changes something, so that read-only mode takes it away.
    pub writes: bool,
    /// What it allows, as the rest of a sentence that begins with "may".
    pub text: &'static str,
}

macro_rules! actions {
    ($($variant:ident $name:literal $place:ident $effect:ident $text:literal;)+) => {
        /// One thing that can be allowed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Action { $(#[doc = $text] $variant,)+ }

        impl Action {
            /// Every action, in the order in which they are shown.
            pub const ALL: &'static [Action] = &[$(Action::$variant,)+];

            /// What the action is and does.
            pub const fn about(self) -> &'static About {
                match self {
                    $(Action::$variant => &About {
                        name: $name,
                        place: Place::$place,
                        writes: effect!($effect),
                        text: $text,
                    },)+
                }
            }
        }

        impl FromStr for Action {
            type Err = UnknownAction;

            fn from_str(name: &str) -> Result<Self, UnknownAction> {
                match name {
                    $($name => Ok(Action::$variant),)+
                    _ => Err(UnknownAction),
                }
            }
        }
    };
}

macro_rules! effect {
    (reads) => {
        false
    };
    (writes) => {
        true
    };
    // It changes something all the same in read-only mode: what ends that mode, or takes something away from somebody.
    (always) => {
        false
    };
}

actions! {
    RepositoryList "repository:list" Repository reads "see that a repository is there, what it says of itself and its tags";
    RepositoryPull "repository:pull" Repository reads "pull";
    RepositoryPush "repository:push" Repository writes "push";
    RepositoryDelete "repository:delete" Repository writes "delete images";
    RepositoryUpdate "repository:update" Repository writes "change the description, README, links and labels";
    RepositorySettings "repository:settings" Repository always "change who may see a repository and its read-only mode";
    RepositoryRename "repository:rename" Repository writes "rename or move a repository";
    RepositoryRemove "repository:remove" Repository writes "delete a repository with all that is in it";
    TagCreate "tag:create" Repository writes "set tags on images that are there";
    TagDelete "tag:delete" Repository writes "delete tags and nothing else";
    ScanRead "scan:read" Repository reads "read reports of scans";
    ScanStart "scan:start" Repository writes "have images scanned";
    NamespaceRead "namespace:read" Namespace reads "see that a namespace is there and what it says of itself";
    NamespaceUpdate "namespace:update" Namespace writes "change the description of a namespace";
    NamespaceSettings "namespace:settings" Namespace always "change who may see a namespace and its read-only mode";
    NamespaceCreateRepository "namespace:create-repository" Namespace writes "make repositories, by pushing to a new name too";
    NamespaceCreateGroup "namespace:create-group" Namespace writes "make groups below a namespace";
    NamespaceRename "namespace:rename" Namespace writes "rename or move a namespace";
    NamespaceRemove "namespace:remove" Namespace writes "delete a namespace";
    MemberList "member:list" Namespace reads "see members and teams";
    MemberManage "member:manage" Namespace always "add and remove members and teams";
    RightsRead "rights:read" Namespace reads "see who has which right, and roles";
    RightsManage "rights:manage" Namespace always "give and take rights, and make roles";
    RobotList "robot:list" Namespace reads "see robots";
    RobotManage "robot:manage" Namespace always "make, change and delete robots and trust rules";
    PolicyRead "policy:read" Namespace reads "see policies";
    PolicyManage "policy:manage" Namespace writes "change policies";
    WebhookRead "webhook:read" Namespace reads "see webhooks and their deliveries";
    WebhookManage "webhook:manage" Namespace writes "change webhooks";
    QuotaRead "quota:read" Namespace reads "see quotas and what is used of them";
    AuditRead "audit:read" Namespace reads "read the audit log";
    QuotaManage "quota:manage" System writes "change quotas";
    OrganisationCreate "organisation:create" System writes "make organisations";
    NamespaceCreate "namespace:create" System writes "make namespaces that have nobody's name";
    UserList "user:list" System reads "see all users and organisations";
    UserManage "user:manage" System always "make, change, disable and delete users and organisations";
    SystemRead "system:read" System reads "see settings, states and jobs of the system";
    SystemSettings "system:settings" System always "change settings of the system";
    SystemOperate "system:operate" System always "start jobs of the system, such as collection and checks";
}

/// A text that names no action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such action")]
pub struct UnknownAction;

impl Action {
    /// The action's name, such as `repository:pull`.
    pub const fn name(self) -> &'static str {
        self.about().name
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of actions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ActionSet(u64);

// One bit for each.
const _: () = assert!(Action::ALL.len() <= 64);

impl ActionSet {
    /// No action.
    pub const NONE: Self = Self(0);
    /// Every action.
    pub const ALL: Self = Self(u64::MAX >> (64 - Action::ALL.len()));

    /// These.
    pub const fn of(actions: &[Action]) -> Self {
        let (mut set, mut rest) = (Self::NONE, actions);
        while let [first, others @ ..] = rest {
            set = set.with(*first);
            rest = others;
        }
        set
    }

    /// This set and one more.
    #[must_use]
    pub const fn with(self, action: Action) -> Self {
        Self(self.0 | 1 << action as u8)
    }

    /// Whether `action` is in the set.
    pub const fn has(self, action: Action) -> bool {
        self.0 & (1 << action as u8) != 0
    }

    /// What either has.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What both have.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What this has and `other` has not.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all of it is in `other`.
    pub const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether there is nothing in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each action in it.
    pub fn iter(self) -> impl Iterator<Item = Action> {
        Action::ALL
            .iter()
            .copied()
            .filter(move |action| self.has(*action))
    }

    /// Reads names parted by spaces. Those that this program does not know allow nothing: a later one wrote them.
    pub fn known(names: &str) -> Self {
        names
            .split(' ')
            .filter_map(|name| name.parse().ok())
            .collect()
    }

    /// Reads names parted by spaces.
    ///
    /// # Errors
    /// The first word that names no action.
    pub fn parse(names: &str) -> Result<Self, &str> {
        names
            .split(' ')
            .filter(|name| !name.is_empty())
            .map(|name| name.parse().map_err(|UnknownAction| name))
            .collect()
    }
}

impl FromIterator<Action> for ActionSet {
    fn from_iter<I: IntoIterator<Item = Action>>(actions: I) -> Self {
        actions.into_iter().fold(Self::NONE, Self::with)
    }
}

/// Names parted by spaces.
impl fmt::Display for ActionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, action) in self.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            f.write_str(action.name())?;
        }
        Ok(())
    }
}

impl fmt::Debug for ActionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ActionSet({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_known_by_its_name_and_no_two_share_one() {
        for action in Action::ALL {
            assert_eq!(action.name().parse(), Ok(*action));
            let words = action.name().split_once(':').unwrap();
            assert!(!words.0.is_empty() && !words.1.is_empty());
            assert!(!action.about().text.ends_with('.'));
        }
        assert_eq!(ActionSet::ALL.iter().count(), Action::ALL.len());
    }

    #[test]
    fn a_set_is_written_and_read_and_knows_what_it_does_not_know() {
        let set = ActionSet::of(&[Action::RepositoryPull, Action::UserManage]);
        assert_eq!(set.to_string(), "repository:pull user:manage");
        assert_eq!(ActionSet::parse(&set.to_string()), Ok(set));
        assert_eq!(ActionSet::parse("repository:pull  fly"), Err("fly"));
        assert_eq!(ActionSet::known("repository:pull fly user:manage"), set);
        assert_eq!(ActionSet::known(""), ActionSet::NONE);
        assert!(set.is_within(ActionSet::ALL) && !ActionSet::ALL.is_within(set));
    }
}
