//! Patterns of repository names and tags, as people write them into rights and policies.
//!
//! `*` stands for any text inside one component, `**` for any text at all, slashes included; every other character for
//! itself. A pattern is for the whole name: `web` matches `web` only, `web/*` its direct children, `web/**` all that lies
//! below it. Matching takes time in proportion to the name times the pattern, whatever either of them says, and memory of
//! its own for neither.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::name::{RepoName, Tag};

/// The longest pattern, in bytes: no name is longer.
const MAX_BYTES: usize = RepoName::MAX_BYTES;
/// The most wildcards of one pattern. More would match nothing that fewer do not.
const MAX_WILDCARDS: usize = 16;

/// The rule that a text breaks as a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// There is no text at all.
    #[error("a pattern must not be empty; `**` is for everything")]
    Empty,
    /// More than the longest name has.
    #[error("a pattern has at most {MAX_BYTES} characters")]
    TooLong,
    /// Too many `*`.
    #[error("a pattern has at most {MAX_WILDCARDS} wildcards")]
    TooManyWildcards,
    /// Three `*` in a row, or two of them in a pattern of tags.
    #[error(
        "`*` stands for part of a component and `**` for anything; there is no `***`, and in a pattern of tags no `**`"
    )]
    Stars,
    /// Nothing stands before, after or between slashes.
    #[error("a pattern has no empty component: no slash at either end, no two in a row")]
    EmptyComponent,
    /// A character that no name has.
    #[error("a pattern is made of the characters of a name and `*`")]
    Character,
    /// More patterns than a list holds.
    #[error("a list has at most {} patterns", RepoPatterns::MAX)]
    TooMany,
}

/// A pattern of repository names, such as `web/*` or `**-dev`. Cloning copies a pointer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoPattern(Arc<str>);

/// A pattern of tags, such as `v1.*`. Cloning copies a pointer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagPattern(Arc<str>);

impl RepoPattern {
    /// The pattern of exactly one name.
    pub fn exactly(name: &RepoName) -> Self {
        Self(name.as_str().into())
    }

    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `name` is one that is meant. Text that is no name may be asked about and mostly is not.
    pub fn matches(&self, name: &str) -> bool {
        matches(&self.0, name)
    }

    /// What every name that is meant begins with.
    pub fn prefix(&self) -> &str {
        self.0.split('*').next().unwrap_or_default()
    }

    /// Whether one name is meant and no other.
    pub fn is_exact(&self) -> bool {
        !self.0.contains('*')
    }

    /// The same pattern for names that begin with `path` and a slash.
    pub fn below(&self, path: &str) -> String {
        format!("{path}/{}", self.0)
    }
}

impl TagPattern {
    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `tag` is one that is meant.
    pub fn matches(&self, tag: &Tag) -> bool {
        matches(&self.0, tag.as_str())
    }

    /// Whether all that `other` means is known to be meant. Where it says no it may be wrong.
    pub fn covers(&self, other: &TagPattern) -> bool {
        // Only a wildcard takes another's `*`, and whatever stands for that is taken by it too.
        matches(&self.0, &other.0)
    }
}

impl FromStr for RepoPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        check(
            text,
            |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'/'),
        )?;
        if text.split('/').any(str::is_empty) {
            return Err(PatternError::EmptyComponent);
        }
        Ok(Self(text.into()))
    }
}

impl FromStr for TagPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        check(text, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
        })?;
        if text.contains("**") {
            return Err(PatternError::Stars);
        }
        Ok(Self(text.into()))
    }
}

fn check(text: &str, allowed: impl Fn(u8) -> bool) -> Result<(), PatternError> {
    if text.is_empty() {
        return Err(PatternError::Empty);
    }
    if text.len() > MAX_BYTES {
        return Err(PatternError::TooLong);
    }
    if text.contains("***") {
        return Err(PatternError::Stars);
    }
    if text.matches('*').count() > MAX_WILDCARDS {
        return Err(PatternError::TooManyWildcards);
    }
    if !text.bytes().all(|byte| byte == b'*' || allowed(byte)) {
        return Err(PatternError::Character);
    }
    Ok(())
}

/// Whether `pattern` means `text`: the places in the text that the pattern's beginning can reach, one piece of the pattern
/// after the other.
fn matches(pattern: &str, text: &str) -> bool {
    let text = text.as_bytes();
    if text.len() > MAX_BYTES {
        return false;
    }
    let mut pattern = pattern.as_bytes();
    // Most names are told apart by what stands before the first wildcard.
    let literal = pattern
        .iter()
        .position(|byte| *byte == b'*')
        .unwrap_or(pattern.len());
    let (head, wild) = pattern.split_at(literal);
    let Some(text) = text.strip_prefix(head) else {
        return false;
    };
    pattern = wild;
    let mut reached = [false; MAX_BYTES + 1];
    let Some(reached) = reached.get_mut(..=text.len()) else {
        return false;
    };
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    loop {
        pattern = match pattern {
            [] => return reached.last().copied().unwrap_or(false),
            [b'*', b'*', rest @ ..] => {
                spread(reached, text, |_| true);
                rest
            }
            [b'*', rest @ ..] => {
                spread(reached, text, |byte| byte != b'/');
                rest
            }
            [literal, rest @ ..] => {
                step(reached, text, *literal);
                rest
            }
        };
    }
}

/// Reaches on over any number of bytes that `over` takes.
fn spread(reached: &mut [bool], text: &[u8], over: impl Fn(u8) -> bool) {
    let mut before = false;
    for (at, place) in reached.iter_mut().enumerate() {
        let byte = at.checked_sub(1).and_then(|at| text.get(at));
        *place |= before && byte.is_some_and(|byte| over(*byte));
        before = *place;
    }
}

/// Reaches on over exactly one byte, which is `literal`.
fn step(reached: &mut [bool], text: &[u8], literal: u8) {
    let mut before = false;
    for (at, place) in reached.iter_mut().enumerate() {
        let byte = at.checked_sub(1).and_then(|at| text.get(at));
        let here = before && byte == Some(&literal);
        before = *place;
        *place = here;
    }
}

/// Several patterns: what any of them means. Written with spaces between them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct RepoPatterns(Vec<RepoPattern>);

/// Several patterns of tags: what any of them means. Written with spaces between them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct TagPatterns(Vec<TagPattern>);

macro_rules! list {
    ($list:ident, $pattern:ident) => {
        impl $list {
            /// The most patterns of one list.
            pub const MAX: usize = 32;

            /// Each pattern.
            pub fn iter(&self) -> std::slice::Iter<'_, $pattern> {
                self.0.iter()
            }

            /// Whether nothing is meant at all.
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl<'l> IntoIterator for &'l $list {
            type Item = &'l $pattern;
            type IntoIter = std::slice::Iter<'l, $pattern>;

            fn into_iter(self) -> Self::IntoIter {
                self.iter()
            }
        }

        impl FromIterator<$pattern> for $list {
            /// Each pattern once. There may be more of them than can be written into one list.
            fn from_iter<I: IntoIterator<Item = $pattern>>(patterns: I) -> Self {
                let mut list: Vec<_> = patterns.into_iter().collect();
                list.sort();
                list.dedup();
                Self(list)
            }
        }

        impl FromStr for $list {
            type Err = PatternError;

            fn from_str(text: &str) -> Result<Self, PatternError> {
                let mut list = Vec::new();
                for word in text.split(' ').filter(|word| !word.is_empty()) {
                    if list.len() == Self::MAX {
                        return Err(PatternError::TooMany);
                    }
                    list.push(word.parse()?);
                }
                if list.is_empty() {
                    return Err(PatternError::Empty);
                }
                Ok(Self(list))
            }
        }

        impl fmt::Display for $list {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                for (at, pattern) in self.0.iter().enumerate() {
                    if at > 0 {
                        f.write_str(" ")?;
                    }
                    f.write_str(pattern.as_str())?;
                }
                Ok(())
            }
        }

        impl fmt::Display for $pattern {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $pattern {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($pattern), "({})"), &self.0)
            }
        }
    };
}

list!(RepoPatterns, RepoPattern);
list!(TagPatterns, TagPattern);

impl RepoPatterns {
    /// Whether any of them means `name`.
    pub fn matches(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(name))
    }
}

impl TagPatterns {
    /// Whether any of them means `tag`.
    pub fn matches(&self, tag: &Tag) -> bool {
        self.0.iter().any(|pattern| pattern.matches(tag))
    }
}

#[cfg(test)]
mod tests;
