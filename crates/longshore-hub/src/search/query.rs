//! What people ask for, in words and fields.
//!
//! ```text
//! web api label:team=payments platform:linux/arm64 kind:image digest:sha256:12ab
//! ```
//! All of it must hold. A value with blanks stands in quotation marks.

use longshore_core::{Code, Error, Result};
use longshore_meta::finds::Asked;
use longshore_spec::digest::{Algorithm, Digest};

use super::words::{self, Parts};
use crate::artifact::KINDS;

/// The longest query, in letters.
pub(crate) const LONGEST: usize = 128;
/// The fewest digits of a digest that say which one.
const DIGITS: usize = 6;

/// The fields, each with an example.
const FIELDS: &[(&str, &str)] = &[
    ("name", "name:web"),
    ("tag", "tag:1.25"),
    ("label", "label:team=payments"),
    (
        "annotation",
        "annotation:org.opencontainers.image.vendor=acme",
    ),
    ("platform", "platform:linux/arm64"),
    ("kind", "kind:helm"),
    ("base", "base:debian"),
    ("type", "type:application/spdx+json"),
    ("digest", "digest:sha256:12ab34"),
];

/// A query, understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query {
    /// The words of plain text, in order.
    pub(crate) words: Vec<String>,
    /// The one word of plain text as typed, in lower case, where there is only one: it may be a name.
    pub(crate) name: Option<String>,
    /// Whether the last word may go on.
    pub(crate) open: bool,
    /// The tokens of facts.
    pub(crate) facts: Vec<String>,
    /// Words that must be in the name.
    pub(crate) named: Vec<String>,
    /// The keys of digests, from and to.
    pub(crate) digests: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Query {
    /// Understands a query.
    ///
    /// # Errors
    /// `QueryInvalid` with what is wrong and what would be right.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        if text.chars().count() > LONGEST {
            return Err(wrong(format!(
                "a search has at most {LONGEST} characters; leave some words out"
            )));
        }
        let mut query = Self::default();
        let mut plain = Vec::new();
        for term in terms(text)? {
            match term.split_once(':') {
                Some((field, value)) => query.field(field, value, &term)?,
                None => plain.push(term),
            }
        }
        for term in &plain {
            query.words.extend(words::words(term, Parts::No));
        }
        query.open = plain
            .last()
            .is_some_and(|last| last.chars().last().is_some_and(char::is_alphanumeric));
        if let ([one], true) = (plain.as_slice(), query.facts.is_empty()) {
            let one = one.trim_matches(['*', '/']).to_ascii_lowercase();
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
            query.name = (!one.is_empty() && one.bytes().all(fits)).then_some(one);
        }
        if query.is_nothing() && !text.trim().is_empty() {
            return Err(wrong(format!(
                "there is no word in `{text}` to search for; use letters and digits"
            )));
        }
        Ok(query)
    }

    /// Whether everything is asked for.
    pub(crate) fn is_nothing(&self) -> bool {
        self.words.is_empty()
            && self.facts.is_empty()
            && self.named.is_empty()
            && self.digests.is_empty()
    }

    /// The tokens that have to be there. The last word is taken for the beginning of one where it may go on.
    pub(crate) fn asked(&self) -> Asked {
        let mut asked = Asked {
            all: self.facts.clone(),
            ..Asked::default()
        };
        asked.all.extend(self.named.iter().map(|word| named(word)));
        let (last, before) = match self.words.split_last() {
            Some((last, before)) if self.open && last.len() > 1 => (Some(last), before),
            _ => (None, self.words.as_slice()),
        };
        asked
            .all
            .extend(before.iter().map(|word| words::text(word)));
        asked.begins.extend(last.map(|word| words::text(word)));
        asked
    }

    fn field(&mut self, field: &str, value: &str, term: &str) -> Result<()> {
        if value.is_empty() {
            return Err(wrong(format!(
                "`{term}` names no value; write it as in {}",
                example(field)
            )));
        }
        match field {
            "name" => self.named.extend(words::words(value, Parts::No)),
            "label" | "annotation" | "tag" | "base" | "type" => {
                self.facts.push(words::fact(field, value));
            }
            "platform" => {
                let value = value.trim_end_matches('/');
                self.facts.push(words::fact(field, value));
            }
            "kind" => {
                let known = |(kind, _): &&(&str, &str)| kind.eq_ignore_ascii_case(value);
                if !KINDS.iter().any(|kind| known(&kind)) {
                    let all: Vec<_> = KINDS.iter().map(|(kind, _)| *kind).collect();
                    return Err(wrong(format!(
                        "there is no kind `{value}`; there are {}",
                        all.join(", ")
                    )));
                }
                self.facts.push(words::fact(field, value));
            }
            "digest" => self.digests.push(keys(value)?),
            "sha256" | "sha512" => self.digests.push(keys(term)?),
            _ => {
                let all: Vec<_> = FIELDS.iter().map(|(field, _)| *field).collect();
                return Err(wrong(format!(
                    "there is no field `{field}`; there are {}. For a tag write `{field} tag:{value}`",
                    all.join(", ")
                )));
            }
        }
        Ok(())
    }
}

/// The token of a word in a name.
pub(crate) fn named(word: &str) -> String {
    format!("n{word}")
}

fn example(field: &str) -> &'static str {
    FIELDS
        .iter()
        .find(|(name, _)| *name == field)
        .map_or("label:team=payments", |(_, example)| example)
}

fn wrong(words: String) -> Error {
    Error::new(Code::QueryInvalid, words)
}

/// What stands between blanks; quotation marks hold together what is between them.
fn terms(text: &str) -> Result<Vec<String>> {
    let (mut terms, mut term, mut inside) = (Vec::new(), String::new(), false);
    for letter in text.chars() {
        match letter {
            '"' => inside = !inside,
            letter if letter.is_whitespace() && !inside => {
                terms.push(std::mem::take(&mut term));
            }
            letter => term.push(letter),
        }
    }
    if inside {
        return Err(wrong(
            "a quotation mark is open; close it, or leave it away".to_owned(),
        ));
    }
    terms.push(term);
    terms.retain(|term| !term.is_empty());
    Ok(terms)
}

/// The least and the greatest key of the digests that begin as `text` does.
fn keys(text: &str) -> Result<(Vec<u8>, Vec<u8>)> {
    let (algorithm, digits) = match text.split_once(':') {
        Some(("sha256", digits)) => (Algorithm::Sha256, digits),
        Some(("sha512", digits)) => (Algorithm::Sha512, digits),
        Some((other, _)) => {
            return Err(wrong(format!(
                "there are no digests of `{other}` here; they begin with sha256: or sha512:"
            )));
        }
        None => (Algorithm::Sha256, text),
    };
    let some = Digest::of(algorithm, b"");
    let most = 2 * some.as_bytes().len();
    let fits = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !fits || digits.len() < DIGITS || digits.len() > most {
        return Err(wrong(format!(
            "`{text}` is no digest nor its beginning: write {DIGITS} to {most} hexadecimal digits"
        )));
    }
    let filled = |with: &str| -> Result<Vec<u8>> {
        let full = format!("{algorithm}:{digits}{}", with.repeat(most - digits.len()));
        let full: Digest = full.to_ascii_lowercase().parse().map_err(Error::internal)?;
        Ok(full.to_key().to_vec())
    };
    Ok((filled("0")?, filled("f")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Query {
        Query::parse(text).unwrap()
    }

    fn words_of(text: &str) -> String {
        Query::parse(text).unwrap_err().public().to_owned()
    }

    #[test]
    fn words_and_fields_are_told_apart() {
        let query = parse("Web-API  label:team=payments \"platform:linux/arm64\" kind:Helm");
        assert_eq!(query.words, ["web", "api"]);
        assert_eq!(
            query.facts,
            [
                words::fact("label", "team=payments"),
                words::fact("platform", "linux/arm64"),
                words::fact("kind", "helm"),
            ]
        );
        assert_eq!(query.name, None);
        assert_eq!(parse("acme/Web*").name.as_deref(), Some("acme/web"));
        assert_eq!(
            parse("annotation:\"a=b c\"").facts,
            [words::fact("annotation", "a=b c")]
        );
    }

    #[test]
    fn the_last_word_may_go_on_unless_it_was_ended() {
        let asked = parse("web ngin").asked();
        assert_eq!(
            (asked.all, asked.begins),
            (vec!["tweb".into()], vec!["tngin".into()])
        );
        let asked = parse("ngin-").asked();
        assert_eq!((asked.all, asked.begins), (vec!["tngin".into()], vec![]));
        // One letter begins everything.
        assert_eq!(parse("a").asked().begins, Vec::<String>::new());
    }

    #[test]
    fn a_digest_is_all_that_begin_with_its_digits() {
        let (from, to) = &parse("digest:sha256:ABCDEF1").digests[0];
        assert_eq!(from[1..5], [0xab, 0xcd, 0xef, 0x10]);
        assert_eq!(to[1..5], [0xab, 0xcd, 0xef, 0x1f]);
        assert_eq!(from.len(), 33);
        assert_eq!(
            parse("sha256:abcdef1").digests,
            parse("digest:abcdef1").digests
        );
        assert_eq!(
            parse(&format!("digest:sha512:{}", "0".repeat(60))).digests[0]
                .0
                .len(),
            65
        );
    }

    #[test]
    fn what_is_not_understood_is_explained() {
        for (text, says) in [
            (
                "nginx:1.25",
                "there is no field `nginx`; there are name, tag,",
            ),
            ("nginx:1.25", "write `nginx tag:1.25`"),
            (
                "kind:chart",
                "there is no kind `chart`; there are image, index, helm",
            ),
            ("label:", "as in label:team=payments"),
            ("digest:sha256:12", "write 6 to 64 hexadecimal digits"),
            ("digest:md5:123456", "no digests of `md5`"),
            ("\"a b", "a quotation mark is open"),
            ("--", "there is no word in `--`"),
        ] {
            let words = words_of(text);
            assert!(words.contains(says), "{text}: {words}");
        }
        assert!(words_of(&"a".repeat(129)).contains("at most 128 characters"));
        assert!(parse("  ").is_nothing());
    }
}
