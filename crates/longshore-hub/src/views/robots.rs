//! Robots, without their secrets.

use longshore_auth::rights::Action;
use longshore_core::Result;
use longshore_meta::Tx;
use longshore_meta::principals::{Kind, Principal, principal_of_kind};
use longshore_meta::secrets::{Kind as SecretKind, Secret, secret_list};

use super::Listed;
use crate::caller::Caller;
use crate::hub::Hub;
use crate::robots::{Place, of, parts, robot};

const LIST: u8 = Action::RobotList as u8;
/// The most secrets of a robot that are shown.
const SECRETS: usize = 100;

/// A robot and its secrets, which are not shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Robot {
    /// Its name as it logs in.
    pub name: String,
    /// Its row.
    pub row: Principal,
    /// Its secrets.
    pub secrets: Vec<Secret>,
}

impl Hub {
    /// The robots of an organisation, or of the system (`robot`), in the order of their names, after `after`, which is without what
    /// stands before the `+`.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn robot_list(
        &self,
        caller: &Caller,
        owner: &str,
        after: &str,
        limit: usize,
    ) -> Result<Listed<Robot, String>> {
        let object = self.robots_of(caller, owner).await?;
        self.see::<LIST, _, _>(caller, &object, (after, limit), |tx, permit, args| {
            Box::pin(async move {
                let place = of(tx, permit.object()).await?;
                let (after, limit) = *args;
                let rows = principal_of_kind(tx, place.owner, Kind::Robot, after, limit + 1);
                let page = Listed::of(rows.await?, limit, |row| row.name.clone());
                let mut items = Vec::with_capacity(page.items.len());
                for row in page.items {
                    items.push(seen(tx, &place, row).await?);
                }
                Ok(Listed {
                    items,
                    next: page.next,
                })
            })
        })
        .await
    }

    /// A robot, by its name as it logs in.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `NameInvalid`, or `Unavailable`.
    pub async fn robot_get(&self, caller: &Caller, name: &str) -> Result<Robot> {
        let (owner, own) = parts(name)?;
        let object = self.robots_of(caller, owner).await?;
        self.see::<LIST, _, _>(caller, &object, own, |tx, permit, own| {
            Box::pin(async move {
                let place = of(tx, permit.object()).await?;
                let row = robot(tx, &place, own).await?;
                seen(tx, &place, row).await
            })
        })
        .await
    }
}

async fn seen(tx: &mut Tx<'_>, place: &Place, row: Principal) -> Result<Robot> {
    let secrets = secret_list(tx, row.id.0, SecretKind::Robot, 0, SECRETS).await?;
    let name = format!("{}+{}", place.prefix, row.name);
    Ok(Robot { name, row, secrets })
}
