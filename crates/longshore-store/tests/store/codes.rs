//! What a check can find is described where its reader looks.

use std::collections::BTreeSet;

use super::*;

/// The codes in the sources of the check: what stands in quotes and is words with a dash between them.
fn codes() -> BTreeSet<String> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/check");
    let mut codes = BTreeSet::new();
    for entry in std::fs::read_dir(sources).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for quoted in text.split('"').skip(1).step_by(2) {
            let is_code =
                quoted.contains('-') && quoted.chars().all(|c| c.is_ascii_lowercase() || c == '-');
            if is_code {
                codes.insert(quoted.to_owned());
            }
        }
    }
    codes
}

#[test]
fn every_code_of_a_finding_is_on_the_page_of_the_check_and_no_other() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/fsck.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let described: BTreeSet<_> = rows
        .filter_map(|row| Some(row.split_once('`')?.0.to_owned()))
        .collect();
    assert!(described.len() > 15);
    assert_eq!(codes(), described);
}
