//! Roles: sets of actions under a name.

use longshore_core::Result;

use crate::ids::id_next;
use crate::principals::PrincipalId;
use crate::tx::Tx;
use crate::values;

const GET: &str =
    "SELECT id, owner, name, actions, builtin, description, changed FROM role WHERE id = ?1";
const NAMED: &str = "SELECT id, owner, name, actions, builtin, description, changed FROM role WHERE owner = ?1 AND name = ?2";
const LIST: &str = "SELECT id, owner, name, actions, builtin, description, changed FROM role \
                    WHERE owner = ?1 AND name > ?2 ORDER BY name LIMIT ?3";
const PUT: &str = "INSERT INTO role (id, owner, name, actions, builtin, description, changed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
                   ON CONFLICT (id) DO UPDATE SET name = excluded.name, actions = excluded.actions, description = excluded.description, \
                   changed = excluded.changed WHERE role.actions <> excluded.actions OR role.name <> excluded.name \
                   OR role.description <> excluded.description";
const DELETE: &str = "DELETE FROM role WHERE id = ?1 AND builtin = FALSE";

/// The ids up to this are for built-in roles.
const BUILTIN: i64 = 1000;

/// A role's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its id. Built-in roles have ids below 1,000, the same in every installation.
    pub id: i64,
    /// The organisation it belongs to; 0: all may use it.
    pub owner: PrincipalId,
    /// Its name, unique with its owner.
    pub name: String,
    /// The names of its actions, parted by spaces.
    pub actions: String,
    /// Whether the program says what it is.
    pub builtin: bool,
    /// What it is for.
    pub description: String,
    /// When it was last changed, in microseconds.
    pub changed: i64,
}

type Columns = (i64, PrincipalId, String, String, bool, String, i64);

fn row((id, owner, name, actions, builtin, description, changed): Columns) -> Role {
    Role {
        id,
        owner,
        name,
        actions,
        builtin,
        description,
        changed,
    }
}

/// The role of that id.
///
/// # Errors
/// `Unavailable`.
pub async fn role_get(tx: &mut Tx<'_>, id: i64) -> Result<Option<Role>> {
    Ok(tx.one::<Columns>(GET, &values![id]).await?.map(row))
}

/// The role called `name` of `owner`.
///
/// # Errors
/// `Unavailable`.
pub async fn role_named(tx: &mut Tx<'_>, owner: PrincipalId, name: &str) -> Result<Option<Role>> {
    Ok(tx
        .one::<Columns>(NAMED, &values![owner, name])
        .await?
        .map(row))
}

/// At most `limit` roles of `owner`, in the order of their names, after `after`.
///
/// # Errors
/// `Unavailable`.
pub async fn role_list(
    tx: &mut Tx<'_>,
    owner: PrincipalId,
    after: &str,
    limit: usize,
) -> Result<Vec<Role>> {
    let found = tx
        .all::<Columns>(LIST, &values![owner, after, limit])
        .await?;
    Ok(found.into_iter().map(row).collect())
}

/// The id of a role that is to be made.
///
/// # Errors
/// `Unavailable`.
pub async fn role_id(tx: &mut Tx<'_>) -> Result<i64> {
    Ok(BUILTIN + id_next(tx, "role").await?)
}

/// Writes a role, in place of the one with its id.
///
/// # Errors
/// `Unavailable`, also when the name is taken: look first, in the same transaction.
pub async fn role_put(tx: &mut Tx<'_>, role: &Role) -> Result<()> {
    let values = values![
        role.id,
        role.owner,
        role.name.as_str(),
        role.actions.as_str(),
        role.builtin,
        role.description.as_str(),
        role.changed,
    ];
    tx.exec(PUT, &values).await.map(drop)
}

/// Forgets a role that is not built in. Its bindings must be gone before.
///
/// # Errors
/// `Unavailable`.
pub async fn role_delete(tx: &mut Tx<'_>, id: i64) -> Result<bool> {
    Ok(tx.exec(DELETE, &values![id]).await? > 0)
}
