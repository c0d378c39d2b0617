//! Documents that keep up with the code: decisions can be found, links lead somewhere, tables are whole, modules say why they exist.

use std::path::{Component, Path, PathBuf};

use super::Finding;
use super::settings::Settings;
use super::source::{line_of, words};
use super::tree::{Tree, is_test};

const MAP: &str = "docs/ARCHITECTURE.md";
const CODES: &str = "crates/longshore-core/src/error.rs";

/// Every decision is linked from the code map.
pub(super) fn decisions(tree: &Tree, _: &Settings) -> Vec<Finding> {
    let map = tree.get(MAP).map_or("", |file| file.text.as_str());
    let pages = tree.under("docs/decisions/", "md").map(|(path, _)| path);
    let lost = pages.filter(|path| !map.contains(path.trim_start_matches("docs/")));
    let found = lost.map(|path| Finding {
        path: path.to_owned(),
        line: 1,
        what: format!("this decision is not linked from {MAP}"),
        why: "a decision that nobody meets is taken again".to_owned(),
        fix: format!("link it in {MAP} where the code it shaped is described"),
    });
    found.collect()
}

/// A relative link leads to a file that is there.
pub(super) fn links(tree: &Tree, _: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, file) in tree.under("", "md") {
        for (at, target) in targets(&file.text) {
            let target = target.split('#').next().unwrap_or_default();
            let outside =
                target.is_empty() || target.contains("://") || target.starts_with("mailto:");
            if outside || leads(tree, path, target) {
                continue;
            }
            findings.push(Finding {
                path: path.to_owned(),
                line: line_of(&file.text, at),
                what: format!("the link to `{target}` leads nowhere"),
                why: "a reader who meets a dead link stops trusting the page".to_owned(),
                fix: "point it at the file's new place, or remove it".to_owned(),
            });
        }
    }
    findings
}

/// `Code::ALL` names every code, and the wire table decides each by name.
pub(super) fn codes(tree: &Tree, _: &Settings) -> Vec<Finding> {
    let Some(code) = tree.get(CODES).and_then(|file| file.code.as_ref()) else {
        return Vec::new();
    };
    let shipped = &code.shipped;
    let Some((body, start)) = block(shipped, "enum Code {") else {
        return Vec::new();
    };
    let all = block(shipped, "ALL: &'static [Code] = &[").map_or("", |(text, _)| text);
    let wire = block(shipped, "fn wire(").map_or("", |(text, _)| text);
    let mut findings = Vec::new();
    let mut at = start;
    for line in body.split_inclusive('\n') {
        let variant = line.trim().trim_end_matches(',');
        let named = |table: &str| words(table, &format!("Code::{variant}")).next().is_some();
        let whole = named(all) && named(wire);
        if !variant.is_empty() && !whole {
            findings.push(Finding {
                path: CODES.to_owned(),
                line: line_of(shipped, at),
                what: format!("`Code::{variant}` is missing from `Code::ALL` or from the wire table"),
                why: "the tests of the table run over `ALL`, and a catch-all arm would hide a wrong status".to_owned(),
                fix: "name it in both".to_owned(),
            });
        }
        at += line.len();
    }
    findings
}

/// A module opens with a sentence on why it exists.
pub(super) fn openings(tree: &Tree, _: &Settings) -> Vec<Finding> {
    let sources = tree.under("", "rs").filter(|(path, _)| !is_test(path));
    let silent = sources.filter(|(_, file)| !file.text.trim_start().starts_with("//!"));
    let found = silent.map(|(path, _)| Finding {
        path: path.to_owned(),
        line: 1,
        what: "the module does not say why it exists".to_owned(),
        why: "a reader decides by the first lines whether this is the file".to_owned(),
        fix: "open it with `//!`: what it is for, and what is left out on purpose".to_owned(),
    });
    found.collect()
}

/// The text between the last bracket of `opening` and the bracket that closes it, and where it starts.
fn block<'a>(text: &'a str, opening: &str) -> Option<(&'a str, usize)> {
    let found = text.find(opening)?;
    let last = opening.chars().last()?;
    let (open, start) = match last {
        '[' | '{' => (last, found + opening.len()),
        _ => ('{', found + text.get(found..)?.find('{')? + 1),
    };
    let close = if open == '[' { ']' } else { '}' };
    let mut depth = 1usize;
    for (at, char) in text.get(start..)?.char_indices() {
        if char == open {
            depth += 1;
        } else if char == close {
            depth -= 1;
            if depth == 0 {
                return Some((text.get(start..start + at)?, start));
            }
        }
    }
    None
}

/// What `](...)` holds, with its place; code blocks are no links.
fn targets(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let (mut at, mut fenced) = (0, false);
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let links = line.match_indices("](").filter_map(|(open, _)| {
                let target = line.get(open + 2..)?;
                Some((at + open, target.get(..target.find([')', ' '])?)?))
            });
            found.extend(links);
        }
        at += line.len();
    }
    found
}

fn leads(tree: &Tree, from: &str, target: &str) -> bool {
    let folder = Path::new(from).parent().unwrap_or(Path::new(""));
    let mut path = PathBuf::new();
    for part in folder.join(target).components() {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    let path = path.to_string_lossy();
    tree.get(&path).is_some() || tree.has_folder(&path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tree::sample;

    #[test]
    fn a_decision_that_the_map_does_not_link_is_found() {
        let files = [
            ("docs/decisions/0001-a.md", ""),
            ("docs/decisions/0002-b.md", ""),
            (MAP, "[a](decisions/0001-a.md)"),
        ];
        let found = decisions(&sample(&files), &Settings::default());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, "docs/decisions/0002-b.md");
    }

    #[test]
    fn a_dead_link_is_found_and_code_blocks_are_left_alone() {
        let page = "[a](../b.md#x) [c](d/e.md)\n```\n[f](g.md)\n```\n[h](https://i.example/) [j](k.md)\n[l](d)\n";
        let found = links(
            &sample(&[("docs/a.md", page), ("b.md", ""), ("docs/d/e.md", "")]),
            &Settings::default(),
        );
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].line, found[0].what.as_str()),
            (5, "the link to `k.md` leads nowhere")
        );
    }

    #[test]
    fn a_code_outside_of_the_tables_is_found() {
        let source = "enum Code {\n    /// a\n    A,\n    B,\n}\nimpl Code { const ALL: &'static [Code] = &[Code::A, Code::B];\n\
                      fn wire(self) -> u16 { match self { Code::A => 1, _ => 2 } } }";
        let found = codes(&sample(&[(CODES, source)]), &Settings::default());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 4);
    }

    #[test]
    fn a_module_without_an_opening_is_found() {
        let found = openings(
            &sample(&[
                ("a.rs", "//! Why.\n"),
                ("b.rs", "use x;\n"),
                ("tests/c.rs", ""),
            ]),
            &Settings::default(),
        );
        assert_eq!(found.len(), 1);
    }
}
