//! Words with one home: what may be written only in the files that `tidy.toml` lists.

use super::Finding;
use super::settings::{Ban, Settings};
use super::source::{line_of, words};
use super::tree::{File, Tree};

pub(super) fn check(tree: &Tree, settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    for ban in &settings.ban {
        for (path, file) in tree
            .under("", "rs")
            .filter(|(path, _)| !excepted(ban, path))
        {
            findings.extend(
                ban.words
                    .iter()
                    .flat_map(|word| places(ban, word, path, file)),
            );
        }
        findings.extend(idle(tree, ban));
    }
    findings
}

fn places(ban: &Ban, word: &str, path: &str, file: &File) -> Vec<Finding> {
    let text = text(ban, file);
    let found = words(text, word).map(|at| Finding {
        path: path.to_owned(),
        line: line_of(text, at),
        what: format!("`{word}` does not belong here"),
        why: ban.why.clone(),
        fix: ban.instead.clone(),
    });
    found.collect()
}

/// Listed files that no longer hold any of the words: the list would go stale.
fn idle(tree: &Tree, ban: &Ban) -> Vec<Finding> {
    let files = ban.except.iter().filter(|path| !path.ends_with('/'));
    let unused = files.filter(|path| {
        let held = tree.get(path).map(|file| text(ban, file));
        !held.is_some_and(|text| {
            ban.words
                .iter()
                .any(|word| words(text, word).next().is_some())
        })
    });
    let found = unused.map(|path| Finding {
        path: "tidy.toml".to_owned(),
        line: 1,
        what: format!(
            "{path} is excepted from the ban of `{}` and has none of it",
            ban.words.join("`, `")
        ),
        why: "a list of exceptions is read as the list of places where the thing is done"
            .to_owned(),
        fix: "remove the line".to_owned(),
    });
    found.collect()
}

fn excepted(ban: &Ban, path: &str) -> bool {
    ban.except.iter().any(|e| {
        if e.ends_with('/') {
            path.starts_with(e.as_str())
        } else {
            e == path
        }
    })
}

fn text<'a>(ban: &Ban, file: &'a File) -> &'a str {
    match &file.code {
        Some(code) if !ban.everywhere => &code.shipped,
        _ => &file.text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tree::sample;

    fn settings(except: &[&str], everywhere: bool) -> Settings {
        let ban = Ban {
            words: vec!["tokio::spawn".into()],
            except: except.iter().map(|path| (*path).to_owned()).collect(),
            everywhere,
            why: "w".into(),
            instead: "i".into(),
        };
        Settings {
            ban: vec![ban],
            ..Settings::default()
        }
    }

    #[test]
    fn a_banned_word_is_found_in_code_and_not_in_comments_or_tests() {
        let tree = sample(&[
            ("a.rs", "fn a() {\n    tokio::spawn(b());\n}\n"),
            (
                "b.rs",
                "// tokio::spawn\n#[cfg(test)]\nmod tests { fn c() { tokio::spawn(d()) } }\n",
            ),
            ("crates/x/tests/wire.rs", "tokio::spawn(b())"),
        ]);
        let found = check(&tree, &settings(&[], false));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].path.as_str(), found[0].line), ("a.rs", 2));
        assert_eq!(check(&tree, &settings(&[], true)).len(), 4);
    }

    #[test]
    fn a_listed_file_may_hold_it_and_must() {
        let tree = sample(&[
            ("a.rs", "tokio::spawn(b())"),
            ("jobs/b.rs", "tokio::spawn(b())"),
        ]);
        assert_eq!(check(&tree, &settings(&["a.rs", "jobs/"], false)), []);
        let idle = check(&tree, &settings(&["a.rs", "jobs/", "c.rs"], false));
        assert_eq!(idle.len(), 1);
        assert!(idle[0].what.starts_with("c.rs is excepted"));
    }
}
