//! Patterns of what a claim must say.

use crate::token::json::{Json, Object};

/// The longest pattern, in bytes.
const MAX_BYTES: usize = 512;

/// A text with `*` for anything within one part, and `**` for anything at all. Parts end at `:` and `/`: subjects of CI
/// systems are made of them (`repo:acme/app:ref:refs/heads/main`), and whoever writes `repo:acme/*:ref:refs/heads/main` means
/// repositories, not a branch that somebody has named to fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// # Errors
    /// Why it cannot be used.
    pub fn new(text: impl Into<String>) -> Result<Self, &'static str> {
        let text = text.into();
        if text.is_empty() || text.len() > MAX_BYTES {
            return Err("a pattern has 1 to 512 bytes");
        }
        if text.contains("***") {
            return Err("a pattern has `*` or `**`, not more");
        }
        Ok(Pattern(text))
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it fits whatever is there.
    pub fn fits_all(&self) -> bool {
        self.0.bytes().all(|byte| byte == b'*')
    }

    /// Whether it fits `text`, wholly. The time it takes grows with the product of both lengths.
    pub fn fits(&self, text: &str) -> bool {
        let (pattern, text) = (self.0.as_bytes(), text.as_bytes());
        // Which beginnings of the text fit the pattern read so far.
        let mut fits = vec![false; text.len() + 1];
        if let Some(first) = fits.first_mut() {
            *first = true;
        }
        let mut rest = pattern;
        while let Some((byte, after)) = rest.split_first() {
            rest = after;
            if *byte == b'*' {
                let everything = rest.first() == Some(&b'*');
                if everything {
                    rest = rest.get(1..).unwrap_or_default();
                }
                let mut before = false;
                for (at, fit) in fits.iter_mut().enumerate() {
                    let passed = at
                        .checked_sub(1)
                        .and_then(|last| text.get(last))
                        .is_some_and(|last| everything || !matches!(last, b':' | b'/'));
                    *fit |= before && passed;
                    before = *fit;
                }
            } else {
                let mut before = false;
                for (at, fit) in fits.iter_mut().enumerate() {
                    let is_same = at
                        .checked_sub(1)
                        .and_then(|last| text.get(last))
                        .is_some_and(|last| last == byte);
                    let now = before && is_same;
                    before = *fit;
                    *fit = now;
                }
            }
        }
        fits.last().copied().unwrap_or(false)
    }
}

/// Whether a claim fits. `claim` is a name, or a path from `/` through objects (RFC 6901), as in
/// `/kubernetes.io/namespace`. A list fits when one of its texts does; an object, a null and what is not there never do.
pub(crate) fn claim_fits(claims: &Object, claim: &str, pattern: &Pattern) -> bool {
    let one = |value: &Json| match value {
        Json::Text(text) => pattern.fits(text),
        Json::Whole(number) => pattern.fits(&number.to_string()),
        Json::Bool(value) => pattern.fits(if *value { "true" } else { "false" }),
        _ => false,
    };
    match find(claims, claim) {
        Some(Json::List(list)) => list.iter().any(one),
        Some(value) => one(value),
        None => false,
    }
}

/// The value of a claim, by its name or path.
pub(crate) fn find<'a>(claims: &'a Object, claim: &str) -> Option<&'a Json> {
    let Some(path) = claim.strip_prefix('/') else {
        return claims.get(claim);
    };
    let mut object = claims;
    let mut steps = path.split('/').peekable();
    while let Some(step) = steps.next() {
        let value = object.get(&step.replace("~1", "/").replace("~0", "~"))?;
        if steps.peek().is_none() {
            return Some(value);
        }
        let Json::Object(inner) = value else {
            return None;
        };
        object = inner;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fits(pattern: &str, text: &str) -> bool {
        Pattern::new(pattern).unwrap().fits(text)
    }

    #[test]
    fn a_star_stays_within_its_part() {
        let pattern = "repo:acme/*:ref:refs/heads/main";
        assert!(fits(pattern, "repo:acme/app:ref:refs/heads/main"));
        for other in [
            "repo:acme/app:pull_request",
            "repo:evil/acme/app:ref:refs/heads/main",
            "repo:acme/app:environment:x:ref:refs/heads/main",
            "repo:acme/app/x:ref:refs/heads/main",
            "repo:acme/app:ref:refs/heads/main2",
            "xrepo:acme/app:ref:refs/heads/main",
            "repo:acme2/app:ref:refs/heads/main",
            "Repo:acme/app:ref:refs/heads/main",
        ] {
            assert!(!fits(pattern, other), "{other}");
        }
        assert!(fits("repo:acme/*:**", "repo:acme/app:environment:prod:x/y"));
        assert!(fits("a*c", "ac") && fits("a*c", "abbc") && !fits("a*c", "a:c"));
        assert!(fits("**", "") && fits("*", "") && !fits("*", "a/b") && fits("**", "a/b"));
        assert!(fits("plain", "plain") && !fits("plain", "plai") && !fits("plain", "plain "));
        assert!(!fits("a.c", "abc") && !fits("a?c", "abc") && !fits("[a]", "a"));
        for bad in ["", "***", "a***b", &"x".repeat(513)] {
            assert!(Pattern::new(bad).is_err(), "{bad}");
        }
        assert!(Pattern::new("*").unwrap().fits_all() && !Pattern::new("*a").unwrap().fits_all());
    }

    #[test]
    fn claims_are_found_by_name_and_by_path() {
        let claims = Json::object(
            br#"{"sub":"s","n":7,"yes":true,"list":["a","b",{}],"null":null,"a/b":"slash",
                 "kubernetes.io":{"namespace":"ci","serviceaccount":{"name":"builder"}}}"#,
        )
        .unwrap();
        let says = |claim: &str, pattern: &str| {
            claim_fits(&claims, claim, &Pattern::new(pattern).unwrap())
        };
        assert!(says("sub", "s") && says("n", "7") && says("yes", "true") && says("list", "b"));
        assert!(says("/kubernetes.io/namespace", "ci"));
        assert!(says("/kubernetes.io/serviceaccount/name", "build*"));
        assert!(says("/a~1b", "slash") && says("a/b", "slash"));
        for (claim, pattern) in [
            ("sub", "t"),
            ("null", "**"),
            ("missing", "**"),
            ("kubernetes.io", "**"),
            ("/kubernetes.io", "**"),
            ("/kubernetes.io/missing", "**"),
            ("/sub/x", "**"),
            ("/", "**"),
            ("list", "c"),
        ] {
            assert!(!says(claim, pattern), "{claim} {pattern}");
        }
    }

    proptest! {
        #[test]
        fn it_fits_as_a_slow_and_simple_reading_does(pattern in "[ab:/*]{1,8}", text in "[ab:/]{0,8}") {
            fn slow(pattern: &str, text: &str) -> bool {
                if let Some(rest) = pattern.strip_prefix("**") {
                    return (0..=text.len()).any(|at| slow(rest, &text[at..]));
                }
                if let Some(rest) = pattern.strip_prefix('*') {
                    return (0..=text.len())
                        .take_while(|at| !text[..*at].contains([':', '/']))
                        .any(|at| slow(rest, &text[at..]));
                }
                match (pattern.chars().next(), text.chars().next()) {
                    (None, None) => true,
                    (Some(a), Some(b)) => a == b && slow(&pattern[1..], &text[1..]),
                    _ => false,
                }
            }
            if let Ok(made) = Pattern::new(pattern.clone()) {
                prop_assert_eq!(made.fits(&text), slow(&pattern, &text));
            }
        }
    }
}
