//! From a task to a letter: whether there is still somebody to write to, and the token that is made for them.

use std::time::Duration;

use longshore_core::{Error, Result};
use longshore_meta::Tx;
use longshore_meta::audit::audit_put;
use longshore_meta::identities::identity_of;
use longshore_meta::invitations::{
    Invitation, invitation_delete, invitation_get, invitation_mailed, invitation_put,
    invitation_secret,
};
use longshore_meta::logins::login_by_id;
use longshore_meta::namespaces::{NamespaceId, namespace_get};
use longshore_meta::outbox::Mail;
use longshore_meta::principals::{
    Kind as Sort, Principal, PrincipalId, State, principal_get, principal_mailed, principal_named,
};
use longshore_meta::secrets::{Kind, NewSecret, secret_delete, secret_list, secret_put};
use longshore_meta::settings::setting_get;
use longshore_meta::time::span;
use serde_json::json;

use super::Address;
use super::letters::Letter;
use super::tasks::{Task, What, post};
use crate::caller::Caller;
use crate::hub::entry;
use crate::settings::{SIGN_UP, SignUp};

/// How long what is in a letter is good.
pub(crate) const RESET_LIVES: Duration = Duration::from_hours(1);
const CONFIRMATION_LIVES: Duration = Duration::from_hours(24);
const SIGN_UP_LIVES: Duration = Duration::from_hours(24);
/// After one letter to somebody, another that a stranger asks for is not sent for so long: the one before is good.
const GAP: Duration = Duration::from_mins(5);
/// How many letters of one kind that are good somebody has at the most. No letter makes another void, so whoever asks in
/// somebody's name takes nothing from them.
const GOOD: usize = 3;
/// How many accounts of one address are written to.
const ACCOUNTS: usize = 5;
/// What the audit log calls what somebody asks for who cannot log in.
const ASKED: &str = "account:reset";

/// What becomes of a task now.
#[derive(Debug)]
pub(super) enum Prepared {
    /// There is nobody to write to, or nothing to say any more, or it was said a moment ago.
    Nothing,
    /// A letter, and what must not stay if it does not leave.
    Letter(String, Letter, Option<Undo>),
}

/// What is taken back when a letter did not leave.
#[derive(Debug, Clone, Copy)]
pub(super) enum Undo {
    /// The invitation itself, of somebody who signed up.
    Invitation(i64),
    /// The secret of an invitation.
    Secret(i64),
    /// A secret of an account.
    Account(i64, i64),
}

/// What a transaction that prepares is told.
pub(super) struct Preparing {
    pub(super) mail: Mail,
    pub(super) task: Task,
    pub(super) hash: [u8; 32],
    pub(super) caller: Caller,
}

pub(super) async fn prepare(tx: &mut Tx<'_>, of: &Preparing) -> Result<Prepared> {
    let now = of.caller.micros();
    match &of.task {
        Task::Invite { invitation } => invite(tx, *invitation, &of.hash, now).await,
        Task::SignUp {
            mail,
            name,
            full_name,
        } => sign_up(tx, (mail, name, full_name), of).await,
        Task::Reset { account, from } => {
            for principal in meant(tx, account).await? {
                let task = Task::ResetOf {
                    principal: principal.0,
                    from: from.clone(),
                };
                post(tx, &task, now).await?;
            }
            Ok(Prepared::Nothing)
        }
        Task::ResetOf { principal, from } => reset(tx, (*principal, from), of).await,
        Task::Confirm { principal, mail } => confirm(tx, (*principal, mail), of).await,
        Task::Tell { mail, name, what } => {
            let name = name.clone();
            let letter = match what {
                What::Password => Letter::Password { name },
                What::Moved(to) => Letter::Moved {
                    name,
                    to: to.clone(),
                },
            };
            Ok(Prepared::Letter(mail.clone(), letter, None))
        }
    }
}

/// Takes back what is of no use without its letter.
pub(super) async fn undo(tx: &mut Tx<'_>, what: Undo) -> Result<()> {
    match what {
        Undo::Invitation(id) => invitation_delete(tx, id).await.map(drop),
        Undo::Secret(id) => invitation_secret(tx, id, None).await.map(drop),
        Undo::Account(principal, id) => secret_delete(tx, id, principal).await.map(drop),
    }
}

async fn invite(tx: &mut Tx<'_>, id: i64, hash: &[u8; 32], now: i64) -> Result<Prepared> {
    let Some(found) = invitation_get(tx, id).await? else {
        return Ok(Prepared::Nothing);
    };
    if found.expires <= now || found.mail.is_empty() {
        return Ok(Prepared::Nothing);
    }
    let by = match found.by {
        PrincipalId(0) => "the operator".to_owned(),
        by => match principal_get(tx, by).await? {
            Some(by) if by.state == State::Active => by.name,
            _ => return Ok(Prepared::Nothing),
        },
    };
    let into = match found.place {
        NamespaceId(0) => None,
        place => match namespace_get(tx, place).await? {
            Some(home) => Some(home.path),
            None => return Ok(Prepared::Nothing),
        },
    };
    let into = match (into, found.team) {
        (Some(home), PrincipalId(0)) => Some(home),
        (Some(home), team) => {
            let team = principal_get(tx, team).await?;
            Some(team.map_or(home.clone(), |team| format!("{home}/{}", team.name)))
        }
        (None, _) => None,
    };
    invitation_secret(tx, id, Some(hash)).await?;
    let day = span(Duration::from_hours(24));
    let days = found.expires.saturating_sub(now).saturating_add(day - 1) / day;
    let letter = Letter::Invitation { by, into, days };
    Ok(Prepared::Letter(found.mail, letter, Some(Undo::Secret(id))))
}

async fn sign_up(
    tx: &mut Tx<'_>,
    (mail, name, full_name): (&str, &str, &str),
    of: &Preparing,
) -> Result<Prepared> {
    let now = of.caller.micros();
    let word = setting_get(tx, SIGN_UP).await?;
    if SignUp::read(word.as_deref()) != SignUp::Open {
        return Ok(Prepared::Nothing);
    }
    for known in principal_mailed(tx, mail, 1).await? {
        if let Some(account) = principal_get(tx, known).await? {
            let letter = Letter::Known { name: account.name };
            return Ok(Prepared::Letter(mail.to_owned(), letter, None));
        }
    }
    let before = invitation_mailed(tx, mail, 100).await?;
    let good: Vec<i64> = before
        .iter()
        .filter(|it| it.own && it.expires > now)
        .map(|it| it.created)
        .collect();
    if is_enough(&good, of) {
        return Ok(Prepared::Nothing);
    }
    let new = Invitation {
        id: 0,
        mail: mail.to_owned(),
        name: name.to_owned(),
        full_name: full_name.to_owned(),
        place: NamespaceId(0),
        team: PrincipalId(0),
        own: true,
        by: PrincipalId(0),
        created: now,
        expires: now.saturating_add(span(SIGN_UP_LIVES)),
        has_secret: true,
    };
    let id = invitation_put(tx, &new, Some(&of.hash)).await?;
    let letter = Letter::SignUp {
        name: name.to_owned(),
    };
    Ok(Prepared::Letter(
        mail.to_owned(),
        letter,
        Some(Undo::Invitation(id)),
    ))
}

/// Whether letters that were made at these times and are still good are enough for now.
fn is_enough(good: &[i64], of: &Preparing) -> bool {
    let since = of.caller.micros().saturating_sub(span(GAP));
    // What did not leave the first time is not held back by itself.
    let is_recent = of.mail.tries == 1 && good.iter().any(|at| *at > since);
    is_recent || good.len() >= GOOD
}

/// Who is meant by what somebody typed.
async fn meant(tx: &mut Tx<'_>, typed: &str) -> Result<Vec<PrincipalId>> {
    if !typed.contains('@') {
        let found = principal_named(tx, PrincipalId(0), typed).await?;
        return Ok(found.into_iter().map(|it| it.id).collect());
    }
    match Address::parse(typed) {
        Ok(address) => principal_mailed(tx, address.as_str(), ACCOUNTS).await,
        Err(_) => Ok(Vec::new()),
    }
}

/// An account of a person who can log in here, where there is one of that id.
async fn person(tx: &mut Tx<'_>, id: i64) -> Result<Option<Principal>> {
    let found = principal_get(tx, PrincipalId(id)).await?;
    Ok(found.filter(|it| it.kind == Sort::User && it.state == State::Active))
}

async fn reset(
    tx: &mut Tx<'_>,
    (principal, from): (i64, &str),
    of: &Preparing,
) -> Result<Prepared> {
    let Some(account) = person(tx, principal).await? else {
        return Ok(Prepared::Nothing);
    };
    let Ok(to) = Address::parse(&account.mail) else {
        return Ok(Prepared::Nothing);
    };
    // Who logs in elsewhere gets no password here: it would be asked for first, and outlive the account there.
    let login = login_by_id(tx, principal).await?;
    let has_password = login.is_some_and(|login| login.password.is_some());
    if !has_password && !identity_of(tx, account.id, 1).await?.is_empty() {
        return Ok(Prepared::Nothing);
    }
    if !has_room(tx, principal, Kind::Reset, of).await? {
        return Ok(Prepared::Nothing);
    }
    let id = keep(tx, (principal, Kind::Reset, None, RESET_LIVES), of).await?;
    let detail = json!({ "asked": true, "id": principal, "from": from }).to_string();
    let row = entry(
        &of.caller,
        ASKED,
        account.name.clone(),
        NamespaceId(0),
        "done",
        detail,
    );
    audit_put(tx, &row).await?;
    let letter = Letter::Reset {
        name: account.name,
        from: from.to_owned(),
    };
    let undo = Undo::Account(principal, id);
    Ok(Prepared::Letter(to.to_string(), letter, Some(undo)))
}

async fn confirm(
    tx: &mut Tx<'_>,
    (principal, mail): (i64, &str),
    of: &Preparing,
) -> Result<Prepared> {
    let Some(account) = person(tx, principal).await? else {
        return Ok(Prepared::Nothing);
    };
    if !has_room(tx, principal, Kind::Confirmation, of).await? {
        return Ok(Prepared::Nothing);
    }
    let scope = json!({ "mail": mail }).to_string();
    let wanted = (
        principal,
        Kind::Confirmation,
        Some(scope),
        CONFIRMATION_LIVES,
    );
    let id = keep(tx, wanted, of).await?;
    let letter = Letter::Confirmation { name: account.name };
    let undo = Undo::Account(principal, id);
    Ok(Prepared::Letter(mail.to_owned(), letter, Some(undo)))
}

/// Whether an account may get another letter of a kind.
async fn has_room(tx: &mut Tx<'_>, principal: i64, kind: Kind, of: &Preparing) -> Result<bool> {
    let now = of.caller.micros();
    let found = secret_list(tx, principal, kind, 0, 100).await?;
    let good: Vec<i64> = found
        .iter()
        .filter(|it| it.expires.is_none_or(|end| end > now))
        .map(|it| it.created)
        .collect();
    Ok(match kind {
        // Whose own account it is may correct an address at once.
        Kind::Confirmation => good.len() < GOOD,
        _ => !is_enough(&good, of),
    })
}

async fn keep(
    tx: &mut Tx<'_>,
    (principal, kind, scope, lives): (i64, Kind, Option<String>, Duration),
    of: &Preparing,
) -> Result<i64> {
    let now = of.caller.micros();
    let secret = NewSecret {
        kind,
        principal,
        hash: of.hash,
        label: String::new(),
        scope,
        expires: Some(now.saturating_add(span(lives))),
        version: 0,
    };
    secret_put(tx, &secret, now).await
}

/// What a task in the outbox says.
///
/// # Errors
/// `Internal`: another version wrote it.
pub(super) fn read(mail: &Mail) -> Result<Task> {
    serde_json::from_str(&mail.task).map_err(Error::internal)
}
