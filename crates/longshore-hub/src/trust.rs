//! Trust rules: whose tokens make their bearer a robot.
//!
//! A rule is a credential of its robot, so it is made by whoever made the robot, and by whoever gives rights there: else somebody
//! who may only make robots would come by the rights of one that another made.

use std::collections::BTreeMap;
use std::time::SystemTime;

use longshore_auth::index::{RULES_OF_ISSUER, SYSTEM};
use longshore_auth::provider::keyless::{TrustRule, patterns};
use longshore_auth::rights::judge::allows;
use longshore_auth::rights::{Action, Narrow, Object};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::namespaces::{NamespaceId, namespace_at};
use longshore_meta::principals::{Kind, Principal, PrincipalId, principal_bump, principal_named};
use longshore_meta::time::micros;
use longshore_meta::trusts::{Trust, trust_count, trust_delete, trust_get, trust_of, trust_put};
use serde_json::json;

use crate::caller::Caller;
use crate::hub::{Done, Hub};
use crate::names::{conflict, missing};
use crate::permit::Permit;

const MANAGE: u8 = Action::RobotManage as u8;
const LIST: u8 = Action::RobotList as u8;
/// The most rules of one robot.
const RULES: usize = 100;

/// A trust rule that is to be.
#[derive(Debug, Clone, Default)]
pub struct NewTrust {
    /// The robot, as it logs in: `robot+ci`, `acme+ci`.
    pub robot: String,
    /// The issuer's URL, to the letter as its tokens have it.
    pub issuer: String,
    /// What `aud` must have.
    pub audience: String,
    /// What claims must say, by name or path: patterns.
    pub claims: BTreeMap<String, String>,
    /// What it leaves of the robot's rights; none: all.
    pub narrow: Option<Narrow>,
    /// What it is for.
    pub description: String,
    /// When it ends.
    pub expires: Option<SystemTime>,
}

/// A robot by the name it logs in with: where rights over it are asked for, who owns it, and its own name.
struct Stable {
    object: Object,
    home: NamespaceId,
    owner: PrincipalId,
    own: String,
}

impl Hub {
    /// Makes a trust rule of a robot that is there, and gives its id.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `Unsupported` when the rule cannot be used, `ConditionFailed` when there are too many, or
    /// `Unavailable`.
    pub async fn trust_create(&self, caller: &Caller, new: NewTrust) -> Result<i64> {
        let unusable = |why: String| Error::new(Code::Unsupported, why);
        let rule = TrustRule {
            id: 0,
            robot: 0,
            issuer: new.issuer.clone(),
            audience: new.audience.clone(),
            claims: patterns(new.claims.clone()).map_err(unusable)?,
        };
        self.index.check_rule(&rule).map_err(unusable)?;
        let stable = self.stable(&new.robot).await?;
        let object = stable.object.clone();
        self.act(
            caller,
            object,
            (new, stable),
            |tx, permit, (new, stable)| Box::pin(create(tx, permit, new, stable)),
        )
        .await
    }

    /// The trust rules of a robot.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn trust_list(&self, caller: &Caller, robot: &str) -> Result<Vec<Trust>> {
        let stable = self.stable(robot).await?;
        let args = (caller.clone(), stable);
        let read = self.db.read(&args, |tx, (caller, stable)| {
            Box::pin(async move {
                match Permit::<LIST>::ask(tx, caller, &stable.object).await? {
                    Ok(_) => {
                        let robot = robot_of(tx, stable).await?;
                        trust_of(tx, robot.id, 0, RULES).await
                    }
                    Err(denial) => Err(denial),
                }
            })
        });
        read.await
    }

    /// Takes a trust rule of a robot back. Tokens that were issued by it are void.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn trust_delete(&self, caller: &Caller, robot: &str, id: i64) -> Result<()> {
        let stable = self.stable(robot).await?;
        let object = stable.object.clone();
        let gone = self
            .act(caller, object, (id, stable), |tx, permit, (id, stable)| {
                Box::pin(delete(tx, permit, *id, stable))
            })
            .await?;
        self.index.forget(gone.0);
        Ok(())
    }

    async fn stable(&self, robot: &str) -> Result<Stable> {
        let unknown = || missing(&format!("robot `{robot}`"));
        let (owner, own) = robot.split_once('+').ok_or_else(unknown)?;
        let own = own.to_owned();
        if owner == SYSTEM {
            return Ok(Stable {
                object: Object::System,
                home: NamespaceId(0),
                owner: PrincipalId(0),
                own,
            });
        }
        let found = self
            .db
            .read(&owner, |tx, owner| {
                Box::pin(async move {
                    let home = namespace_at(tx, owner).await?;
                    let owner = principal_named(tx, PrincipalId(0), owner).await?;
                    let owner = owner.filter(|it| it.kind == Kind::Organisation);
                    Ok(home.zip(owner).map(|(home, owner)| (home.id, owner.id)))
                })
            })
            .await?;
        let (home, owner) = found.ok_or_else(unknown)?;
        Ok(Stable {
            object: Object::Namespace(home),
            home,
            owner,
            own,
        })
    }
}

async fn robot_of(tx: &mut Tx<'_>, stable: &Stable) -> Result<Principal> {
    let found = principal_named(tx, stable.owner, &stable.own).await?;
    found
        .filter(|it| it.kind == Kind::Robot)
        .ok_or_else(|| missing("robot"))
}

async fn create(
    tx: &mut Tx<'_>,
    permit: &Permit<MANAGE>,
    new: &NewTrust,
    stable: &Stable,
) -> Result<Done<i64>> {
    let robot = robot_of(tx, stable).await?;
    let caller = permit.caller();
    let is_maker = caller.who.principal == Some(robot.created_by);
    let gives = async |tx: &mut Tx<'_>| {
        let action = Action::RightsManage;
        allows(tx, &caller.who, action, &stable.object, caller.now).await
    };
    if !is_maker && !caller.who.is_operator() && !gives(tx).await? {
        return Err(Error::new(
            Code::Denied,
            format!(
                "`{}` was made by somebody else: whoever made it, or gives rights there, says who else may be it",
                new.robot
            ),
        ));
    }
    let (of, about) = trust_count(tx, robot.id, &new.issuer).await?;
    if of >= RULES as u64 || about >= RULES_OF_ISSUER as u64 {
        return Err(conflict(
            "there are too many rules of this robot or about this issuer; take some back that are not used",
        ));
    }
    let row = Trust {
        id: 0,
        principal: robot.id,
        issuer: new.issuer.clone(),
        audience: new.audience.clone(),
        claims: json!(new.claims).to_string(),
        scope: new.narrow.as_ref().map(Narrow::to_json),
        description: new.description.clone(),
        expires: new.expires.map(micros),
        used: None,
        created_by: caller.who.id(),
        created: permit.micros(),
    };
    let id = trust_put(tx, &row).await?;
    Ok(Done {
        value: id,
        object: new.robot.clone(),
        namespace: stable.home,
        detail: json!({
            "trusts": id, "issuer": new.issuer, "audience": new.audience, "claims": new.claims,
        }),
    })
}

async fn delete(
    tx: &mut Tx<'_>,
    _: &Permit<MANAGE>,
    id: i64,
    stable: &Stable,
) -> Result<Done<PrincipalId>> {
    let robot = robot_of(tx, stable).await?;
    let rule = trust_get(tx, id).await?;
    if rule.is_none_or(|rule| rule.principal != robot.id) {
        return Err(missing("trust rule"));
    }
    trust_delete(tx, id).await?;
    principal_bump(tx, robot.id).await?;
    Ok(Done {
        value: robot.id,
        object: stable.own.clone(),
        namespace: stable.home,
        detail: json!({ "trusts_no_more": id }),
    })
}
