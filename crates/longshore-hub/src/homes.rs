//! Namespaces for repositories that come to an index without any: those that were here before it was switched on, those of a tree that
//! is taken over, and those that somebody who may do everything pushes where nothing is yet.
//!
//! Such a namespace belongs to the system and is private, so nobody gets to see by it what they did not, and nobody gets it by taking its
//! name. What can have none stays where it is, for those who may do everything everywhere, and is told of.

use std::collections::BTreeSet;
use std::time::SystemTime;

use longshore_core::Result;
use longshore_meta::audit::{Entry, audit_put};
use longshore_meta::namespaces::{
    NamespaceId, NewNamespace, Visibility, namespace_at, namespace_put,
};
use longshore_meta::principals::PrincipalId;
use longshore_meta::repos::{REMOVED, repo_below};
use longshore_meta::rests::rest_get;
use longshore_meta::settings::{setting_get, setting_put};
use longshore_meta::takeovers::takeover_list;
use longshore_meta::{Durability, Tx};
use longshore_spec::name::RepoName;
use serde_json::json;

use crate::caller::Caller;
use crate::hub::{Hub, entry};
use crate::names::check;

/// The setting that says of which takeover the names were looked through for those that were somebody's already: when it ended.
const LOOKED: &str = "index.takeover";
/// How many namespaces are made in one transaction, and how many names read at once.
const TOGETHER: usize = 200;
/// The action that the audit log has.
const ACTION: &str = "namespace:create";

/// What was done about repositories that lay in no namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Homes {
    /// Namespaces that were made.
    pub made: Vec<String>,
    /// The first parts of names that can be none, each with why.
    pub homeless: Vec<(String, &'static str)>,
    /// Namespaces of people and organisations in which repositories came to lie that were taken over: told once of each takeover.
    pub owned: Vec<String>,
}

impl Hub {
    /// Makes a namespace for each repository that lies in none, and for each of `awaited`, which are still to be taken over. `taken`:
    /// when the takeover ended, if there was one. Can be done again at any time, and broken off.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn homes(
        &self,
        awaited: &[RepoName],
        taken: Option<SystemTime>,
        now: SystemTime,
    ) -> Result<Homes> {
        let mut tops: BTreeSet<String> = awaited.iter().filter_map(top).collect();
        let mut after = String::new();
        loop {
            let page = self.db.read(&after, |tx, after| Box::pin(lone(tx, after)));
            let (found, next) = page.await?;
            tops.extend(found);
            match next {
                Some(next) => after = next,
                None => break,
            }
        }
        let mut homes = Homes::default();
        let tops: Vec<String> = tops.into_iter().collect();
        for some in tops.chunks(TOGETHER) {
            let args = (some.to_vec(), Caller::program("index", now));
            let write = self
                .db
                .write(Durability::Power, args, |tx, (tops, caller)| {
                    Box::pin(make(tx, tops, caller))
                });
            let some = write.await?;
            homes.made.extend(some.made);
            homes.homeless.extend(some.homeless);
        }
        if let Some(ended) = taken {
            homes.owned = self.owned(ended, now).await?;
        }
        self.index.forget_all();
        Ok(homes)
    }

    /// Namespaces of somebody in which repositories lie that were taken over, if nobody was told of those of this takeover.
    async fn owned(&self, ended: SystemTime, now: SystemTime) -> Result<Vec<String>> {
        let mark = longshore_meta::time::micros(ended).to_string();
        let known = self.setting(LOOKED).await?;
        if known.as_deref() == Some(mark.as_str()) {
            return Ok(Vec::new());
        }
        let mut tops = BTreeSet::new();
        let mut after = String::new();
        loop {
            let page = self.db.read(&after, |tx, after| {
                Box::pin(takeover_list(tx, after, TOGETHER))
            });
            let page = page.await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.name);
            let names = page.iter().filter_map(|repo| repo.name.parse().ok());
            tops.extend(names.filter_map(|name| top(&name)));
        }
        let args = (tops, mark, Caller::program("index", now));
        let write = self
            .db
            .write(Durability::Power, args, |tx, (tops, mark, caller)| {
                Box::pin(tell_owned(tx, tops, mark, caller))
            });
        write.await
    }
}

/// The first part of a name, where it has others.
fn top(name: &RepoName) -> Option<String> {
    let (top, _) = name.as_str().split_once('/')?;
    Some(top.to_owned())
}

/// Beginnings of names after `after` at which there is no namespace, and after which to go on; none at the end.
async fn lone(tx: &mut Tx<'_>, after: &str) -> Result<(Vec<String>, Option<String>)> {
    let (mut found, mut at) = (Vec::new(), after.to_owned());
    for _ in 0..TOGETHER {
        let Some((id, name)) = repo_below(tx, "", &at, 1).await?.pop() else {
            return Ok((found, None));
        };
        match name.split_once('/') {
            // It lies in `library`.
            None => at = name,
            Some((top, _)) => {
                let is_removed = name == format!("{REMOVED}/{id}");
                if !is_removed && namespace_at(tx, top).await?.is_none() {
                    found.push(top.to_owned());
                }
                // No name has a byte that is higher. What was removed lies beside what only looks so.
                at = if top == REMOVED {
                    name
                } else {
                    format!("{top}/{{")
                };
            }
        }
    }
    Ok((found, Some(at)))
}

async fn make(tx: &mut Tx<'_>, tops: &[String], caller: &Caller) -> Result<Homes> {
    let mut homes = Homes::default();
    for top in tops {
        if namespace_at(tx, top).await?.is_some() {
            continue;
        }
        let home = match home(tx, top, caller.micros()).await? {
            Ok(home) => home,
            Err(why) => {
                homes.homeless.push((top.clone(), why));
                continue;
            }
        };
        let detail =
            json!({ "created": "namespace", "for": "repositories that were here before it" });
        let row = entry(
            caller,
            ACTION,
            top.clone(),
            home,
            "done",
            detail.to_string(),
        );
        audit_put(tx, &row).await?;
        homes.made.push(top.clone());
    }
    Ok(homes)
}

/// Makes a private namespace of the system at `top`, where there is none; or says why there cannot be one.
async fn home(
    tx: &mut Tx<'_>,
    top: &str,
    now: i64,
) -> Result<std::result::Result<NamespaceId, &'static str>> {
    if top == REMOVED {
        return Ok(Err(
            "what is deleted goes by that name: nobody sees it; bring its images under another name by the registry they come from",
        ));
    }
    if check(top).is_err() {
        return Ok(Err("this is no name of a namespace, or it is reserved"));
    }
    if rest_get(tx, top, now).await?.is_some() {
        return Ok(Err("the name was given up lately, and rests"));
    }
    let new = NewNamespace {
        parent: NamespaceId::EVERYWHERE,
        path: top,
        owner: PrincipalId(0),
        visibility: Visibility::Private,
        description: "",
        now,
    };
    namespace_put(tx, &new).await.map(Ok)
}

/// The namespace that a repository comes to lie in which is pushed where there is none, with a row of the audit log; none where there
/// cannot be one. `by` is a row of that log about the push.
///
/// # Errors
/// `Unavailable`.
pub(crate) async fn home_of_push(
    tx: &mut Tx<'_>,
    name: &RepoName,
    by: &Entry,
) -> Result<NamespaceId> {
    let Some(top) = top(name) else {
        return Ok(NamespaceId::EVERYWHERE);
    };
    let Ok(id) = home(tx, &top, by.at).await? else {
        return Ok(NamespaceId::EVERYWHERE);
    };
    let row = Entry {
        action: ACTION.to_owned(),
        object: top,
        namespace: id,
        detail: json!({ "created": "namespace", "for": name.as_str() }).to_string(),
        ..by.clone()
    };
    audit_put(tx, &row).await?;
    Ok(id)
}

async fn tell_owned(
    tx: &mut Tx<'_>,
    tops: &BTreeSet<String>,
    mark: &str,
    caller: &Caller,
) -> Result<Vec<String>> {
    let mut owned = Vec::new();
    if setting_get(tx, LOOKED).await?.as_deref() == Some(mark) {
        return Ok(owned);
    }
    for top in tops {
        let Some(found) = namespace_at(tx, top).await? else {
            continue;
        };
        if found.owner == PrincipalId(0) {
            continue;
        }
        let detail =
            json!({ "why": "repositories that were taken over lie in it, and are its owner's" });
        let row = entry(
            caller,
            ACTION,
            top.clone(),
            found.id,
            "denied",
            detail.to_string(),
        );
        audit_put(tx, &row).await?;
        owned.push(top.clone());
    }
    setting_put(tx, LOOKED, mark).await?;
    Ok(owned)
}
