//! What a handler gets: who asks, what for, and what was sent along, each part read into its type.

use bytes::Bytes;
use longshore_auth::index::Index;
use longshore_auth::rights::Object;
use longshore_hub::{Caller, Given, Hub, Once, Thing};
use longshore_spec::digest::Digest;
use longshore_spec::name::{RepoName, Tag};
use serde::de::DeserializeOwned;

use crate::body;
use crate::endpoint::Endpoint;
use crate::problem::Problem;
use crate::query::Query;
use crate::route::Values;

/// A request whose sender is known.
#[derive(Debug)]
pub(crate) struct Ask {
    /// The endpoint.
    pub(crate) endpoint: &'static Endpoint,
    /// Who asks.
    pub(crate) caller: Caller,
    /// The path as it was asked for, with what clients put before it.
    pub(crate) target: String,
    /// What stands before all paths of this API.
    pub(crate) base: String,
    /// What the query says.
    pub(crate) query: Query,
    /// The query as it came.
    pub(crate) raw_query: String,
    /// The body.
    pub(crate) body: Bytes,
    /// The marks in `If-Match`; `None`: it was not sent.
    pub(crate) marks: Option<Vec<String>>,
    /// What is asked for by a key of the caller's.
    pub(crate) once: Option<Once>,
    pub(crate) values: Values,
    /// Whose key cursors are sealed with.
    pub(crate) index: Index,
}

impl Ask {
    /// A value in the path.
    pub(crate) fn value(&self, name: &str) -> &str {
        let found = self.values.iter().find(|(known, _)| *known == name);
        found.map_or("", |(_, value)| value)
    }

    /// A name in the path that somebody has or could have.
    pub(crate) fn name(&self, of: &str) -> Result<&str, Problem> {
        let text = self.value(of);
        if text.contains('/') {
            return Err(Problem::invalid(format!("the name of a {of} has no slash")));
        }
        path_of(of, text)?;
        Ok(text)
    }

    /// An id in the path.
    pub(crate) fn id(&self) -> Result<i64, Problem> {
        let text = self.value("id");
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let id = text.parse().ok().filter(|id| digits && *id > 0);
        id.ok_or_else(|| Problem::invalid("an id is a whole number above 0"))
    }

    /// The path of a namespace in the path.
    pub(crate) fn namespace(&self) -> Result<&str, Problem> {
        let text = self.value("namespace");
        path_of("namespace", text)?;
        Ok(text)
    }

    /// The name of the repository in the path.
    pub(crate) fn repository(&self) -> Result<RepoName, Problem> {
        let text = self.value("repository");
        text.parse()
            .map_err(|error: longshore_spec::name::NameError| Problem::invalid(error.to_string()))
    }

    /// The digest in the path.
    pub(crate) fn digest(&self) -> Result<Digest, Problem> {
        let text = self.value("digest");
        text.parse()
            .map_err(|error: longshore_spec::digest::DigestError| {
                Problem::invalid(error.to_string())
            })
    }

    /// The tag in the path.
    pub(crate) fn tag(&self) -> Result<Tag, Problem> {
        let text = self.value("tag");
        text.parse()
            .map_err(|error: longshore_spec::name::TagError| Problem::invalid(error.to_string()))
    }

    /// The body as a type.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        body::read(&self.body)
    }

    /// The names and values of the query, as they came.
    pub(crate) fn asked(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.raw_query.split('&').filter(|pair| !pair.is_empty());
        pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
    }

    /// The use cases, for a change that may be made once and on no condition.
    pub(crate) fn hub(&self, hub: &Hub) -> Hub {
        hub.given(Given {
            unchanged: None,
            once: self.once.clone(),
        })
    }

    /// The use cases, for a change that may be made only if the thing is as it was seen, where the request says that.
    pub(crate) fn hub_for(&self, hub: &Hub, thing: Thing) -> Hub {
        let marks = self.marks.clone();
        // `*` asks that there be one; every change does.
        let marks = marks.filter(|marks| !marks.iter().any(|mark| mark == "*"));
        hub.given(Given {
            unchanged: marks.map(|marks| (thing, marks)),
            once: self.once.clone(),
        })
    }

    /// The path of something of this API.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("{}{rest}", self.base)
    }
}

/// Checks the path of a namespace, or a name.
pub(crate) fn path_of(what: &str, text: &str) -> Result<(), Problem> {
    RepoName::check(text).map_err(|error| Problem::invalid(format!("{what}: {error}")))
}

/// Reads what is asked about: `system`, a namespace where it ends with a slash, a repository, or a repository and a tag.
pub(crate) enum About {
    /// The installation.
    System,
    /// A namespace, by its path.
    Namespace(String),
    /// A repository, or a tag of it.
    Other(Object),
}

impl About {
    pub(crate) fn read(text: &str) -> Result<Self, Problem> {
        if text == "system" {
            return Ok(Self::System);
        }
        if let Some(path) = text.strip_suffix('/') {
            path_of("a namespace", path)?;
            return Ok(Self::Namespace(path.to_owned()));
        }
        let repository = |text: &str| {
            text.parse::<RepoName>()
                .map_err(|error| Problem::invalid(error.to_string()))
        };
        Ok(Self::Other(match text.split_once(':') {
            Some((repo, tag)) => {
                let tag: Tag = tag
                    .parse()
                    .map_err(|error: longshore_spec::name::TagError| {
                        Problem::invalid(error.to_string())
                    })?;
                Object::Tag(repository(repo)?, tag)
            }
            None => Object::Repository(repository(text)?),
        }))
    }
}
