//! Whose robots are meant: by name, and as what a permit is for.

use longshore_auth::index::SYSTEM;
use longshore_auth::rights::Object;
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::namespaces::{NamespaceId, namespace_at};
use longshore_meta::principals::{Kind, Principal, PrincipalId, principal_named};

use crate::caller::Caller;
use crate::hub::{Done, Hub};
use crate::members::home;
use crate::names::{check_robot, missing};
use crate::views::NOWHERE;

/// A robot by the name it logs in with, or all of an owner's by what stands before the `+`.
#[derive(Debug, Clone, Copy)]
pub struct RobotName<'a> {
    /// The name: `robot+ci` of the system, `acme+ci` of the organisation or user `acme`.
    pub name: &'a str,
    /// What its owner must be for it to be meant; `None`: whatever it is.
    pub of: Option<Kind>,
}

impl<'a> From<&'a str> for RobotName<'a> {
    fn from(name: &'a str) -> Self {
        Self { name, of: None }
    }
}

impl<'a> From<&'a String> for RobotName<'a> {
    fn from(name: &'a String) -> Self {
        Self::from(name.as_str())
    }
}

/// What is before the `+` of a robot's name, and what is after it.
pub(crate) fn parts(name: &str) -> Result<(&str, &str)> {
    let (owner, own) = name.split_once('+').ok_or_else(|| {
        let what = format!("`{name}` is no robot's name: write {SYSTEM}+NAME, or OWNER+NAME");
        Error::new(Code::NameInvalid, what)
    })?;
    check_robot(own)?;
    Ok((owner, own))
}

/// Whose robots a permit is for.
pub(crate) struct Place {
    pub(crate) owner: PrincipalId,
    pub(crate) prefix: String,
    namespace: NamespaceId,
}

impl Hub {
    /// What a right over the robots of an owner is asked for: the system, or the home of a user or an organisation. Where there is none,
    /// or whose it is is not what was meant, it is nowhere, so that whoever asks is answered as about one that they may not know.
    pub(crate) async fn robots_of(
        &self,
        caller: &Caller,
        owner: &str,
        kind: Option<Kind>,
    ) -> Result<Object> {
        if owner == SYSTEM {
            return Ok(Object::System);
        }
        let args = (owner, kind);
        let found = self
            .db
            .read(&args, |tx, (owner, kind)| {
                Box::pin(async move {
                    // Both are looked up whatever there is, or else it would be quicker to hear that there is nobody.
                    let whose = principal_named(tx, PrincipalId(0), owner).await?;
                    let home = namespace_at(tx, owner).await?;
                    let is_meant = kind.is_none() || whose.map(|it| it.kind) == *kind;
                    Ok(home.filter(|_| is_meant).map(|home| home.id))
                })
            })
            .await?;
        if found.is_none() && caller.who.is_operator() {
            return Err(missing(&format!("user or organisation `{owner}`")));
        }
        Ok(Object::Namespace(found.unwrap_or(NOWHERE)))
    }
}

pub(crate) async fn of(tx: &mut Tx<'_>, object: &Object) -> Result<Place> {
    if *object == Object::System {
        return Ok(Place {
            owner: PrincipalId(0),
            prefix: SYSTEM.to_owned(),
            namespace: NamespaceId(0),
        });
    }
    let found = home(tx, object).await?;
    let (home, owner) = found.ok_or_else(|| missing("user or organisation"))?;
    Ok(Place {
        owner: owner.id,
        prefix: owner.name,
        namespace: home.id,
    })
}

pub(crate) async fn robot(tx: &mut Tx<'_>, place: &Place, name: &str) -> Result<Principal> {
    let found = principal_named(tx, place.owner, name).await?;
    let found = found.filter(|it| it.kind == Kind::Robot);
    found.ok_or_else(|| missing(&format!("robot `{}+{name}`", place.prefix)))
}

pub(crate) fn told<T>(value: T, place: &Place, name: &str, detail: serde_json::Value) -> Done<T> {
    Done {
        value,
        object: format!("{}+{name}", place.prefix),
        namespace: place.namespace,
        detail,
    }
}
