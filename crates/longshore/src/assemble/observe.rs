//! What becomes of what the edge tells about each request.

use std::sync::Arc;

use longshore_http::edge::{End, Observed, Observer};
use longshore_hub::Pulls;
use longshore_spec::reference::Reference;

use crate::telemetry::access::AccessLog;
use crate::telemetry::requests::{Ended, Requests};

/// Counts each request, writes its line where lines are wanted, and counts pulls where somebody wants to know.
pub fn observer(
    requests: Arc<Requests>,
    access: Option<AccessLog>,
    pulls: Option<Pulls>,
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
    let last = observed.target.path().rsplit('/').next();
    let at = last.and_then(|last| last.replace("%3A", ":").parse::<Reference>().ok());
    if let (Some(repo), Some(at)) = (&observed.repo, at) {
        pulls.count(repo, &at);
    }
}
