//! What an invitation is worth when somebody comes with it, and what it leads into.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, UNIX_EPOCH};

use longshore_auth::rights::{Action, Object, Via, Who};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::invitations::{
    Invitation, invitation_delete, invitation_find, invitation_mailed,
};
use longshore_meta::members::member_put;
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::principals::{Kind as Sort, PrincipalId, State, principal_get};
use longshore_meta::settings::setting_get;

use crate::caller::Caller;
use crate::desk::no_token;
use crate::held::gives_membership;
use crate::members::organisation;
use crate::names::conflict;
use crate::permit::Permit;
use crate::settings::{SIGN_UP, SignUp};

const USERS: u8 = Action::UserManage as u8;
const MEMBERS: u8 = Action::MemberManage as u8;

/// The answer where people do not make accounts of their own.
pub(super) fn shut() -> Error {
    Error::new(
        Code::ConditionFailed,
        "nobody makes an account of their own here; ask whoever runs this server for an invitation",
    )
}

/// The invitation that a token is for, as long as it is good.
pub(super) async fn good(tx: &mut Tx<'_>, token: &[u8; 32], now: i64) -> Result<Invitation> {
    let found = invitation_find(tx, token).await?;
    found.filter(|it| now < it.expires).ok_or_else(no_token)
}

/// Whoever made an invitation, as they are asked about now.
async fn inviter(tx: &mut Tx<'_>, by: PrincipalId, now: i64) -> Result<Caller> {
    let at = UNIX_EPOCH + Duration::from_micros(u64::try_from(now).unwrap_or_default());
    if by == PrincipalId(0) {
        return Ok(Caller::program("operator", at));
    }
    let found = principal_get(tx, by).await?;
    let found = found.filter(|it| it.state == State::Active);
    let found = found.ok_or_else(no_token)?;
    Ok(Caller {
        who: Who::principal(found.id, Via::Password, IpAddr::V4(Ipv4Addr::LOCALHOST)),
        name: found.name,
        request: 0,
        now: at,
    })
}

/// Checks that whoever made an invitation may still do so: it is worth no more than they are.
pub(super) async fn still_meant(tx: &mut Tx<'_>, of: &Invitation, now: i64) -> Result<()> {
    let by = inviter(tx, of.by, now).await?;
    let may = if of.place == NamespaceId(0) {
        Permit::<USERS>::ask(tx, &by, &Object::System)
            .await?
            .is_ok()
    } else {
        let object = Object::Namespace(of.place);
        Permit::<MEMBERS>::ask(tx, &by, &object).await?.is_ok() && gives(tx, &by, of).await?
    };
    if may { Ok(()) } else { Err(no_token()) }
}

/// Whether whoever made an invitation into an organisation has what it gives. Where that cannot be found out, they have not: whoever comes
/// with it is told nothing of what is inside.
async fn gives(tx: &mut Tx<'_>, by: &Caller, of: &Invitation) -> Result<bool> {
    match has_what_it_gives(tx, by, of).await {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.code(), Code::Unavailable | Code::Internal) => Err(error),
        Err(_) => Ok(false),
    }
}

async fn has_what_it_gives(tx: &mut Tx<'_>, by: &Caller, of: &Invitation) -> Result<()> {
    let (_, owner) = organisation(tx, &Object::Namespace(of.place)).await?;
    let team = principal_get(tx, of.team).await?;
    let team = team.as_ref().map(|team| (team.id, team.name.as_str()));
    gives_membership(tx, by, &owner, team, None).await
}

/// Checks that an account may be made by an invitation now.
pub(super) async fn still_allowed(tx: &mut Tx<'_>, of: &Invitation, now: i64) -> Result<()> {
    let word = setting_get(tx, SIGN_UP).await?;
    let sign_up = SignUp::read(word.as_deref());
    if of.own {
        return if sign_up == SignUp::Open {
            Ok(())
        } else {
            Err(shut())
        };
    }
    still_meant(tx, of, now).await?;
    // Who manages users makes accounts whatever the setting says; who manages members does not.
    if of.place != NamespaceId(0) && sign_up == SignUp::Closed {
        return Err(conflict(
            "this invitation is for people who have an account here: log in, and accept it then",
        ));
    }
    Ok(())
}

/// Ends an invitation, and with it all by which the same person signed up.
pub(super) async fn used(tx: &mut Tx<'_>, of: &Invitation) -> Result<()> {
    invitation_delete(tx, of.id).await?;
    for other in invitation_mailed(tx, &of.mail, 100).await? {
        if other.own {
            invitation_delete(tx, other.id).await?;
        }
    }
    Ok(())
}

/// Makes somebody a member of what an invitation leads into.
pub(super) async fn enter(
    tx: &mut Tx<'_>,
    of: &Invitation,
    id: PrincipalId,
    now: i64,
) -> Result<()> {
    if of.place == NamespaceId(0) {
        return Ok(());
    }
    let (_, owner) = organisation(tx, &Object::Namespace(of.place)).await?;
    member_put(tx, owner.id, id, "", now).await?;
    if of.team != PrincipalId(0) {
        let team = principal_get(tx, of.team).await?;
        if team.is_some_and(|it| it.kind == Sort::Team && it.state == State::Active) {
            member_put(tx, of.team, id, "", now).await?;
        }
    }
    Ok(())
}

/// Checks that an invitation is one for somebody who has an account, and that a person accepts it.
pub(super) async fn still_meant_for(
    tx: &mut Tx<'_>,
    of: &Invitation,
    caller: &Caller,
) -> Result<()> {
    let account = principal_get(tx, caller.who.id()).await?;
    let is_person = account.is_some_and(|it| it.kind == Sort::User);
    if !is_person || caller.who.narrowed.is_some() {
        let what = "people accept invitations, with a login that is not narrowed";
        return Err(Error::new(Code::Denied, what));
    }
    if of.own || of.place == NamespaceId(0) {
        return Err(conflict(
            "this is for a new account, and you have one; log out to make another",
        ));
    }
    Ok(())
}
