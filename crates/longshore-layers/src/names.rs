//! Finding repositories where there is no index: by their names alone.

use std::sync::Arc;

use async_trait::async_trait;
use longshore_core::{Cx, Find, Finder, Finds, Registry, Result, Seek, Window};
use longshore_spec::name::RepoName;

/// How many names are read at once.
const PAGE: usize = 1000;
/// How many names are looked at for one query.
const MOST: usize = 200_000;

/// Looks for the words of a query in the names of a registry, which it reads from one end to the other: some milliseconds for
/// ten thousand of them. Whole names come first, then last components, then beginnings.
///
/// The registry is asked with the caller's rights, and must be one that lists to everybody what they may pull from: a gate around it
/// would ask for the right to list the catalog, which a search does not need.
#[derive(Debug, Clone)]
pub struct Names(Arc<dyn Registry>);

impl Names {
    /// Finds by the names of `registry`.
    pub fn of(registry: Arc<dyn Registry>) -> Self {
        Self(registry)
    }
}

#[async_trait]
impl Finder for Names {
    async fn find(&self, cx: &Cx, query: &str, seek: &Seek) -> Result<Finds> {
        let query = query.to_lowercase();
        let words: Vec<&str> = query
            .split_whitespace()
            .map(|word| word.trim_matches('*'))
            .collect();
        let after = seek.after.as_deref().and_then(read);
        let mut found: Vec<(u8, RepoName)> = Vec::new();
        let mut window = Window {
            after: None,
            limit: PAGE,
        };
        for _ in 0..MOST / PAGE {
            let listing = self.0.repositories(cx, &window).await?;
            window.after = listing.items.last().cloned();
            let fits = listing.items.into_iter().filter_map(|name| {
                let place = (fit(&words, name.as_str())?, name);
                after
                    .as_ref()
                    .is_none_or(|(fit, name)| (place.0, place.1.as_str()) > (*fit, name))
                    .then_some(place)
            });
            found.extend(fits);
            // The best so far are enough, whatever is to come.
            if found.len() > 8 * PAGE {
                found.sort();
                found.truncate(seek.limit.saturating_add(1));
            }
            if !listing.more {
                break;
            }
        }
        found.sort();
        let more = found.len() > seek.limit;
        found.truncate(seek.limit);
        let next = found
            .last()
            .filter(|_| more)
            .map(|(fit, name)| format!("{fit}.{name}"));
        let item = |(_, name)| Find {
            name,
            description: String::new(),
            stars: 0,
            pulls: 0,
        };
        Ok(Finds {
            items: found.into_iter().map(item).collect(),
            next,
        })
    }
}

fn read(cursor: &str) -> Option<(u8, &str)> {
    let (fit, name) = cursor.split_once('.')?;
    Some((fit.parse().ok()?, name))
}

/// How well a name fits, least best; `None` when it has not all words.
fn fit(words: &[&str], name: &str) -> Option<u8> {
    if !words.iter().all(|word| name.contains(word)) {
        return None;
    }
    let [word] = words else { return Some(3) };
    let last = name.rsplit('/').next().unwrap_or(name);
    Some(if name == *word {
        0
    } else if last == *word {
        1
    } else if name.starts_with(word) || last.starts_with(word) {
        2
    } else {
        3
    })
}

#[cfg(test)]
mod tests {
    use longshore_core::{
        Actor, Children, Expect, Grant, ManifestPush, On, Origin, Rights, TagRule, Verb, Verbs,
        body,
    };
    use longshore_spec::digest::{Algorithm, Digest};
    use longshore_testkit::mem::Mem;

    use super::*;

    fn cx(rights: Rights) -> Cx {
        Cx {
            actor: Actor::Anonymous,
            rights,
            origin: Origin::default(),
            request: 1,
            now: std::time::SystemTime::UNIX_EPOCH,
        }
    }

    async fn with(names: &[&str]) -> Names {
        let (registry, cx) = (Arc::new(Mem::new()), cx(Rights::Everything));
        for name in names {
            let repo = name.parse().unwrap();
            let want = Expect {
                digest: Digest::of(Algorithm::Sha256, b"{}"),
                size: Some(2),
            };
            let bytes = body::once(b"{}".as_slice().into());
            registry.put_blob(&cx, &repo, &want, bytes).await.unwrap();
            let manifest = format!(
                r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{}","size":2}},"layers":[]}}"#,
                want.digest
            );
            let push = ManifestPush {
                bytes: manifest.into(),
                media_type: None,
                digest: None,
                tags: vec!["1".parse().unwrap()],
                tag_rule: TagRule::Move,
                children: Children::MustExist,
            };
            registry.put_manifest(&cx, &repo, &push).await.unwrap();
        }
        Names::of(registry)
    }

    async fn find(
        names: &Names,
        rights: Rights,
        query: &str,
        seek: &Seek,
    ) -> (Vec<String>, Option<String>) {
        let found = names.find(&cx(rights), query, seek).await.unwrap();
        let items = found.items.into_iter().map(|find| find.name.to_string());
        (items.collect(), found.next)
    }

    fn first(limit: usize) -> Seek {
        Seek { after: None, limit }
    }

    #[tokio::test]
    async fn names_that_fit_better_come_first_and_pages_follow_each_other() {
        let all = [
            "nginx",
            "acme/nginx",
            "acme/nginx-base",
            "acme/my-nginx",
            "acme/web",
        ];
        let names = with(&all).await;
        let everything = || Rights::Everything;
        let (found, next) = find(&names, everything(), "NGINX", &first(10)).await;
        assert_eq!(
            found,
            ["nginx", "acme/nginx", "acme/nginx-base", "acme/my-nginx"]
        );
        assert_eq!(next, None);
        assert_eq!(
            find(&names, everything(), "acme my", &first(10)).await.0,
            ["acme/my-nginx"]
        );
        assert_eq!(find(&names, everything(), "", &first(10)).await.0.len(), 5);
        let (mut seen, mut seek) = (Vec::new(), first(1));
        loop {
            let (found, next) = find(&names, everything(), "nginx", &seek).await;
            seen.extend(found);
            let Some(after) = next else { break };
            seek.after = Some(after);
        }
        assert_eq!(seen, all[..4]);
    }

    #[tokio::test]
    async fn only_what_may_be_pulled_is_found() {
        let names = with(&["acme/open", "acme/secret"]).await;
        let on = On::Repo("acme/open".parse().unwrap());
        let grant = Grant::new(on, Verbs::NONE.with(Verb::Pull));
        let few = Rights::Listed([grant].into());
        assert_eq!(find(&names, few, "acme", &first(10)).await.0, ["acme/open"]);
        assert!(
            find(&names, Rights::Nothing, "acme", &first(10))
                .await
                .0
                .is_empty()
        );
    }
}
