//! Users: made, given passwords, switched off and on, listed.

use longshore_auth::index::keep;
use longshore_auth::rights::role;
use longshore_meta::bindings::{Binding, binding_put, binding_with};
use longshore_meta::logins::{login_by_name, password_put};
use longshore_meta::namespaces::{
    NamespaceId, NewNamespace, Visibility, namespace_at, namespace_put,
};
use longshore_meta::principals::{
    Kind, NewPrincipal, PrincipalId, State as Standing, principal_list, principal_put,
    principal_state,
};
use longshore_meta::secrets::{Kind as Secret, secret_delete_of};
use longshore_meta::time::micros;
use longshore_meta::{Db, Durability, Tx};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::operation::{Operation, State, Steps};
use super::tokens;
use crate::assemble;

/// How many are listed at most.
const MOST: usize = 100_000;
/// Names that mean something else in addresses or in the names of robots.
const RESERVED: &[&str] = &[
    "v1",
    "v2",
    "token",
    "api",
    "admin",
    "library",
    "robot",
    "everybody",
    "system",
    "operator",
];

/// Whether somebody may do everything here.
///
/// # Errors
/// `Unavailable`.
pub async fn has_administrator(db: &Db) -> longshore_core::Result<bool> {
    let found = db
        .read(&role::ADMINISTRATOR_ID, |tx, role| {
            Box::pin(binding_with(tx, *role, 1))
        })
        .await?;
    Ok(!found.is_empty())
}

/// Makes a user.
#[derive(Debug)]
pub struct Create;

/// What is asked. It travels over the socket, which only the operator can open.
#[derive(Clone, Serialize, Deserialize)]
pub struct CreateArgs {
    /// The name.
    pub name: String,
    /// The password; none: the user can log in by tokens only.
    pub password: Option<String>,
    /// Whether the user may do everything here.
    pub admin: bool,
    /// The full name.
    pub full_name: String,
    /// The mail address.
    pub mail: String,
}

impl std::fmt::Debug for CreateArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreateArgs")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What the transaction is told.
pub(super) struct Making {
    pub(super) name: String,
    pub(super) full_name: String,
    pub(super) mail: String,
    pub(super) hash: Option<String>,
    pub(super) admin: bool,
    pub(super) now: i64,
}

/// Checks that a name can be that of a user, and so of a namespace.
pub(super) fn check(name: &str) -> anyhow::Result<()> {
    let is_name = name.parse::<longshore_spec::name::RepoName>().is_ok() && !name.contains('/');
    anyhow::ensure!(
        is_name && name.len() <= 100,
        "`{name}` cannot be a user's name: it is the first part of the names of images, so lower-case letters, digits and \
         single '-', '_' or '.' between them"
    );
    anyhow::ensure!(
        !RESERVED.contains(&name),
        "`{name}` is kept for the registry itself; take another name"
    );
    Ok(())
}

fn binding(who: PrincipalId, role: i64, namespace: NamespaceId, now: i64) -> Binding {
    Binding::plain(who, role, namespace, (PrincipalId(0), now))
}

/// A user, the namespace of its name, and its rights on it.
async fn make(tx: &mut Tx<'_>, making: &Making) -> longshore_core::Result<bool> {
    let taken = login_by_name(tx, 0, &making.name).await?.is_some()
        || namespace_at(tx, &making.name).await?.is_some();
    if taken {
        return Ok(false);
    }
    let new = NewPrincipal {
        kind: Kind::User,
        owner: PrincipalId(0),
        name: &making.name,
        full_name: &making.full_name,
        mail: &making.mail,
        description: "",
        state: Standing::Active,
        expires: None,
        by: PrincipalId(0),
        now: making.now,
    };
    let id = principal_put(tx, &new).await?;
    let home = NewNamespace {
        parent: NamespaceId(0),
        path: &making.name,
        owner: id,
        visibility: Visibility::Private,
        description: "",
        now: making.now,
    };
    let home = namespace_put(tx, &home).await?;
    binding_put(tx, &binding(id, role::OWNER_ID, home, making.now)).await?;
    if making.admin {
        let everywhere = NamespaceId::EVERYWHERE;
        binding_put(
            tx,
            &binding(id, role::ADMINISTRATOR_ID, everywhere, making.now),
        )
        .await?;
    }
    if let Some(hash) = &making.hash {
        password_put(tx, id.0, hash, making.now).await?;
    }
    Ok(true)
}

/// Makes a user; false when the name is taken.
pub(super) async fn write(db: &Db, making: Making) -> anyhow::Result<bool> {
    let made = db.write(Durability::Power, making, |tx, making| {
        Box::pin(make(tx, making))
    });
    Ok(made.await?)
}

impl Operation for Create {
    const NAME: &'static str = "user-create";
    type Args = CreateArgs;
    type Step = ();
    type Done = ();

    async fn run(state: &State, args: CreateArgs, _steps: Steps<()>) -> anyhow::Result<()> {
        let index = state.index()?;
        check(&args.name)?;
        let hash = match args.password {
            None => None,
            Some(password) => {
                let password = Zeroizing::new(password.into_bytes());
                Some(index.hash_password(&args.name, password).await?)
            }
        };
        let making = Making {
            name: args.name.clone(),
            full_name: args.full_name,
            mail: args.mail,
            hash,
            admin: args.admin,
            now: micros(assemble::now()),
        };
        anyhow::ensure!(
            write(&state.db, making).await?,
            "the name `{}` is taken",
            args.name
        );
        Ok(())
    }
}

/// Sets a user's password.
#[derive(Debug)]
pub struct Passwd;

/// What is asked. It travels over the socket, which only the operator can open.
#[derive(Clone, Serialize, Deserialize)]
pub struct PasswdArgs {
    /// The user.
    pub name: String,
    /// The new password.
    pub password: String,
}

impl std::fmt::Debug for PasswdArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswdArgs")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Operation for Passwd {
    const NAME: &'static str = "user-passwd";
    type Args = PasswdArgs;
    type Step = ();
    type Done = ();

    async fn run(state: &State, args: PasswdArgs, _steps: Steps<()>) -> anyhow::Result<()> {
        let index = state.index()?;
        let login = tokens::user(&state.db, &args.name).await?;
        let password = Zeroizing::new(args.password.into_bytes());
        let hash = index.hash_password(&args.name, password).await?;
        let now = micros(assemble::now());
        state
            .db
            .write(
                Durability::Power,
                (login.id, hash, now),
                |tx, (id, hash, now)| Box::pin(keep::password_set(tx, *id, hash, *now)),
            )
            .await?;
        index.forget(login.id);
        Ok(())
    }
}

/// Switches a user or a robot off or on.
#[derive(Debug)]
pub struct Switch;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SwitchArgs {
    /// The user or robot.
    pub name: String,
    /// Whether it may log in.
    pub on: bool,
}

impl Operation for Switch {
    const NAME: &'static str = "user-switch";
    type Args = SwitchArgs;
    type Step = ();
    type Done = ();

    async fn run(state: &State, args: SwitchArgs, _steps: Steps<()>) -> anyhow::Result<()> {
        let index = state.index()?;
        let login = tokens::named(&state.db, &args.name).await?;
        let to = if args.on {
            Standing::Active
        } else {
            Standing::Disabled
        };
        let now = micros(assemble::now());
        state
            .db
            .write(
                Durability::Power,
                (login.id, to, now),
                |tx, (id, to, now)| {
                    Box::pin(async move {
                        // Who was logged in by a browser or an engine logs in anew when the account is back.
                        secret_delete_of(tx, *id, Secret::Refresh).await?;
                        secret_delete_of(tx, *id, Secret::Session).await?;
                        principal_state(tx, PrincipalId(*id), *to, *now).await
                    })
                },
            )
            .await?;
        index.forget(login.id);
        Ok(())
    }
}

/// Lists users.
#[derive(Debug)]
pub struct List;

/// What is asked.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ListArgs {}

/// A user. Times are microseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The name.
    pub name: String,
    /// The full name.
    pub full_name: String,
    /// The mail address.
    pub mail: String,
    /// `active`, `disabled` or `waiting`.
    pub state: String,
    /// When it was made.
    pub created: i64,
    /// When it was last seen, to the hour or so.
    pub seen: Option<i64>,
}

impl Operation for List {
    const NAME: &'static str = "user-list";
    type Args = ListArgs;
    type Step = ();
    type Done = Vec<User>;

    async fn run(state: &State, _args: ListArgs, _steps: Steps<()>) -> anyhow::Result<Vec<User>> {
        state.index()?;
        let found = state
            .db
            .read(&(), |tx, ()| {
                Box::pin(principal_list(tx, PrincipalId(0), "", MOST))
            })
            .await?;
        let users = found.into_iter().filter(|it| it.kind == Kind::User);
        let users = users.map(|user| User {
            name: user.name,
            full_name: user.full_name,
            mail: user.mail,
            state: user.state.word().to_owned(),
            created: user.created,
            seen: user.seen,
        });
        Ok(users.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_users_are_names_of_namespaces_and_not_reserved() {
        for good in ["alice", "a-b", "a.b", "a__b", "7up"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "Alice",
            "a/b",
            "a+b",
            "-a",
            "a b",
            "robot",
            "library",
            "token",
            &"a".repeat(101),
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
