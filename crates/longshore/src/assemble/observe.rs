//! What becomes of what the edge tells about each request.

use std::sync::Arc;

use longshore_auth::rights::Action;
use longshore_core::{Actor, Origin};
use longshore_http::edge::{End, Observed, Observer};
use longshore_hub::{Pulls, Read, Reads, Turned, TurnedAway};
use longshore_spec::reference::Reference;

use crate::telemetry::access::AccessLog;
use crate::telemetry::requests::{Ended, Requests};

/// Counts each request, writes its line where lines are wanted, and counts pulls and notes reads where somebody wants to know.
pub fn observer(
    requests: Arc<Requests>,
    access: Option<AccessLog>,
    pulls: Option<Pulls>,
    reads: Option<Reads>,
    turned: Option<TurnedAway>,
) -> Observer {
    Observer::new(move |observed| {
        requests.count(&Ended {
            route: observed.route,
            method: observed.method.as_str(),
            status: observed.status.map_or(499, |status| status.as_u16()),
            duration: observed.duration,
            received: observed.received,
            sent: observed.sent,
            cut: observed.end == End::Cut,
        });
        if let Some(access) = &access {
            access.log(observed);
        }
        if let Some(pulls) = &pulls {
            count_pull(pulls, observed);
        }
        if let Some(reads) = &reads {
            note_read(reads, observed);
        }
        if let Some(turned) = &turned {
            note_turned(turned, observed);
        }
    })
}

/// A pull is a manifest that was read to its end.
fn count_pull(pulls: &Pulls, observed: &Observed) {
    let is_pull = observed.route == "manifest"
        && observed.method == http::Method::GET
        && observed.status == Some(http::StatusCode::OK)
        && observed.end == End::Whole;
    if !is_pull {
        return;
    }
    if let (Some(repo), Some(at)) = (&observed.repo, reference(observed)) {
        pulls.count(repo, &at);
    }
}

/// The tag or digest that was asked for, of a manifest or a blob.
fn reference(observed: &Observed) -> Option<Reference> {
    let last = observed.target.path().rsplit('/').next()?;
    last.replace("%3A", ":").parse().ok()
}

/// A read is a manifest or a blob that was given, or some of it, or where to get it.
fn note_read(reads: &Reads, observed: &Observed) {
    let is_read = matches!(observed.route, "manifest" | "blob")
        && observed.method == http::Method::GET
        && observed
            .status
            .is_some_and(|status| matches!(status.as_u16(), 200 | 206 | 307));
    if !is_read || !reads.is_next() {
        return;
    }
    let (Some(repo), Some(what)) = (&observed.repo, reference(observed)) else {
        return;
    };
    reads.note(Read {
        at: observed.begun,
        name: match &observed.actor {
            Actor::Named(name) => name.clone(),
            Actor::Anonymous | Actor::Job(_) => "".into(),
        },
        via: observed.way,
        from: observed.peer,
        repo: repo.clone(),
        what: what.to_string(),
        request: observed.request,
    });
}

/// Somebody who has logged in is turned away when they may not change what they want to. A stranger is asked who they are, which is how
/// each login begins.
fn note_turned(turned: &TurnedAway, observed: &Observed) {
    let is_refused = observed
        .status
        .is_some_and(|status| matches!(status.as_u16(), 401 | 403));
    let (Actor::Named(name), Some(repo), true) = (&observed.actor, &observed.repo, is_refused)
    else {
        return;
    };
    let is_tag = || reference(observed).is_some_and(|at| matches!(at, Reference::Tag(_)));
    let action = match (observed.route, &observed.method) {
        ("manifest", &http::Method::DELETE) if is_tag() => Action::TagDelete,
        ("manifest" | "blob", &http::Method::DELETE) => Action::RepositoryDelete,
        (_, &http::Method::GET | &http::Method::HEAD | &http::Method::DELETE) => return,
        _ => Action::RepositoryPush,
    };
    let named = matches!(observed.route, "manifest" | "blob");
    turned.note(Turned {
        name: name.clone(),
        origin: Origin {
            way: observed.way,
            address: Some(observed.peer),
        },
        action,
        repo: repo.clone(),
        what: reference(observed)
            .filter(|_| named)
            .map(|at| at.to_string()),
        request: (observed.request, observed.begun),
    });
}
