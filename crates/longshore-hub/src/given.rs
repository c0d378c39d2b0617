//! What must hold for a change beside the right to make it: that a thing is still as its reader saw it, and that what is asked for
//! once is done once. Both are looked at in the transaction that makes the change.

use std::time::SystemTime;

use longshore_auth::index::keep::named;
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::deeds::{Deed, deed_get, deed_put};
use longshore_meta::namespaces::{NamespaceId, namespace_get};
use longshore_meta::principals::{PrincipalId, principal_get, principal_named};
use longshore_meta::profiles::profile_get;
use longshore_meta::roles::role_named;
use longshore_meta::settings::setting_get;
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::name::RepoName;

use crate::caller::Caller;
use crate::robots::parts;
use crate::settings::SIGN_UP;
use crate::views::{Makers, Robot, robot_seen};

/// The words of the error for what is not any more as it was seen.
pub const CHANGED: &str = "it has changed since you read it; read it again and decide again";
/// The words of the error for what was asked for under a key that was used before.
pub const DONE: &str = "a request with this key was carried out before";

/// What can be changed and has a mark that says how it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Thing {
    /// A user or an organisation.
    Account(String),
    /// A robot, by the name it logs in with.
    Robot(String),
    /// A namespace.
    Namespace(NamespaceId),
    /// A repository.
    Repository(RepoName),
    /// A role of whoever owns a namespace, or of all (0).
    Role(NamespaceId, String),
    /// The settings of the system.
    Settings,
}

/// What a change is given.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// A thing, and the marks of which it must have one.
    pub unchanged: Option<(Thing, Vec<String>)>,
    /// What it is asked for by.
    pub once: Option<Once>,
}

/// A key under which something is asked for, and what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// The caller's own word for the request.
    pub key: String,
    /// A hash of all that was asked.
    pub asked: [u8; 32],
}

impl Thing {
    /// Its mark: another one for each change that can be made by people, the same as long as there is none.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn mark(&self, tx: &mut Tx<'_>, now: SystemTime) -> Result<Option<String>> {
        let text = match self {
            Thing::Account(name) => principal_named(tx, PrincipalId(0), name)
                .await?
                .map(|row| account(&row)),
            Thing::Robot(name) => robot_mark(tx, name, now).await?,
            Thing::Namespace(id) => namespace_get(tx, *id).await?.map(|row| namespace(&row)),
            Thing::Repository(name) => {
                let found = longshore_meta::repos::repo_id(tx, name).await?;
                match found {
                    Some(id) => Some(repository(name, profile_get(tx, id).await?.as_ref())),
                    None => None,
                }
            }
            Thing::Role(home, name) => {
                let home = namespace_get(tx, *home).await?;
                let owner = home.map_or(PrincipalId(0), |home| home.owner);
                role_named(tx, owner, name).await?.map(|row| role(&row))
            }
            Thing::Settings => Some(settings(
                setting_get(tx, SIGN_UP).await?.as_deref(),
                setting_get(tx, longshore_auth::rights::ground::READ_ONLY)
                    .await?
                    .as_deref(),
            )),
        };
        Ok(text)
    }
}

/// The mark of an account.
pub fn account(row: &longshore_meta::principals::Principal) -> String {
    let said = (&row.full_name, &row.mail, &row.description);
    print(&(row.id, &row.name, said, row.state.word(), row.expires))
}

/// The mark of a robot: of all that is shown of it, but for when its secrets were last used.
pub fn robot(robot: &Robot) -> String {
    let secrets: Vec<_> = robot.secrets.iter().map(|it| (it.id, it.expires)).collect();
    print(&(account(&robot.row), &robot.name, &robot.maker, secrets))
}

async fn robot_mark(tx: &mut Tx<'_>, name: &str, now: SystemTime) -> Result<Option<String>> {
    let (owner, _) = parts(name)?;
    let Some(login) = named(tx, name).await? else {
        return Ok(None);
    };
    let Some(row) = principal_get(tx, PrincipalId(login.id)).await? else {
        return Ok(None);
    };
    let seen = robot_seen(tx, owner, row, &mut Makers::at(now)).await?;
    Ok(Some(robot(&seen)))
}

/// The mark of a namespace.
pub fn namespace(row: &longshore_meta::namespaces::Namespace) -> String {
    let ours = (row.visibility.word(), row.read_only, &row.description);
    print(&(row.id, &row.path, row.owner, ours))
}

/// The mark of a repository.
pub fn repository(name: &RepoName, profile: Option<&longshore_meta::profiles::Profile>) -> String {
    let usual = longshore_meta::profiles::Profile::default();
    let row = profile.unwrap_or(&usual);
    let said = (&row.description, &row.readme, &row.links, &row.labels);
    print(&(name.as_str(), row.visibility, row.read_only, said))
}

/// The mark of a role.
pub fn role(row: &longshore_meta::roles::Role) -> String {
    print(&(row.id, &row.name, &row.actions, &row.description))
}

/// The mark of the settings.
pub fn settings(sign_up: Option<&str>, read_only: Option<&str>) -> String {
    print(&(sign_up, read_only))
}

fn print(what: &impl std::fmt::Debug) -> String {
    let whole = Digest::of(Algorithm::Sha256, format!("{what:?}").as_bytes());
    whole.hex().chars().take(32).collect()
}

impl Given {
    /// Checks it, and notes that what is asked for once is done. The caller has the right by now: to others nothing is said.
    pub(crate) async fn hold(&self, tx: &mut Tx<'_>, caller: &Caller) -> Result<()> {
        if let Some((thing, marks)) = &self.unchanged {
            let mark = thing.mark(tx, caller.now).await?;
            if !mark.is_some_and(|mark| marks.contains(&mark)) {
                return Err(Error::new(Code::ConditionFailed, CHANGED));
            }
        }
        if let Some(once) = &self.once {
            once.is_free(tx, caller).await?;
            once.note(tx, caller).await?;
        }
        Ok(())
    }

    /// The same without what it is asked for by, and that alone: for what is done in many transactions, of which the last one notes it.
    pub(crate) fn in_parts(&self) -> (Self, Option<Once>) {
        let rest = Self {
            unchanged: self.unchanged.clone(),
            once: None,
        };
        (rest, self.once.clone())
    }
}

impl Once {
    /// Checks that nothing was done under the key.
    pub(crate) async fn is_free(&self, tx: &mut Tx<'_>, caller: &Caller) -> Result<()> {
        match deed_get(tx, caller.who.id(), &self.key).await? {
            None => Ok(()),
            Some(_) => Err(Error::new(Code::ConditionFailed, DONE)),
        }
    }

    /// Notes that it is done. Whoever calls has looked whether the key is free.
    pub(crate) async fn note(&self, tx: &mut Tx<'_>, caller: &Caller) -> Result<()> {
        let deed = Deed {
            asked: self.asked.to_vec(),
            at: caller.micros(),
            answer: None,
        };
        deed_put(tx, caller.who.id(), &self.key, &deed).await
    }
}
