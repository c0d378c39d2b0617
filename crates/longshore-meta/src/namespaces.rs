//! Namespaces: places for names. Those of one component have an owner's name, those below them are groups.

use std::fmt;

use longshore_core::Result;

use crate::ids::id_next;
use crate::principals::PrincipalId;
use crate::tx::Tx;
use crate::value::{FromValue, Value};
use crate::values;

const GET: &str = "SELECT id, parent, path, owner, visibility, read_only, description, created, changed FROM namespace WHERE id = ?1";
const AT: &str = "SELECT id, parent, path, owner, visibility, read_only, description, created, changed FROM namespace WHERE path = ?1";
/// A row where there is none, too: reading what is there takes as long as what is not.
const AROUND: &str = "SELECT COALESCE(n.id, -1), COALESCE(n.parent, 0), COALESCE(n.path, ?1), COALESCE(n.owner, 0), COALESCE(n.visibility, 0), \
                      COALESCE(n.read_only, FALSE), COALESCE(n.description, ''), COALESCE(n.created, 0), COALESCE(n.changed, 0) \
                      FROM (SELECT 1 AS one) o LEFT JOIN namespace n ON n.path = ?1";
const LIST: &str = "SELECT id, parent, path, owner, visibility, read_only, description, created, changed FROM namespace \
                    WHERE path > ?1 ORDER BY path LIMIT ?2";
const CHILDREN: &str = "SELECT id, parent, path, owner, visibility, read_only, description, created, changed FROM namespace \
                        WHERE parent = ?1 AND path > ?2 ORDER BY path LIMIT ?3";
const OWNED: &str = "SELECT id, parent, path, owner, visibility, read_only, description, created, changed FROM namespace \
                     WHERE owner = ?1 AND path > ?2 ORDER BY path LIMIT ?3";
const BELOW: &str = "SELECT id, parent, path, owner, visibility, read_only, description, created, changed FROM namespace \
                     WHERE path > ?1 AND path < ?2 ORDER BY path LIMIT ?3";
/// `visibility > 0` says nothing new, but the index is used for queries that say its condition only; the plus keeps an engine
/// from going through all outermost namespaces instead.
const VISIBLE: &str =
    "SELECT path FROM namespace WHERE +parent = 0 AND visibility > 0 AND visibility >= ?1";
const HIDDEN_IN: &str = "SELECT c.path FROM namespace p JOIN namespace c ON c.parent = p.id \
                         WHERE p.visibility > 0 AND p.visibility >= ?1 AND c.visibility < ?1";
const INSERT: &str = "INSERT INTO namespace (id, parent, path, owner, visibility, description, created, changed) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)";
const CHANGE: &str = "UPDATE namespace SET visibility = ?2, read_only = ?3, description = ?4, changed = ?5 WHERE id = ?1";
const MOVE: &str = "UPDATE namespace SET path = ?2, parent = ?3, changed = ?4 WHERE id = ?1";
const OWN: &str = "UPDATE namespace SET owner = ?2 WHERE id = ?1";
const DELETE: &str = "DELETE FROM namespace WHERE id = ?1";

/// The id of a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamespaceId(pub i64);

impl NamespaceId {
    /// No namespace: everything there is.
    pub const EVERYWHERE: Self = Self(0);
}

impl fmt::Display for NamespaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<NamespaceId> for Value {
    fn from(id: NamespaceId) -> Self {
        Value::Int(id.0)
    }
}

impl FromValue for NamespaceId {
    fn from_value(value: Value) -> Option<Self> {
        i64::from_value(value).map(Self)
    }
}

/// Who may read without being given a right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Visibility {
    /// Nobody.
    #[default]
    Private = 0,
    /// Anybody who has logged in.
    Internal = 1,
    /// Everybody.
    Public = 2,
}

impl Visibility {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Visibility::Private => "private",
            Visibility::Internal => "internal",
            Visibility::Public => "public",
        }
    }
}

impl std::str::FromStr for Visibility {
    type Err = ();

    fn from_str(word: &str) -> std::result::Result<Self, ()> {
        [Self::Private, Self::Internal, Self::Public]
            .into_iter()
            .find(|visibility| visibility.word() == word)
            .ok_or(())
    }
}

impl FromValue for Visibility {
    fn from_value(value: Value) -> Option<Self> {
        match i64::from_value(value)? {
            0 => Some(Self::Private),
            1 => Some(Self::Internal),
            2 => Some(Self::Public),
            _ => None,
        }
    }
}

/// A namespace's row. Times are in microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    /// Its id.
    pub id: NamespaceId,
    /// The one it lies in; 0: none.
    pub parent: NamespaceId,
    /// Its whole path, without a slash at either end.
    pub path: String,
    /// The user or organisation it belongs to; 0: the system.
    pub owner: PrincipalId,
    /// Who may read what is in it.
    pub visibility: Visibility,
    /// Whether nothing in it can be changed.
    pub read_only: bool,
    /// What it is for.
    pub description: String,
    /// When it was made.
    pub created: i64,
    /// When its row was last changed.
    pub changed: i64,
}

type Columns = (
    NamespaceId,
    NamespaceId,
    String,
    PrincipalId,
    Visibility,
    bool,
    String,
    i64,
    i64,
);

/// The id of what is not there.
const NOT_THERE: NamespaceId = NamespaceId(-1);

fn row(columns: Columns) -> Namespace {
    let (id, parent, path, owner, visibility, read_only, description, created, changed) = columns;
    Namespace {
        id,
        parent,
        path,
        owner,
        visibility,
        read_only,
        description,
        created,
        changed,
    }
}

fn rows(found: Vec<Columns>) -> Vec<Namespace> {
    found.into_iter().map(row).collect()
}

/// A namespace that is to be.
#[derive(Debug, Clone, Copy)]
pub struct NewNamespace<'a> {
    /// The one it lies in; 0: none.
    pub parent: NamespaceId,
    /// Its whole path.
    pub path: &'a str,
    /// The user or organisation it belongs to; 0: the system.
    pub owner: PrincipalId,
    /// Who may read what is in it.
    pub visibility: Visibility,
    /// What it is for.
    pub description: &'a str,
    /// Now.
    pub now: i64,
}

/// The namespace of that id.
///
/// # Errors
/// `Unavailable`.
pub async fn namespace_get(tx: &mut Tx<'_>, id: NamespaceId) -> Result<Option<Namespace>> {
    Ok(tx.one::<Columns>(GET, &values![id]).await?.map(row))
}

/// The namespace at `path`.
///
/// # Errors
/// `Unavailable`.
pub async fn namespace_at(tx: &mut Tx<'_>, path: &str) -> Result<Option<Namespace>> {
    Ok(tx.one::<Columns>(AT, &values![path]).await?.map(row))
}

/// The namespaces that `path` lies in or is, the outermost first. A group lies in a namespace, so the first that is missing
/// ends it; what is behind it is looked for all the same, so that the time does not tell where that was.
///
/// # Errors
/// `Unavailable`.
pub async fn namespace_chain(tx: &mut Tx<'_>, path: &str) -> Result<Vec<Namespace>> {
    let (mut chain, mut ended) = (Vec::new(), false);
    for (end, _) in path.match_indices('/').chain([(path.len(), "")]) {
        let path = path.get(..end).unwrap_or(path);
        let found = tx.one::<Columns>(AROUND, &values![path]).await?.map(row);
        match found {
            Some(found) if found.id != NOT_THERE && !ended => chain.push(found),
            _ => ended = true,
        }
    }
    Ok(chain)
}

/// At most `limit` namespaces in the order of their paths, after `after`.
///
/// # Errors
/// `Unavailable`.
pub async fn namespace_list(tx: &mut Tx<'_>, after: &str, limit: usize) -> Result<Vec<Namespace>> {
    Ok(rows(tx.all(LIST, &values![after, limit]).await?))
}

/// At most `limit` groups directly in a namespace, in the order of their paths, after `after`.
///
/// # Errors
/// `Unavailable`.
pub async fn namespace_children(
    tx: &mut Tx<'_>,
    parent: NamespaceId,
    after: &str,
    limit: usize,
) -> Result<Vec<Namespace>> {
    Ok(rows(
        tx.all(CHILDREN, &values![parent, after, limit]).await?,
    ))
}

/// At most `limit` namespaces of an owner, in the order of their paths, after `after`.
///
/// # Errors
/// `Unavailable`.
pub async fn namespace_owned(
    tx: &mut Tx<'_>,
    owner: PrincipalId,
    after: &str,
    limit: usize,
) -> Result<Vec<Namespace>> {
    Ok(rows(tx.all(OWNED, &values![owner, after, limit]).await?))
}

/// At most `limit` groups anywhere below `path`, in the order of their paths.
///
/// # Errors
/// `Unavailable`.
pub async fn namespace_below(tx: &mut Tx<'_>, path: &str, limit: usize) -> Result<Vec<Namespace>> {
    let (from, to) = (format!("{path}/"), format!("{path}0"));
    Ok(rows(
        tx.all(BELOW, &values![from.as_str(), to.as_str(), limit])
            .await?,
    ))
}

/// The paths of outermost namespaces that are as visible as that or more.
///
/// # Errors
/// `Unavailable`.
pub async fn namespace_visible(tx: &mut Tx<'_>, least: Visibility) -> Result<Vec<String>> {
    let found = tx.all::<(String,)>(VISIBLE, &values![least as i64]).await?;
    Ok(found.into_iter().map(|(path,)| path).collect())
}

/// The paths of groups that are less visible than that although the namespace around them is not.
///
/// # Errors
/// `Unavailable`.
pub async fn namespace_hidden(tx: &mut Tx<'_>, least: Visibility) -> Result<Vec<String>> {
    let found = tx
        .all::<(String,)>(HIDDEN_IN, &values![least as i64])
        .await?;
    Ok(found.into_iter().map(|(path,)| path).collect())
}

/// Makes a namespace.
///
/// # Errors
/// `Unavailable`, also when the path is taken: look first, in the same transaction.
pub async fn namespace_put(tx: &mut Tx<'_>, new: &NewNamespace<'_>) -> Result<NamespaceId> {
    let id = NamespaceId(id_next(tx, "namespace").await?);
    let values = values![
        id,
        new.parent,
        new.path,
        new.owner,
        new.visibility as i64,
        new.description,
        new.now,
    ];
    tx.exec(INSERT, &values).await?;
    Ok(id)
}

/// Writes the visibility, read-only mode and description of `of` as they are there now.
///
/// # Errors
/// `Unavailable`.
pub async fn namespace_change(tx: &mut Tx<'_>, of: &Namespace, now: i64) -> Result<()> {
    let values = values![
        of.id,
        of.visibility as i64,
        of.read_only,
        of.description.as_str(),
        now,
    ];
    tx.exec(CHANGE, &values).await.map(drop)
}

/// Gives one namespace another path; what lies below it has its own.
///
/// # Errors
/// `Unavailable`, also when the path is taken.
pub async fn namespace_move(
    tx: &mut Tx<'_>,
    id: NamespaceId,
    path: &str,
    parent: NamespaceId,
    now: i64,
) -> Result<()> {
    tx.exec(MOVE, &values![id, path, parent, now])
        .await
        .map(drop)
}

/// Gives a namespace another owner.
///
/// # Errors
/// `Unavailable`.
pub async fn namespace_own(tx: &mut Tx<'_>, id: NamespaceId, owner: PrincipalId) -> Result<()> {
    tx.exec(OWN, &values![id, owner]).await.map(drop)
}

/// Forgets a namespace. What is in it must be gone before.
///
/// # Errors
/// `Unavailable`.
pub async fn namespace_delete(tx: &mut Tx<'_>, id: NamespaceId) -> Result<()> {
    tx.exec(DELETE, &values![id]).await.map(drop)
}
