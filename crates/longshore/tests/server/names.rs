//! Names that change on the running program, and what counts by a name or by what has it.

use std::path::Path;

use longshore_testkit::wire::Ask;

use super::harness::Server;
use super::index::{PASSWORD, basic, done, fails, index, json, status};

/// Pushes an image that is none, which needs nothing beside it.
pub(crate) async fn push(server: &Server, at: &str, who: &str) -> u16 {
    let (repo, tag) = at.split_once(':').unwrap();
    let body = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    let put = Ask::new("PUT", format!("/v2/{repo}/manifests/{tag}"))
        .header("content-type", "application/vnd.oci.image.index.v1+json")
        .sized(body);
    status(server, put, who).await
}

/// Asks the API to rename something.
async fn rename(server: &Server, what: &str, to: &str, who: &str) -> u16 {
    let ask = Ask::new("POST", format!("/api/v1/{what}/-/rename"))
        .header("content-type", "application/json")
        .sized(format!(r#"{{"name":"{to}"}}"#));
    status(server, ask, who).await
}

/// The organisation `corp` of ann's, where bob is a maintainer.
fn corp(data: &Path) -> (Server, String, String) {
    let server = index(data);
    for user in ["ann", "bob"] {
        done(data, &["user", "create", user], PASSWORD);
    }
    done(data, &["org", "create", "corp", "--owner", "ann"], "");
    let grant = ["binding", "grant", "bob", "maintainer", "corp"];
    done(data, &grant, "");
    (server, basic("ann", PASSWORD), basic("bob", PASSWORD))
}

#[tokio::test]
async fn a_tag_that_is_denied_is_not_pushed_under_another_name() {
    let data = tempfile::tempdir().unwrap();
    let (server, ann, bob) = corp(data.path());
    assert_eq!(push(&server, "corp/rel:v1", &ann).await, 201);
    for pattern in ["rel", "re*"] {
        let deny = [
            "binding",
            "deny",
            "bob",
            "developer",
            "corp",
            "--repository",
            pattern,
            "--tag",
            "v*",
        ];
        done(data.path(), &deny, "");
    }
    assert_eq!(push(&server, "corp/rel:v1", &bob).await, 403);
    for to in ["corp/rel-moved", "corp/other", "bob/rel"] {
        let renamed = rename(&server, "repositories/corp/rel", to, &bob).await;
        assert_eq!(renamed, 403, "{to}");
    }
    assert_eq!(push(&server, "corp/rel:v1", &bob).await, 403);
    assert_eq!(push(&server, "corp/rel:dev", &bob).await, 201);
    // Whoever gives rights there may.
    let renamed = rename(&server, "repositories/corp/rel", "corp/rel2", &ann).await;
    assert_eq!(renamed, 200);
    assert_eq!(push(&server, "corp/rel2:v1", &ann).await, 201);
    server.stop();
}

#[tokio::test]
async fn names_are_bound_to_what_has_them_and_the_answers_say_so() {
    let data = tempfile::tempdir().unwrap();
    let (server, ann, bob) = corp(data.path());
    let data = data.path();
    done(data, &["user", "create", "eve"], PASSWORD);
    let eve = basic("eve", PASSWORD);
    assert_eq!(push(&server, "corp/x:1", &ann).await, 201);
    let grant = |names: &[&str]| {
        let mut args = vec!["binding", "grant", "eve", "developer", "corp"];
        for name in names {
            args.extend(["--repository", name]);
        }
        done(data, &args, "")
    };
    let said = grant(&["x", "late", "y-*"]);
    for words in [
        "for the repository `corp/x`",
        "no such repository yet",
        "called like `y-*`",
    ] {
        assert!(said.contains(words), "{said}");
    }
    let token = json(
        data,
        &[
            "token",
            "create",
            "eve",
            "--repository",
            "corp/x",
            "--repository",
            "corp/none",
        ],
        "",
    );
    assert_eq!(token["by_name"], serde_json::json!(["corp/none"]));
    let by_token = basic("eve", token["secret"].as_str().unwrap());
    assert_eq!(push(&server, "corp/x:2", &eve).await, 201);
    assert_eq!(push(&server, "corp/x:3", &by_token).await, 201);
    assert_eq!(push(&server, "corp/y-1:1", &by_token).await, 403);

    let pattern = ["binding", "grant", "bob", "reader", "corp"];
    done(data, &[&pattern[..], &["--repository", "x*"]].concat(), "");
    let said = done(data, &["repo", "move", "corp/x", "corp/z"], "");
    assert!(
        said.contains("does not mean it any more: `user:bob`"),
        "{said}"
    );
    assert_eq!(push(&server, "corp/z:4", &by_token).await, 201);
    let listed = done(data, &["token", "list", "eve"], "");
    assert!(listed.contains("corp/z"), "{listed}");
    let listed = done(data, &["binding", "list", "corp"], "");
    assert!(listed.contains("corp/z"), "{listed}");
    done(data, &["repo", "delete", "corp/z"], "");
    for name in ["corp/x:1", "corp/z:1"] {
        assert_eq!(push(&server, name, &ann).await, 201);
        for who in [&eve, &by_token] {
            assert_eq!(push(&server, name, who).await, 403, "{name}");
        }
    }
    assert_eq!(push(&server, "corp/late:1", &bob).await, 201);
    assert_eq!(push(&server, "corp/late:2", &eve).await, 201);
    server.stop();
}

#[tokio::test]
async fn a_name_that_was_given_up_is_freed_by_hand_and_robots_go_on_by_it_until_then() {
    let data = tempfile::tempdir().unwrap();
    let (server, _, _) = corp(data.path());
    let data = data.path();
    let create = ["robot", "create", "corp+mv", "--grant", "developer:corp"];
    let robot = json(data, &create, "");
    let secret = robot["secret"].as_str().unwrap();
    done(data, &["org", "rename", "corp", "firm"], "");
    for name in ["corp+mv", "firm+mv"] {
        let who = basic(name, secret);
        assert_eq!(push(&server, "firm/app:1", &who).await, 201, "{name}");
    }
    fails(data, &["user", "create", "corp"], PASSWORD, "rests until");
    let listed = json(data, &["name", "list"], "");
    assert_eq!(listed[0]["name"], "corp");
    done(data, &["name", "free", "corp"], "");
    assert_eq!(
        push(&server, "firm/app:2", &basic("corp+mv", secret)).await,
        401
    );
    done(data, &["user", "create", "corp"], PASSWORD);

    done(data, &["namespace", "create", "free"], "");
    done(data, &["namespace", "move", "free", "freed"], "");
    done(
        data,
        &["namespace", "set", "freed", "--visibility", "internal"],
        "",
    );
    done(data, &["repo", "create", "freed/app"], "");
    let set = ["repo", "set", "freed/app", "--visibility", "public"];
    fails(data, &set, "", "`freed` is internal");
    server.stop();
}
