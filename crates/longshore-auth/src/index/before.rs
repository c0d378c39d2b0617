//! Names that people and robots had until lately: while such a name rests, it is nobody else's, and still good beside their secrets.
//!
//! A password is not: there the name says whose it is, and a secret says that by itself.

use std::time::SystemTime;

use longshore_core::Result;
use longshore_meta::Tx;
use longshore_meta::logins::login_by_id;
use longshore_meta::namespaces::{NamespaceId, namespace_get};
use longshore_meta::rests::{Rest, rest_get};
use longshore_meta::time::micros;

use super::Index;
use super::login::{ROBOT, unavailable};
use crate::identity::Refusal;

impl Index {
    /// Whether somebody logged in by that name until lately, and nobody could have got it since.
    pub(super) async fn had_name(
        &self,
        principal: i64,
        name: &str,
        now: SystemTime,
    ) -> std::result::Result<bool, Refusal> {
        let args = (principal, name, micros(now));
        let read = self.0.db.read(&args, |tx, (principal, name, now)| {
            Box::pin(had(tx, *principal, name, *now))
        });
        read.await.map_err(|error| unavailable(&error))
    }
}

async fn had(tx: &mut Tx<'_>, principal: i64, name: &str, now: i64) -> Result<bool> {
    let (home, robot) = match name.split_once('+') {
        Some((home, robot)) => (home, Some(robot)),
        None => (name, None),
    };
    let Some(Rest::Namespace(home)) = rest_get(tx, home, now).await? else {
        return Ok(false);
    };
    let Some(home) = namespace_get(tx, home).await? else {
        return Ok(false);
    };
    let Some(login) = login_by_id(tx, principal).await? else {
        return Ok(false);
    };
    // A group has an owner, too, and is nobody's name.
    let is_home = home.parent == NamespaceId::EVERYWHERE && home.owner.0 != 0;
    Ok(is_home
        && match robot {
            None => login.id == home.owner.0,
            Some(robot) => {
                login.kind == ROBOT && login.owner == home.owner.0 && login.name == robot
            }
        })
}
