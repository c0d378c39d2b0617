//! The users of an htpasswd file.

use std::collections::HashMap;

use super::line::{Hash, Line, parse_line};
use crate::watched::Parsed;

/// Users and their hashes.
pub(crate) struct UserList {
    users: HashMap<String, usize>,
    hashes: Vec<Hash>,
    warnings: Vec<String>,
    refused: usize,
}

impl UserList {
    /// Whether the file has lines and none of them lets anybody in.
    pub(crate) fn is_useless(&self) -> bool {
        self.hashes.is_empty() && self.refused > 0
    }

    /// Whether `password` is that of `user`. For a user that does not exist the password is checked against somebody
    /// else's hash, chosen by `decoy`, and refused whatever comes out: the time tells as little as the answer.
    pub(crate) fn verify(&self, user: &str, password: &[u8], decoy: u64) -> bool {
        let known = self.users.get(user).copied();
        let any = usize::try_from(decoy % self.hashes.len().max(1) as u64).unwrap_or(0);
        let Some(hash) = self.hashes.get(known.unwrap_or(any)) else {
            return false;
        };
        let matches = hash.verify(password);
        matches && known.is_some()
    }
}

impl Parsed for UserList {
    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
        let mut list = UserList {
            users: HashMap::new(),
            hashes: Vec::new(),
            warnings: Vec::new(),
            refused: 0,
        };
        let mut seen: HashMap<String, usize> = HashMap::new();
        for (line, number) in text.trim_start_matches('\u{feff}').lines().zip(1..) {
            let name = match parse_line(line)
                .map_err(|problem| format!("line {number}: {problem}"))?
            {
                Line::Blank => continue,
                Line::User { name, hash } => {
                    list.users.insert(name.clone(), list.hashes.len());
                    list.hashes.push(hash);
                    name
                }
                Line::Refused { name, way } => {
                    list.refused += 1;
                    list.warnings.push(format!(
                        "line {number}: `{name}` cannot log in: the password is kept as {way}, and only bcrypt and argon2 \
                         are accepted; set it anew with `htpasswd -B FILE {name}`"
                    ));
                    name
                }
            };
            // Servers differ in which of two lines counts, so somebody would be let in by a password that was
            // thought to be replaced.
            if let Some(before) = seen.insert(name.clone(), number) {
                return Err(format!(
                    "lines {before} and {number} are both for `{name}`; keep one"
                ));
            }
        }
        if seen.is_empty() {
            list.warnings
                .push("it has no users, so nobody can log in".to_owned());
        }
        Ok(list)
    }

    fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$2y$05$rKXKsqOJ8cOOk9vJ8rAX8.xIp3jLbEVPXfPVq9ldKZ2vHi2XqgAxC";

    fn problem(text: &str) -> String {
        UserList::parse(text.as_bytes())
            .err()
            .unwrap_or_else(|| panic!("{text} was accepted"))
    }

    #[test]
    fn a_list_has_its_users_and_says_who_cannot_log_in_and_what_to_do() {
        let text = format!("\u{feff}# staff\r\n\r\nalice:{HASH}\r\nbob:$apr1$x$y\r\n");
        let list = UserList::parse(text.as_bytes()).unwrap();
        assert_eq!(list.users.len(), 1);
        assert!(!list.is_useless());
        assert_eq!(list.warnings.len(), 1);
        assert!(
            list.warnings[0]
                .starts_with("line 4: `bob` cannot log in: the password is kept as MD5")
        );
        assert!(list.warnings[0].ends_with("`htpasswd -B FILE bob`"));
    }

    #[test]
    fn two_lines_for_one_user_are_refused_with_both_numbers() {
        assert_eq!(
            problem(&format!("alice:{HASH}\n#\nalice:{HASH}\n")),
            "lines 1 and 3 are both for `alice`; keep one"
        );
        assert_eq!(
            problem(&format!("alice:{HASH}\nalice:{{SHA}}x\n")),
            "lines 1 and 2 are both for `alice`; keep one"
        );
    }

    #[test]
    fn an_empty_list_is_a_list_and_one_of_refused_lines_is_useless() {
        let empty = UserList::parse(b"# nobody yet\n").unwrap();
        assert!(!empty.is_useless());
        assert_eq!(empty.warnings, ["it has no users, so nobody can log in"]);
        assert!(!empty.verify("alice", b"x", 7));
        assert!(UserList::parse(b"alice:{SHA}x\n").unwrap().is_useless());
        assert_eq!(
            problem("alice"),
            "line 1: it has no colon; a line is `name:hash`"
        );
    }
}
