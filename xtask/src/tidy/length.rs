//! No file is longer than a person reads in one sitting.
//!
//! Counted are lines of Rust, shell and Go; SQL and generated pages are data.

use super::Finding;
use super::settings::{Exception, Settings};
use super::tree::Tree;

const WHY: &str =
    "a file that holds one idea fits the limit; longer ones hid two in every registry we read";

pub(super) fn check(tree: &Tree, settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    for extension in ["rs", "sh", "go"] {
        for (path, file) in tree.under("", extension) {
            let lines = file.text.lines().count();
            let exception = settings.length.exception.iter().find(|e| e.path == path);
            let limit = exception.map_or(settings.length.lines, |e| e.lines);
            if lines > limit {
                findings.push(Finding {
                    path: path.to_owned(),
                    line: limit + 1,
                    what: format!("{lines} lines; the limit is {limit}"),
                    why: WHY.to_owned(),
                    fix: "split it by idea; if that is truly wrong, add a dated exception with its reason to tidy.toml"
                        .to_owned(),
                });
            }
        }
    }
    let stale = settings
        .length
        .exception
        .iter()
        .filter_map(|exception| stale(tree, settings, exception));
    findings.extend(stale);
    findings
}

/// An exception that is not needed, not dated or not explained.
fn stale(tree: &Tree, settings: &Settings, exception: &Exception) -> Option<Finding> {
    let lines = tree
        .get(&exception.path)
        .map_or(0, |file| file.text.lines().count());
    let dated = exception.date.len() == 10
        && exception
            .date
            .bytes()
            .enumerate()
            .all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
    let (what, fix) = if lines <= settings.length.lines {
        (
            format!("the length exception for {} is not needed", exception.path),
            "remove it",
        )
    } else if !dated || exception.reason.trim().is_empty() {
        (
            format!(
                "the length exception for {} has no date or no reason",
                exception.path
            ),
            "give it both",
        )
    } else {
        return None;
    };
    Some(Finding {
        path: "tidy.toml".to_owned(),
        line: 1,
        what,
        why: "exceptions that nobody can weigh only grow".to_owned(),
        fix: fix.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::settings::Length;
    use crate::tidy::tree::sample;

    fn settings(exception: Vec<Exception>) -> Settings {
        Settings {
            length: Length {
                lines: 3,
                exception,
            },
            ..Settings::default()
        }
    }

    fn exception(date: &str, reason: &str) -> Exception {
        Exception {
            path: "a.rs".into(),
            lines: 5,
            date: date.into(),
            reason: reason.into(),
        }
    }

    #[test]
    fn a_file_over_the_limit_is_found_at_its_first_line_too_many() {
        let tree = sample(&[
            ("a.rs", "1\n2\n3\n4\n"),
            ("b.rs", "1\n2\n3\n"),
            ("c.sql", "1\n2\n3\n4\n5\n"),
        ]);
        let found = check(&tree, &settings(Vec::new()));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].path.as_str(), found[0].line), ("a.rs", 4));
    }

    #[test]
    fn a_dated_exception_with_a_reason_is_heard_up_to_its_own_limit() {
        let settings = settings(vec![exception("2026-01-31", "one table")]);
        assert_eq!(
            check(&sample(&[("a.rs", "1\n2\n3\n4\n5\n")]), &settings),
            []
        );
        assert_eq!(
            check(&sample(&[("a.rs", "1\n2\n3\n4\n5\n6\n")]), &settings).len(),
            1
        );
    }

    #[test]
    fn an_exception_that_is_idle_undated_or_unexplained_is_found() {
        let long = sample(&[("a.rs", "1\n2\n3\n4\n")]);
        for bad in [exception("soon", "x"), exception("2026-01-31", " ")] {
            assert_eq!(check(&long, &settings(vec![bad])).len(), 1);
        }
        let short = sample(&[("a.rs", "1\n")]);
        assert_eq!(
            check(&short, &settings(vec![exception("2026-01-31", "x")])).len(),
            1
        );
    }
}
