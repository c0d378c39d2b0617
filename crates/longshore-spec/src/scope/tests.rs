//! The grammar of scopes, and what allows what.

use proptest::prelude::*;

use super::*;

fn scopes(text: &str) -> Scopes {
    Scopes::parse([text]).unwrap()
}

#[test]
fn a_scope_is_split_at_its_first_and_last_colon() {
    for (text, kind, name, actions) in [
        (
            "repository:acme/app:pull,push",
            "repository",
            "acme/app",
            "pull,push",
        ),
        ("repository:h:5000/a:pull", "repository", "h:5000/a", "pull"),
        (
            "repository:[::1]:5000/a:pull",
            "repository",
            "[::1]:5000/a",
            "pull",
        ),
        (
            "repository:example.com/a:delete",
            "repository",
            "example.com/a",
            "delete",
        ),
        ("repository(plugin):a:pull", "repository", "a", "pull"),
        ("registry:catalog:*", "registry", "catalog", "*"),
        (
            "repository:a:push,pull,pull",
            "repository",
            "a",
            "pull,push",
        ),
        ("repository:a:pull,metadata", "repository", "a", "pull"),
        ("repository:a:", "repository", "a", ""),
        ("bucket:h:1/x:pull", "bucket", "h:1/x", "pull"),
    ] {
        let scope: Scope = text.parse().unwrap();
        assert_eq!(
            (
                scope.resource.kind(),
                scope.resource.name().as_str(),
                scope.actions.to_string().as_str()
            ),
            (kind, name, actions),
            "{text}"
        );
    }
}

#[test]
fn what_is_no_scope_is_refused() {
    for text in [
        "",
        "repository",
        ":",
        "::",
        "repository:a",
        "repository::pull",
        ":a:pull",
        "a:b:c:d:e",
        "Repository:a:pull",
        "repository:A:pull",
        "repository:a/:pull",
        "repository:a//b:pull",
        "repository:../a:pull",
        "repository:a:Pull",
        "repository:a:pull, push",
        "repository(:a:pull",
        "repository(Plugin):a:pull",
        "repository():a:pull",
        "registry:a:b:*",
        "registry:\u{e9}:*",
        "repository:h:0/a:pull",
        "repository:a:p*",
    ] {
        assert_eq!(
            text.parse::<Scope>(),
            Err(ScopeError::Malformed),
            "{text:?}"
        );
    }
}

#[test]
fn scopes_of_one_resource_are_joined_wherever_they_stand() {
    let joined = Scopes::parse([
        "repository:b:pull repository:a:push",
        "",
        "repository:b:push  registry:catalog:*",
    ])
    .unwrap();
    assert_eq!(
        joined.to_string(),
        "repository:a:push repository:b:pull,push registry:catalog:*"
    );
    assert!(Scopes::parse(["", " "]).unwrap().is_empty());
    assert!(Scopes::parse([]).unwrap().is_empty());
}

#[test]
fn a_request_asks_for_fifty_scopes_and_no_more() {
    let ask = |count: usize| vec!["repository:a:pull"; count].join(" ");
    assert!(Scopes::parse([ask(50).as_str()]).is_ok());
    assert_eq!(
        Scopes::parse([ask(50).as_str(), "repository:a:pull"]),
        Err(ScopeError::TooMany)
    );
}

#[test]
fn a_scope_allows_what_it_says_and_nothing_more() {
    let allowed = scopes("repository:a:pull,push repository:b:* registry:catalog:*");
    for asked in [
        "",
        "repository:a:pull",
        "repository:a:push,pull",
        "repository:b:delete,pull",
        "repository:b:*",
        "registry:catalog:*",
        "repository:c:",
    ] {
        assert!(allowed.contains(&scopes(asked)), "{asked}");
    }
    for asked in [
        "repository:a:delete",
        "repository:a:*",
        "repository:c:pull",
        "repository:a/b:pull",
        "registry:other:*",
        "repository:r.example:5000/a:pull",
    ] {
        assert!(!allowed.contains(&scopes(asked)), "{asked}");
    }
}

#[test]
fn everything_meets_something_in_something() {
    let some = Actions::PULL.union(Actions::PUSH);
    assert_eq!(Actions::ALL.intersection(some), some);
    assert_eq!(some.intersection(Actions::ALL), some);
    assert_eq!(Actions::ALL.intersection(Actions::ALL), Actions::ALL);
    assert_eq!(
        some.intersection(Actions::PUSH.union(Actions::DELETE)),
        Actions::PUSH
    );
    assert!(some.intersection(Actions::DELETE).is_empty());
}

proptest! {
    #[test]
    fn a_scope_is_printed_as_it_means(text in "((repository|registry|a9)(\\(a\\))?:[a-z0-9.:/-]{0,9}:(pull|push|\\*|x)?(,(pull|delete))? ?){0,3}|\\PC{0,20}") {
        crate::fuzzing::scopes(text.as_bytes());
    }

    #[test]
    fn what_both_allow_is_allowed_by_each(a in 0u8..16, b in 0u8..16) {
        let (a, b) = (Actions(a), Actions(b));
        let both = a.intersection(b);
        prop_assert!(a.contains(both) && b.contains(both));
        prop_assert!(a.union(b).contains(a) && a.union(b).contains(b));
        prop_assert_eq!(both.contains(Actions::PULL), a.contains(Actions::PULL) && b.contains(Actions::PULL));
    }
}
