use proptest::prelude::*;

use super::*;

fn means(pattern: &str, name: &str) -> bool {
    pattern.parse::<RepoPattern>().unwrap().matches(name)
}

#[test]
fn a_star_stays_inside_a_component_and_two_do_not() {
    for (pattern, yes, no) in [
        ("web", &["web"][..], &["web2", "we", "a/web", "web/a"][..]),
        ("*", &["web", "a.b-c"], &["web/a", "a/b/c"]),
        ("**", &["web", "web/a", "a/b/c"], &[]),
        (
            "web/*",
            &["web/a", "web/a-b"],
            &["web", "web/a/b", "webs/a"],
        ),
        ("web/**", &["web/a", "web/a/b"], &["web", "webs/a"]),
        ("*-dev", &["a-dev", "x.y-dev"], &["a-dev2", "a/b-dev"]),
        ("**-dev", &["a-dev", "a/b-dev"], &["a-dev/b"]),
        (
            "**/api",
            &["a/api", "a/b/api"],
            &["api", "a/api/b", "a/xapi"],
        ),
        ("a/*/c", &["a/b/c", "a/bb/c"], &["a/c", "a/b/b/c"]),
        ("a*b*c", &["abc", "axbyc", "abbcc"], &["ab", "a/bc", "abcd"]),
    ] {
        for name in yes {
            assert!(means(pattern, name), "{pattern} means {name}");
        }
        for name in no {
            assert!(!means(pattern, name), "{pattern} does not mean {name}");
        }
    }
}

#[test]
fn what_is_no_pattern_is_refused_by_the_rule_it_breaks() {
    let long = "a".repeat(256);
    let stars = "a*".repeat(17);
    for (text, error) in [
        ("", PatternError::Empty),
        ("***", PatternError::Stars),
        ("a/***", PatternError::Stars),
        ("/a", PatternError::EmptyComponent),
        ("a/", PatternError::EmptyComponent),
        ("a//b", PatternError::EmptyComponent),
        ("A", PatternError::Character),
        ("a?", PatternError::Character),
        ("[a]", PatternError::Character),
        ("a b", PatternError::Character),
        (&long, PatternError::TooLong),
        (&stars, PatternError::TooManyWildcards),
    ] {
        assert_eq!(text.parse::<RepoPattern>(), Err(error), "{text}");
    }
    assert_eq!("**".parse::<TagPattern>(), Err(PatternError::Stars));
    assert_eq!("a/b".parse::<TagPattern>(), Err(PatternError::Character));
    assert!("V1.*".parse::<TagPattern>().is_ok());
    let many = vec!["a"; 33].join(" ");
    assert_eq!(many.parse::<RepoPatterns>(), Err(PatternError::TooMany));
    assert_eq!(" ".parse::<TagPatterns>(), Err(PatternError::Empty));
}

#[test]
fn a_pattern_made_to_be_slow_is_not() {
    // Sixteen stars and a name that fails at its last byte: what goes back and tries again would not end.
    let pattern = format!("{}b", "*a".repeat(15));
    let name = "a".repeat(255);
    for _ in 0..1000 {
        assert!(!means(&pattern, &name));
    }
}

/// The meaning of a pattern, as one would say it and never run it.
fn naive(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', b'*', rest @ ..] => (0..=text.len()).any(|at| naive(rest, &text[at..])),
        [b'*', rest @ ..] => (0..=text.len())
            .take_while(|at| !text[..*at].contains(&b'/'))
            .any(|at| naive(rest, &text[at..])),
        [byte, rest @ ..] => text.first() == Some(byte) && naive(rest, &text[1..]),
    }
}

proptest! {
    #[test]
    fn it_matches_what_its_meaning_says(pattern in "[ab/*]{1,9}", name in "[ab/]{0,9}") {
        let Ok(parsed) = pattern.parse::<RepoPattern>() else { return Ok(()) };
        prop_assert_eq!(parsed.matches(&name), naive(pattern.as_bytes(), name.as_bytes()));
    }

    #[test]
    fn without_a_star_it_is_the_name_and_every_match_begins_with_its_prefix(name in "[a-c]{1,3}(/[a-c]{1,3}){0,2}", pattern in "[a-c/*]{1,8}") {
        let name: RepoName = name.parse().unwrap();
        prop_assert!(RepoPattern::exactly(&name).matches(name.as_str()));
        let Ok(pattern) = pattern.parse::<RepoPattern>() else { return Ok(()) };
        if pattern.matches(name.as_str()) {
            prop_assert!(name.as_str().starts_with(pattern.prefix()));
        }
        if pattern.is_exact() {
            prop_assert_eq!(pattern.matches(name.as_str()), pattern.as_str() == name.as_str());
        }
    }

    #[test]
    fn what_a_pattern_covers_it_means(wider in "[ab*]{1,4}", narrower in "[ab*]{1,4}", tag in "[ab]{1,6}") {
        let (Ok(wider), Ok(narrower)) = (wider.parse::<TagPattern>(), narrower.parse::<TagPattern>()) else { return Ok(()) };
        let tag: Tag = tag.parse().unwrap();
        if wider.covers(&narrower) && narrower.matches(&tag) {
            prop_assert!(wider.matches(&tag));
        }
    }
}
