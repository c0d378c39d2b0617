//! The one place where rights are compared with operations.
//!
//! The gate speaks before the inner registry is asked, so "not there" and "not yours" are the same answer and nobody
//! learns what exists by asking for it.

use longshore_core::{Actor, Code, Cx, Error, Op, Result, Verb};
use longshore_spec::name::RepoName;

use crate::gate::{Gate, Outcome};

/// Compares what an operation needs with the rights of the caller.
///
/// Someone who has not said who they are gets `Unauthorized`, so that the edge can challenge them; anyone else gets
/// `Denied`. Both texts name the right that is missing and the repository it is missing on, which the caller named
/// first.
///
/// A mount needs two rights: to push where it goes, and to pull where it comes from. The gate refuses it for either. An
/// edge that must not answer a mount with 403 goes on with `start_upload`, which needs the first alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct RightsGate;

impl Gate for RightsGate {
    type Ticket = ();

    async fn enter(&self, cx: &Cx, op: &Op<'_>) -> Result<()> {
        match op
            .needs()
            .into_iter()
            .flatten()
            .find(|(repo, verb)| !cx.rights.allow_named(*repo, *verb, op.named()))
        {
            None => Ok(()),
            Some((repo, verb)) => {
                let tagged = cx.rights.allow(repo, verb);
                Err(refusal(&cx.actor, repo, verb, tagged))
            }
        }
    }

    fn leave(&self, _: &Cx, _: &Op<'_>, (): (), _: Outcome) {}
}

/// `tagged`: the right is there, and not for this tag.
fn refusal(actor: &Actor, repo: Option<&RepoName>, verb: Verb, tagged: bool) -> Error {
    let right = match verb {
        Verb::Pull => "pull from",
        Verb::Push => "push to",
        Verb::Delete => "delete from",
        Verb::Catalog => "list the repositories of",
    };
    let place = match repo {
        Some(repo) => format!("`{repo}`"),
        None => "this registry".to_owned(),
    };
    let place = match (tagged, verb) {
        (false, _) => place,
        (true, Verb::Delete) => format!("{place} what may have other tags than its own"),
        (true, _) => format!("{place} by this tag"),
    };
    match actor {
        Actor::Anonymous => Error::new(Code::Unauthorized, format!("log in to {right} {place}")),
        Actor::Named(_) | Actor::Job(_) => {
            Error::new(Code::Denied, format!("this login may not {right} {place}"))
        }
    }
}
