//! `REGISTRY_*` variables over a `config.yml`.
//!
//! A name is cut at every underscore and each part looked up without regard to case; the value is YAML.
//! Variables are taken in the order of their names, so `REGISTRY_STORAGE=s3` comes before
//! `REGISTRY_STORAGE_S3_BUCKET`. Source: configuration/parser.go of Distribution.

use super::table;
use super::yaml::{Datum, Yaml, parse_variable};
use crate::config::Problem;

const PREFIX: &str = "REGISTRY_";

/// Parts of the file whose names are free, so that a variable may bring new ones.
const FREE: [&str; 3] = ["storage", "auth", "middleware"];

/// Puts the variables into the tree; returns what the operator should be told about those that fit nowhere.
///
/// # Errors
/// Every variable whose value is no YAML.
pub(super) fn apply(
    root: &mut Yaml,
    variables: &[(String, String)],
) -> Result<Vec<String>, Vec<Problem>> {
    let mut ours: Vec<_> = variables
        .iter()
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    ours.sort();
    let mut unknown = Vec::new();
    let mut problems = Vec::new();
    for (name, text) in ours {
        let Some(steps) = resolve(root, name) else {
            unknown.push(name.as_str());
            continue;
        };
        match parse_variable(name, text) {
            Ok(value) => put(root, &steps, value),
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let note = format!(
        "these variables name no key of Distribution's and are ignored: {}",
        unknown.join(", ")
    );
    Ok(if unknown.is_empty() {
        Vec::new()
    } else {
        vec![note]
    })
}

/// Whether `name` is a variable that sets a key of the table, or a part of the file that has such keys.
///
/// Stricter than what [`apply`] takes: beside a service called `registry-auth`, Kubernetes sets
/// `REGISTRY_AUTH_SERVICE_HOST`, which would be a new kind of login.
pub(super) fn is_known(name: &str) -> bool {
    let Some(steps) = resolve(&Yaml::null(""), name) else {
        return false;
    };
    let mut path = String::new();
    for step in &steps {
        match step {
            Step::Name(name) if path.is_empty() => path.push_str(name),
            Step::Name(name) => path.extend([".", name]),
            Step::Index(_) => path.push_str("[]"),
        }
        if table::row(&path).is_some() {
            return true;
        }
    }
    has_names(&path)
}

/// A step from a value into the one below it.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    Name(String),
    Index(usize),
}

/// The way from the root to what `variable` names; `None` when it names nothing that can be.
fn resolve(root: &Yaml, variable: &str) -> Option<Vec<Step>> {
    let mut at = Some(root);
    let mut path = String::new();
    let mut steps = Vec::new();
    for part in variable.strip_prefix(PREFIX)?.split('_') {
        if part.is_empty() {
            return None;
        }
        let items = at.map_or(&[][..], Yaml::items);
        if !items.is_empty()
            || table::is_list(&path)
            || (is_leaf(&path) && part.parse::<usize>().is_ok())
        {
            let index: usize = part.parse().ok()?;
            // Only the next free place may be filled, or the list would have holes.
            if index > items.len() {
                return None;
            }
            at = items.get(index);
            path.push_str("[]");
            steps.push(Step::Index(index));
            continue;
        }
        let name = name_for(at, &path, part)?;
        at = at.and_then(|value| value.child(&name));
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(&name);
        steps.push(Step::Name(name));
    }
    // The version decides how the file is read, so nothing may override it.
    (path != "version").then_some(steps)
}

/// The key that `part` of a variable's name stands for, under `path`, where the file has `at`.
fn name_for(at: Option<&Yaml>, path: &str, part: &str) -> Option<String> {
    let part = part.to_lowercase();
    let present = at
        .map_or(&[][..], Yaml::entries)
        .iter()
        .map(|(name, _)| name.clone());
    let known = table::names_under(path).map(str::to_owned);
    if let Some(name) = present
        .chain(known)
        .find(|name| name.to_lowercase() == part)
    {
        return Some(name);
    }
    let renamed = table::GO_NAMES
        .iter()
        .find(|(go, _)| *go == part)
        .map(|(_, yaml)| *yaml);
    if let Some(renamed) = renamed.filter(|yaml| table::names_under(path).any(|name| name == *yaml))
    {
        return Some(renamed.to_owned());
    }
    (FREE.contains(&path) || is_leaf(path)).then_some(part)
}

/// Whether the table treats all below `path` alike, so that it does not know the names there.
fn is_leaf(path: &str) -> bool {
    let mut at = path;
    loop {
        if table::row(at).is_some() {
            return true;
        }
        match at.rfind(['.', '[']) {
            Some(end) => at = at.get(..end).unwrap_or_default(),
            None => {
                return FREE
                    .iter()
                    .any(|free| path.starts_with(&format!("{free}.")) && !has_names(path));
            }
        }
    }
}

fn has_names(path: &str) -> bool {
    table::names_under(path).next().is_some()
}

/// Puts `value` where `steps` lead, making maps and lists on the way.
fn put(at: &mut Yaml, steps: &[Step], value: Yaml) {
    let Some((step, rest)) = steps.split_first() else {
        *at = value;
        return;
    };
    let place = value.place.clone();
    match step {
        Step::Name(name) => {
            // `auth: htpasswd` is short for a map with that one name.
            if let Datum::Text(text) = &at.datum {
                at.datum = Datum::Map(vec![(text.clone(), Yaml::null(&place))]);
            } else if !matches!(at.datum, Datum::Map(_)) {
                *at = Yaml {
                    datum: Datum::Map(Vec::new()),
                    place: place.clone(),
                };
            }
            let Datum::Map(entries) = &mut at.datum else {
                return;
            };
            if !entries.iter().any(|(key, _)| key == name) {
                entries.push((name.clone(), Yaml::null(&place)));
            }
            if let Some((_, entry)) = entries.iter_mut().find(|(key, _)| key == name) {
                put(entry, rest, value);
            }
        }
        Step::Index(index) => {
            if !matches!(at.datum, Datum::List(_)) {
                *at = Yaml {
                    datum: Datum::List(Vec::new()),
                    place: place.clone(),
                };
            }
            let Datum::List(items) = &mut at.datum else {
                return;
            };
            if *index == items.len() {
                items.push(Yaml::null(&place));
            }
            if let Some(item) = items.get_mut(*index) {
                put(item, rest, value);
            }
        }
    }
}
