//! The repositories on which somebody may do something, as ranges of names: made from namespaces and bindings, and from the few
//! repositories that are not as their namespace is.

use std::time::SystemTime;

use futures_util::future::BoxFuture;
use longshore_core::reach::{Part, Span};
use longshore_core::{Reach, Result};
use longshore_meta::Tx;
use longshore_meta::bindings::binding_of;
use longshore_meta::namespaces::{
    NamespaceId, Visibility, namespace_get, namespace_hidden, namespace_visible,
};
use longshore_meta::profiles::profile_narrowed;
use longshore_meta::repos::repo_name;
use longshore_spec::name::RepoName;
use longshore_spec::pattern::{RepoPattern, RepoPatterns};

use super::action::{Action, Place};
use super::decide::inactive;
use super::facts::{MAKERS, Party};
use super::role::{LIBRARY, VISIBLE};
use super::rule::Rule;
use super::who::Who;

/// The most bindings of one subject that are looked at.
const MOST: usize = 100_000;

/// What somebody reaches, as a robot's maker would limit it.
pub(super) fn load<'a>(
    tx: &'a mut Tx<'_>,
    who: &'a Who,
    action: Action,
    now: SystemTime,
) -> BoxFuture<'a, Result<Reach>> {
    Box::pin(async move {
        if who.is_operator() {
            return Ok(Reach::all());
        }
        if action.about().place != Place::Repository {
            return Ok(Reach::nothing());
        }
        let mut limits = Vec::new();
        if let Some(narrow) = &who.narrowed {
            if !narrow.actions.has(action) {
                return Ok(Reach::nothing());
            }
            if narrow.is_of_some() {
                let patterns = narrow.repos.iter().flat_map(RepoPatterns::iter);
                let mut parts: Vec<Part> = patterns.cloned().map(Part::like).collect();
                for id in &narrow.ids {
                    let name = repo_name(tx, *id).await?;
                    parts.extend(name.map(|name| Part::from(Span::exactly(name.as_str()))));
                }
                limits.push(Reach::new(parts, Vec::new()));
            }
        }
        let (mut next, mut parties) = (Some(who.principal), 0);
        while let Some(id) = next {
            if parties == MAKERS {
                return Ok(Reach::nothing());
            }
            parties += 1;
            let mut party = Party::load(tx, id).await?;
            if inactive(&party, now).is_some() {
                return Ok(Reach::nothing());
            }
            for subject in party.subjects.clone() {
                let rows = binding_of(tx, subject, MOST).await?;
                party.rules.extend(rows.iter().filter_map(Rule::read));
            }
            party
                .rules
                .retain(|rule| rule.means(action) && rule.sleeps(who.from, now).is_none());
            limits.push(of_party(tx, &party, action).await?);
            next = party.maker();
        }
        let mut limits = limits.into_iter();
        let first = limits.next().unwrap_or_default();
        Ok(limits.fold(first, Reach::both))
    })
}

async fn of_party(tx: &mut Tx<'_>, party: &Party, action: Action) -> Result<Reach> {
    let (mut allow, mut deny) = (Vec::new(), Vec::new());
    if VISIBLE.has(action) {
        allow = visible(tx, party).await?;
    }
    for rule in &party.rules {
        // What is denied for some tags is not denied for all.
        if rule.deny && rule.tags.is_some() {
            continue;
        }
        let parts = parts(tx, rule).await?;
        if rule.deny {
            deny.extend(parts);
        } else {
            allow.extend(parts);
        }
    }
    Ok(Reach::new(allow, deny))
}

/// What anybody sees, or anybody who has logged in.
async fn visible(tx: &mut Tx<'_>, party: &Party) -> Result<Vec<Part>> {
    let least = match party.id {
        Some(_) => Visibility::Internal,
        None => Visibility::Public,
    };
    let hidden = namespace_hidden(tx, least).await?;
    let narrowed = profile_narrowed(tx, least).await?;
    let mut except: Vec<Span> = hidden.iter().map(|path| Span::below(path)).collect();
    except.extend(narrowed.iter().map(|name| Span::exactly(name)));
    except.sort();
    let mut parts = Vec::new();
    for path in namespace_visible(tx, least).await? {
        parts.extend(all_of(&path));
    }
    for part in &mut parts {
        part.except = if part.plain {
            except
                .iter()
                .filter(|span| !span.from.contains('/'))
                .cloned()
                .collect()
        } else {
            let from = except.partition_point(|span| span.from < part.span.from);
            let inside = except.iter().skip(from);
            inside
                .take_while(|span| part.span.to.as_ref().is_none_or(|to| span.from < *to))
                .cloned()
                .collect()
        };
    }
    Ok(parts)
}

/// All that lies in a namespace.
fn all_of(path: &str) -> Vec<Part> {
    let mut parts = vec![Part::from(Span::below(path))];
    if path == LIBRARY {
        let mut plain = Part::from(Span::all());
        plain.plain = true;
        parts.push(plain);
    }
    parts
}

/// The names that a rule is for.
async fn parts(tx: &mut Tx<'_>, rule: &Rule) -> Result<Vec<Part>> {
    let path = if rule.namespace == NamespaceId::EVERYWHERE {
        None
    } else {
        match namespace_get(tx, rule.namespace).await? {
            Some(namespace) => Some(namespace.path),
            None => return Ok(Vec::new()),
        }
    };
    if let Some(id) = rule.repo {
        let Some(name) = repo_name(tx, id).await? else {
            return Ok(Vec::new());
        };
        let below = path
            .as_deref()
            .map_or(name.as_str(), |path| below(path, &name));
        let meant = rule.repos.as_ref().is_none_or(|list| list.matches(below));
        return Ok(if meant {
            vec![Span::exactly(name.as_str()).into()]
        } else {
            Vec::new()
        });
    }
    let Some(patterns) = &rule.repos else {
        return Ok(path.map_or_else(|| vec![Span::all().into()], |path| all_of(&path)));
    };
    let mut parts = Vec::new();
    for pattern in patterns {
        match path.as_deref() {
            None => parts.push(Part::like(pattern.clone())),
            Some(path) => {
                parts.extend(inside(path, pattern));
                if path == LIBRARY {
                    let mut plain = Part::like(pattern.clone());
                    plain.plain = true;
                    parts.push(plain);
                }
            }
        }
    }
    Ok(parts)
}

fn below<'n>(path: &str, name: &'n RepoName) -> &'n str {
    let rest = name.as_str().strip_prefix(path);
    rest.and_then(|rest| rest.strip_prefix('/'))
        .unwrap_or(name.as_str())
}

/// The names in a namespace whose rest a pattern means.
fn inside(path: &str, pattern: &RepoPattern) -> Option<Part> {
    // Together they may be longer than any pattern; then they mean no name that there can be.
    let whole = pattern.below(path).parse().ok()?;
    Some(Part::like(whole))
}
