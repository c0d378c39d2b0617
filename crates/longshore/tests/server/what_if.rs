//! What the operator asks before something is changed.

use std::path::Path;

use super::index::{PASSWORD, admin, basic, done, fails, index, json};
use super::names::push;

/// What `what-if` says and how it ends.
fn supposed(data: &Path, who: &str, action: &str, about: &str, more: &[&str]) -> (i32, String) {
    let out = admin(data, &[&["what-if", who, action, about], more].concat(), "");
    assert!(out.stderr.is_empty(), "{more:?}: {out:?}");
    let said = String::from_utf8(out.stdout).unwrap();
    (out.status.code().unwrap(), said)
}

#[tokio::test]
async fn what_would_be_is_said_before_anything_is_changed_and_comes_true() {
    let data = tempfile::tempdir().unwrap();
    let (server, dir) = (index(data.path()), data.path());
    for user in ["ann", "bob"] {
        done(dir, &["user", "create", user], PASSWORD);
    }
    done(dir, &["org", "create", "acme", "--owner", "ann"], "");
    done(dir, &["team", "create", "acme/devs"], "");
    done(
        dir,
        &["binding", "grant", "acme/devs", "developer", "acme"],
        "",
    );
    done(dir, &["robot", "create", "acme+ci"], "");
    let ann = basic("ann", PASSWORD);
    assert_eq!(push(&server, "acme/app:v1", &ann).await, 201);
    let set = [
        "role",
        "set",
        "puller",
        "--action",
        "repository:list",
        "--of",
        "acme",
    ];
    done(dir, &set, "");
    let made = json(dir, &["binding", "grant", "acme+ci", "puller", "acme"], "");
    let id = made["id"].to_string();

    for (who, action, more, allowed) in [
        ("bob", "pull", &[][..], false),
        ("bob", "pull", &["--grant", "bob=reader@acme"], true),
        (
            "user:bob",
            "pull",
            &["--grant", "everybody=reader@**"],
            true,
        ),
        (
            "bob",
            "pull",
            &[
                "--grant",
                "bob=reader@acme/",
                "--deny",
                "logged-in=reader@system",
            ],
            false,
        ),
        ("bob", "push", &["--join", "acme/devs"], true),
        (
            "bob",
            "push",
            &["--join", "team:acme/devs", "--read-only", "acme/"],
            false,
        ),
        (
            "bob",
            "push",
            &["--join", "acme/devs", "--read-only", "system"],
            false,
        ),
        ("bob", "pull", &["--join", "acme"], false),
        ("anonymous", "pull", &["--visibility", "acme/=public"], true),
        (
            "anonymous",
            "pull",
            &[
                "--visibility",
                "acme/=public",
                "--visibility",
                "acme/app=private",
            ],
            false,
        ),
        ("acme+ci", "repository:list", &[], true),
        ("acme+ci", "repository:list", &["--without", &id], false),
        (
            "acme+ci",
            "pull",
            &["--role", "puller@acme=pull,push"],
            true,
        ),
        (
            "bob",
            "pull",
            &[
                "--role",
                "new@acme=pull",
                "--grant",
                "acme/devs=new@acme",
                "--join",
                "acme/devs",
            ],
            true,
        ),
    ] {
        let (code, said) = supposed(dir, who, action, "acme/app", more);
        assert_eq!(code == 0, allowed, "{who} {action} {more:?}: {said}");
        assert!(
            said.starts_with(if allowed { "yes: " } else { "no: " }),
            "{said}"
        );
        assert!(matches!(code, 0 | 3), "{said}");
    }
    done(dir, &["team", "add", "acme/devs", "bob"], "");
    let (code, said) = supposed(dir, "bob", "push", "acme/app:v1", &["--leave", "acme"]);
    assert_eq!(
        (code, said.lines().next()),
        (3, Some("no: nothing allows it"))
    );
    let bob = basic("bob", PASSWORD);
    assert_eq!(push(&server, "acme/app:v2", &bob).await, 201);
    let found = json(dir, &["what-if", "bob", "push", "acme/new"], "");
    assert_eq!(
        (&found["allowed"], &found["absent"]),
        (&true.into(), &true.into())
    );
    done(dir, &["org", "remove", "acme", "bob"], "");
    assert_eq!(push(&server, "acme/app:v3", &bob).await, 403);
}

#[tokio::test]
async fn what_cannot_be_meant_is_said_with_what_to_do() {
    let data = tempfile::tempdir().unwrap();
    let (server, dir) = (index(data.path()), data.path());
    for user in ["ann", "bob"] {
        done(dir, &["user", "create", user], PASSWORD);
    }
    assert_eq!(
        push(&server, "ann/app:v1", &basic("ann", PASSWORD)).await,
        201
    );
    for (more, words) in [
        (&["--grant", "bob"][..], "ann=developer@acme"),
        (&["--deny", "bob=reader"], "ann=developer@acme"),
        (&["--grant", "bob=reader@none"], "no such namespace `none`"),
        (&["--grant", "bob=none@ann"], "no such role `none`"),
        (&["--grant", "none=reader@ann"], "no such account `none`"),
        (&["--without", "999"], "binding list"),
        (&["--role", "puller"], "puller=pull"),
        (&["--role", "none=pull"], "no such role `none`"),
        (&["--role", "reader=pull"], "built in"),
        (&["--role", "x=fly"], "no action `fly`"),
        (&["--join", "acme/devs"], "team list"),
        (&["--leave", "acme"], "org list"),
        (&["--visibility", "ann/"], "acme/=public"),
        (&["--visibility", "ann=private"], "`ann/`"),
        (&["--visibility", "ann/app=public"], "`ann` is private"),
        (&["--read-only", "ann/none"], "no repository `ann/none`"),
        (&["--read-only", "none/"], "no namespace `none`"),
    ] {
        let args = [&["what-if", "bob", "pull", "ann/app"], more].concat();
        fails(dir, &args, "", words);
    }
    for command in ["what-if", "explain"] {
        let ask = |who| [command, who, "pull", "ann/app"];
        fails(dir, &ask("none"), "", "no such account `none`");
        fails(dir, &ask("ann+none"), "", "no such robot `ann+none`");
        fails(dir, &ask("user:"), "", "no such user");
        fails(dir, &ask("everybody"), "", "user:NAME");
    }
    done(dir, &["user", "rename", "bob", "ben"], "");
    let ask = ["explain", "bob", "pull", "ann/app"];
    fails(dir, &ask, "", "`bob` is called `ben` now; ask about `ben`");
    done(dir, &["user", "delete", "ben"], "");
    let ask = ["explain", "ben", "pull", "ann/app"];
    fails(dir, &ask, "", "nobody is called `ben` any more");
    let ask = ["explain", "ann", "push", "ann/new:v1"];
    let said = done(dir, &ask, "");
    assert!(
        said.contains("no such repository, and a push makes it"),
        "{said}"
    );
}
