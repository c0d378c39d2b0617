//! Invitations: made by who manages users, or members of an organisation; listed, withdrawn, accepted.

use std::time::Duration;

use longshore_auth::index::keep::Wanted;
use longshore_auth::index::secret::ShownSecret;
use longshore_auth::rights::{Action, Object};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::invitations::{
    Invitation, invitation_count, invitation_delete, invitation_get, invitation_list,
    invitation_put,
};
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::principals::{Kind as Sort, PrincipalId, principal_named};
use longshore_meta::secrets::Kind;
use longshore_meta::time::span;
use serde_json::json;

use crate::caller::Caller;
use crate::held::gives_membership;
use crate::hub::{Done, Hub};
use crate::mail::{Address, Task, post};
use crate::members::organisation;
use crate::names::{check, conflict, missing};
use crate::permit::Permit;
use crate::tokens::no_random;

const USERS: u8 = Action::UserManage as u8;
const MEMBERS: u8 = Action::MemberManage as u8;
/// How long an invitation is good where nobody says, and at the most.
pub const INVITATION_LIVES: Duration = Duration::from_hours(7 * 24);
const LONGEST: Duration = Duration::from_hours(30 * 24);
/// How many into one place are open at a time.
const MOST: u64 = 1000;
/// The longest full name, in bytes.
pub(super) const FULL_NAME: usize = 200;

/// An invitation that is to be.
#[derive(Debug, Clone, Default)]
pub struct NewInvitation {
    /// The address it is sent to; empty: it is shown, once.
    pub mail: String,
    /// The name that the account is to have; empty: whoever comes chooses.
    pub name: String,
    /// The full name.
    pub full_name: String,
    /// The team of the organisation; none: no team.
    pub team: Option<String>,
    /// How long it is good; none: a week.
    pub lives: Option<Duration>,
}

/// An invitation that was made.
#[derive(Debug, Clone)]
pub struct Invited {
    /// Its row.
    pub invitation: Invitation,
    /// Its secret, where that does not go by mail. It is not to be had again.
    pub secret: Option<ShownSecret>,
}

/// What the transaction is told.
struct Inviting {
    new: NewInvitation,
    hash: Option<[u8; 32]>,
    expires: i64,
}

impl Hub {
    /// Invites somebody: to make an account, or into the organisation whose namespace is `place`. With a mail server and an address the
    /// secret goes by mail and is shown to nobody here; else it is given back.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `NameInvalid`, `QueryInvalid`, `ConditionFailed` when there are too many, or an address into an organisation
    /// cannot be written to; or `Unavailable`.
    pub async fn invitation_create(
        &self,
        caller: &Caller,
        place: Option<NamespaceId>,
        mut new: NewInvitation,
    ) -> Result<Invited> {
        if let Some(place) = place {
            let object = Object::Namespace(place);
            self.ask::<MEMBERS>(caller, &object).await?;
        } else {
            self.ask::<USERS>(caller, &Object::System).await?;
        }
        new.mail = Address::of(&new.mail)?;
        if !new.name.is_empty() {
            check(&new.name)?;
        }
        full_name(&new.full_name)?;
        let lives = new.lives.unwrap_or(INVITATION_LIVES);
        if lives.is_zero() || lives > LONGEST {
            let what = "an invitation is good for 30 days at the most";
            return Err(Error::new(Code::QueryInvalid, what));
        }
        let by_mail = self.desk.post.is_some() && !new.mail.is_empty();
        let wanted = Wanted {
            kind: Kind::Invitation,
            principal: 0,
            label: String::new(),
            narrow: None,
            expires: None,
        };
        if !by_mail && place.is_some() && !new.mail.is_empty() {
            // Nobody would have shown that they read what goes there, so it could not be kept: it is what a password is forgotten by.
            let what = "this server sends no letters, so nobody can be invited by an address: leave it out, and pass on the code that \
                        is shown instead, or set `index.mail`";
            return Err(conflict(what));
        }
        let (secret, row) = self.index.new_secret(wanted).map_err(no_random)?;
        let inviting = Inviting {
            new,
            hash: (!by_mail).then_some(row.hash),
            expires: caller.micros().saturating_add(span(lives)),
        };
        let invitation = match place {
            None => {
                self.act(caller, Object::System, inviting, |tx, permit, inviting| {
                    Box::pin(invite(tx, permit, inviting))
                })
                .await?
            }
            Some(place) => {
                let object = Object::Namespace(place);
                self.act(caller, object, inviting, |tx, permit, inviting| {
                    Box::pin(invite_into(tx, permit, inviting))
                })
                .await?
            }
        };
        self.desk.wake();
        Ok(Invited {
            invitation,
            secret: (!by_mail).then_some(secret),
        })
    }

    /// At most `limit` open invitations, of those that `place` says, with ids after `after`.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn invitation_list(
        &self,
        caller: &Caller,
        place: Option<NamespaceId>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Invitation>> {
        let args = (caller, place, after, limit);
        let found = self.db.read(&args, |tx, (caller, place, after, limit)| {
            Box::pin(async move {
                match place {
                    None => Permit::<USERS>::ask(tx, caller, &Object::System)
                        .await?
                        .map(drop)?,
                    Some(place) => {
                        let object = Object::Namespace(*place);
                        Permit::<MEMBERS>::ask(tx, caller, &object)
                            .await?
                            .map(drop)?;
                        organisation(tx, &object).await?;
                    }
                }
                let place = place.unwrap_or(NamespaceId(0));
                let found = invitation_list(tx, place, *after, *limit).await?;
                Ok((found, caller.micros()))
            })
        });
        let (mut found, now) = found.await?;
        found.retain(|it| it.expires > now);
        Ok(found)
    }

    /// Withdraws an invitation.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn invitation_withdraw(
        &self,
        caller: &Caller,
        place: Option<NamespaceId>,
        id: i64,
    ) -> Result<()> {
        match place {
            None => {
                self.act(caller, Object::System, id, |tx, _: &Permit<USERS>, id| {
                    Box::pin(withdraw(tx, NamespaceId(0), *id))
                })
                .await
            }
            Some(place) => {
                let object = Object::Namespace(place);
                self.act(caller, object, id, |tx, permit: &Permit<MEMBERS>, id| {
                    Box::pin(async move {
                        let (home, _) = organisation(tx, permit.object()).await?;
                        withdraw(tx, home.id, *id).await
                    })
                })
                .await
            }
        }
    }
}

/// Checks a full name that somebody else than its bearer may read.
pub(crate) fn full_name(text: &str) -> Result<()> {
    if text.len() > FULL_NAME || text.chars().any(char::is_control) {
        return Err(Error::new(
            Code::QueryInvalid,
            format!("a full name is one line of at most {FULL_NAME} bytes"),
        ));
    }
    Ok(())
}

async fn invite(
    tx: &mut Tx<'_>,
    permit: &Permit<USERS>,
    inviting: &Inviting,
) -> Result<Done<Invitation>> {
    if inviting.new.team.is_some() {
        let what = "a team is one of an organisation: invite into that";
        return Err(Error::new(Code::QueryInvalid, what));
    }
    let into = (NamespaceId(0), PrincipalId(0), "invitation".to_owned());
    put(tx, permit.caller(), inviting, into).await
}

async fn invite_into(
    tx: &mut Tx<'_>,
    permit: &Permit<MEMBERS>,
    inviting: &Inviting,
) -> Result<Done<Invitation>> {
    let (home, owner) = organisation(tx, permit.object()).await?;
    let team = match &inviting.new.team {
        None => PrincipalId(0),
        Some(name) => {
            let found = principal_named(tx, owner.id, name).await?;
            let found = found.filter(|it| it.kind == Sort::Team);
            found.ok_or_else(|| missing("team"))?.id
        }
    };
    let into = inviting.new.team.as_deref().map(|name| (team, name));
    gives_membership(tx, permit.caller(), &owner, into, None).await?;
    let object = match &inviting.new.team {
        Some(team) => format!("{}/{team}", home.path),
        None => home.path,
    };
    put(tx, permit.caller(), inviting, (home.id, team, object)).await
}

async fn put(
    tx: &mut Tx<'_>,
    caller: &Caller,
    inviting: &Inviting,
    (place, team, object): (NamespaceId, PrincipalId, String),
) -> Result<Done<Invitation>> {
    if invitation_count(tx, place).await? >= MOST {
        return Err(conflict(format!(
            "there are {MOST} open invitations; withdraw some, or wait until they end"
        )));
    }
    let new = &inviting.new;
    let mut invitation = Invitation {
        id: 0,
        mail: new.mail.clone(),
        name: new.name.clone(),
        full_name: new.full_name.clone(),
        place,
        team,
        own: false,
        by: caller.who.id(),
        created: caller.micros(),
        expires: inviting.expires,
        has_secret: inviting.hash.is_some(),
    };
    invitation.id = invitation_put(tx, &invitation, inviting.hash.as_ref()).await?;
    if inviting.hash.is_none() {
        let task = Task::Invite {
            invitation: invitation.id,
        };
        post(tx, &task, caller.micros()).await?;
    }
    let detail = json!({
        "invited": invitation.id,
        "mail": new.mail,
        "name": new.name,
        "expires": invitation.expires,
    });
    Ok(Done {
        value: invitation,
        object,
        namespace: place,
        detail,
    })
}

async fn withdraw(tx: &mut Tx<'_>, place: NamespaceId, id: i64) -> Result<Done<()>> {
    let found = invitation_get(tx, id).await?;
    if !found.is_some_and(|it| it.place == place && !it.own) {
        return Err(missing(&format!("invitation {id}")));
    }
    invitation_delete(tx, id).await?;
    Ok(Done {
        value: (),
        object: "invitation".to_owned(),
        namespace: place,
        detail: json!({ "withdrawn": id }),
    })
}
