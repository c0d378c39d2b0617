//! Referrers: the manifests that are about another.

use longshore_core::Result;
use longshore_spec::digest::Digest;

use crate::tx::Tx;
use crate::values;

/// The digests are found in the index of subjects alone. Asked for the descriptors at once, an engine that keeps no statistics goes
/// through all manifests of the repository.
const ALL: &str = "SELECT digest, descriptor FROM manifest WHERE repo = ?1 AND digest IN \
                   (SELECT digest FROM manifest WHERE repo = ?1 AND subject = ?2 AND digest > ?3 ORDER BY digest LIMIT ?4) \
                   ORDER BY digest";
const OF_TYPE: &str = "SELECT digest, descriptor FROM manifest WHERE repo = ?1 AND digest IN \
                       (SELECT digest FROM manifest WHERE repo = ?1 AND subject = ?2 AND artifact_type = ?5 AND digest > ?3 \
                       ORDER BY digest LIMIT ?4) ORDER BY digest";

/// At most `limit` referrers of `subject`, of the artifact type `kind` if one is named, strictly after `after`, in the
/// order of their keys: digest and descriptor (JSON).
///
/// # Errors
/// `Unavailable`.
pub async fn referrer_list(
    tx: &mut Tx<'_>,
    repo: i64,
    subject: &Digest,
    kind: Option<&str>,
    after: Option<&Digest>,
    limit: usize,
) -> Result<Vec<(Digest, String)>> {
    let after = after.map_or_else(Vec::new, |digest| digest.to_key().to_vec());
    match kind {
        None => {
            tx.all(ALL, &values![repo, subject, after.as_slice(), limit])
                .await
        }
        Some(kind) => {
            tx.all(
                OF_TYPE,
                &values![repo, subject, after.as_slice(), limit, kind],
            )
            .await
        }
    }
}
