//! Listings: repositories, tags, referrers. Every page costs the same, wherever it starts.

use longshore_core::{Error, Listing, Reach, Result, Window};
use longshore_meta::repos::RepoKind;
use longshore_meta::{Tx, referrers, repos, tags};
use longshore_spec::descriptor::Descriptor;
use longshore_spec::digest::Digest;
use longshore_spec::name::{RepoName, Tag};

use crate::store::Inner;

impl Inner {
    pub(crate) async fn repositories(
        &self,
        reach: &Reach,
        window: &Window<RepoName>,
    ) -> Result<Listing<RepoName>> {
        let after = window.after.as_ref().map_or("", RepoName::as_str);
        let which = if self.options.lists_empty {
            RepoKind::Known
        } else {
            RepoKind::Filled
        };
        let args = (reach, after, one_more(window), which);
        let names = self
            .db
            .read(&args, |tx, (reach, after, limit, which)| {
                Box::pin(within(tx, reach, after, *limit, *which))
            })
            .await?;
        page(window, names, |name| name.parse().map_err(Error::internal))
    }

    pub(crate) async fn tags(&self, repo: &RepoName, window: &Window<Tag>) -> Result<Listing<Tag>> {
        let repo = self.repo(repo).await?;
        let after = window.after.as_ref().map_or("", Tag::as_str);
        let args = (repo.id, after, one_more(window));
        let names = self
            .db
            .read(&args, |tx, (repo, after, limit)| {
                Box::pin(tags::tag_list(tx, *repo, after, *limit))
            })
            .await?;
        page(window, names, |name| name.parse().map_err(Error::internal))
    }

    pub(crate) async fn referrers(
        &self,
        repo: &RepoName,
        subject: &Digest,
        kind: Option<&str>,
        window: &Window<Digest>,
    ) -> Result<Listing<Descriptor>> {
        let Some(repo) = self.repo_if_any(repo).await? else {
            return Ok(Listing {
                items: Vec::new(),
                more: false,
            });
        };
        let args = (repo.id, subject, kind, window.after, one_more(window));
        let rows = self
            .db
            .read(&args, |tx, (repo, subject, kind, after, limit)| {
                Box::pin(referrers::referrer_list(
                    tx,
                    *repo,
                    subject,
                    *kind,
                    after.as_ref(),
                    *limit,
                ))
            })
            .await?;
        page(window, rows, |(_, json)| {
            serde_json::from_str(&json).map_err(Error::internal)
        })
    }
}

/// One more row than the page has tells whether there is another page.
fn one_more<K>(window: &Window<K>) -> usize {
    window.limit.saturating_add(1)
}

fn page<K, R, T>(
    window: &Window<K>,
    mut rows: Vec<R>,
    read: impl Fn(R) -> Result<T>,
) -> Result<Listing<T>> {
    let more = rows.len() > window.limit;
    rows.truncate(window.limit);
    Ok(Listing {
        items: rows.into_iter().map(read).collect::<Result<_>>()?,
        more,
    })
}

/// How many rows are read at once where not all of them are shown.
const FEW: usize = 64;

/// At most `limit` names of repositories that are reached, strictly after `after`.
async fn within(
    tx: &mut Tx<'_>,
    reach: &Reach,
    after: &str,
    limit: usize,
    which: RepoKind,
) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut from = format!("{after}\0");
    while let Some((span, all)) = reach.next(&from) {
        let few = if all { limit - found.len() } else { FEW };
        let names = repos::repo_range(tx, which, &span.from, span.to.as_deref(), few).await?;
        let whole = names.len() < few;
        if all {
            // What is read is reached, and no name needs a look.
            found.extend(names);
            match (whole, span.to) {
                (true, Some(place)) => from = place,
                _ => return Ok(found),
            }
            continue;
        }
        let mut jump = None;
        for name in names {
            if reach.has(&name) {
                from = format!("{name}\0");
                found.push(name);
                if found.len() == limit {
                    return Ok(found);
                }
            } else {
                let next = format!("{name}\0");
                match reach.past(&name) {
                    None => return Ok(found),
                    // Far: what was read beyond this name is of no use.
                    Some(place) if place > next => {
                        jump = Some(place);
                        break;
                    }
                    Some(_) => from = next,
                }
            }
        }
        match (jump, whole, span.to) {
            (Some(place), _, _) | (None, true, Some(place)) => from = place,
            (None, true, None) => break,
            (None, false, _) => {}
        }
    }
    Ok(found)
}
