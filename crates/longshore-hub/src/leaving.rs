//! Accounts change: renamed, deleted.

use longshore_auth::rights::{Action, Object};
use longshore_core::Result;
use longshore_meta::Tx;
use longshore_meta::bindings::binding_clear;
use longshore_meta::namespaces::{
    Namespace, NamespaceId, namespace_at, namespace_delete, namespace_owned,
};
use longshore_meta::principals::{
    Kind, Principal, PrincipalId, principal_list, principal_named, principal_rename,
};
use longshore_meta::rests::{Rest, rest_get};
use serde_json::json;

use crate::accounts::{named, told};
use crate::caller::Caller;
use crate::carried::Moved;
use crate::groups::renamed;
use crate::held::frees;
use crate::hub::{Done, Hub};
use crate::members::dissolve;
use crate::names::{check, conflict, free_for, lay, missing};
use crate::namespaces::is_empty;
use crate::permit::Permit;
use crate::rank::outranks;

const USERS: u8 = Action::UserManage as u8;

impl Hub {
    /// Deletes a user or organisation, whichever has the name or only one of `kind`, whose namespaces are empty. Its name rests.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `ConditionFailed` when something is left of it, or it is whoever asks; or `Unavailable`.
    pub async fn account_delete(
        &self,
        caller: &Caller,
        kind: Option<Kind>,
        name: &str,
    ) -> Result<()> {
        self.act(
            caller,
            Object::System,
            (kind, name.to_owned()),
            |tx, permit, (kind, name)| Box::pin(account_delete(tx, permit, *kind, name)),
        )
        .await
    }

    /// Gives a user or an organisation another name, and its namespace with all that lies in it. The old names of repositories lead there
    /// for a while, and nobody else gets the old name meanwhile; whoever logs in uses the new one.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `NameInvalid`, `ConditionFailed` when the name cannot be had or too much lies in the namespace, or
    /// `Unavailable`.
    pub async fn account_rename(
        &self,
        caller: &Caller,
        kind: Option<Kind>,
        name: &str,
        to: &str,
    ) -> Result<Moved> {
        let args = (kind, name.to_owned(), to.to_owned());
        let moved = self
            .act(caller, Object::System, args, |tx, permit, args| {
                Box::pin(account_rename(tx, permit, (args.0, &args.1), &args.2))
            })
            .await?;
        self.tell(&moved.names);
        Ok(moved)
    }
}

/// An account of that name, and of that kind where one is meant.
async fn of_kind(tx: &mut Tx<'_>, kind: Option<Kind>, name: &str) -> Result<Principal> {
    let account = named(tx, name).await?;
    match kind {
        Some(kind) if kind != account.kind => Err(missing(kind.word())),
        _ => Ok(account),
    }
}

/// Renames an account.
///
/// # Errors
/// See [`Hub::account_rename`].
pub async fn account_rename(
    tx: &mut Tx<'_>,
    permit: &Permit<USERS>,
    (kind, name): (Option<Kind>, &str),
    to: &str,
) -> Result<Done<Moved>> {
    check(to)?;
    let account = of_kind(tx, kind, name).await?;
    outranks(tx, permit.caller(), account.id).await?;
    let now = permit.micros();
    let home = namespace_at(tx, name).await?;
    let home = home.filter(|it| it.owner == account.id);
    // Its own old name may be taken back.
    let rest = rest_get(tx, to, now).await?;
    let own = home.as_ref().map(|it| Rest::Namespace(it.id));
    let taken = principal_named(tx, PrincipalId(0), to).await?.is_some();
    if taken || rest.is_none() || rest != own {
        free_for(tx, permit.caller(), to).await?;
    }
    principal_rename(tx, account.id, to, now).await?;
    let moved = match &home {
        Some(home) => renamed(tx, permit.caller(), home, to, NamespaceId(0)).await?,
        None => Moved::default(),
    };
    let detail =
        json!({ "renamed": [name, to], "id": account.id.0, "repositories": moved.names.len() / 2 });
    Ok(told(moved, name, detail))
}

/// Deletes an account.
///
/// # Errors
/// See [`Hub::account_delete`].
pub async fn account_delete(
    tx: &mut Tx<'_>,
    permit: &Permit<USERS>,
    kind: Option<Kind>,
    name: &str,
) -> Result<Done<()>> {
    let account = of_kind(tx, kind, name).await?;
    outranks(tx, permit.caller(), account.id).await?;
    // Whoever leaves does so by the password, and not as the last administrator.
    if permit.caller().who.principal == Some(account.id) {
        return Err(conflict(
            "nobody deletes themselves; leave, and ask another administrator",
        ));
    }
    let now = permit.micros();
    for namespace in namespace_owned(tx, account.id, "", 1000).await? {
        if !is_empty(tx, &namespace.path).await? {
            return Err(conflict(format!(
                "there are repositories in `{}`; move or delete them first",
                namespace.path
            )));
        }
        forget(tx, &namespace).await?;
        lay(tx, &namespace.path, Rest::Nobody, now).await?;
    }
    // Teams and robots of an organisation end with it, and a user's robots.
    loop {
        let owned = principal_list(tx, account.id, "", 1000).await?;
        if owned.is_empty() {
            break;
        }
        if account.kind == Kind::Organisation {
            // What a robot is denied ends with the robot.
            let teams = owned.iter().filter(|it| it.kind == Kind::Team);
            let teams: Vec<_> = teams.map(|it| it.id).collect();
            frees(tx, permit.caller(), &teams, account.id).await?;
        }
        for party in &owned {
            dissolve(tx, party, now).await?;
        }
    }
    if account.kind == Kind::Organisation {
        frees(tx, permit.caller(), &[account.id], account.id).await?;
    }
    dissolve(tx, &account, now).await?;
    lay(tx, name, Rest::Nobody, now).await?;
    Ok(told((), name, json!({ "deleted": account.id.0 })))
}

async fn forget(tx: &mut Tx<'_>, namespace: &Namespace) -> Result<()> {
    binding_clear(tx, namespace.id).await?;
    namespace_delete(tx, namespace.id).await
}
