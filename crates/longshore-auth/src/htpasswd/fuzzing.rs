//! What must hold for any htpasswd file.

use super::line::{Line, parse_line};
use super::list::UserList;
use crate::header::MAX_USER_BYTES;
use crate::watched::Parsed as _;

/// An operator's htpasswd file, and each of its lines.
///
/// A file is taken only if each line is, an error names a line that is there, and nobody has a name that could not be
/// sent as a user's.
///
/// # Panics
/// When one of these does not hold, or a parser panics.
pub fn htpasswd(input: &[u8]) {
    let file = UserList::parse(input);
    let Ok(text) = std::str::from_utf8(input) else {
        assert!(file.is_err());
        return;
    };
    let lines = text.trim_start_matches('\u{feff}').lines();
    let mut all_good = true;
    for line in lines.clone() {
        match parse_line(line) {
            Ok(Line::User { name, .. } | Line::Refused { name, .. }) => {
                assert!((1..=MAX_USER_BYTES).contains(&name.len()));
                assert!(!name.contains(':') && !name.chars().any(char::is_control));
            }
            Ok(Line::Blank) => {}
            Err(problem) => {
                assert!(!problem.is_empty());
                all_good = false;
            }
        }
    }
    match file {
        Ok(list) => {
            assert!(all_good, "a file was taken with a line that is not");
            assert!(!list.is_useless() || !list.warnings().is_empty());
        }
        Err(problem) => {
            let is_named = |number| {
                problem.starts_with(&format!("line {number}:"))
                    || problem.contains(&format!(" and {number} are both"))
            };
            assert!((1..=lines.count()).any(is_named), "{problem}");
        }
    }
}
