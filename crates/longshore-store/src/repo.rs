//! Finding the repository a request is about.

use std::sync::Arc;

use longshore_core::{Code, Cx, Error, Result};
use longshore_meta::time::micros;
use longshore_meta::{Durability, repos};
use longshore_spec::name::RepoName;

use crate::cache::Repo;
use crate::store::Inner;

impl Inner {
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
        let id = self
            .db
            .read(name, |tx, name| Box::pin(repos::repo_id(tx, name)))
            .await?;
        Ok(id.map(|id| self.cache.repo_is(name, id)))
    }

    /// The repository called `name`, which is made if it is not there.
    pub(crate) async fn repo_or_new(&self, name: &RepoName, cx: &Cx) -> Result<Arc<Repo>> {
        if let Some(repo) = self.repo_if_any(name).await? {
            return Ok(repo);
        }
        let args = (name.clone(), micros(cx.now));
        let id = self
            .db
            .write(Durability::Process, args, |tx, (name, now)| {
                Box::pin(repos::repo_open(tx, name, *now))
            })
            .await?;
        Ok(self.cache.repo_is(name, id))
    }
}

/// The answer when there is no such repository.
pub(crate) fn unknown(name: &RepoName) -> Error {
    Error::new(
        Code::NameUnknown,
        format!("the repository {name} does not exist; a push makes it"),
    )
}
