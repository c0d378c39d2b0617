//! What the operator says of people, repositories and the system, piece by piece.

use serde_json::json;

use super::admin::user;
use super::index::{done, fails, index, json as told};

#[test]
fn a_user_is_shown_and_edited_and_what_is_not_named_stays() {
    let data = tempfile::tempdir().unwrap();
    let _server = index(data.path());
    let dir = data.path();
    user(dir, "bob");
    let edit = ["user", "edit", "bob", "--full-name", "Bob Bloggs"];
    let shown = told(dir, &edit, "");
    assert_eq!(shown["full_name"], "Bob Bloggs");
    done(
        dir,
        &["user", "edit", "bob", "--mail", "bob@example.org"],
        "",
    );
    let shown = told(dir, &["user", "show", "bob"], "");
    for (field, value) in [
        ("full_name", "Bob Bloggs"),
        ("mail", "bob@example.org"),
        ("state", "active"),
    ] {
        assert_eq!(shown[field], value, "{field}");
    }
    let text = done(dir, &["user", "show", "bob"], "");
    for line in ["full name    Bob Bloggs\n", "seen         -\n"] {
        assert!(text.contains(line), "{text}");
    }
    let bare = told(dir, &["user", "edit", "bob", "--full-name", ""], "");
    assert_eq!(bare["full_name"], "");
    assert_eq!(bare["mail"], "bob@example.org");
    fails(
        dir,
        &["user", "edit", "bob", "--mail", "nowhere"],
        "",
        "mail address",
    );
    fails(dir, &["user", "edit", "bob"], "", "--full-name");
    fails(dir, &["user", "show", "nobody"], "", "user");
}

#[test]
fn settings_are_shown_and_set() {
    let data = tempfile::tempdir().unwrap();
    let _server = index(data.path());
    let dir = data.path();
    let show = || told(dir, &["settings", "show"], "");
    assert_eq!(show(), json!({ "sign_up": "closed", "read_only": false }));
    done(dir, &["settings", "set", "--sign-up", "open"], "");
    assert_eq!(show(), json!({ "sign_up": "open", "read_only": false }));
    let both = ["--sign-up", "invitation", "--read-only", "true"];
    let text = done(dir, &[&["settings", "set"][..], &both].concat(), "");
    assert_eq!(text, "sign up    invitation\nread only  yes\n");
    assert_eq!(
        show(),
        json!({ "sign_up": "invitation", "read_only": true })
    );
    fails(dir, &["settings", "set"], "", "--sign-up");
    fails(
        dir,
        &["settings", "set", "--sign-up", "all"],
        "",
        "possible values",
    );
}

#[test]
fn a_repository_is_given_words_and_loses_them_again() {
    let data = tempfile::tempdir().unwrap();
    let _server = index(data.path());
    let dir = data.path();
    user(dir, "bob");
    done(dir, &["repo", "create", "bob/app"], "");
    let set = |more: &[&str], input: &str| {
        let all = [&["repo", "set", "bob/app"][..], more].concat();
        told(dir, &all, input)
    };
    let (one, two) = ("https://example.org/", "mailto:bob@example.org");
    let shown = set(
        &["--readme", "-", "--link", one, "--label", "tier=gold"],
        "# App\n\nIt runs.\n",
    );
    assert_eq!(shown["readme"], "# App\n\nIt runs.\n");
    assert_eq!(shown["links"], json!([one]));
    assert_eq!(shown["labels"], json!({ "tier": "gold" }));
    let shown = set(&["--link", two, "--link", one, "--label", "a=b=c"], "");
    assert_eq!(shown["links"], json!([one, two]), "each once");
    assert_eq!(shown["labels"], json!({ "a": "b=c", "tier": "gold" }));
    let text = done(dir, &["repo", "show", "bob/app"], "");
    assert!(text.contains("labels       a=b=c tier=gold\n"), "{text}");
    assert!(text.ends_with("\n# App\n\nIt runs.\n"), "{text}");
    let file = dir.join("readme.md");
    std::fs::write(&file, "").unwrap();
    let shown = set(
        &[
            "--readme",
            file.to_str().unwrap(),
            "--remove-link",
            one,
            "--remove-label",
            "tier",
        ],
        "",
    );
    assert_eq!(shown["readme"], "");
    assert_eq!(shown["links"], json!([two]));
    assert_eq!(shown["labels"], json!({ "a": "b=c" }));
    let bad = |more: &[&str], why: &str| {
        let all = [&["repo", "set", "bob/app"][..], more].concat();
        fails(dir, &all, "", why);
    };
    bad(&["--remove-link", one], "no link `https://example.org/`");
    bad(&["--remove-label", "tier"], "no label `tier`");
    bad(&["--link", "javascript:alert(1)"], "https, http or mailto");
    bad(&["--label", "=x"], "from 1 to 128 characters");
    bad(&["--label", "x"], "equals sign");
    let shown = told(dir, &["repo", "show", "bob/app"], "");
    assert_eq!(shown["links"], json!([two]), "nothing was changed");
}
