//! What stops at once when somebody says so, whatever was given out before.

use longshore_testkit::wire::Ask;

use super::harness::{Server, expect};
use super::index::{PASSWORD, basic, done, index, status, token};

const INDEX: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;

fn push(tag: &str) -> Ask {
    Ask::new("PUT", format!("/v2/alice/app/manifests/{tag}"))
        .header("content-type", "application/vnd.oci.image.index.v1+json")
        .sized(INDEX)
}

async fn system_read_only(server: &Server, who: &str, on: bool) {
    let ask = Ask::new("PATCH", "/api/v1/settings")
        .header("authorization", who)
        .header("content-type", "application/json")
        .sized(format!("{{\"read_only\":{on}}}"));
    expect(&mut server.client(), ask, 204).await;
}

#[tokio::test]
async fn nothing_is_pushed_where_the_system_a_namespace_or_a_repository_is_read_only() {
    let data = tempfile::tempdir().unwrap();
    let server = index(data.path());
    let dir = data.path();
    let user = ["user", "create", "alice", "--admin"];
    done(dir, &user, &format!("{PASSWORD}\n"));
    let password = basic("alice", PASSWORD);
    let scope = "repository:alice/app:pull,push,delete";
    let bearer = token(&server, &password, scope).await;
    assert_eq!(status(&server, push("first"), &bearer).await, 201);
    for what in ["system", "namespace", "repository"] {
        let switch = async |on: bool| {
            let word = if on { "true" } else { "false" };
            match what {
                "system" => system_read_only(&server, &password, on).await,
                "namespace" => {
                    done(dir, &["namespace", "set", "alice", "--read-only", word], "");
                }
                _ => {
                    done(dir, &["repo", "set", "alice/app", "--read-only", word], "");
                }
            }
        };
        switch(true).await;
        let begin = || Ask::new("POST", "/v2/alice/app/blobs/uploads/");
        let delete = || Ask::new("DELETE", "/v2/alice/app/manifests/first");
        for (who, refused) in [(&bearer, 401), (&password, 403)] {
            for ask in [push(what), push("first"), begin(), delete()] {
                let mut client = server.client();
                let ask = ask.header("authorization", who.as_str());
                let said = expect(&mut client, ask, refused).await;
                let body = String::from_utf8_lossy(&said.body).into_owned();
                assert!(body.contains("is read-only"), "{what}: {body}");
            }
            let pull = Ask::new("GET", "/v2/alice/app/manifests/first");
            assert_eq!(status(&server, pull, who).await, 200, "{what}");
            let new = Ask::new("GET", format!("/v2/alice/app/manifests/{what}"));
            assert_eq!(status(&server, new, who).await, 404, "{what}");
        }
        switch(false).await;
        assert_eq!(status(&server, push(what), &bearer).await, 201, "{what}");
    }
}

#[tokio::test]
async fn a_role_that_allows_less_and_a_denial_for_everybody_count_for_tokens_that_are_out() {
    let data = tempfile::tempdir().unwrap();
    let server = index(data.path());
    let dir = data.path();
    for name in ["alice", "bob"] {
        done(dir, &["user", "create", name], &format!("{PASSWORD}\n"));
    }
    let all = ["--action", "repository:pull", "--action", "repository:push"];
    let make = ["--action", "namespace:create-repository"];
    let role = |more: &[&'static str]| {
        let args = [&["role", "set", "ci"], more].concat();
        done(dir, &args, "");
    };
    role(&[&all[..], &make].concat());
    done(dir, &["binding", "grant", "bob", "ci", "alice"], "");
    let who = basic("bob", PASSWORD);
    let bearer = token(&server, &who, "repository:alice/app:pull,push").await;
    assert_eq!(status(&server, push("first"), &bearer).await, 201);
    role(&all[..2]);
    assert_eq!(status(&server, push("second"), &bearer).await, 401);
    role(&[&all[..], &make].concat());
    assert_eq!(status(&server, push("second"), &bearer).await, 201);
    done(
        dir,
        &["binding", "deny", "everybody", "developer", "alice"],
        "",
    );
    assert_eq!(status(&server, push("third"), &bearer).await, 401);
}
