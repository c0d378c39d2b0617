//! Accounts for every key of the file: what works is left to [`super::mapping`], the rest is said or refused.

use super::table::{self, Effect};
use super::yaml::{Datum, Yaml};
use crate::config::origin::Origin;
use crate::config::problem::nearest;
use crate::config::{Problem, Reader};

/// Walks the tree; what has no effect goes to `notes`, what refuses the start to `reader`.
pub(super) fn collect(root: &Yaml, reader: &mut Reader, notes: &mut Vec<String>) {
    walk(
        root,
        "",
        &mut Notices {
            reader,
            notes,
            said: Vec::new(),
        },
    );
}

struct Notices<'a> {
    reader: &'a mut Reader,
    notes: &'a mut Vec<String>,
    /// Rows that were spoken of: the third health check of a list is not worth a third line.
    said: Vec<&'static str>,
}

fn walk(value: &Yaml, path: &str, notices: &mut Notices<'_>) {
    match &value.datum {
        Datum::Map(entries) => {
            for (name, entry) in entries {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                visit(entry, &path, notices);
            }
        }
        Datum::List(items) => {
            let path = format!("{path}[]");
            for item in items {
                walk(item, &path, notices);
            }
        }
        // `auth: silly` is short for a map with that one name.
        Datum::Text(name) if matches!(path, "auth" | "storage") => {
            visit(
                &Yaml::null(&value.place),
                &format!("{path}.{name}"),
                notices,
            );
        }
        _ => {}
    }
}

fn visit(value: &Yaml, path: &str, notices: &mut Notices<'_>) {
    let Some(row) = table::row(path) else {
        if table::names_under(path).next().is_some() || table::is_list(path) {
            walk(value, path, notices);
        } else {
            unknown(value, path, notices);
        }
        return;
    };
    match row.effect {
        Effect::Always(always, _) if value.switch() == Some(always) => {}
        Effect::NoEffect(why) | Effect::Always(_, why) => {
            let switched_off = !value.items().is_empty() && !value.says_something();
            let is_there = value.datum != Datum::Null && !switched_off;
            if is_there && !notices.said.contains(&row.path) {
                notices.said.push(row.path);
                let note = format!("{}: `{path}` has no effect: {why}", value.place);
                notices.notes.push(note);
            }
        }
        Effect::Refused(why) if value.says_something() => refuse(value, path, why, notices),
        Effect::Works(_) | Effect::Refused(_) => {}
        Effect::RefusedByName(why) => refuse(value, path, why, notices),
    }
}

fn refuse(value: &Yaml, path: &str, why: &str, notices: &mut Notices<'_>) {
    let what = format!("`{path}` does not work here: {why}");
    let problem = Problem::new(Origin::Distribution(value.place.clone()), what);
    let can_be_left_out = !path.starts_with("storage.");
    notices.reader.problem(if can_be_left_out {
        problem.hint("leave it out if you can do without it")
    } else {
        problem
    });
}

/// Drivers decide where content is and who may reach it, so an unknown one is refused; any other
/// unknown key is ignored by Distribution too.
fn unknown(value: &Yaml, path: &str, notices: &mut Notices<'_>) {
    let at = || Origin::Distribution(value.place.clone());
    if let Some(driver) = path.strip_prefix("storage.") {
        let what = format!("there is no storage driver `{driver}`");
        notices.reader.problem(Problem::new(at(), what));
    } else if let Some(kind) = path
        .strip_prefix("auth.")
        .filter(|kind| !kind.contains('.'))
    {
        let what = format!("there is no kind of login `{kind}`");
        notices
            .reader
            .problem(Problem::new(at(), what).hint("there are htpasswd and token"));
    } else {
        let near = nearest(path, table::ROWS.iter().map(|row| row.path));
        let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        notices.notes.push(format!(
            "{}: `{path}` is no key of Distribution's and is ignored{hint}",
            value.place
        ));
    }
}
