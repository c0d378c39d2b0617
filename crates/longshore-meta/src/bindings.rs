//! Bindings: who has which role where.

use longshore_core::Result;

use crate::ids::id_next;
use crate::namespaces::NamespaceId;
use crate::principals::PrincipalId;
use crate::tx::Tx;
use crate::values;

const GET: &str = "SELECT b.id, b.subject, b.role, b.deny, b.namespace, b.repo, b.repos, b.tags, b.networks, b.hours, b.expires, \
                   b.source, b.created_by, b.created, r.name, r.actions FROM binding b JOIN role r ON r.id = b.role WHERE b.id = ?1";
const IN_PLACES: &str = "SELECT b.id, b.subject, b.role, b.deny, b.namespace, b.repo, b.repos, b.tags, b.networks, b.hours, b.expires, \
                         b.source, b.created_by, b.created, r.name, r.actions FROM binding b JOIN role r ON r.id = b.role \
                         WHERE b.subject = ?1 AND b.namespace IN (?2, ?3, ?4, ?5) AND b.repo IS NULL";
const ON_REPO: &str = "SELECT b.id, b.subject, b.role, b.deny, b.namespace, b.repo, b.repos, b.tags, b.networks, b.hours, b.expires, \
                       b.source, b.created_by, b.created, r.name, r.actions FROM binding b JOIN role r ON r.id = b.role \
                       WHERE b.repo = ?1 AND b.subject = ?2";
const ABOUT_REPO: &str = "SELECT b.id, b.subject, b.role, b.deny, b.namespace, b.repo, b.repos, b.tags, b.networks, b.hours, b.expires, \
                       b.source, b.created_by, b.created, r.name, r.actions FROM binding b JOIN role r ON r.id = b.role \
                       WHERE b.repo = ?1";
const OF: &str = "SELECT b.id, b.subject, b.role, b.deny, b.namespace, b.repo, b.repos, b.tags, b.networks, b.hours, b.expires, \
                  b.source, b.created_by, b.created, r.name, r.actions FROM binding b JOIN role r ON r.id = b.role \
                  WHERE b.subject = ?1 LIMIT ?2";
const DENIED: &str = "SELECT b.id, b.subject, b.role, b.deny, b.namespace, b.repo, b.repos, b.tags, b.networks, b.hours, b.expires, \
                      b.source, b.created_by, b.created, r.name, r.actions FROM binding b JOIN role r ON r.id = b.role \
                      WHERE b.subject = ?1 AND b.deny = TRUE LIMIT ?2";
const LIST: &str = "SELECT b.id, b.subject, b.role, b.deny, b.namespace, b.repo, b.repos, b.tags, b.networks, b.hours, b.expires, \
                    b.source, b.created_by, b.created, r.name, r.actions FROM binding b JOIN role r ON r.id = b.role \
                    WHERE b.namespace = ?1 AND b.id > ?2 ORDER BY b.id LIMIT ?3";
const WITH_ROLE: &str = "SELECT subject FROM binding WHERE role = ?1 LIMIT ?2";
const OWNERS: &str = "SELECT b.id FROM binding b JOIN principal p ON p.id = b.subject \
                      WHERE b.namespace = ?1 AND b.role = ?2 AND b.deny = FALSE AND b.repo IS NULL AND b.repos IS NULL AND b.tags IS NULL \
                      AND b.networks IS NULL AND b.hours IS NULL AND b.expires IS NULL AND p.state = 0 LIMIT 2";
const PERSON: &str = "SELECT 1 FROM binding b JOIN principal p ON p.id = b.subject LEFT JOIN principal o ON o.id = p.owner \
                      WHERE b.namespace = ?1 AND b.role = ?2 AND b.deny = FALSE AND b.repo IS NULL AND b.repos IS NULL AND b.tags IS NULL \
                      AND b.networks IS NULL AND b.hours IS NULL AND b.expires IS NULL AND p.state = 0 AND (o.state IS NULL OR o.state = 0) AND (p.kind = 0 OR EXISTS \
                      (SELECT 1 FROM member m JOIN principal q ON q.id = m.principal WHERE m.party = p.id AND q.kind = 0 AND q.state = 0) OR EXISTS \
                      (SELECT 1 FROM principal t JOIN member m ON m.party = t.id JOIN principal q ON q.id = m.principal \
                      WHERE t.owner = p.id AND t.state <> 3 AND t.state = 0 AND q.kind = 0 AND q.state = 0)) LIMIT 1";
const INSERT: &str = "INSERT INTO binding (id, subject, role, deny, namespace, repo, repos, tags, networks, hours, expires, source, created_by, created) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
const DELETE: &str = "DELETE FROM binding WHERE id = ?1";
const DELETE_OF: &str = "DELETE FROM binding WHERE subject = ?1";
const DELETE_IN: &str = "DELETE FROM binding WHERE namespace = ?1";
const DELETE_ON: &str = "DELETE FROM binding WHERE repo = ?1";
const MOVE: &str = "UPDATE binding SET namespace = ?3 WHERE repo = ?1 AND namespace = ?2";
const EXPIRED: &str = "SELECT id FROM binding WHERE expires IS NOT NULL AND expires <= ?1 LIMIT ?2";

/// Whom a binding is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(pub i64);

impl Subject {
    /// Everybody, also strangers.
    pub const EVERYBODY: Self = Self(0);
    /// Everybody who has logged in.
    pub const LOGGED_IN: Self = Self(-1);
}

impl From<PrincipalId> for Subject {
    fn from(id: PrincipalId) -> Self {
        Self(id.0)
    }
}

/// A binding's row, with what its role says. Times are in microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Its id.
    pub id: i64,
    /// Whom it is for.
    pub subject: Subject,
    /// The role.
    pub role: i64,
    /// The role's name.
    pub role_name: String,
    /// The names of the role's actions, parted by spaces.
    pub actions: String,
    /// Whether it denies those actions and does not allow them.
    pub deny: bool,
    /// Where; 0: everywhere.
    pub namespace: NamespaceId,
    /// The only repository it is for.
    pub repo: Option<i64>,
    /// Patterns of the repositories it is for, below the namespace.
    pub repos: Option<String>,
    /// Patterns of the tags it is for.
    pub tags: Option<String>,
    /// Networks from which it counts.
    pub networks: Option<String>,
    /// Hours at which it counts, as JSON.
    pub hours: Option<String>,
    /// Until when it counts.
    pub expires: Option<i64>,
    /// The directory that says so; empty where a person did.
    pub source: String,
    /// Who made it; 0: the operator.
    pub created_by: PrincipalId,
    /// When.
    pub created: i64,
}

impl Binding {
    /// One that allows everywhere in `namespace`, always, from anywhere: by whom it was made, and when. It has no number yet, nor
    /// what its role says.
    pub fn plain(
        subject: impl Into<Subject>,
        role: i64,
        namespace: NamespaceId,
        (created_by, created): (PrincipalId, i64),
    ) -> Self {
        Self {
            id: 0,
            subject: subject.into(),
            role,
            role_name: String::new(),
            actions: String::new(),
            deny: false,
            namespace,
            repo: None,
            repos: None,
            tags: None,
            networks: None,
            hours: None,
            expires: None,
            source: String::new(),
            created_by,
            created,
        }
    }
}

type Columns = (
    i64,
    i64,
    i64,
    bool,
    NamespaceId,
    Option<i64>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<i64>,
    String,
    PrincipalId,
    i64,
    String,
    String,
);

fn row(columns: Columns) -> Binding {
    let (
        id,
        subject,
        role,
        deny,
        namespace,
        repo,
        repos,
        tags,
        networks,
        hours,
        expires,
        source,
        created_by,
        created,
        role_name,
        actions,
    ) = columns;
    Binding {
        id,
        subject: Subject(subject),
        role,
        role_name,
        actions,
        deny,
        namespace,
        repo,
        repos,
        tags,
        networks,
        hours,
        expires,
        source,
        created_by,
        created,
    }
}

fn rows(found: Vec<Columns>) -> Vec<Binding> {
    found.into_iter().map(row).collect()
}

/// The binding of that id.
///
/// # Errors
/// `Unavailable`.
pub async fn binding_get(tx: &mut Tx<'_>, id: i64) -> Result<Option<Binding>> {
    Ok(tx.one::<Columns>(GET, &values![id]).await?.map(row))
}

/// What `subject` has on these namespaces, but for what is on single repositories.
///
/// # Errors
/// `Unavailable`.
pub async fn binding_in(
    tx: &mut Tx<'_>,
    subject: Subject,
    places: &[NamespaceId],
) -> Result<Vec<Binding>> {
    let mut found = Vec::new();
    for places in places.chunks(4) {
        // A statement has a fixed number of places: the first stands where there are fewer.
        let place = |at: usize| places.get(at).or(places.first()).map(|id| id.0);
        let values = values![subject.0, place(0), place(1), place(2), place(3)];
        found.extend(rows(tx.all(IN_PLACES, &values).await?));
    }
    Ok(found)
}

/// What `subject` has on one repository.
///
/// # Errors
/// `Unavailable`.
pub async fn binding_on(tx: &mut Tx<'_>, subject: Subject, repo: i64) -> Result<Vec<Binding>> {
    Ok(rows(tx.all(ON_REPO, &values![repo, subject.0]).await?))
}

/// All bindings on one repository.
///
/// # Errors
/// `Unavailable`.
pub async fn binding_repo(tx: &mut Tx<'_>, repo: i64) -> Result<Vec<Binding>> {
    Ok(rows(tx.all(ABOUT_REPO, &values![repo]).await?))
}

/// At most `limit` of all that `subject` has anywhere.
///
/// # Errors
/// `Unavailable`.
pub async fn binding_of(tx: &mut Tx<'_>, subject: Subject, limit: usize) -> Result<Vec<Binding>> {
    Ok(rows(tx.all(OF, &values![subject.0, limit]).await?))
}

/// At most `limit` of all that is denied `subject` anywhere.
///
/// # Errors
/// `Unavailable`.
pub async fn binding_denied(
    tx: &mut Tx<'_>,
    subject: Subject,
    limit: usize,
) -> Result<Vec<Binding>> {
    Ok(rows(tx.all(DENIED, &values![subject.0, limit]).await?))
}

/// At most `limit` bindings on a namespace and what is in it, in the order of their ids, after `after`.
///
/// # Errors
/// `Unavailable`.
pub async fn binding_list(
    tx: &mut Tx<'_>,
    namespace: NamespaceId,
    after: i64,
    limit: usize,
) -> Result<Vec<Binding>> {
    Ok(rows(tx.all(LIST, &values![namespace, after, limit]).await?))
}

/// At most `limit` subjects that have a role anywhere; one may come more than once.
///
/// # Errors
/// `Unavailable`.
pub async fn binding_with(tx: &mut Tx<'_>, role: i64, limit: usize) -> Result<Vec<Subject>> {
    let found = tx.all::<(i64,)>(WITH_ROLE, &values![role, limit]).await?;
    Ok(found.into_iter().map(|(id,)| Subject(id)).collect())
}

/// At most two bindings that give a role on all of a namespace to somebody who is active, without any condition.
///
/// # Errors
/// `Unavailable`.
pub async fn binding_owners(
    tx: &mut Tx<'_>,
    namespace: NamespaceId,
    role: i64,
) -> Result<Vec<i64>> {
    let found = tx.all::<(i64,)>(OWNERS, &values![namespace, role]).await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// Whether any person who is active has a role on all of a namespace without any condition, themselves or as a member: whoever
/// is in a team is in its organisation.
///
/// # Errors
/// `Unavailable`.
pub async fn binding_person(
    tx: &mut Tx<'_>,
    (namespace, role): (NamespaceId, i64),
) -> Result<bool> {
    let found = tx.one::<(i64,)>(PERSON, &values![namespace, role]).await?;
    Ok(found.is_some())
}

/// Writes a binding and gives it its id. Its role's name and actions are the role's own.
///
/// # Errors
/// `Unavailable`.
pub async fn binding_put(tx: &mut Tx<'_>, binding: &Binding) -> Result<i64> {
    let id = id_next(tx, "binding").await?;
    let values = values![
        id,
        binding.subject.0,
        binding.role,
        binding.deny,
        binding.namespace,
        binding.repo,
        binding.repos.as_deref(),
        binding.tags.as_deref(),
        binding.networks.as_deref(),
        binding.hours.as_deref(),
        binding.expires,
        binding.source.as_str(),
        binding.created_by,
        binding.created,
    ];
    tx.exec(INSERT, &values).await?;
    Ok(id)
}

/// Takes a binding back.
///
/// # Errors
/// `Unavailable`.
pub async fn binding_delete(tx: &mut Tx<'_>, id: i64) -> Result<bool> {
    Ok(tx.exec(DELETE, &values![id]).await? > 0)
}

/// Takes back all that `subject` has.
///
/// # Errors
/// `Unavailable`.
pub async fn binding_forget(tx: &mut Tx<'_>, subject: Subject) -> Result<()> {
    tx.exec(DELETE_OF, &values![subject.0]).await.map(drop)
}

/// Takes back all that is on a namespace.
///
/// # Errors
/// `Unavailable`.
pub async fn binding_clear(tx: &mut Tx<'_>, namespace: NamespaceId) -> Result<()> {
    tx.exec(DELETE_IN, &values![namespace]).await.map(drop)
}

/// Takes back all that is on one repository.
///
/// # Errors
/// `Unavailable`.
pub async fn binding_drop(tx: &mut Tx<'_>, repo: i64) -> Result<()> {
    tx.exec(DELETE_ON, &values![repo]).await.map(drop)
}

/// Notes that what is on a repository from the namespace `from` is from `to` now, in which it lies.
///
/// # Errors
/// `Unavailable`.
pub async fn binding_move(
    tx: &mut Tx<'_>,
    repo: i64,
    from: NamespaceId,
    to: NamespaceId,
) -> Result<()> {
    tx.exec(MOVE, &values![repo, from, to]).await.map(drop)
}

/// At most `limit` bindings that count no more at `now`.
///
/// # Errors
/// `Unavailable`.
pub async fn binding_expired(tx: &mut Tx<'_>, now: i64, limit: usize) -> Result<Vec<i64>> {
    let found = tx.all::<(i64,)>(EXPIRED, &values![now, limit]).await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}
