//! One point's conversation with the server.

use longshore_spec::digest::Digest;

use super::expect::{Held, Must};
use crate::wire::auth::escaped;
use crate::wire::{Answer, Ask, Wire};

/// One of the two repositories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Where nearly everything happens.
    Repo,
    /// Where mounts come from.
    Other,
}

/// A client, the repositories, and what was said so far.
pub(super) struct Talk<'a> {
    wire: &'a mut Wire,
    repo: &'a str,
    other: &'a str,
    said: String,
}

impl<'a> Talk<'a> {
    pub(super) fn new(wire: &'a mut Wire, repo: &'a str, other: &'a str) -> Self {
        Self {
            wire,
            repo,
            other,
            said: String::new(),
        }
    }

    /// The name of a repository.
    pub(super) fn name(&self, place: Place) -> &'a str {
        match place {
            Place::Repo => self.repo,
            Place::Other => self.other,
        }
    }

    /// A path in a repository: `/v2/<name>/<rest>`.
    pub(super) fn path(&self, place: Place, rest: &str) -> String {
        format!("/v2/{}/{rest}", self.name(place))
    }

    /// The path of a blob.
    pub(super) fn blob(&self, place: Place, digest: &Digest) -> String {
        self.path(place, &format!("blobs/{digest}"))
    }

    /// Says something and hears the answer.
    pub(super) async fn ask(&mut self, ask: Ask) -> Held<Answer> {
        self.said.push_str(&ask.to_string());
        let answer = self
            .wire
            .ask(&ask)
            .await
            .map_err(|error| format!("no answer: {error}"))?;
        self.said.push_str(&answer.to_string());
        answer.must_fail_by_the_book()?;
        Ok(answer)
    }

    /// What was said so far.
    pub(super) fn transcript(&self) -> &str {
        &self.said
    }
}

/// A target with one more parameter.
pub(super) fn with_param(target: &str, name: &str, value: &str) -> String {
    let sign = if target.contains('?') { '&' } else { '?' };
    format!("{target}{sign}{name}={}", escaped(value))
}
