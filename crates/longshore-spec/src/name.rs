//! Repository names and tags.
//!
//! Both become keys in the database and parts of URLs, so both are checked once, here, byte by byte: a value of these
//! types has no character that means something in a path, a query, a header or a shell.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The name of a repository, such as `library/alpine`.
///
/// Lower-case components joined by `/`; ordered, compared and hashed by bytes; cloning copies a pointer.
/// Source: distribution-spec v1.1.1, "Pulling manifests".
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoName(Arc<str>);

/// The rule that a text breaks as a repository name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// There is no text at all.
    #[error("a repository name must not be empty")]
    Empty,
    /// More than [`RepoName::MAX_BYTES`] bytes.
    #[error("a repository name has at most {} characters", RepoName::MAX_BYTES)]
    TooLong,
    /// More than [`RepoName::MAX_COMPONENTS`] components.
    #[error(
        "a repository name has at most {} components",
        RepoName::MAX_COMPONENTS
    )]
    TooManyComponents,
    /// Nothing stands before, after or between slashes.
    #[error("a repository name has no empty component: no slash at either end, no two in a row")]
    EmptyComponent,
    /// A character outside `a-z`, `0-9`, `.`, `_`, `-` and `/`.
    #[error("a repository name is made of lower-case letters, digits, '.', '_', '-' and '/'")]
    Character,
    /// A component that starts or ends with `.`, `_` or `-`, or joins its parts with anything but one `.`, one or two
    /// `_`, or a run of `-`.
    #[error(
        "a component of a repository name starts and ends with a letter or digit, \
         and joins its parts with one '.', one or two '_', or any number of '-'"
    )]
    Separator,
}

impl RepoName {
    /// The longest name, in bytes. Many clients allow 255 for host and name together.
    pub const MAX_BYTES: usize = 255;
    /// The most components between slashes. A limit of our own, so that no name is deeper than any listing needs.
    pub const MAX_COMPONENTS: usize = 32;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts between the slashes, first to last; never empty.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// Checks `text` against the grammar without keeping it.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(text: &str) -> Result<(), NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > Self::MAX_BYTES {
            return Err(NameError::TooLong);
        }
        let mut components = 0;
        for component in text.as_bytes().split(|byte| *byte == b'/') {
            components += 1;
            check_component(component)?;
        }
        if components > Self::MAX_COMPONENTS {
            return Err(NameError::TooManyComponents);
        }
        Ok(())
    }
}

/// One component: `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`.
fn check_component(component: &[u8]) -> Result<(), NameError> {
    if component.is_empty() {
        return Err(NameError::EmptyComponent);
    }
    // The separator run that is open: its byte and its length. A component may not start inside one, hence `.` once
    // too often at the start.
    let mut open: Option<(u8, usize)> = None;
    let mut started = false;
    for &byte in component {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' => {
                open = None;
                started = true;
            }
            b'.' | b'_' | b'-' => {
                let length = match open {
                    None if started => 1,
                    Some((before, length)) if before == byte => length + 1,
                    _ => return Err(NameError::Separator),
                };
                let most = match byte {
                    b'.' => 1,
                    b'_' => 2,
                    _ => usize::MAX,
                };
                if length > most {
                    return Err(NameError::Separator);
                }
                open = Some((byte, length));
            }
            _ => return Err(NameError::Character),
        }
    }
    if open.is_some() {
        return Err(NameError::Separator);
    }
    Ok(())
}

impl FromStr for RepoName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::check(text)?;
        Ok(Self(text.into()))
    }
}

/// A movable name for one manifest of a repository, such as `latest`.
///
/// Ordered, compared and hashed by bytes ("ASCIIbetical", as listings demand); cloning copies a pointer.
/// Source: distribution-spec v1.1.1, "Pulling manifests".
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(Arc<str>);

/// The rule that a text breaks as a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// There is no text at all.
    #[error("a tag must not be empty")]
    Empty,
    /// More than [`Tag::MAX_BYTES`] bytes.
    #[error("a tag has at most {} characters", Tag::MAX_BYTES)]
    TooLong,
    /// The first character is `.` or `-`.
    #[error("a tag starts with a letter, a digit or '_'")]
    Start,
    /// A character outside letters, digits, `_`, `.` and `-`.
    #[error("a tag is made of letters, digits, '_', '.' and '-'")]
    Character,
}

impl Tag {
    /// The longest tag, in bytes.
    pub const MAX_BYTES: usize = 128;

    /// The tag as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Checks `text` against the grammar without keeping it.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(text: &str) -> Result<(), TagError> {
        let first = text.bytes().next().ok_or(TagError::Empty)?;
        if text.len() > Self::MAX_BYTES {
            return Err(TagError::TooLong);
        }
        if matches!(first, b'.' | b'-') {
            return Err(TagError::Start);
        }
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        if !text.bytes().all(allowed) {
            return Err(TagError::Character);
        }
        Ok(())
    }
}

impl FromStr for Tag {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, TagError> {
        Self::check(text)?;
        Ok(Self(text.into()))
    }
}

/// What both kinds of name share: they are text that has been checked.
macro_rules! checked_text {
    ($type:ident, $error:ident, $what:literal) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($type), "({})"), &self.0)
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<&str> for $type {
            type Error = $error;

            fn try_from(text: &str) -> Result<Self, $error> {
                text.parse()
            }
        }

        serde_as_text!($type, $what, |text, serializer| serializer
            .serialize_str(&text.0));
    };
}

checked_text!(RepoName, NameError, "a repository name");
checked_text!(Tag, TagError, "a tag");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_the_specification_allows_are_taken() {
        let longest = "a".repeat(255);
        let deepest = vec!["a"; 32].join("/");
        for name in [
            "a",
            "0",
            "library/alpine",
            "a.b",
            "a_b",
            "a__b",
            "a---b",
            "a/b-c.d/e",
            "manifests",
            "tags/list",
            "blobs/uploads",
            &longest,
            &deepest,
        ] {
            assert_eq!(
                name.parse::<RepoName>().map(|name| name.to_string()),
                Ok(name.to_owned())
            );
        }
    }

    #[test]
    fn a_name_that_breaks_a_rule_is_refused_by_that_rule() {
        use NameError::{Character, Empty, EmptyComponent, Separator, TooLong, TooManyComponents};
        let too_long = "a".repeat(256);
        let too_deep = vec!["a"; 33].join("/");
        for (name, error) in [
            ("", Empty),
            ("UPPER", Character),
            ("a..b", Separator),
            ("a___b", Separator),
            ("a._b", Separator),
            ("a-_b", Separator),
            ("-a", Separator),
            ("a-", Separator),
            (".a", Separator),
            ("a_", Separator),
            ("_catalog", Separator),
            ("..", Separator),
            ("a/../b", Separator),
            ("/a", EmptyComponent),
            ("a/", EmptyComponent),
            ("a//b", EmptyComponent),
            ("/", EmptyComponent),
            ("a b", Character),
            ("a%2fb", Character),
            ("a\u{430}", Character),
            ("a\0", Character),
            ("a:b", Character),
            (&too_long, TooLong),
            (&too_deep, TooManyComponents),
        ] {
            assert_eq!(name.parse::<RepoName>(), Err(error), "{name:?}");
        }
    }

    #[test]
    fn a_tag_that_breaks_a_rule_is_refused_by_that_rule() {
        let longest = "a".repeat(128);
        for tag in ["a", "_", "0.1-rc_2", "LATEST", &longest] {
            assert_eq!(
                tag.parse::<Tag>().map(|tag| tag.to_string()),
                Ok(tag.to_owned())
            );
        }
        let too_long = "a".repeat(129);
        for (tag, error) in [
            ("", TagError::Empty),
            ("-bad", TagError::Start),
            (".x", TagError::Start),
            ("a/b", TagError::Character),
            ("a b", TagError::Character),
            ("tag:1", TagError::Character),
            ("é", TagError::Character),
            (&too_long, TagError::TooLong),
        ] {
            assert_eq!(tag.parse::<Tag>(), Err(error), "{tag:?}");
        }
    }

    #[test]
    fn names_sort_by_bytes_and_serialize_as_text() {
        let tags: std::collections::BTreeSet<Tag> = ["b", "a", "_", "B", "1.10", "1.2"]
            .map(|tag| tag.parse().unwrap())
            .into();
        let sorted = serde_json::to_string(&tags).unwrap();
        assert_eq!(sorted, r#"["1.10","1.2","B","_","a","b"]"#);
        assert!(tags.contains("1.10"));
        assert!(serde_json::from_str::<RepoName>("\"A\"").is_err());
        assert_eq!(
            serde_json::from_str::<RepoName>("\"a\\u002fb\"")
                .unwrap()
                .as_str(),
            "a/b"
        );
    }

    proptest! {
        #[test]
        fn whatever_the_specifications_expression_makes_is_a_name(
            name in r"[a-z0-9]{1,4}((\.|_|__|-{1,3})[a-z0-9]{1,4}){0,3}(/[a-z0-9]{1,4}((\.|_|__|-{1,3})[a-z0-9]{1,4}){0,3}){0,5}"
        ) {
            prop_assert_eq!(name.parse::<RepoName>().map(|name| name.to_string()), Ok(name));
        }

        #[test]
        fn whatever_the_specifications_expression_makes_is_a_tag(tag in r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}") {
            prop_assert_eq!(tag.parse::<Tag>().map(|tag| tag.to_string()), Ok(tag));
        }

        #[test]
        fn a_name_or_tag_is_printed_as_it_was_read(text in "[a-z0-9._/-]{0,12}|\\PC{0,12}") {
            crate::fuzzing::names(text.as_bytes());
        }
    }
}
