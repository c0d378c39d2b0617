//! Words of documents and queries, the same for both.
//!
//! A text is brought into one form (NFKC), cut where names are cut (`/ - _ .` and everything else that is neither letter nor
//! digit, and `camelCase`), and folded to lower case. Chinese, Japanese and Korean have no blanks: runs of them become
//! overlapping pairs, so that any two signs beside each other are found. What is not ASCII is written in hexadecimal
//! digits, which every engine takes for one word whatever it knows of Unicode; whoever begins with the same letters
//! begins with the same digits.

use std::fmt::Write as _;

use longshore_spec::digest::{Algorithm, Digest};
use unicode_normalization::UnicodeNormalization as _;

/// How long a word may be, in letters; the rest is cut off.
const LONGEST: usize = 64;

/// Whether parts of words count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parts {
    /// `camelCase` is found by `camelcase`, `camel` and `case`.
    Too,
    /// `camelCase` asks for `camelcase`.
    No,
}

/// The words of a text, in order, repeated as written.
pub(crate) fn words(text: &str, parts: Parts) -> Vec<String> {
    let mut cutter = Cutter {
        parts,
        found: Vec::new(),
        word: Vec::new(),
        run: Vec::new(),
    };
    for letter in text.nfkc() {
        cutter.take(letter);
    }
    cutter.end();
    cutter.found
}

struct Cutter {
    parts: Parts,
    found: Vec<String>,
    word: Vec<char>,
    run: Vec<char>,
}

impl Cutter {
    fn take(&mut self, letter: char) {
        if is_sign(letter) {
            self.end_word();
            self.run.push(letter);
        } else if letter.is_alphanumeric() || is_mark(letter) {
            self.end_run();
            self.word.push(letter);
        } else {
            self.end();
        }
    }

    fn end(&mut self) {
        self.end_word();
        self.end_run();
    }

    fn end_word(&mut self) {
        let word = std::mem::take(&mut self.word);
        if word.is_empty() {
            return;
        }
        self.found.push(folded(&word));
        if self.parts == Parts::No {
            return;
        }
        let mut humps: Vec<&[char]> = word
            .chunk_by(|left, right| !(left.is_lowercase() && right.is_uppercase()))
            .collect();
        if humps.len() > 1 {
            self.found.extend(humps.drain(..).map(folded));
        }
    }

    /// A sign that stands alone is a word; two beside each other are one, and each pair of them.
    fn end_run(&mut self) {
        let run = std::mem::take(&mut self.run);
        match run.as_slice() {
            [] => {}
            [sign] => self.found.push(ascii(&sign.to_string())),
            signs => {
                let pairs = signs.windows(2);
                self.found
                    .extend(pairs.map(|pair| ascii(&pair.iter().collect::<String>())));
            }
        }
    }
}

fn folded(word: &[char]) -> String {
    let word: String = word.iter().take(LONGEST).collect();
    ascii(&word.to_lowercase())
}

/// A word as it is stored: itself, or `u` and its bytes in hexadecimal digits.
fn ascii(word: &str) -> String {
    if word.is_ascii() {
        return word.to_owned();
    }
    let mut digits = String::with_capacity(1 + 2 * word.len());
    digits.push('u');
    for byte in word.bytes() {
        // Writing to a string does not fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// Signs of writing without blanks: Han, Kana, Hangul, Bopomofo.
fn is_sign(letter: char) -> bool {
    matches!(u32::from(letter),
        0x1100..=0x11ff | 0x2e80..=0x2fdf | 0x3005..=0x3007 | 0x3021..=0x3029 | 0x3041..=0x3096 | 0x309d..=0x309f
        | 0x30a1..=0x30fa | 0x30fc..=0x318e | 0x31a0..=0x31bf | 0x31f0..=0x31ff | 0x3400..=0x4dbf | 0x4e00..=0x9fff
        | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0x2_0000..=0x3_ffff)
}

/// Vowel signs and accents that stand for themselves, which belong to the word they are in.
fn is_mark(letter: char) -> bool {
    unicode_normalization::char::is_combining_mark(letter)
}

/// The token of a word of text.
pub(crate) fn text(word: &str) -> String {
    format!("t{word}")
}

/// The token of a fact that a query can name, such as `label` and `x=y`. Facts are compared without case.
pub(crate) fn fact(field: &str, value: &str) -> String {
    hashed('f', &format!("{field}\n{}", value.trim().to_lowercase()))
}

/// The token of a place: a repository, or all below a name.
pub(crate) fn place(name: &str) -> String {
    hashed('p', name)
}

fn hashed(what: char, text: &str) -> String {
    let digest = Digest::of(Algorithm::Sha256, text.as_bytes());
    let mut token = String::with_capacity(21);
    token.push(what);
    for byte in digest.as_bytes().iter().take(10) {
        let _ = write!(token, "{byte:02x}");
    }
    token
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> Vec<String> {
        words(text, Parts::Too)
    }

    #[test]
    fn names_are_cut_where_people_cut_them() {
        assert_eq!(
            of("acme/web-api_v1.25 fluentBit"),
            [
                "acme",
                "web",
                "api",
                "v1",
                "25",
                "fluentbit",
                "fluent",
                "bit"
            ]
        );
        assert_eq!(words("fluentBit", Parts::No), ["fluentbit"]);
        assert_eq!(of("ＮＧＩＮＸ ﬁle"), ["nginx", "file"]);
        assert_eq!(of("-- /"), Vec::<String>::new());
        assert_eq!(of(&"a".repeat(100)), ["a".repeat(64)]);
    }

    #[test]
    fn signs_are_found_by_any_two_beside_each_other() {
        let document = of("大数据平台v2");
        assert_eq!(document.len(), 5);
        for pair in ["数据", "大数", "平台"] {
            let asked = words(pair, Parts::No);
            assert_eq!(asked.len(), 1);
            assert!(document.contains(&asked[0]), "{pair}");
        }
        assert!(!document.contains(&words("据数", Parts::No)[0]));
        // One sign begins the pairs that it begins.
        let one = &words("数", Parts::No)[0];
        assert!(document.iter().any(|word| word.starts_with(one.as_str())));
    }

    #[test]
    fn facts_of_other_fields_and_places_are_other_tokens() {
        assert_eq!(fact("label", "A=b"), fact("label", "a=B "));
        assert_ne!(fact("label", "a=b"), fact("annotation", "a=b"));
        assert_ne!(fact("label", "a"), fact("label", "a="));
        assert_ne!(place("acme"), place("acme/web"));
        assert_eq!(place("acme").len(), 21);
    }

    proptest! {
        #[test]
        fn whatever_is_written_becomes_letters_and_digits(text in "\\PC{0,200}") {
            for word in of(&text) {
                prop_assert!(!word.is_empty());
                prop_assert!(word.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{word}");
            }
        }

        #[test]
        fn whoever_asks_for_a_word_of_a_document_asks_for_a_token_it_has(text in "\\PC{0,60}") {
            let document = of(&text);
            for word in words(&text, Parts::No) {
                prop_assert!(document.contains(&word), "{word}");
            }
        }

        #[test]
        fn the_form_it_was_typed_in_does_not_matter(text in "\\PC{0,60}") {
            let composed: String = text.nfc().collect();
            let parted: String = text.nfd().collect();
            prop_assert_eq!(of(&composed), of(&parted));
        }
    }
}
