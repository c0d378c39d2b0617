//! `docker search`: Docker's V1 protocol, as far as engines still speak it.
//!
//! Source: moby, `daemon/pkg/registry/search_session.go`. An engine asks `/v1/_ping` whether the registry is a standalone one: of one
//! that is not, anonymous users are sent without credentials, and others with theirs. It takes no answer but 200, and shows no
//! error's words.

use http::{HeaderValue, StatusCode};
use longshore_core::{Error, Seek};
use longshore_spec::route::RouteError;
use serde::Serialize;

use super::enter::Visit;
use super::errors::Answer;
use super::reply::Reply;
use super::{Edge, names};

/// How many results are given where nobody says how many.
const UNASKED: u64 = 25;
/// How many are given at the most.
const MOST: u64 = 100;

#[derive(Serialize)]
struct Answered<'a> {
    query: &'a str,
    num_results: usize,
    results: Vec<Found<'a>>,
}

#[derive(Serialize)]
struct Found<'a> {
    name: &'a str,
    description: &'a str,
    star_count: u64,
    is_official: bool,
    is_automated: bool,
    is_trusted: bool,
}

/// The answer to `/v1/_ping`.
pub(super) fn ping() -> Reply {
    engines(Reply::new(StatusCode::OK).json(names::JSON, br#"{"standalone":false}"#.to_vec()))
}

fn engines(reply: Reply) -> Reply {
    reply.with(
        names::DOCKER_REGISTRY_STANDALONE,
        HeaderValue::from_static("false"),
    )
}

impl Edge {
    /// Repositories that the caller may pull from, by words, best first.
    pub(super) async fn search(&self, visit: &Visit<'_>, words: &str, n: Option<u64>) -> Answer {
        let Some(finder) = &self.0.options.finder else {
            return Err(RouteError::NotFound.into());
        };
        let n = n.unwrap_or(UNASKED).clamp(1, MOST);
        let seek = Seek {
            after: None,
            limit: usize::try_from(n).unwrap_or(1),
        };
        let found = finder.find(&visit.cx, words, &seek).await?;
        let results: Vec<_> = found
            .items
            .iter()
            .map(|find| {
                let name = find.name.as_str();
                Found {
                    name,
                    description: &find.description,
                    star_count: find.stars,
                    // Those of the place that belongs to nobody.
                    is_official: !name.contains('/') || name.starts_with("library/"),
                    is_automated: false,
                    is_trusted: false,
                }
            })
            .collect();
        let answered = Answered {
            query: words,
            num_results: results.len(),
            results,
        };
        let json = serde_json::to_vec(&answered).map_err(Error::internal)?;
        Ok(engines(Reply::new(StatusCode::OK).json(names::JSON, json)))
    }
}
