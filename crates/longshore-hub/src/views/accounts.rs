//! People, organisations, teams, members.

use longshore_auth::rights::{Action, Object};
use longshore_core::Result;
use longshore_meta::Tx;
use longshore_meta::members::{Member, member_list, member_of};
use longshore_meta::namespaces::namespace_get;
use longshore_meta::principals::{
    Kind, Principal, PrincipalId, principal_get, principal_named, principal_of_kind,
};

use super::Listed;
use crate::caller::Caller;
use crate::hub::Hub;
use crate::members::organisation;
use crate::names::missing;

const USERS: u8 = Action::UserList as u8;
const READ: u8 = Action::NamespaceRead as u8;
const MEMBERS: u8 = Action::MemberList as u8;

/// What somebody is told of themselves.
#[derive(Debug, Clone)]
pub struct Myself {
    /// The account.
    pub account: Principal,
    /// The organisations and teams that it is in, each team after its organisation.
    pub parties: Vec<Principal>,
}

impl Hub {
    /// What somebody is told of themselves; nothing of a stranger.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn myself(&self, caller: &Caller) -> Result<Option<Myself>> {
        let Some(id) = caller.who.principal else {
            return Ok(None);
        };
        self.db
            .read(&id, |tx, id| {
                Box::pin(async move {
                    let Some(account) = principal_get(tx, *id).await? else {
                        return Ok(None);
                    };
                    let mut parties = Vec::new();
                    for (party, _) in member_of(tx, *id).await? {
                        parties.extend(principal_get(tx, party).await?);
                    }
                    parties.sort_by_key(|party| (party.owner.0, party.name.clone()));
                    Ok(Some(Myself { account, parties }))
                })
            })
            .await
    }

    /// Users or organisations in the order of their names, after `after`.
    ///
    /// # Errors
    /// `Denied` or `Unavailable`.
    pub async fn accounts_of(
        &self,
        caller: &Caller,
        kind: Kind,
        after: &str,
        limit: usize,
    ) -> Result<Listed<Principal, String>> {
        let args = (kind, after, limit);
        self.see::<USERS, _, _>(caller, &Object::System, args, |tx, _, args| {
            Box::pin(list(tx, PrincipalId(0), *args))
        })
        .await
    }

    /// A user: whoever may see all users, and everybody themselves.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn user_get(&self, caller: &Caller, name: &str) -> Result<Principal> {
        if let Some(myself) = self.myself(caller).await?
            && myself.account.name == name
            && myself.account.kind == Kind::User
        {
            return Ok(myself.account);
        }
        self.see::<USERS, _, _>(caller, &Object::System, name, |tx, _, name| {
            Box::pin(async move {
                let found = principal_named(tx, PrincipalId(0), name).await?;
                let found = found.filter(|it| it.kind == Kind::User);
                found.ok_or_else(|| missing("user"))
            })
        })
        .await
    }

    /// The organisation whose namespace is `home`.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn organisation_get(&self, caller: &Caller, home: &Object) -> Result<Principal> {
        self.see::<READ, _, _>(caller, home, (), |tx, permit, ()| {
            Box::pin(async move { Ok(organisation(tx, permit.object()).await?.1) })
        })
        .await
    }

    /// The teams of the organisation whose namespace is `home`, in the order of their names, after `after`.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn team_list(
        &self,
        caller: &Caller,
        home: &Object,
        after: &str,
        limit: usize,
    ) -> Result<Listed<Principal, String>> {
        self.see::<MEMBERS, _, _>(caller, home, (after, limit), |tx, permit, args| {
            Box::pin(async move {
                let (_, owner) = organisation(tx, permit.object()).await?;
                list(tx, owner.id, (Kind::Team, args.0, args.1)).await
            })
        })
        .await
    }

    /// A team of the organisation whose namespace is `home`.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn team_get(&self, caller: &Caller, home: &Object, team: &str) -> Result<Principal> {
        self.see::<MEMBERS, _, _>(caller, home, team, |tx, permit, team| {
            Box::pin(async move { party(tx, permit.object(), Some(*team)).await })
        })
        .await
    }

    /// Members of the organisation whose namespace is `home`, or of one of its teams, in the order of their ids.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn member_list(
        &self,
        caller: &Caller,
        home: &Object,
        team: Option<&str>,
        after: i64,
        limit: usize,
    ) -> Result<Listed<Member, i64>> {
        let args = (team, after, limit);
        self.see::<MEMBERS, _, _>(caller, home, args, |tx, permit, (team, after, limit)| {
            Box::pin(async move {
                let party = party(tx, permit.object(), *team).await?;
                let after = PrincipalId(*after);
                let rows = member_list(tx, party.id, after, limit + 1).await?;
                Ok(Listed::of(rows, *limit, |row| row.principal.0))
            })
        })
        .await
    }

    /// What those are called that rows name by their ids; nothing for an id of nobody.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn names(&self, ids: &[i64]) -> Result<Vec<Option<Principal>>> {
        self.db
            .read(&ids, |tx, ids| {
                Box::pin(async move {
                    let mut found = Vec::with_capacity(ids.len());
                    for id in *ids {
                        found.push(principal_get(tx, PrincipalId(*id)).await?);
                    }
                    Ok(found)
                })
            })
            .await
    }

    /// The path of a namespace; nothing where it is not there.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn path(&self, object: &Object) -> Result<Option<String>> {
        let Object::Namespace(id) = object else {
            return Ok(None);
        };
        let found = self
            .db
            .read(id, |tx, id| Box::pin(namespace_get(tx, *id)))
            .await?;
        Ok(found.map(|it| it.path))
    }
}

async fn list(
    tx: &mut Tx<'_>,
    owner: PrincipalId,
    (kind, after, limit): (Kind, &str, usize),
) -> Result<Listed<Principal, String>> {
    let rows = principal_of_kind(tx, owner, kind, after, limit + 1).await?;
    Ok(Listed::of(rows, limit, |row| row.name.clone()))
}

/// An organisation, or one of its teams.
async fn party(tx: &mut Tx<'_>, home: &Object, team: Option<&str>) -> Result<Principal> {
    let (_, owner) = organisation(tx, home).await?;
    let Some(team) = team else { return Ok(owner) };
    let found = principal_named(tx, owner.id, team).await?;
    let found = found.filter(|it| it.kind == Kind::Team);
    found.ok_or_else(|| missing("team"))
}
