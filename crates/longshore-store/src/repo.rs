//! Finding the repository a request is about.

use std::borrow::Cow;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use longshore_core::{Code, Cx, Error, Result};
use longshore_meta::names::name_resolve;
use longshore_meta::time::micros;
use longshore_meta::{Durability, Tx, repos};
use longshore_spec::name::RepoName;

use crate::cache::Repo;
use crate::gone::By;
use crate::store::Inner;

/// A repository that is made.
#[derive(Debug, Clone)]
pub struct NewRepo {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: RepoName,
    /// Who made it.
    pub by: By,
}

/// What belongs to the making of a repository, in the transaction that makes it.
pub type Born = for<'t> fn(&'t mut Tx<'_>, &'t NewRepo) -> BoxFuture<'t, Result<()>>;

/// The repository that a write is for: the one of that name, or a new one.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    name: RepoName,
    by: By,
    born: Option<Born>,
}

impl Inner {
    /// The name today of the repository that `name` means: that name, or the one it led to when it was given up. A name that was
    /// given up has no state of its own, so that what is remembered of a repository is remembered once. Whatever
    /// a client asks of a repository begins here, and is counted.
    pub(crate) async fn called<'n>(&self, name: &'n RepoName) -> Result<Cow<'n, RepoName>> {
        self.gc.request_came();
        // Without an index nothing is ever renamed.
        if self.options.born.is_none() || self.cache.repo(name).is_some() {
            return Ok(Cow::Borrowed(name));
        }
        let args = (name, micros((self.clock)()));
        let found = self
            .db
            .read(&args, |tx, (name, now)| {
                Box::pin(name_resolve(tx, name, *now))
            })
            .await?;
        Ok(if found.name == *name {
            Cow::Borrowed(name)
        } else {
            Cow::Owned(found.name)
        })
    }

    /// The repository called `name`.
    ///
    /// # Errors
    /// `NameUnknown`.
    pub(crate) async fn repo(&self, name: &RepoName) -> Result<Arc<Repo>> {
        self.repo_if_any(name).await?.ok_or_else(|| unknown(name))
    }

    /// The repository called `name`, where there is one.
    pub(crate) async fn repo_if_any(&self, name: &RepoName) -> Result<Option<Arc<Repo>>> {
        if let Some(repo) = self.cache.repo(name) {
            return Ok(Some(repo));
        }
        let names = self.cache.names();
        if self.options.born.is_some() {
            // It may have got another name since the request began.
            let args = (name, micros((self.clock)()));
            let found = self
                .db
                .read(&args, |tx, (name, now)| {
                    Box::pin(name_resolve(tx, name, *now))
                })
                .await?;
            let id = found.repo;
            return Ok(id.map(|id| self.cache.repo_as_of(names, &found.name, id)));
        }
        let id = self
            .db
            .read(name, |tx, name| Box::pin(repos::repo_id(tx, name)))
            .await?;
        Ok(id.map(|id| self.cache.repo_as_of(names, name, id)))
    }

    /// The repository called `name`, which is made if it is not there.
    pub(crate) async fn repo_or_new(&self, name: &RepoName, cx: &Cx) -> Result<Arc<Repo>> {
        if let Some(repo) = self.repo_if_any(name).await? {
            return Ok(repo);
        }
        let names = self.cache.names();
        let args = self.opening(name, cx);
        let id = self
            .db
            .write(Durability::Process, args, |tx, args| {
                Box::pin(args.open(tx))
            })
            .await?;
        Ok(self.cache.repo_as_of(names, name, id))
    }

    /// The repository that a write for `name` is for.
    pub(crate) fn opening(&self, name: &RepoName, cx: &Cx) -> Opening {
        Opening {
            name: name.clone(),
            by: By::of(cx),
            born: self.options.born,
        }
    }
}

/// The id of the repository whose session ends. It may have got another name since the request began; `follows` says whether that can
/// be.
pub(crate) async fn opened(
    tx: &mut Tx<'_>,
    name: &RepoName,
    now: i64,
    follows: bool,
) -> Result<i64> {
    if follows
        && repos::repo_id(tx, name).await?.is_none()
        && let Some(id) = name_resolve(tx, name, now).await?.repo
    {
        return Ok(id);
    }
    repos::repo_open(tx, name, now).await
}

impl Opening {
    /// Its id. What belongs to the making of a repository is done with it, in this transaction; a refusal undoes both.
    pub(crate) async fn open(&self, tx: &mut Tx<'_>) -> Result<i64> {
        let Some(born) = self.born else {
            return repos::repo_open(tx, &self.name, self.by.now).await;
        };
        if let Some(id) = name_resolve(tx, &self.name, self.by.now).await?.repo {
            return Ok(id);
        }
        let id = repos::repo_open(tx, &self.name, self.by.now).await?;
        let new = NewRepo {
            id,
            name: self.name.clone(),
            by: self.by.clone(),
        };
        born(tx, &new).await?;
        Ok(id)
    }
}

/// The answer when there is no such repository.
pub(crate) fn unknown(name: &RepoName) -> Error {
    Error::new(
        Code::NameUnknown,
        format!("the repository {name} does not exist; a push makes it"),
    )
}
