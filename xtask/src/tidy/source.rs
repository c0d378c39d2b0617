//! Rust text without what is not code: comments always, strings and test modules on demand.
//!
//! Removed text becomes spaces, so a position in what remains is a position in the file. This is a scanner and not a parser: it knows
//! comments, strings, characters and brackets, which is what the rules need.

/// The views of one Rust file that rules look at.
#[derive(Debug)]
pub(super) struct Code {
    /// Without comments and without what is between quotes.
    pub(super) bare: String,
    /// The same, without `#[cfg(test)]` items; empty for a file that holds only tests.
    pub(super) shipped: String,
    /// The strings of the shipped part.
    pub(super) strings: Vec<Text>,
}

/// A string literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// What is between the quotes, escapes as written.
    pub(super) value: String,
    /// Where its opening quote is, in bytes.
    pub(super) at: usize,
}

impl Code {
    /// Scans `text`; `test` says that all of the file is test code.
    pub(super) fn of(text: &str, test: bool) -> Self {
        let (bare, mut strings) = scan(text);
        if test {
            let shipped = String::new();
            return Self {
                bare,
                shipped,
                strings: Vec::new(),
            };
        }
        let shipped = without_tests(&bare);
        // A string of a test lies where the shipped text is blank; its quotes stay in the text.
        strings.retain(|string| shipped.as_bytes().get(string.at) == Some(&b'"'));
        Self {
            bare,
            shipped,
            strings,
        }
    }
}

/// The line, counted from 1, of byte `at`.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    1 + text
        .as_bytes()
        .iter()
        .take(at)
        .filter(|byte| **byte == b'\n')
        .count()
}

/// Where `word` stands in `text` as a word of its own: no letter, digit or underscore on either side.
pub(super) fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let part_of_name =
        |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    text.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |at| {
            let bytes = text.as_bytes();
            let before = at.checked_sub(1).and_then(|before| bytes.get(before));
            let opens = !word.starts_with(|c: char| c.is_alphanumeric()) || !part_of_name(before);
            let closes = !word.ends_with(|c: char| c.is_alphanumeric())
                || !part_of_name(bytes.get(at + word.len()));
            opens && closes
        })
}

fn scan(text: &str) -> (String, Vec<Text>) {
    let mut scanner = Scanner {
        text,
        at: 0,
        out: String::with_capacity(text.len()),
        strings: Vec::new(),
    };
    while scanner.at < text.len() {
        scanner.step();
    }
    (scanner.out, scanner.strings)
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    out: String,
    strings: Vec<Text>,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn step(&mut self) {
        let rest = self.rest();
        if rest.starts_with("//") {
            self.blank(rest.find('\n').unwrap_or(rest.len()));
        } else if rest.starts_with("/*") {
            self.blank(block_comment(rest));
        } else if let Some(length) = self.raw_string(rest) {
            self.keep(length);
        } else if rest.starts_with('"') {
            self.string(rest, 0, 1 + plain_string(rest));
        } else if let Some(length) = character(rest) {
            self.blank(length);
        } else {
            self.keep(rest.chars().next().map_or(1, char::len_utf8));
        }
    }

    /// Copies the next `length` bytes.
    fn keep(&mut self, length: usize) {
        self.out
            .push_str(self.rest().get(..length).unwrap_or_default());
        self.at += length;
    }

    /// Puts spaces for the next `length` bytes, keeping the ends of lines.
    fn blank(&mut self, length: usize) {
        for byte in self.rest().bytes().take(length) {
            self.out.push(if byte == b'\n' { '\n' } else { ' ' });
        }
        self.at += length;
    }

    /// A string whose opening quote is `open` bytes on and whose closing quote ends at `end`.
    fn string(&mut self, rest: &str, open: usize, end: usize) {
        let value = rest
            .get(open + 1..end.saturating_sub(1))
            .unwrap_or_default()
            .to_owned();
        self.strings.push(Text {
            value,
            at: self.at + open,
        });
        self.keep(open + 1);
        self.blank(end.saturating_sub(open + 2));
        self.keep(usize::from(end > open + 1).min(self.rest().len()));
    }

    /// Handles `r"..."` and `r#"..."#`; says how many bytes of the closing hashes are left to copy.
    fn raw_string(&mut self, rest: &str) -> Option<usize> {
        let inner = rest.strip_prefix('r')?;
        let hashes = inner.len() - inner.trim_start_matches('#').len();
        if !inner.get(hashes..)?.starts_with('"')
            || self
                .out
                .ends_with(|c: char| c.is_alphanumeric() && c != 'b')
        {
            return None;
        }
        let open = 1 + hashes;
        let close = format!("\"{}", "#".repeat(hashes));
        let end = open + 1 + rest.get(open + 1..)?.find(&close)? + 1;
        self.string(rest, open, end);
        Some(hashes)
    }
}

/// The length of the block comment at the start of `rest`; they nest.
fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0usize, 0usize);
    while let Some(next) = rest.get(at..).filter(|next| !next.is_empty()) {
        if next.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if next.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += next.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// Where the closing quote of the string at the start of `rest` is.
fn plain_string(rest: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            b'"' if !escaped => return at,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    rest.len() - 1
}

/// The length of the character literal at the start of `rest`; None for a lifetime.
fn character(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('\'')?;
    if let Some(escape) = inner.strip_prefix('\\') {
        let skipped = escape.chars().next()?.len_utf8();
        return Some(2 + skipped + escape.get(skipped..)?.find('\'')? + 1);
    }
    let first = inner.chars().next()?;
    inner
        .get(first.len_utf8()..)?
        .starts_with('\'')
        .then_some(2 + first.len_utf8())
}

/// Blanks every item that `#[cfg(test)]` stands before, up to its closing bracket or semicolon.
fn without_tests(bare: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = String::with_capacity(bare.len());
    let mut at = 0;
    while let Some(start) = bare
        .get(at..)
        .and_then(|rest| rest.find(MARK))
        .map(|found| at + found)
    {
        out.push_str(bare.get(at..start).unwrap_or_default());
        let end =
            start + MARK.len() + item_length(bare.get(start + MARK.len()..).unwrap_or_default());
        let item = bare.get(start..end).unwrap_or_default();
        out.extend(
            item.bytes()
                .map(|byte| if byte == b'\n' { '\n' } else { ' ' }),
        );
        at = end;
    }
    out.push_str(bare.get(at..).unwrap_or_default());
    out
}

fn item_length(rest: &str) -> usize {
    let mut depth = 0usize;
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth <= 1 => return at + 1,
            b'}' => depth -= 1,
            b';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_what_is_quoted_are_not_code() {
        let code = Code::of(
            "let a = \"tokio::fs\"; // tokio::fs\n/* tokio::fs /* x */ */ b::<'a>('\"');",
            false,
        );
        assert!(!code.bare.contains("tokio"), "{}", code.bare);
        assert!(code.bare.contains("b::<'a>("), "{}", code.bare);
        assert_eq!(
            code.strings,
            [Text {
                value: "tokio::fs".into(),
                at: 8
            }]
        );
        assert_eq!(line_of(&code.bare, code.bare.find("b::").unwrap()), 2);
    }

    #[test]
    fn raw_strings_end_at_their_own_hashes() {
        let code = Code::of(
            "f(r#\"a \"quoted\" b\"#, br\"x\", \"esc \\\" aped\") unsafe",
            false,
        );
        let values: Vec<&str> = code.strings.iter().map(|s| s.value.as_str()).collect();
        assert_eq!(values, ["a \"quoted\" b", "x", "esc \\\" aped"]);
        assert!(code.bare.ends_with("unsafe"));
        assert_eq!(code.bare.len(), code.shipped.len());
    }

    #[test]
    fn a_test_module_is_code_but_is_not_shipped() {
        let text = "fn a() { spawn(); }\n#[cfg(test)]\nmod tests { fn b() { if x { unsafe_b(\"S\") } } }\nfn c() {}";
        let code = Code::of(text, false);
        assert!(code.bare.contains("unsafe_b"));
        assert!(!code.shipped.contains("unsafe_b") && code.shipped.contains("fn c()"));
        assert!(code.strings.is_empty());
        assert_eq!(code.shipped.len(), text.len());
    }

    #[test]
    fn a_word_is_found_only_when_it_stands_alone() {
        let at: Vec<usize> = words("hyper hyper_util xhyper ::hyper::x", "hyper").collect();
        assert_eq!(at, [0, 26]);
    }
}
