//! Teams, and who is in them and in organisations.

use longshore_auth::rights::role::OWNER_ID;
use longshore_auth::rights::{Action, Object};
use longshore_core::Result;
use longshore_meta::Tx;
use longshore_meta::bindings::{Subject, binding_forget, binding_owners};
use longshore_meta::members::{
    member_delete, member_dissolve, member_from, member_leave, member_put, member_quit,
};
use longshore_meta::namespaces::{Namespace, NamespaceId, namespace_at, namespace_get};
use longshore_meta::principals::{
    Kind, NewPrincipal, Principal, PrincipalId, State, principal_bump, principal_get,
    principal_named, principal_put, principal_state,
};
use longshore_meta::secrets::{Kind as Secret, secret_delete_of};
use serde_json::json;

use crate::accounts::{NewAccount, named};
use crate::bindings::taken;
use crate::caller::Caller;
use crate::held::{frees, gives_membership};
use crate::hub::{Done, Hub};
use crate::names::{check, conflict, hidden, missing};
use crate::permit::Permit;

const MEMBERS: u8 = Action::MemberManage as u8;

impl Hub {
    /// Makes a team of the organisation whose namespace is `home`.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `NameInvalid`, `ConditionFailed`, or `Unavailable`.
    pub async fn team_create(
        &self,
        caller: &Caller,
        home: NamespaceId,
        new: NewAccount,
    ) -> Result<PrincipalId> {
        self.act(caller, Object::Namespace(home), new, |tx, permit, new| {
            Box::pin(team_create(tx, permit, new))
        })
        .await
    }

    /// Deletes a team of the organisation whose namespace is `home`, with all it was given.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn team_delete(&self, caller: &Caller, home: &Object, team: &str) -> Result<()> {
        self.act(caller, home.clone(), team.to_owned(), |tx, permit, team| {
            Box::pin(team_delete(tx, permit, team))
        })
        .await
    }

    /// Adds a member to the organisation whose namespace is `home`, or to one of its teams, or takes it out. Whoever leaves the
    /// organisation leaves its teams.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn member_set(
        &self,
        caller: &Caller,
        home: NamespaceId,
        team: Option<&str>,
        user: &str,
        member: bool,
    ) -> Result<()> {
        let args = (team.map(str::to_owned), user.to_owned(), member);
        self.act(caller, Object::Namespace(home), args, |tx, permit, args| {
            Box::pin(member_set(tx, permit, args))
        })
        .await
    }

    /// The namespace at `path`, whoever may know of it: a use case of it says the same of what is absent and of what is hidden.
    ///
    /// # Errors
    /// `NameUnknown` or `Unavailable`.
    pub async fn namespace_id(&self, path: &str) -> Result<NamespaceId> {
        let found = self
            .db
            .read(&path, |tx, path| Box::pin(namespace_at(tx, path)))
            .await?;
        found.map(|it| it.id).ok_or_else(hidden)
    }
}

/// The organisation whose home a permit is for.
pub(crate) async fn organisation(
    tx: &mut Tx<'_>,
    object: &Object,
) -> Result<(Namespace, Principal)> {
    let found = home(tx, object).await?;
    let found = found.filter(|(_, owner)| owner.kind == Kind::Organisation);
    found.ok_or_else(|| missing("organisation"))
}

/// The home that a permit is for, and the user or organisation whose it is.
pub(crate) async fn home(
    tx: &mut Tx<'_>,
    object: &Object,
) -> Result<Option<(Namespace, Principal)>> {
    let Object::Namespace(home) = object else {
        return Ok(None);
    };
    let Some(home) = namespace_get(tx, *home).await? else {
        return Ok(None);
    };
    // A group has the owner of the namespace it lies in, and is nobody's home.
    let owner = principal_get(tx, home.owner).await?.filter(|owner| {
        matches!(owner.kind, Kind::User | Kind::Organisation) && owner.name == home.path
    });
    Ok(owner.map(|owner| (home, owner)))
}

/// Makes a team.
///
/// # Errors
/// See [`Hub::team_create`].
pub async fn team_create(
    tx: &mut Tx<'_>,
    permit: &Permit<MEMBERS>,
    new: &NewAccount,
) -> Result<Done<PrincipalId>> {
    let (home, owner) = organisation(tx, permit.object()).await?;
    check(&new.name)?;
    if principal_named(tx, owner.id, &new.name).await?.is_some() {
        return Err(conflict(format!("there is a team `{}` already", new.name)));
    }
    let row = NewPrincipal {
        kind: Kind::Team,
        owner: owner.id,
        name: &new.name,
        full_name: "",
        mail: "",
        description: &new.description,
        state: State::Active,
        expires: None,
        by: permit.caller().who.id(),
        now: permit.micros(),
    };
    let id = principal_put(tx, &row).await?;
    Ok(Done {
        value: id,
        object: format!("{}/{}", home.path, new.name),
        namespace: home.id,
        detail: json!({ "created": "team", "id": id.0 }),
    })
}

/// Deletes a team.
///
/// # Errors
/// See [`Hub::team_delete`].
pub async fn team_delete(
    tx: &mut Tx<'_>,
    permit: &Permit<MEMBERS>,
    name: &str,
) -> Result<Done<()>> {
    let (home, owner) = organisation(tx, permit.object()).await?;
    let team = principal_named(tx, owner.id, name).await?;
    let team = team.filter(|team| team.kind == Kind::Team);
    let team = team.ok_or_else(|| missing(&format!("team `{name}`")))?;
    frees(tx, permit.caller(), &[team.id], owner.id).await?;
    dissolve(tx, &team, permit.micros()).await?;
    Ok(Done {
        value: (),
        object: format!("{}/{name}", home.path),
        namespace: home.id,
        detail: json!({ "deleted": "team", "id": team.id.0 }),
    })
}

/// Takes everything from a party and everybody out of it: it is nobody any more.
pub(crate) async fn dissolve(tx: &mut Tx<'_>, party: &Principal, now: i64) -> Result<()> {
    // Its members lose what it had.
    taken(tx, party.id, party.kind).await?;
    binding_forget(tx, Subject::from(party.id)).await?;
    member_leave(tx, party.id).await?;
    member_dissolve(tx, party.id).await?;
    for kind in [
        Secret::Robot,
        Secret::Personal,
        Secret::Refresh,
        Secret::Session,
        Secret::Confirmation,
        Secret::Reset,
    ] {
        secret_delete_of(tx, party.id.0, kind).await?;
    }
    principal_state(tx, party.id, State::Deleted, now).await
}

/// Adds or removes a member.
///
/// # Errors
/// See [`Hub::member_set`].
pub async fn member_set(
    tx: &mut Tx<'_>,
    permit: &Permit<MEMBERS>,
    (team, user, member): &(Option<String>, String, bool),
) -> Result<Done<()>> {
    let (home, owner) = organisation(tx, permit.object()).await?;
    let user = named(tx, user).await?;
    if user.kind != Kind::User {
        return Err(conflict("only people are members"));
    }
    let now = permit.micros();
    let team = match team {
        None => None,
        Some(team) => {
            let team = principal_named(tx, owner.id, team).await?;
            let team = team.filter(|team| team.kind == Kind::Team);
            Some(team.ok_or_else(|| missing("team"))?)
        }
    };
    let party = team.as_ref().map_or(owner.id, |team| team.id);
    if *member {
        let into = team.as_ref().map(|team| (team.id, team.name.as_str()));
        gives_membership(tx, permit.caller(), &owner, into, Some(user.id)).await?;
        member_put(tx, party, user.id, "", now).await?;
        member_put(tx, owner.id, user.id, "", now).await?;
    } else {
        let owned = !binding_owners(tx, home.id, OWNER_ID).await?.is_empty();
        let mut leaves = Vec::new();
        for it in member_from(tx, user.id, "").await? {
            let is_left = match &team {
                Some(team) => it == team.id,
                None if it == owner.id => true,
                None => {
                    let found = principal_get(tx, it).await?;
                    found.is_some_and(|it| it.owner == owner.id)
                }
            };
            leaves.extend(is_left.then_some(it));
        }
        frees(tx, permit.caller(), &leaves, owner.id).await?;
        member_delete(tx, party, user.id, "").await?;
        if team.is_none() {
            member_quit(tx, owner.id, user.id).await?;
        }
        // What was issued to it may say what it has no more.
        principal_bump(tx, user.id).await?;
        if owned
            && binding_owners(tx, home.id, OWNER_ID).await?.is_empty()
            && !permit.caller().who.is_operator()
        {
            return Err(conflict("somebody must stay who owns the namespace"));
        }
    }
    Ok(Done {
        value: (),
        object: match team {
            Some(team) => format!("{}/{}", home.path, team.name),
            None => home.path,
        },
        namespace: home.id,
        detail: json!({ "user": user.name, "member": member }),
    })
}
