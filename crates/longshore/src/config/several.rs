//! Tables of which there may be several, each with a name of its own: `[index.ldap.corp]`.
//!
//! In the table of keys, in documents and in the schema the name is `NAME`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::key::{Key, Section, Shown};
use super::reader::Reader;

/// What stands for the name.
pub const NAME: &str = "NAME";
/// Under what such tables stand.
const KINDS: [&str; 2] = ["index.ldap", "index.oidc"];

/// All tables of a kind, by their names.
#[derive(Debug, Clone, PartialEq)]
pub struct Several<S>(pub BTreeMap<String, S>);

impl<S> Default for Several<S> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

/// A path as the table of keys has it: `index.ldap.NAME.url` for `index.ldap.corp.url`. Where the name can be none it is left
/// as it is, and so known to nobody.
pub fn known_as(path: &str) -> Cow<'_, str> {
    for kind in KINDS {
        let rest = path
            .strip_prefix(kind)
            .and_then(|rest| rest.strip_prefix('.'));
        let Some(rest) = rest else { continue };
        let (name, key) = rest.split_once('.').unwrap_or((rest, ""));
        if !is_name(name) {
            break;
        }
        let dot = if key.is_empty() { "" } else { "." };
        return Cow::Owned(format!("{kind}.{NAME}{dot}{key}"));
    }
    Cow::Borrowed(path)
}

/// Whether a table may be called so: in a variable's name too, and in the name of a source.
pub fn is_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=32).contains(&name.len())
        && name.bytes().all(|byte| is_letter(byte) || byte == b'-')
        && name.bytes().next().is_some_and(is_letter)
}

/// Under what tables of `S` stand.
fn kind<S: Section>() -> &'static str {
    S::PATH.strip_suffix(".NAME").unwrap_or(S::PATH)
}

impl<S: Section> Section for Several<S> {
    const PATH: &'static str = S::PATH;
    const DOC: &'static [&'static str] = S::DOC;

    fn keys() -> Vec<Key> {
        S::keys()
    }

    fn read_at(reader: &mut Reader, _: &str) -> Self {
        let names = reader.names(kind::<S>());
        let read = names.into_iter().map(|name| {
            let path = format!("{}.{name}", kind::<S>());
            let values = S::read_at(reader, &path);
            (name, values)
        });
        Self(read.collect())
    }

    fn show(&self) -> Vec<(String, Option<String>)> {
        Vec::new()
    }

    fn tables(&self) -> Vec<Shown> {
        let tables = self.0.iter();
        tables
            .map(|(name, values)| {
                let path = format!("{}.{name}", kind::<S>());
                (path, S::DOC, values.show())
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_table_is_left_out_of_what_it_is_known_as() {
        for (path, known) in [
            ("index.ldap.corp.url", "index.ldap.NAME.url"),
            ("index.ldap.corp", "index.ldap.NAME"),
            ("index.ldap", "index.ldap"),
            ("index.ldapx.corp", "index.ldapx.corp"),
            ("limits.page", "limits.page"),
            ("index.ldap.Corp.url", "index.ldap.Corp.url"),
            ("index.ldap.a b", "index.ldap.a b"),
            ("index.ldap.a.b.c", "index.ldap.NAME.b.c"),
        ] {
            assert_eq!(known_as(path), known);
        }
        for bad in ["", "Corp", "a b", "a.b", "-a", "a_b", "ä", &"x".repeat(33)] {
            assert!(!is_name(bad), "{bad}");
        }
        assert!(is_name("corp") && is_name("corp-2") && is_name("2"));
    }
}
