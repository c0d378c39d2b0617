//! The direction of the house: which crate may use which, and which outside crates have a home.

use toml::{Table, Value};

use super::Finding;
use super::settings::Settings;
use super::source::words;
use super::tree::Tree;

/// One dependency as a manifest names it.
struct Edge {
    /// The name as written; the package it stands for is the same, for we rename none.
    to: String,
    line: usize,
    /// From `[dev-dependencies]`.
    for_tests: bool,
}

/// A crate of ours.
struct Member {
    manifest: String,
    folder: String,
    name: String,
    edges: Vec<Edge>,
}

/// An arrow points to a lower level; what is for tests is a dev-dependency.
pub(super) fn levels(tree: &Tree, settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in members(tree) {
        let Some(level) = settings.levels.get(&member.name) else {
            findings.push(Finding {
                path: member.manifest,
                line: 1,
                what: format!("crate {} has no level", member.name),
                why: "a crate without a level can be used by, and use, anything".to_owned(),
                fix: "give it one in tidy.toml, and a sentence in docs/ARCHITECTURE.md saying what it forbids".to_owned(),
            });
            continue;
        };
        for edge in &member.edges {
            let Some(below) = settings.levels.get(&edge.to) else {
                continue;
            };
            // What is for tests itself may be made of what is for tests.
            let test_only =
                settings.for_tests.contains(&edge.to) && !settings.for_tests.contains(&member.name);
            let finding = if test_only && !edge.for_tests {
                Some((
                    format!("{} is shipped with {}", edge.to, member.name),
                    "move it to [dev-dependencies]",
                ))
            } else if below >= level && !(test_only && edge.for_tests) {
                Some((
                    format!(
                        "{} (level {level}) uses {} (level {below})",
                        member.name, edge.to
                    ),
                    "move what both need to a lower level, or pass it in as a trait of the lower crate",
                ))
            } else {
                None
            };
            findings.extend(finding.map(|(what, fix)| Finding {
                path: member.manifest.clone(),
                line: edge.line,
                what,
                why: "an arrow only ever points to a lower level, so that each crate can be read without those above".to_owned(),
                fix: fix.to_owned(),
            }));
        }
    }
    findings
}

/// Outside crates stay where `tidy.toml` says they live. What only tests use is free.
pub(super) fn homes(tree: &Tree, settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in members(tree) {
        for edge in member.edges.iter().filter(|edge| !edge.for_tests) {
            let strange = settings.home.iter().find(|home| {
                home.dependencies.contains(&edge.to) && !home.crates.contains(&member.name)
            });
            findings.extend(strange.map(|home| Finding {
                path: member.manifest.clone(),
                line: edge.line,
                what: format!("{} must not depend on {}", member.name, edge.to),
                why: home.why.clone(),
                fix: home.instead.clone(),
            }));
        }
    }
    findings
}

/// A dependency that no file of the crate names is weight without use.
pub(super) fn unused(tree: &Tree, settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in members(tree) {
        for edge in &member.edges {
            let name = settings
                .libraries
                .get(&edge.to)
                .unwrap_or(&edge.to)
                .replace('-', "_");
            let mut sources = tree
                .under(&member.folder, "rs")
                .filter_map(|(_, file)| file.code.as_ref());
            if !sources.any(|code| words(&code.bare, &name).next().is_some()) {
                findings.push(Finding {
                    path: member.manifest.clone(),
                    line: edge.line,
                    what: format!("{} does not use {}", member.name, edge.to),
                    why: "every dependency is built, audited and read by others".to_owned(),
                    fix: "remove the line".to_owned(),
                });
            }
        }
    }
    findings
}

fn members(tree: &Tree) -> Vec<Member> {
    let manifests = tree
        .under("", "toml")
        .filter(|(path, _)| path.ends_with("/Cargo.toml"));
    let members = manifests.filter_map(|(path, file)| {
        let table: Table = file.text.parse().ok()?;
        let name = table.get("package")?.get("name")?.as_str()?.to_owned();
        let mut edges = Vec::new();
        collect(&table, &file.text, &mut edges);
        for target in table
            .get("target")
            .and_then(Value::as_table)
            .into_iter()
            .flat_map(Table::values)
        {
            if let Some(target) = target.as_table() {
                collect(target, &file.text, &mut edges);
            }
        }
        let folder = path.strip_suffix("Cargo.toml")?.to_owned();
        Some(Member {
            manifest: path.to_owned(),
            folder,
            name,
            edges,
        })
    });
    members.collect()
}

fn collect(table: &Table, text: &str, edges: &mut Vec<Edge>) {
    for section in ["dependencies", "build-dependencies", "dev-dependencies"] {
        let Some(dependencies) = table.get(section).and_then(Value::as_table) else {
            continue;
        };
        edges.extend(dependencies.keys().map(|to| Edge {
            to: to.clone(),
            line: line_in(text, section, to),
            for_tests: section == "dev-dependencies",
        }));
    }
}

/// The line of `name` under a header that ends in `section]`; 1 when the manifest is written in another way.
fn line_in(text: &str, section: &str, name: &str) -> usize {
    let mut inside = false;
    for (at, line) in text.lines().enumerate() {
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            inside = header == section || header.ends_with(&format!(".{section}"));
        } else if inside && line.split(['.', ' ', '=']).next() == Some(name) {
            return at + 1;
        }
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::settings::Home;
    use crate::tidy::tree::sample;

    fn settings() -> Settings {
        Settings {
            levels: [("low", 0), ("mid", 1), ("also-mid", 1), ("kit", 1)]
                .map(|(n, l)| (n.to_owned(), l))
                .into(),
            for_tests: vec!["kit".into()],
            home: vec![Home {
                dependencies: vec!["hyper".into()],
                crates: vec!["mid".into()],
                why: "w".into(),
                instead: "i".into(),
            }],
            ..Settings::default()
        }
    }

    fn tree(name: &str, rest: &str) -> Tree {
        let manifest = format!("[package]\nname = \"{name}\"\n{rest}");
        sample(&[
            ("crates/x/Cargo.toml", &manifest),
            ("crates/x/src/lib.rs", "use low::A; // hyper"),
        ])
    }

    #[test]
    fn an_arrow_to_the_same_or_a_higher_level_is_found_with_its_line() {
        assert_eq!(
            levels(
                &tree("mid", "[dependencies]\nlow.workspace = true\n"),
                &settings()
            ),
            []
        );
        let found = levels(
            &tree(
                "mid",
                "[dependencies]\nlow.workspace = true\nalso-mid = \"1\"\n",
            ),
            &settings(),
        );
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 5);
        assert_eq!(
            levels(
                &tree("low", "[target.'cfg(unix)'.dependencies]\nmid = \"1\"\n"),
                &settings()
            )
            .len(),
            1
        );
    }

    #[test]
    fn what_is_for_tests_is_a_dev_dependency_only() {
        assert_eq!(
            levels(
                &tree("mid", "[dev-dependencies]\nkit.workspace = true\n"),
                &settings()
            ),
            []
        );
        assert_eq!(
            levels(
                &tree("mid", "[dependencies]\nkit.workspace = true\n"),
                &settings()
            )
            .len(),
            1
        );
    }

    #[test]
    fn what_is_for_tests_may_be_made_of_what_is_for_tests() {
        let mut settings = settings();
        settings.levels.insert("harness".to_owned(), 7);
        let harness = tree("harness", "[dependencies]\nkit.workspace = true\n");
        assert_eq!(levels(&harness, &settings).len(), 1);
        settings.for_tests.push("harness".to_owned());
        assert_eq!(levels(&harness, &settings), []);
    }

    #[test]
    fn a_crate_without_a_level_is_found() {
        assert_eq!(levels(&tree("new", ""), &settings()).len(), 1);
    }

    #[test]
    fn an_outside_crate_away_from_its_home_is_found() {
        assert_eq!(
            homes(&tree("mid", "[dependencies]\nhyper = \"1\"\n"), &settings()),
            []
        );
        assert_eq!(
            homes(&tree("low", "[dependencies]\nhyper = \"1\"\n"), &settings()).len(),
            1
        );
        assert_eq!(
            homes(
                &tree("low", "[dev-dependencies]\nhyper = \"1\"\n"),
                &settings()
            ),
            []
        );
    }

    #[test]
    fn a_dependency_named_only_in_a_comment_is_unused() {
        let found = unused(
            &tree("mid", "[dependencies]\nlow = \"1\"\nhyper = \"1\"\n"),
            &settings(),
        );
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].what, "mid does not use hyper");
    }
}
