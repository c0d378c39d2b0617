//! Repositories: what is said of them, their tags, their pulls.

use longshore_auth::rights::decide::{Question, decide};
use longshore_auth::rights::facts::Facts;
use longshore_auth::rights::{Action, Object, Sight};
use longshore_core::{Error, Reach, Result, TagLimit};
use longshore_meta::Tx;
use longshore_meta::names::name_resolve;
use longshore_meta::profiles::{Profile, profile_get, star_is};
use longshore_meta::pulls::{PullDay, pulls_of};
use longshore_meta::repos::{RepoKind, repo_below, repo_facts, repo_range};
use longshore_meta::tags::tag_page;
use longshore_spec::digest::Digest;
use longshore_spec::name::{RepoName, Tag};

use super::Listed;
use crate::caller::Caller;
use crate::hub::Hub;
use crate::names::missing;
use crate::permit::Permit;

pub(super) const LIST: u8 = Action::RepositoryList as u8;
/// How many rows are read at once where not all of them are shown.
const FEW: usize = 256;
/// How often that is done for one part of a list.
const OFTEN: usize = 20;

/// A repository, as whoever may see it sees it.
#[derive(Debug, Clone)]
pub struct RepositorySeen {
    /// Its id.
    pub id: i64,
    /// Its name of today.
    pub name: RepoName,
    /// What people say of it.
    pub profile: Profile,
    /// Whether the caller has starred it.
    pub starred: bool,
    /// When it was made, in microseconds.
    pub created: i64,
    /// How many manifests it has.
    pub manifests: u64,
    /// How many tags.
    pub tags: u64,
    /// Whether the caller may see what has some tags only.
    pub limited: bool,
}

impl Hub {
    /// A repository.
    ///
    /// # Errors
    /// `NameUnknown` or `Unavailable`.
    pub async fn repository_get(&self, caller: &Caller, name: &RepoName) -> Result<RepositorySeen> {
        let object = Object::Repository(name.clone());
        self.see::<LIST, _, _>(caller, &object, (), |tx, permit, ()| {
            Box::pin(async move {
                let (id, name) = of(tx, permit).await?;
                seen(tx, permit.caller(), id, name).await
            })
        })
        .await
    }

    /// Repositories that the caller may see, that hold anything (or lie at a registry elsewhere, where that is not known) and lie below
    /// `within` where that is said, by name from `from` on.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn repository_list(
        &self,
        caller: &Caller,
        within: Option<&str>,
        from: &str,
        limit: usize,
    ) -> Result<Listed<RepositorySeen, String>> {
        let reach = self
            .judge()
            .reach(&caller.who, Action::RepositoryList, caller.now)
            .await?;
        let (first, to) = match within {
            Some(path) => (format!("{path}/"), Some(format!("{path}0"))),
            None => (String::new(), None),
        };
        let from = from.max(first.as_str());
        let which = match self.judge().sight() {
            Sight::Here => RepoKind::Filled,
            Sight::Elsewhere => RepoKind::Known,
        };
        let span = (from, to.as_deref());
        let args = (caller, &reach, which, span, limit);
        self.db
            .read(&args, |tx, (caller, reach, which, span, limit)| {
                Box::pin(async move {
                    let found = within_reach(tx, *which, reach, *span, *limit);
                    let (names, next) = found.await?;
                    let mut items = Vec::with_capacity(names.len());
                    for name in names {
                        let name: RepoName = name.parse().map_err(Error::internal)?;
                        let id = longshore_meta::repos::repo_id(tx, &name).await?;
                        let id = id.ok_or_else(|| missing("repository"))?;
                        items.push(seen(tx, caller, id, name).await?);
                    }
                    Ok(Listed { items, next })
                })
            })
            .await
    }

    /// Names of the repositories that lie in a namespace and the groups below it and that the caller may see, also of those that hold
    /// nothing, in their order, after `after`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn repository_names(
        &self,
        caller: &Caller,
        path: &str,
        after: &str,
        limit: usize,
    ) -> Result<Listed<String, String>> {
        let reach = self
            .judge()
            .reach(&caller.who, Action::RepositoryList, caller.now)
            .await?;
        let args = (path, after, limit + 1);
        let rows = self
            .db
            .read(&args, |tx, (path, after, limit)| {
                Box::pin(repo_below(tx, path, after, *limit))
            })
            .await?;
        let mut page = Listed::of(rows, limit, |(_, name)| name.clone());
        page.items.retain(|(_, name)| reach.has(name));
        Ok(Listed {
            items: page.items.into_iter().map(|(_, name)| name).collect(),
            next: page.next,
        })
    }

    /// Tags of a repository that the caller may see, each with what it points to, in byte order, after `after`.
    ///
    /// # Errors
    /// `NameUnknown` or `Unavailable`.
    pub async fn repository_tags(
        &self,
        caller: &Caller,
        name: &RepoName,
        after: &str,
        limit: usize,
    ) -> Result<Listed<(String, Digest), String>> {
        let object = Object::Repository(name.clone());
        self.see::<LIST, _, _>(caller, &object, (after, limit), |tx, permit, args| {
            Box::pin(tags(tx, permit, args.0, args.1))
        })
        .await
    }

    /// Pulls of a repository by tag and day, after a tag and a day.
    ///
    /// # Errors
    /// `NameUnknown` or `Unavailable`.
    pub async fn repository_pulls(
        &self,
        caller: &Caller,
        name: &RepoName,
        after: (&str, i64),
        limit: usize,
    ) -> Result<Listed<PullDay, (String, i64)>> {
        let object = Object::Repository(name.clone());
        self.see::<LIST, _, _>(caller, &object, (after, limit), |tx, permit, args| {
            Box::pin(async move {
                let (id, _) = of(tx, permit).await?;
                let mut rows = pulls_of(tx, id, args.0, args.1 + 1).await?;
                let limit = limit_of(tx, permit).await?;
                let next = (rows.len() > args.1)
                    .then(|| rows.get(args.1 - 1))
                    .flatten();
                let next = next.map(|row| (row.tag.clone(), row.day));
                rows.truncate(args.1);
                rows.retain(|row| shows(limit.as_ref(), &row.tag));
                Ok(Listed { items: rows, next })
            })
        })
        .await
    }
}

/// The repository a permit is for.
pub(super) async fn of(tx: &mut Tx<'_>, permit: &Permit<LIST>) -> Result<(i64, RepoName)> {
    let Some(name) = permit.object().repo() else {
        return Err(missing("repository"));
    };
    let found = name_resolve(tx, name, permit.micros()).await?;
    let id = found.repo.ok_or_else(|| missing("repository"))?;
    Ok((id, found.name))
}

async fn seen(tx: &mut Tx<'_>, caller: &Caller, id: i64, name: RepoName) -> Result<RepositorySeen> {
    let (created, manifests, tags) = repo_facts(tx, id).await?.unwrap_or_default();
    let object = Object::Repository(name.clone());
    let limited = limit(tx, caller, &object).await?.is_some();
    let starred = match caller.who.principal {
        Some(who) => star_is(tx, who, id).await?,
        None => false,
    };
    Ok(RepositorySeen {
        id,
        name,
        profile: profile_get(tx, id).await?.unwrap_or_default(),
        starred,
        created,
        manifests,
        tags,
        limited,
    })
}

/// The tags to which what the caller may see of a repository is limited.
pub(super) async fn limit_of(tx: &mut Tx<'_>, permit: &Permit<LIST>) -> Result<Option<TagLimit>> {
    limit(tx, permit.caller(), permit.object()).await
}

async fn limit(tx: &mut Tx<'_>, caller: &Caller, object: &Object) -> Result<Option<TagLimit>> {
    limit_to(tx, caller, Action::RepositoryList, object).await
}

/// To which tags somebody is limited who may do something with a repository; none: to no tags.
pub(crate) async fn limit_to(
    tx: &mut Tx<'_>,
    caller: &Caller,
    action: Action,
    object: &Object,
) -> Result<Option<TagLimit>> {
    let facts = Facts::load(tx, &caller.who, object, caller.now).await?;
    let question = Question::on(&caller.who, action, object.repo(), caller.now);
    Ok(decide(&facts, &question).limit)
}

/// Whether a limit lets a tag be seen; the empty one stands for content without a tag.
pub(crate) fn shows(limit: Option<&TagLimit>, tag: &str) -> bool {
    let Some(limit) = limit else { return true };
    tag.parse::<Tag>().is_ok_and(|tag| limit.allows(&tag))
}

async fn tags(
    tx: &mut Tx<'_>,
    permit: &Permit<LIST>,
    after: &str,
    limit: usize,
) -> Result<Listed<(String, Digest), String>> {
    let (id, _) = of(tx, permit).await?;
    let only = limit_of(tx, permit).await?;
    if only.is_none() {
        let rows = tag_page(tx, id, after, limit + 1).await?;
        return Ok(Listed::of(rows, limit, |row| row.0.clone()));
    }
    let (mut items, mut last) = (Vec::new(), after.to_owned());
    for _ in 0..OFTEN {
        let rows = tag_page(tx, id, &last, FEW).await?;
        let whole = rows.len() < FEW;
        for row in rows {
            if items.len() == limit {
                return Ok(Listed {
                    items,
                    next: Some(last),
                });
            }
            last.clone_from(&row.0);
            if shows(only.as_ref(), &row.0) {
                items.push(row);
            }
        }
        if whole {
            return Ok(Listed { items, next: None });
        }
    }
    Ok(Listed {
        items,
        next: Some(last),
    })
}

/// Names that are reached from `from` on and before `to`, and where to go on where there may be more.
async fn within_reach(
    tx: &mut Tx<'_>,
    which: RepoKind,
    reach: &Reach,
    (from, to): (&str, Option<&str>),
    limit: usize,
) -> Result<(Vec<String>, Option<String>)> {
    let mut found = Vec::new();
    let mut from = from.to_owned();
    let least = |one: Option<&str>| match (one, to) {
        (Some(one), Some(to)) => Some(one.min(to).to_owned()),
        (one, to) => one.or(to).map(str::to_owned),
    };
    for _ in 0..OFTEN {
        let Some((span, _)) = reach.next(&from) else {
            return Ok((found, None));
        };
        let end = least(span.to.as_deref());
        if end.as_ref().is_some_and(|end| *end <= span.from) {
            return Ok((found, None));
        }
        let names = repo_range(tx, which, &span.from, end.as_deref(), FEW).await?;
        let whole = names.len() < FEW;
        for name in names {
            if reach.has(&name) {
                if found.len() == limit {
                    return Ok((found, Some(name)));
                }
                found.push(name.clone());
            }
            from = format!("{name}\0");
        }
        if whole {
            match span.to {
                Some(next) => from = next,
                None => return Ok((found, None)),
            }
        }
    }
    Ok((found, Some(from)))
}
