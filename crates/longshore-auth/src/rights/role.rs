//! The built-in roles, as data. They are written as rows when an index starts, so that bindings to them and to roles that
//! people made are one thing.

use longshore_core::Result;
use longshore_meta::principals::PrincipalId;
use longshore_meta::roles::{Role, role_put};
use longshore_meta::{Tx, namespaces};

use super::action::{Action, ActionSet};

/// A role that the program says what it is.
#[derive(Debug)]
pub struct Builtin {
    /// Its id, the same everywhere and for ever.
    pub id: i64,
    /// Its name.
    pub name: &'static str,
    /// What it allows.
    pub actions: ActionSet,
    /// What it is for.
    pub text: &'static str,
}

const GUEST: ActionSet = ActionSet::of(&[Action::RepositoryList, Action::NamespaceRead]);
const READER: ActionSet = GUEST.or(ActionSet::of(&[Action::RepositoryPull, Action::ScanRead]));
const DEVELOPER: ActionSet = READER.or(ActionSet::of(&[
    Action::RepositoryPush,
    Action::RepositoryUpdate,
    Action::TagCreate,
    Action::ScanStart,
    Action::NamespaceCreateRepository,
    Action::MemberList,
    Action::PolicyRead,
    Action::QuotaRead,
]));
const MAINTAINER: ActionSet = DEVELOPER.or(ActionSet::of(&[
    Action::RepositoryDelete,
    Action::RepositorySettings,
    Action::RepositoryRename,
    Action::RepositoryRemove,
    Action::TagDelete,
    Action::NamespaceUpdate,
    Action::NamespaceCreateGroup,
    Action::RightsRead,
    Action::RobotList,
    Action::RobotManage,
    Action::PolicyManage,
    Action::WebhookRead,
    Action::WebhookManage,
    Action::AuditRead,
]));
const OWNER: ActionSet = MAINTAINER.or(ActionSet::of(&[
    Action::NamespaceSettings,
    Action::NamespaceRename,
    Action::NamespaceRemove,
    Action::MemberManage,
    Action::RightsManage,
]));
const AUDITOR: ActionSet = GUEST.or(ActionSet::of(&[
    Action::ScanRead,
    Action::MemberList,
    Action::RightsRead,
    Action::RobotList,
    Action::PolicyRead,
    Action::WebhookRead,
    Action::QuotaRead,
    Action::AuditRead,
    Action::UserList,
    Action::SystemRead,
]));

/// Sees what is there and pulls nothing.
pub const GUEST_ID: i64 = 1;
/// Pulls.
pub const READER_ID: i64 = 2;
/// Pulls and pushes.
pub const DEVELOPER_ID: i64 = 3;
/// Runs the place but for who has which right.
pub const MAINTAINER_ID: i64 = 4;
/// Does everything in a namespace.
pub const OWNER_ID: i64 = 5;
/// Sees everything about the system and no content.
pub const AUDITOR_ID: i64 = 6;
/// Does everything.
pub const ADMINISTRATOR_ID: i64 = 7;

/// Every built-in role, from the least to the most.
pub const BUILTIN: [Builtin; 7] = [
    Builtin {
        id: GUEST_ID,
        name: "guest",
        actions: GUEST,
        text: "sees which repositories there are, and pulls nothing",
    },
    Builtin {
        id: READER_ID,
        name: "reader",
        actions: READER,
        text: "pulls, and reads what scans have found",
    },
    Builtin {
        id: DEVELOPER_ID,
        name: "developer",
        actions: DEVELOPER,
        text: "pulls and pushes, makes repositories, and deletes nothing",
    },
    Builtin {
        id: MAINTAINER_ID,
        name: "maintainer",
        actions: MAINTAINER,
        text: "does everything with repositories, robots, policies and webhooks",
    },
    Builtin {
        id: OWNER_ID,
        name: "owner",
        actions: OWNER,
        text: "does everything in a namespace, and says who else may",
    },
    Builtin {
        id: AUDITOR_ID,
        name: "auditor",
        actions: AUDITOR,
        text: "sees everything about the system and its people, and pulls nothing",
    },
    Builtin {
        id: ADMINISTRATOR_ID,
        name: "administrator",
        actions: ActionSet::ALL,
        text: "does everything",
    },
];

/// The built-in role called `name`.
pub fn builtin(name: &str) -> Option<&'static Builtin> {
    BUILTIN.iter().find(|role| role.name == name)
}

/// What everybody may do with what is public, and everybody who has logged in with what is internal.
pub const VISIBLE: ActionSet = READER;

/// The path of the namespace that names of one component belong to.
pub const LIBRARY: &str = "library";

/// Writes what an index needs to be there: the built-in roles as this program has them, and the namespace `library`.
///
/// # Errors
/// `Unavailable`.
pub async fn install(tx: &mut Tx<'_>, now: i64) -> Result<()> {
    for role in &BUILTIN {
        let row = Role {
            id: role.id,
            owner: PrincipalId(0),
            name: role.name.to_owned(),
            actions: role.actions.to_string(),
            builtin: true,
            description: role.text.to_owned(),
            changed: now,
        };
        role_put(tx, &row).await?;
    }
    if namespaces::namespace_at(tx, LIBRARY).await?.is_none() {
        let library = namespaces::NewNamespace {
            parent: namespaces::NamespaceId(0),
            path: LIBRARY,
            owner: PrincipalId(0),
            visibility: namespaces::Visibility::Private,
            description: "what belongs to everybody here",
            now,
        };
        namespaces::namespace_put(tx, &library).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rights::action::Place;

    #[test]
    fn each_role_of_a_namespace_has_what_the_one_before_it_has_and_nothing_of_the_system() {
        for pair in BUILTIN[..5].windows(2) {
            assert!(
                pair[0].actions.is_within(pair[1].actions),
                "{}",
                pair[1].name
            );
        }
        for role in &BUILTIN[..5] {
            assert!(
                role.actions
                    .iter()
                    .all(|action| action.about().place != Place::System),
                "{}",
                role.name
            );
        }
        let owner = builtin("owner").unwrap();
        for action in Action::ALL {
            assert_eq!(
                owner.actions.has(*action),
                action.about().place != Place::System,
                "{action}"
            );
        }
    }

    #[test]
    fn whoever_only_looks_changes_nothing() {
        for name in ["guest", "reader", "auditor"] {
            let role = builtin(name).unwrap();
            let looks = |action: Action| {
                ["list", "read", "pull"]
                    .iter()
                    .any(|verb| action.name().ends_with(verb))
            };
            assert!(role.actions.iter().all(looks), "{name}");
        }
        assert!(
            !builtin("auditor")
                .unwrap()
                .actions
                .has(Action::RepositoryPull)
        );
    }

    #[test]
    fn ids_and_names_are_unique() {
        for (at, role) in BUILTIN.iter().enumerate() {
            assert_eq!(role.id, i64::try_from(at).unwrap() + 1);
            assert_eq!(builtin(role.name).unwrap().id, role.id);
        }
    }
}
