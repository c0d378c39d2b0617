//! Trust rules: whose tokens make their bearer a robot.
//!
//! A rule is a credential of its robot, so it is made by whoever made the robot, and by whoever gives rights there: else somebody
//! who may only make robots would come by the rights of one that another made.

use std::collections::BTreeMap;
use std::time::SystemTime;

use longshore_auth::index::RULES_OF_ISSUER;
use longshore_auth::provider::keyless::{TrustRule, patterns};
use longshore_auth::rights::{Action, Narrow};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::principals::{Kind, PrincipalId, principal_bump};
use longshore_meta::time::micros;
use longshore_meta::trusts::{Trust, trust_count, trust_delete, trust_get, trust_of, trust_put};
use serde_json::json;

use crate::caller::Caller;
use crate::hub::{Done, Hub};
use crate::names::{conflict, missing};
use crate::narrowing::{Kept, bound, by_name};
use crate::permit::Permit;
use crate::robots::{RobotName, is_its_keeper, is_whole, of, parts, robot, told};

const MANAGE: u8 = Action::RobotManage as u8;
const LIST: u8 = Action::RobotList as u8;
/// The most rules of one robot.
const RULES: usize = 100;

/// A trust rule that is to be.
#[derive(Debug, Clone, Default)]
pub struct NewTrust {
    /// The robot, as it logs in: `robot+ci`, `acme+ci`.
    pub robot: String,
    /// What its owner must be; `None`: whatever has the name.
    pub of: Option<Kind>,
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

impl Hub {
    /// Makes a trust rule of a robot that is there.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `Unsupported` when the rule cannot be used, `ConditionFailed` when there are too many, or
    /// `Unavailable`.
    pub async fn trust_create(&self, caller: &Caller, new: NewTrust) -> Result<Kept> {
        let unusable = |why: String| Error::new(Code::Unsupported, why);
        let rule = TrustRule {
            id: 0,
            robot: 0,
            issuer: new.issuer.clone(),
            audience: new.audience.clone(),
            claims: patterns(new.claims.clone()).map_err(unusable)?,
        };
        self.index.check_rule(&rule).map_err(unusable)?;
        let owner = parts(&new.robot)?.0;
        let object = self.robots_of(caller, owner, new.of).await?;
        self.act(caller, object, new, |tx, permit, new| {
            Box::pin(create(tx, permit, new))
        })
        .await
    }

    /// The trust rules of a robot.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn trust_list<'a>(
        &self,
        caller: &Caller,
        name: impl Into<RobotName<'a>>,
    ) -> Result<Vec<Trust>> {
        let named = name.into();
        let (owner, own) = parts(named.name)?;
        let object = self.robots_of(caller, owner, named.of).await?;
        self.see::<LIST, _, _>(caller, &object, own, |tx, permit, own| {
            Box::pin(async move {
                let place = of(tx, permit.object()).await?;
                let robot = robot(tx, &place, own).await?;
                trust_of(tx, robot.id, 0, RULES).await
            })
        })
        .await
    }

    /// Takes a trust rule of a robot back. Tokens that were issued by it are void.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn trust_delete<'a>(
        &self,
        caller: &Caller,
        robot: impl Into<RobotName<'a>>,
        id: i64,
    ) -> Result<()> {
        let named = robot.into();
        let (owner, own) = parts(named.name)?;
        let object = self.robots_of(caller, owner, named.of).await?;
        let args = (id, own.to_owned());
        let gone = self
            .act(caller, object, args, |tx, permit, (id, own)| {
                Box::pin(delete(tx, permit, *id, own))
            })
            .await?;
        self.index.forget(gone.0);
        Ok(())
    }
}

async fn create(tx: &mut Tx<'_>, permit: &Permit<MANAGE>, new: &NewTrust) -> Result<Done<Kept>> {
    let (place, (_, own)) = (of(tx, permit.object()).await?, parts(&new.robot)?);
    let robot = robot(tx, &place, own).await?;
    is_whole(permit.caller())?;
    if !is_its_keeper(tx, permit, &place, &robot).await? {
        return Err(Error::new(
            Code::Denied,
            format!(
                "`{}` was made by somebody else: whoever made it, or gives rights there, says who else may be it",
                new.robot
            ),
        ));
    }
    let caller = permit.caller();
    let (of, about) = trust_count(tx, robot.id, &new.issuer).await?;
    if of >= RULES as u64 || about >= RULES_OF_ISSUER as u64 {
        return Err(conflict(
            "there are too many rules of this robot or about this issuer; take some back that are not used",
        ));
    }
    let narrow = match &new.narrow {
        Some(narrow) => Some(bound(tx, caller, narrow).await?),
        None => None,
    };
    let row = Trust {
        id: 0,
        principal: robot.id,
        issuer: new.issuer.clone(),
        audience: new.audience.clone(),
        claims: json!(new.claims).to_string(),
        scope: narrow.as_ref().map(Narrow::to_json),
        description: new.description.clone(),
        expires: new.expires.map(micros),
        used: None,
        created_by: caller.who.id(),
        created: permit.micros(),
    };
    let id = trust_put(tx, &row).await?;
    let detail = json!({
        "trusts": id, "issuer": new.issuer, "audience": new.audience, "claims": new.claims,
    });
    let kept = Kept {
        id,
        by_name: narrow.as_ref().map(by_name).unwrap_or_default(),
    };
    Ok(told(kept, &place, own, detail))
}

async fn delete(
    tx: &mut Tx<'_>,
    permit: &Permit<MANAGE>,
    id: i64,
    own: &str,
) -> Result<Done<PrincipalId>> {
    let place = of(tx, permit.object()).await?;
    let robot = robot(tx, &place, own).await?;
    let rule = trust_get(tx, id).await?;
    if rule.is_none_or(|rule| rule.principal != robot.id) {
        return Err(missing("trust rule"));
    }
    trust_delete(tx, id).await?;
    principal_bump(tx, robot.id).await?;
    let detail = json!({ "trusts_no_more": id });
    Ok(told(robot.id, &place, own, detail))
}
