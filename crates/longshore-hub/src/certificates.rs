//! Whose certificate is whose: rules that let an account in by what a certificate says.
//!
//! A rule is a credential, and a name in it may be anybody's: so people do not make their own. Those who manage users do, for whoever
//! has no more rights of the system than they; for robots those who give rights everywhere, since a robot's rights can lie anywhere.

use std::time::SystemTime;

use longshore_auth::certificate::Subject;
use longshore_auth::index::keep;
use longshore_auth::rights::{Action, Narrow, Object};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::certificates::{
    CertificateRule, certificate_delete, certificate_find, certificate_of, certificate_put,
};
use longshore_meta::logins::{Login, login_by_id};
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::principals::{Kind, PrincipalId, principal_bump, principal_get};
use longshore_meta::time::micros;
use serde_json::json;

use crate::caller::Caller;
use crate::held::has_what;
use crate::hub::{Done, Hub};
use crate::names::{conflict, missing};
use crate::narrowing::{Kept, bound, by_name};
use crate::permit::Permit;
use crate::rank::outranks;
use crate::robots::{RobotName, is_whole};

const USERS: u8 = Action::UserManage as u8;
const RIGHTS: u8 = Action::RightsManage as u8;
/// What users and robots are in rows.
const ROBOT: i64 = longshore_auth::index::ROBOT;
/// The most rules of one account.
const RULES: usize = 100;
/// The longest description, in bytes.
const TEXT: usize = 1024;

/// A rule that is to be.
#[derive(Debug, Clone)]
pub struct NewCertificate {
    /// The account, as it logs in: `ann`, `robot+ci`, `acme+ci`.
    pub account: String,
    /// What a robot's owner must be; `None`: whatever has the name.
    pub of: Option<Kind>,
    /// What the certificate says.
    pub subject: Subject,
    /// What it leaves of the account's rights; none: all.
    pub narrow: Option<Narrow>,
    /// What it is for.
    pub description: String,
    /// When it ends.
    pub expires: Option<SystemTime>,
}

impl NewCertificate {
    fn named(&self) -> RobotName<'_> {
        RobotName {
            name: &self.account,
            of: self.of,
        }
    }
}

impl Hub {
    /// Says that whoever shows a certificate that says this is that account.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `QueryInvalid`, `ConditionFailed` when there is a rule about the same, or too many, or `Unavailable`.
    pub async fn certificate_create(&self, caller: &Caller, new: NewCertificate) -> Result<Kept> {
        if new.description.len() > TEXT {
            let what = format!("a description has at most {TEXT} bytes");
            return Err(Error::new(Code::QueryInvalid, what));
        }
        if is_robot(&new.account) {
            return self
                .act(caller, Object::System, new, |tx, permit, new| {
                    Box::pin(robot_create(tx, permit, new))
                })
                .await;
        }
        self.act(caller, Object::System, new, |tx, permit, new| {
            Box::pin(user_create(tx, permit, new))
        })
        .await
    }

    /// The rules of an account.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn certificate_list<'a>(
        &self,
        caller: &Caller,
        account: impl Into<RobotName<'a>>,
    ) -> Result<Vec<CertificateRule>> {
        let args = (caller, account.into());
        self.db
            .read(&args, |tx, (caller, account)| {
                Box::pin(async move {
                    if is_robot(account.name) {
                        Permit::<RIGHTS>::ask(tx, caller, &Object::System).await??;
                    } else {
                        Permit::<USERS>::ask(tx, caller, &Object::System).await??;
                    }
                    let login = account_of(tx, *account).await?;
                    certificate_of(tx, PrincipalId(login.id), 0, RULES).await
                })
            })
            .await
    }

    /// Takes a rule of an account back. Tokens that were issued by it are void.
    ///
    /// # Errors
    /// `Denied`, also when the account is a person's with more rights than whoever asks; `NameUnknown`, or `Unavailable`.
    pub async fn certificate_delete<'a>(
        &self,
        caller: &Caller,
        account: impl Into<RobotName<'a>>,
        id: i64,
    ) -> Result<()> {
        let account = account.into();
        let args = (account.name.to_owned(), account.of, id);
        if is_robot(account.name) {
            return self
                .act(caller, Object::System, args, |tx, permit, args| {
                    Box::pin(robot_delete(tx, permit, args))
                })
                .await;
        }
        self.act(caller, Object::System, args, |tx, permit, args| {
            Box::pin(user_delete(tx, permit, args))
        })
        .await
    }
}

fn is_robot(account: &str) -> bool {
    account.contains('+')
}

/// The account of that name; a robot or a user, as the name says.
async fn account_of(tx: &mut Tx<'_>, account: RobotName<'_>) -> Result<Login> {
    let RobotName { name, of } = account;
    let none = || missing(&format!("account `{name}`"));
    let found = keep::named(tx, name).await?;
    let found = found.filter(|login| (login.kind == ROBOT) == is_robot(name));
    let found = found
        .filter(|login| is_robot(name) || login.kind == longshore_auth::index::USER)
        .ok_or_else(none)?;
    if is_robot(name) && of.is_some() {
        let owner = principal_get(tx, PrincipalId(found.owner)).await?;
        owner.filter(|it| Some(it.kind) == of).ok_or_else(none)?;
    }
    Ok(found)
}

async fn robot_create(
    tx: &mut Tx<'_>,
    permit: &Permit<RIGHTS>,
    new: &NewCertificate,
) -> Result<Done<Kept>> {
    let login = account_of(tx, new.named()).await?;
    is_whole(permit.caller())?;
    let robot = (login.name.as_str(), PrincipalId(login.id));
    has_what(tx, permit.caller(), robot, None).await?;
    create(tx, permit.caller(), &login, new).await
}

async fn user_create(
    tx: &mut Tx<'_>,
    permit: &Permit<USERS>,
    new: &NewCertificate,
) -> Result<Done<Kept>> {
    let login = account_of(tx, new.named()).await?;
    outranks(tx, permit.caller(), PrincipalId(login.id)).await?;
    create(tx, permit.caller(), &login, new).await
}

async fn create(
    tx: &mut Tx<'_>,
    caller: &Caller,
    login: &Login,
    new: &NewCertificate,
) -> Result<Done<Kept>> {
    let subject = new.subject.as_str();
    if let Some(before) = certificate_find(tx, subject).await? {
        if login_by_id(tx, before.principal.0).await?.is_some() {
            return Err(conflict(
                "there is a rule about such certificates already; take it back first",
            ));
        }
        // Its account is gone, and nobody can be it any more.
        certificate_delete(tx, before.id, before.principal).await?;
    }
    let principal = PrincipalId(login.id);
    if certificate_of(tx, principal, 0, RULES).await?.len() >= RULES {
        return Err(conflict(format!(
            "`{}` has {RULES} rules; take one back first",
            new.account
        )));
    }
    let narrow = match &new.narrow {
        Some(narrow) => Some(bound(tx, caller, narrow).await?),
        None => None,
    };
    let row = CertificateRule {
        id: 0,
        principal,
        subject: subject.to_owned(),
        scope: narrow.as_ref().map(Narrow::to_json),
        description: new.description.clone(),
        expires: new.expires.map(micros),
        used: None,
        created_by: caller.who.id(),
        created: caller.micros(),
    };
    let id = certificate_put(tx, &row).await?;
    Ok(Done {
        value: Kept {
            id,
            by_name: narrow.as_ref().map(by_name).unwrap_or_default(),
        },
        object: new.account.clone(),
        namespace: NamespaceId(0),
        detail: json!({
            "certificate": id, "subject": subject, "scope": row.scope, "expires": row.expires,
        }),
    })
}

async fn robot_delete(
    tx: &mut Tx<'_>,
    _: &Permit<RIGHTS>,
    (name, of, id): &(String, Option<Kind>, i64),
) -> Result<Done<()>> {
    let login = account_of(tx, RobotName { name, of: *of }).await?;
    delete(tx, &login, name, *id).await
}

async fn user_delete(
    tx: &mut Tx<'_>,
    permit: &Permit<USERS>,
    (name, of, id): &(String, Option<Kind>, i64),
) -> Result<Done<()>> {
    let login = account_of(tx, RobotName { name, of: *of }).await?;
    outranks(tx, permit.caller(), PrincipalId(login.id)).await?;
    delete(tx, &login, name, *id).await
}

async fn delete(tx: &mut Tx<'_>, login: &Login, account: &str, id: i64) -> Result<Done<()>> {
    let principal = PrincipalId(login.id);
    if !certificate_delete(tx, id, principal).await? {
        return Err(missing(&format!("rule {id} of `{account}`")));
    }
    principal_bump(tx, principal).await?;
    Ok(Done {
        value: (),
        object: account.to_owned(),
        namespace: NamespaceId(0),
        detail: json!({ "certificate_no_more": id }),
    })
}
