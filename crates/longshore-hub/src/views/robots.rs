//! Robots, without their secrets.

use std::collections::HashMap;
use std::time::SystemTime;

use longshore_auth::rights::Action;
use longshore_auth::rights::decide::inactive;
use longshore_auth::rights::facts::{MAKERS, Party};
use longshore_core::Result;
use longshore_meta::Tx;
use longshore_meta::bindings::Subject;
use longshore_meta::principals::{Kind, Principal, PrincipalId, State, principal_of_kind};
use longshore_meta::secrets::{Kind as SecretKind, Secret, secret_list};

use super::Listed;
use crate::caller::Caller;
use crate::gives::subject_text;
use crate::hub::Hub;
use crate::robots::{RobotName, of, parts, robot};

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
    /// Who stands behind it; `None`: the operator, who never leaves.
    pub maker: Option<Maker>,
}

/// Whoever made a robot, or took it over: it never may more than they.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maker {
    /// Who: `user:ann`, `robot:acme+boss`.
    pub subject: String,
    /// Whether they are switched off, or gone.
    pub state: State,
    /// Whether they can do anything, and whoever stands behind them. While they cannot, the robot can do nothing.
    pub counts: bool,
}

impl Hub {
    /// The robots of an organisation or a user, or of the system (`robot`), in the order of their names, after `after`, which is without
    /// what stands before the `+`.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn robot_list<'a>(
        &self,
        caller: &Caller,
        owner: impl Into<RobotName<'a>>,
        after: &str,
        limit: usize,
    ) -> Result<Listed<Robot, String>> {
        let owner = owner.into();
        let object = self.robots_of(caller, owner.name, owner.of).await?;
        self.see::<LIST, _, _>(caller, &object, (after, limit), |tx, permit, args| {
            Box::pin(async move {
                let place = of(tx, permit.object()).await?;
                let (after, limit) = *args;
                let rows = principal_of_kind(tx, place.owner, Kind::Robot, after, limit + 1);
                let page = Listed::of(rows.await?, limit, |row| row.name.clone());
                let mut makers = Makers::at(permit.caller().now);
                let mut items = Vec::with_capacity(page.items.len());
                for row in page.items {
                    items.push(seen(tx, &place.prefix, row, &mut makers).await?);
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
    pub async fn robot_get<'a>(
        &self,
        caller: &Caller,
        name: impl Into<RobotName<'a>>,
    ) -> Result<Robot> {
        let named = name.into();
        let (owner, own) = parts(named.name)?;
        let object = self.robots_of(caller, owner, named.of).await?;
        self.see::<LIST, _, _>(caller, &object, own, |tx, permit, own| {
            Box::pin(async move {
                let place = of(tx, permit.object()).await?;
                let row = robot(tx, &place, own).await?;
                let mut makers = Makers::at(permit.caller().now);
                seen(tx, &place.prefix, row, &mut makers).await
            })
        })
        .await
    }
}

/// A robot with what is not in its row.
///
/// # Errors
/// `Unavailable`.
pub(crate) async fn seen(
    tx: &mut Tx<'_>,
    owner: &str,
    row: Principal,
    makers: &mut Makers,
) -> Result<Robot> {
    let secrets = secret_list(tx, row.id.0, SecretKind::Robot, 0, SECRETS).await?;
    Ok(Robot {
        name: format!("{owner}+{}", row.name),
        maker: makers.of(tx, row.created_by).await?,
        row,
        secrets,
    })
}

/// Who stands behind robots, each looked up once.
#[derive(Debug)]
pub(crate) struct Makers {
    now: SystemTime,
    known: HashMap<PrincipalId, Maker>,
}

impl Makers {
    pub(crate) fn at(now: SystemTime) -> Self {
        Self {
            now,
            known: HashMap::new(),
        }
    }

    async fn of(&mut self, tx: &mut Tx<'_>, id: PrincipalId) -> Result<Option<Maker>> {
        if id == PrincipalId(0) {
            return Ok(None);
        }
        if let Some(known) = self.known.get(&id) {
            return Ok(Some(known.clone()));
        }
        let chain = Party::chain(tx, id).await?;
        let first = chain.first().and_then(|(_, party)| party.standing);
        let maker = Maker {
            subject: subject_text(tx, Subject::from(id)).await?,
            state: first.map_or(State::Deleted, |standing| standing.state),
            counts: chain.len() < MAKERS
                && chain
                    .iter()
                    .all(|(_, party)| inactive(party, self.now).is_none()),
        };
        self.known.insert(id, maker.clone());
        Ok(Some(maker))
    }
}
