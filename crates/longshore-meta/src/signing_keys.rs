//! Keys that tokens are signed with, and the authority that certifies them.

use longshore_core::Result;

use crate::tx::Tx;
use crate::values;

const LIST: &str = "SELECT kid, algorithm, public, certificate, sealed, created, since, until, verify_until FROM signing_key \
                    WHERE verify_until IS NULL OR verify_until > ?1";
const PUT: &str = "INSERT INTO signing_key (kid, algorithm, public, certificate, sealed, created, since, until, verify_until) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
const RETIRE: &str = "UPDATE signing_key SET since = CASE WHEN since > ?2 THEN ?2 ELSE since END, until = ?2, verify_until = ?3 \
                      WHERE kid = ?1 AND (until IS NULL OR until > ?2)";
const DISTRUST: &str = "UPDATE signing_key SET since = CASE WHEN since > ?2 THEN ?2 ELSE since END, \
                        until = CASE WHEN until IS NULL OR until > ?2 THEN ?2 ELSE until END, verify_until = ?2 \
                        WHERE kid = ?1 AND (verify_until IS NULL OR verify_until > ?2)";
const ERASE: &str =
    "UPDATE signing_key SET sealed = ?2 WHERE verify_until <= ?1 AND length(sealed) > 0";

/// A key. Times are microseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// Its name: the thumbprint of its public half (RFC 7638).
    pub kid: String,
    /// `ES256`, `EdDSA` or `RS256`; `CA` for the authority that certifies the others.
    pub algorithm: String,
    /// The public half, as PEM.
    pub public: String,
    /// Its certificate, as PEM.
    pub certificate: String,
    /// The private half, sealed.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created: i64,
    /// From when on it signs.
    pub since: i64,
    /// Until when it signs; while there is no other, for as long as there is none.
    pub until: Option<i64>,
    /// Until when what it signed is good.
    pub verify_until: Option<i64>,
}

type Columns = (
    String,
    String,
    String,
    String,
    Vec<u8>,
    i64,
    i64,
    Option<i64>,
    Option<i64>,
);

impl From<Columns> for SigningKey {
    fn from(columns: Columns) -> Self {
        let (kid, algorithm, public, certificate, sealed, created, since, until, verify_until) =
            columns;
        SigningKey {
            kid,
            algorithm,
            public,
            certificate,
            sealed,
            created,
            since,
            until,
            verify_until,
        }
    }
}

/// All keys whose signatures may still be good at `now`: a handful.
///
/// # Errors
/// `Unavailable`.
pub async fn signing_key_list(tx: &mut Tx<'_>, now: i64) -> Result<Vec<SigningKey>> {
    let found = tx.all::<Columns>(LIST, &values![now]).await?;
    Ok(found.into_iter().map(SigningKey::from).collect())
}

/// Adds a key.
///
/// # Errors
/// `Unavailable`.
pub async fn signing_key_put(tx: &mut Tx<'_>, key: &SigningKey) -> Result<()> {
    let values = values![
        key.kid.as_str(),
        key.algorithm.as_str(),
        key.public.as_str(),
        key.certificate.as_str(),
        key.sealed.as_slice(),
        key.created,
        key.since,
        key.until,
        key.verify_until,
    ];
    tx.exec(PUT, &values).await.map(drop)
}

/// Lets a key sign until `until` and be trusted until `verify_until`. A key that ends sooner already stays so; one that was to begin
/// later has no time to sign any more.
///
/// # Errors
/// `Unavailable`.
pub async fn signing_key_retire(
    tx: &mut Tx<'_>,
    kid: &str,
    until: i64,
    verify_until: i64,
) -> Result<bool> {
    Ok(tx.exec(RETIRE, &values![kid, until, verify_until]).await? > 0)
}

/// Ends all trust in a key: it signs no more, and what it signed is good no more.
///
/// # Errors
/// `Unavailable`.
pub async fn signing_key_distrust(tx: &mut Tx<'_>, kid: &str, now: i64) -> Result<bool> {
    Ok(tx.exec(DISTRUST, &values![kid, now]).await? > 0)
}

/// Erases the private halves of keys that are trusted no more; their public halves stay, for what else they signed.
///
/// # Errors
/// `Unavailable`.
pub async fn signing_key_erase(tx: &mut Tx<'_>, now: i64) -> Result<usize> {
    tx.exec(ERASE, &values![now, &[][..]]).await
}
