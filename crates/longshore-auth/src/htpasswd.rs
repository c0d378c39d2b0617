//! Basic credentials against an htpasswd file.

pub(crate) mod fuzzing;
pub(crate) mod line;
mod list;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use longshore_core::{Actor, Rights};
use zeroize::Zeroizing;

use self::list::UserList;
use crate::checked::Checks;
use crate::identity::{Identity, IdentityKind, Refusal};
use crate::options::{HtpasswdOptions, SetupError};
use crate::rights::Via;
use crate::watched::WatchedFile;

/// What to do where there is no file.
const MISSING_HINT: &str = "make it with `htpasswd -Bc FILE USER`, or take the setting out";

/// Checks user names and passwords.
pub(crate) struct Htpasswd {
    pub(crate) realm: String,
    users: Arc<WatchedFile<UserList>>,
    checks: Checks,
}

impl Htpasswd {
    pub(crate) async fn open(
        options: &HtpasswdOptions,
        now: SystemTime,
    ) -> Result<Self, SetupError> {
        let users = WatchedFile::<UserList>::open(options.file.clone(), MISSING_HINT, now).await?;
        if users.current().value.is_useless() {
            return Err(SetupError::Broken {
                path: options.file.clone(),
                problem: "none of its lines has a hash that is accepted; make each anew with `htpasswd -B FILE USER`"
                    .to_owned(),
            });
        }
        Ok(Htpasswd {
            realm: options.realm.clone(),
            users: Arc::new(users),
            checks: Checks::new(&options.limits)?,
        })
    }

    /// Checks one pair.
    ///
    /// # Errors
    /// It is wrong, or nobody may try just now.
    pub(crate) async fn identify(
        &self,
        user: &str,
        password: Zeroizing<Vec<u8>>,
        peer: IpAddr,
        now: SystemTime,
    ) -> Result<Identity, Refusal> {
        self.users.refresh(now).await;
        let users = self.users.current();
        let generation = users.generation.to_be_bytes();
        let (owner, decoy) = (user.to_owned(), self.checks.decoy(user));
        let tried = password.clone();
        let good = self
            .checks
            .check((user, &password, &generation), peer, now, move || {
                users.value.verify(&owner, &tried, decoy)
            })
            .await?;
        if good {
            Ok(Identity {
                actor: Actor::Named(user.into()),
                rights: Rights::Everything,
                way: Via::Password.way(0),
                kind: IdentityKind::Password,
                lack: None,
            })
        } else {
            Err(Refusal::password("no such user, or another password"))
        }
    }
}

#[cfg(test)]
mod tests;
