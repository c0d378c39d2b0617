//! Finding for somebody who sees a part: of many that are looked at few are shown.

use longshore_core::Result;

use crate::finds::{Asked, Hit, NAMED, OF, beyond, hits};
use crate::tx::Tx;
use crate::values;

/// Names alone; the rest is read of what is shown.
const NAMES: &str = "SELECT r.id, r.name FROM \
                     (SELECT rowid AS id FROM search WHERE search MATCH ?1 ORDER BY rowid LIMIT ?2) s \
                     CROSS JOIN repository r ON r.id = s.id WHERE r.manifests > 0";

/// Repositories whose names are from `from` on and before `to`, by name; without `to`, to the last.
///
/// # Errors
/// `Unavailable`.
pub async fn find_between(
    tx: &mut Tx<'_>,
    from: &str,
    to: Option<&str>,
    limit: usize,
) -> Result<Vec<Hit>> {
    let beyond = beyond("");
    let values = values![from, to.unwrap_or(&beyond), limit];
    Ok(hits(tx.all(NAMED, &values).await?))
}

/// Those that have all that is asked for and are `shown`, in the order of their ids: at most `most`, of the first `looked_at`.
///
/// # Errors
/// `Unavailable`.
pub async fn find_shown(
    tx: &mut Tx<'_>,
    asked: &Asked,
    (looked_at, most): (usize, usize),
    shown: impl Fn(&str) -> bool,
) -> Result<Vec<Hit>> {
    let Some(words) = asked.words() else {
        return Ok(Vec::new());
    };
    let values = values![words.as_str(), looked_at];
    let named = tx.all::<(i64, String)>(NAMES, &values).await?;
    let shown = named.into_iter().filter(|(_, name)| shown(name));
    let mut found = Vec::new();
    for (repo, _) in shown.take(most) {
        found.extend(hits(tx.all(OF, &values![repo]).await?));
    }
    Ok(found)
}
