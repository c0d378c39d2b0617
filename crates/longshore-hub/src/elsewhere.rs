//! Repositories of a registry elsewhere.
//!
//! What is pushed there is not told of here, and the token for the push is asked for here. So whoever is given one for a name that
//! nothing has yet makes the repository by it, as a first push does beside an index: it can be found, described, hidden and given
//! rights on from then on. A push that does not come leaves a repository without content.

use std::time::SystemTime;

use longshore_core::{Origin, Result};
use longshore_meta::names::name_resolve;
use longshore_meta::repos::repo_open;
use longshore_meta::time::micros;
use longshore_meta::{Durability, Tx};
use longshore_spec::name::RepoName;

use crate::beginning::born;
use crate::hub::Hub;
use crate::pushes::By;

/// Whose push was allowed, of what, and by which request.
#[derive(Debug, Clone)]
pub struct Pushes {
    /// The repositories.
    pub names: Vec<RepoName>,
    /// The name somebody logged in with; empty for a stranger.
    pub actor: String,
    /// How, and from where.
    pub origin: Origin,
    /// The request that was answered.
    pub request: u128,
    /// When.
    pub now: SystemTime,
}

impl Hub {
    /// Makes those of the repositories that are not known here. The right to make them was looked at by whoever allowed the push.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn pushes_elsewhere(&self, pushes: &Pushes) -> Result<()> {
        let unknown = self
            .db
            .read(pushes, |tx, pushes| Box::pin(unknown(tx, pushes)))
            .await?;
        if unknown.is_empty() {
            return Ok(());
        }
        let pushes = Pushes {
            names: unknown,
            ..pushes.clone()
        };
        self.db
            .write(Durability::Power, pushes, |tx, pushes| {
                Box::pin(make(tx, pushes))
            })
            .await
    }
}

/// The names that mean nothing here. One that leads elsewhere since something was moved means that.
async fn unknown(tx: &mut Tx<'_>, pushes: &Pushes) -> Result<Vec<RepoName>> {
    let mut names = Vec::new();
    for name in &pushes.names {
        let found = name_resolve(tx, name, micros(pushes.now)).await?;
        if found.repo.is_none() && found.name == *name {
            names.push(name.clone());
        }
    }
    Ok(names)
}

async fn make(tx: &mut Tx<'_>, pushes: &Pushes) -> Result<()> {
    let by = By {
        actor: pushes.actor.clone(),
        origin: pushes.origin,
        request: pushes.request,
        now: micros(pushes.now),
    };
    // Another token may have made them meanwhile.
    for name in unknown(tx, pushes).await? {
        let id = repo_open(tx, &name, by.now).await?;
        born(tx, (id, &name), &by).await?;
    }
    Ok(())
}
