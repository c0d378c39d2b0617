//! What is denied somebody further in: on some of what lies in a namespace, or for some tags.

use longshore_auth::rights::facts::Facts;
use longshore_auth::rights::ground::home;
use longshore_auth::rights::role::LIBRARY;
use longshore_auth::rights::rule::Rule;
use longshore_auth::rights::{Action, ActionSet, Object};
use longshore_core::Result;
use longshore_meta::Tx;
use longshore_meta::bindings::{Subject, binding_denied};
use longshore_meta::namespaces::{NamespaceId, namespace_get};
use longshore_meta::repos::repo_name;
use longshore_spec::pattern::{RepoPattern, RepoPatterns};

use super::is_general;
use crate::caller::Caller;
use crate::names::conflict;

/// The most denials of one subject that are looked at.
const DENIALS: usize = 1000;

/// What is denied those whose rights count on some of what lies in `object`. A repository has nothing in it: what is denied there is
/// among the facts.
///
/// # Errors
/// `ConditionFailed` where it is too much to be looked at, or `Unavailable`.
pub(super) async fn denied(
    tx: &mut Tx<'_>,
    facts: &Facts,
    object: &Object,
    caller: &Caller,
) -> Result<ActionSet> {
    let mut kept = ActionSet::NONE;
    if object.repo().is_some() {
        return Ok(kept);
    }
    let path = facts.ground.chain.last().map(|it| it.path.as_str());
    for party in &facts.parties {
        for subject in &party.subjects {
            if matches!(*subject, Subject::EVERYBODY | Subject::LOGGED_IN) {
                continue;
            }
            let rows = binding_denied(tx, *subject, DENIALS + 1).await?;
            if rows.len() > DENIALS {
                return Err(conflict(format!(
                    "`{}` is denied more than {DENIALS} things; take some back first",
                    caller.name
                )));
            }
            for rule in rows.iter().filter_map(Rule::read) {
                let ended = rule.expires.is_some_and(|end| end <= caller.micros());
                if !ended && !is_general(&rule) && lies_in(tx, &rule, path).await? {
                    let means = |action: &Action| rule.means(*action);
                    kept = kept.or(ActionSet::ALL.iter().filter(means).collect());
                }
            }
        }
    }
    Ok(kept)
}

/// Whether a rule could be about something in the namespace at `path`; in the system, where there is none.
async fn lies_in(tx: &mut Tx<'_>, rule: &Rule, path: Option<&str>) -> Result<bool> {
    let Some(path) = path else { return Ok(true) };
    let below = |name: &str| {
        name.strip_prefix(path)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    if let Some(repo) = rule.repo {
        let name = repo_name(tx, repo).await?;
        return Ok(name.is_some_and(|name| home(&name) == path || below(home(&name))));
    }
    let around = if rule.namespace == NamespaceId::EVERYWHERE {
        String::new()
    } else {
        match namespace_get(tx, rule.namespace).await? {
            Some(space) => space.path,
            None => return Ok(false),
        }
    };
    if below(&around) || around == path {
        return Ok(true);
    }
    let is_around = around.is_empty()
        || path
            .strip_prefix(&around)
            .is_some_and(|rest| rest.starts_with('/'));
    Ok(is_around
        && rule
            .repos
            .as_ref()
            .is_none_or(|list| meets(list, &around, path)))
}

/// Whether some name in `path` could be one that a list of patterns in `around` means.
fn meets(list: &RepoPatterns, around: &str, path: &str) -> bool {
    let inside = format!("{path}/");
    list.iter().any(|pattern: &RepoPattern| {
        let start = match around {
            "" => pattern.prefix().to_owned(),
            around => format!("{around}/{}", pattern.prefix()),
        };
        // Names of one component lie in `library`.
        let is_plain = path == LIBRARY && !start.contains('/');
        is_plain
            || start.starts_with(&inside)
            || (!pattern.is_exact() && inside.starts_with(&start))
    })
}
