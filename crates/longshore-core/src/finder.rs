//! Finding repositories by words: a port, so that the protocol's edge knows no index.

use std::fmt;

use async_trait::async_trait;
use longshore_spec::name::RepoName;

use crate::cx::Cx;
use crate::error::Result;

/// Finds repositories: all of what is known of them is looked at, or only their names. Only what the caller may pull from is
/// ever given.
#[async_trait]
pub trait Finder: fmt::Debug + Send + Sync + 'static {
    /// The repositories that `query` means, best first.
    ///
    /// # Errors
    /// `QueryInvalid` when it is not understood, with words for whoever typed it; `Unavailable`, also when it takes too long.
    async fn find(&self, cx: &Cx, query: &str, seek: &Seek) -> Result<Finds>;
}

/// Which part of what is found is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seek {
    /// What [`Finds::next`] of the part before said.
    pub after: Option<String>,
    /// How many at the most.
    pub limit: usize,
}

/// A repository that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Find {
    /// Which.
    pub name: RepoName,
    /// What it says it is: text that somebody wrote, without control characters.
    pub description: String,
    /// How many have starred it.
    pub stars: u64,
    /// How often it was pulled.
    pub pulls: u64,
}

/// A part of what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finds {
    /// Best first.
    pub items: Vec<Find>,
    /// What leads to the part after this one; none where there is none.
    pub next: Option<String>,
}
