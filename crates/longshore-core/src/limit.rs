//! Rights that are for some tags only.

use longshore_spec::name::Tag;
use longshore_spec::pattern::TagPatterns;

/// The tags that a right is for.
///
/// Content is read and added by digest by whoever may do that with any tag: an image's parts have no tags. It is deleted by
/// digest only by whoever may do so whatever the tag, as all its tags go with it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct TagLimit {
    /// It is for these; `None`: for all.
    pub allow: Option<TagPatterns>,
    /// And not for these.
    pub deny: Option<TagPatterns>,
}

impl TagLimit {
    /// Whether the right is for `tag`.
    pub fn allows(&self, tag: &Tag) -> bool {
        self.allow.as_ref().is_none_or(|allow| allow.matches(tag))
            && !self.deny.as_ref().is_some_and(|deny| deny.matches(tag))
    }

    /// Each pattern as a word; those that it is not for begin with `!`.
    pub fn words(&self) -> Vec<String> {
        let allow = self.allow.iter().flat_map(TagPatterns::iter);
        let deny = self.deny.iter().flat_map(TagPatterns::iter);
        allow
            .map(ToString::to_string)
            .chain(deny.map(|pattern| format!("!{pattern}")))
            .collect()
    }

    /// What [`TagLimit::words`] wrote. `None` when a word is no pattern or there are too many.
    pub fn read<'a>(words: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let (mut allow, mut deny) = (String::new(), String::new());
        for word in words {
            if word.contains(' ') || word.is_empty() {
                return None;
            }
            let (list, word) = match word.strip_prefix('!') {
                Some(word) => (&mut deny, word),
                None => (&mut allow, word),
            };
            list.push_str(word);
            list.push(' ');
        }
        let read = |list: &str| -> Option<Option<TagPatterns>> {
            if list.is_empty() {
                return Some(None);
            }
            list.parse().ok().map(Some)
        };
        Some(Self {
            allow: read(&allow)?,
            deny: read(&deny)?,
        })
    }
}

/// The tags that an operation touches.
#[derive(Debug, Clone, Copy)]
pub enum Named<'a> {
    /// None: it reads or adds content by its digest, or lists.
    Nothing,
    /// These.
    Tags(&'a [Tag]),
    /// Whichever there are: it deletes content by its digest.
    Whatever,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_are_no_patterns_make_no_limit() {
        for words in [&["**"][..], &["a b"], &[""], &["!"], &["a/b"]] {
            assert_eq!(TagLimit::read(words.iter().copied()), None, "{words:?}");
        }
        assert_eq!(TagLimit::read([]), Some(TagLimit::default()));
    }
}
