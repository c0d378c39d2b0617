//! Principals: whoever can be given a right. Users, organisations, teams, robots, by ids that outlive their names.

mod words;

use longshore_core::Result;

use crate::ids::id_next;
use crate::tx::Tx;
use crate::values;

pub use words::{Kind, PrincipalId, State};

const GET: &str = "SELECT id, kind, owner, name, full_name, mail, description, state, version, expires, created_by, created, changed, seen \
                   FROM principal WHERE id = ?1";
const NAMED: &str = "SELECT id, kind, owner, name, full_name, mail, description, state, version, expires, created_by, created, changed, seen \
                     FROM principal WHERE owner = ?1 AND name = ?2 AND state <> 3";
const LIST: &str = "SELECT id, kind, owner, name, full_name, mail, description, state, version, expires, created_by, created, changed, seen \
                    FROM principal WHERE owner = ?1 AND name > ?2 AND state <> 3 ORDER BY name LIMIT ?3";
const LIST_KIND: &str = "SELECT id, kind, owner, name, full_name, mail, description, state, version, expires, created_by, created, changed, seen \
                         FROM principal WHERE owner = ?1 AND name > ?2 AND state <> 3 AND kind = ?3 ORDER BY name LIMIT ?4";
const MAILED: &str =
    "SELECT id FROM principal WHERE mail = ?1 AND mail <> '' AND state <> 3 LIMIT ?2";
const INSERT: &str = "INSERT INTO principal (id, kind, owner, name, full_name, mail, description, state, expires, created_by, created, changed) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11)";
const DESCRIBE: &str =
    "UPDATE principal SET full_name = ?2, mail = ?3, description = ?4, changed = ?5 WHERE id = ?1";
const RENAME: &str = "UPDATE principal SET name = ?2, changed = ?3 WHERE id = ?1";
const EXPIRE: &str =
    "UPDATE principal SET expires = ?2, version = version + 1, changed = ?3 WHERE id = ?1";
const STATE: &str =
    "UPDATE principal SET state = ?2, version = version + 1, changed = ?3 WHERE id = ?1";
const KEEP: &str =
    "UPDATE principal SET created_by = ?2, version = version + 1, changed = ?3 WHERE id = ?1";
const BUMP: &str = "UPDATE principal SET version = version + 1 WHERE id = ?1";
const SEEN: &str = "UPDATE principal SET seen = ?2 WHERE id = ?1 AND (seen IS NULL OR seen < ?3)";
const STANDING: &str = "SELECT p.kind, p.owner, p.state, p.version, p.expires, p.created_by, o.state, o.expires FROM principal p \
                        LEFT JOIN principal o ON o.id = p.owner WHERE p.id = ?1";
const ANY: &str = "SELECT 1 FROM principal WHERE kind = 0 AND id > 0 LIMIT 1";

/// A principal's row. Times are in microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Its id.
    pub id: PrincipalId,
    /// What it is.
    pub kind: Kind,
    /// The user or organisation it belongs to; 0: none.
    pub owner: PrincipalId,
    /// Its name, unique with its owner.
    pub name: String,
    /// A person's full name.
    pub full_name: String,
    /// A person's mail address.
    pub mail: String,
    /// What it is for.
    pub description: String,
    /// Whether it can do anything.
    pub state: State,
    /// Grows with all that takes something from it.
    pub version: i64,
    /// When it ends.
    pub expires: Option<i64>,
    /// Who made it, or took it over; 0: the operator.
    pub created_by: PrincipalId,
    /// When.
    pub created: i64,
    /// When its row was last changed.
    pub changed: i64,
    /// When it last proved who it is.
    pub seen: Option<i64>,
}

type Columns = (
    PrincipalId,
    Kind,
    PrincipalId,
    String,
    String,
    String,
    String,
    State,
    i64,
    Option<i64>,
    PrincipalId,
    i64,
    i64,
    Option<i64>,
);

fn row(columns: Columns) -> Principal {
    let (
        id,
        kind,
        owner,
        name,
        full_name,
        mail,
        description,
        state,
        version,
        expires,
        created_by,
        created,
        changed,
        seen,
    ) = columns;
    Principal {
        id,
        kind,
        owner,
        name,
        full_name,
        mail,
        description,
        state,
        version,
        expires,
        created_by,
        created,
        changed,
        seen,
    }
}

/// A principal that is to be. Its owner is 0 but for teams, and robots of an organisation or a user.
#[derive(Debug, Clone)]
pub struct NewPrincipal<'a> {
    /// What it is.
    pub kind: Kind,
    /// The user or organisation it belongs to; 0: none.
    pub owner: PrincipalId,
    /// Its name.
    pub name: &'a str,
    /// A person's full name.
    pub full_name: &'a str,
    /// A person's mail address.
    pub mail: &'a str,
    /// What it is for.
    pub description: &'a str,
    /// Whether it can do anything yet.
    pub state: State,
    /// When it ends.
    pub expires: Option<i64>,
    /// Who makes it; 0: the operator.
    pub by: PrincipalId,
    /// Now.
    pub now: i64,
}

/// What a decision must know of a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// What it is.
    pub kind: Kind,
    /// The user or organisation it belongs to; 0: none.
    pub owner: PrincipalId,
    /// Whether it can do anything.
    pub state: State,
    /// Grows with all that takes something from it.
    pub version: i64,
    /// When it ends, in microseconds.
    pub expires: Option<i64>,
    /// Who made it, or took it over; 0: the operator.
    pub created_by: PrincipalId,
    /// Whether whom it belongs to can do anything; `Active` where it belongs to nobody.
    pub owner_state: State,
    /// When whom it belongs to ends, in microseconds.
    pub owner_expires: Option<i64>,
}

type StandingColumns = (
    Kind,
    PrincipalId,
    State,
    i64,
    Option<i64>,
    PrincipalId,
    Option<State>,
    Option<i64>,
);

/// The principal of that id, also one that was deleted.
///
/// # Errors
/// `Unavailable`.
pub async fn principal_get(tx: &mut Tx<'_>, id: PrincipalId) -> Result<Option<Principal>> {
    Ok(tx.one::<Columns>(GET, &values![id]).await?.map(row))
}

/// The principal called `name` of `owner`, unless it was deleted. Users and organisations have the owner 0.
///
/// # Errors
/// `Unavailable`.
pub async fn principal_named(
    tx: &mut Tx<'_>,
    owner: PrincipalId,
    name: &str,
) -> Result<Option<Principal>> {
    Ok(tx
        .one::<Columns>(NAMED, &values![owner, name])
        .await?
        .map(row))
}

/// At most `limit` of `owner`'s principals, in the order of their names, after `after`.
///
/// # Errors
/// `Unavailable`.
pub async fn principal_list(
    tx: &mut Tx<'_>,
    owner: PrincipalId,
    after: &str,
    limit: usize,
) -> Result<Vec<Principal>> {
    let rows = tx
        .all::<Columns>(LIST, &values![owner, after, limit])
        .await?;
    Ok(rows.into_iter().map(row).collect())
}

/// At most `limit` principals of one kind, of an owner, in the order of their names, after `after`.
///
/// # Errors
/// `Unavailable`.
pub async fn principal_of_kind(
    tx: &mut Tx<'_>,
    owner: PrincipalId,
    kind: Kind,
    after: &str,
    limit: usize,
) -> Result<Vec<Principal>> {
    let values = values![owner, after, kind as i64, limit];
    let rows = tx.all::<Columns>(LIST_KIND, &values).await?;
    Ok(rows.into_iter().map(row).collect())
}

/// At most `limit` principals with that mail address.
///
/// # Errors
/// `Unavailable`.
pub async fn principal_mailed(
    tx: &mut Tx<'_>,
    mail: &str,
    limit: usize,
) -> Result<Vec<PrincipalId>> {
    let found = tx
        .all::<(PrincipalId,)>(MAILED, &values![mail, limit])
        .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// Makes a principal.
///
/// # Errors
/// `Unavailable`, also when the name is taken: look first, in the same transaction.
pub async fn principal_put(tx: &mut Tx<'_>, new: &NewPrincipal<'_>) -> Result<PrincipalId> {
    let id = PrincipalId(id_next(tx, "principal").await?);
    let values = values![
        id,
        new.kind as i64,
        new.owner,
        new.name,
        new.full_name,
        new.mail,
        new.description,
        new.state as i64,
        new.expires,
        new.by,
        new.now,
    ];
    tx.exec(INSERT, &values).await?;
    Ok(id)
}

/// Changes what is said of a principal.
///
/// # Errors
/// `Unavailable`.
pub async fn principal_describe(
    tx: &mut Tx<'_>,
    id: PrincipalId,
    full_name: &str,
    mail: &str,
    description: &str,
    now: i64,
) -> Result<()> {
    tx.exec(DESCRIBE, &values![id, full_name, mail, description, now])
        .await
        .map(drop)
}

/// Gives a principal another name.
///
/// # Errors
/// `Unavailable`, also when the name is taken: look first, in the same transaction.
pub async fn principal_rename(
    tx: &mut Tx<'_>,
    id: PrincipalId,
    name: &str,
    now: i64,
) -> Result<()> {
    tx.exec(RENAME, &values![id, name, now]).await.map(drop)
}

/// Sets when a principal ends. What was issued to it before is void.
///
/// # Errors
/// `Unavailable`.
pub async fn principal_expire(
    tx: &mut Tx<'_>,
    id: PrincipalId,
    expires: Option<i64>,
    now: i64,
) -> Result<()> {
    tx.exec(EXPIRE, &values![id, expires, now]).await.map(drop)
}

/// Switches a principal on or off. What was issued to it before is void.
///
/// # Errors
/// `Unavailable`.
pub async fn principal_state(
    tx: &mut Tx<'_>,
    id: PrincipalId,
    state: State,
    now: i64,
) -> Result<()> {
    tx.exec(STATE, &values![id, state as i64, now])
        .await
        .map(drop)
}

/// Gives a robot another maker, whose rights bound its own from now on. What was issued to it before is void.
///
/// # Errors
/// `Unavailable`.
pub async fn principal_keep(
    tx: &mut Tx<'_>,
    id: PrincipalId,
    by: PrincipalId,
    now: i64,
) -> Result<()> {
    tx.exec(KEEP, &values![id, by, now]).await.map(drop)
}

/// Makes void what was issued to a principal before: a right or a credential was taken from it.
///
/// # Errors
/// `Unavailable`.
pub async fn principal_bump(tx: &mut Tx<'_>, id: PrincipalId) -> Result<()> {
    tx.exec(BUMP, &values![id]).await.map(drop)
}

/// Notes that a principal proved who it is, unless that was noted at `since` or later.
///
/// # Errors
/// `Unavailable`.
pub async fn principal_seen(
    tx: &mut Tx<'_>,
    id: PrincipalId,
    now: i64,
    since: i64,
) -> Result<bool> {
    Ok(tx.exec(SEEN, &values![id, now, since]).await? > 0)
}

/// What a decision must know of a principal.
///
/// # Errors
/// `Unavailable`.
pub async fn principal_standing(tx: &mut Tx<'_>, id: PrincipalId) -> Result<Option<Standing>> {
    let found = tx.one::<StandingColumns>(STANDING, &values![id]).await?;
    Ok(found.map(
        |(kind, owner, state, version, expires, created_by, owner_state, owner_expires)| Standing {
            kind,
            owner,
            state,
            version,
            expires,
            created_by,
            owner_state: owner_state.unwrap_or(State::Active),
            owner_expires,
        },
    ))
}

/// Whether there is any user, also one that was deleted.
///
/// # Errors
/// `Unavailable`.
pub async fn principal_any(tx: &mut Tx<'_>) -> Result<bool> {
    Ok(tx.one::<(i64,)>(ANY, &[]).await?.is_some())
}
