//! What the operator says about organisations, names, rights and the log, and what clients see of it.

use std::path::Path;

use bytes::Bytes;
use longshore_spec::digest::{Algorithm, Digest};
use longshore_testkit::wire::{Ask, Login, Wire};
use serde_json::{Value, json};

use super::harness::{Server, Start, expect};
use super::index::{PASSWORD, admin, basic, done, fails, index, json as told, status, token};

pub(super) fn user(data: &Path, name: &str) -> String {
    done(data, &["user", "create", name], &format!("{PASSWORD}\n"));
    basic(name, PASSWORD)
}

/// Pushes an image as somebody; gives its digest.
pub(super) async fn push(
    server: &Server,
    who: &str,
    repo: &str,
    tag: &str,
    config: &str,
) -> String {
    let mut client = Wire::new(server.address, Login::Nobody);
    let digest = Digest::of(Algorithm::Sha256, config.as_bytes());
    let post = Ask::new("POST", format!("/v2/{repo}/blobs/uploads/?digest={digest}"))
        .header("authorization", who)
        .sized(Bytes::from(config.to_owned()));
    expect(&mut client, post, 201).await;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest.to_string(), "size": config.len()},
        "layers": [],
    });
    let put = Ask::new("PUT", format!("/v2/{repo}/manifests/{tag}"))
        .header("authorization", who)
        .sized(Bytes::from(manifest.to_string()));
    let answer = expect(&mut client, put, 201).await;
    answer.header("docker-content-digest").unwrap().to_owned()
}

pub(super) fn pull(repo: &str, tag: &str) -> Ask {
    Ask::new("GET", format!("/v2/{repo}/manifests/{tag}"))
}

#[tokio::test]
async fn organisations_teams_roles_and_bindings_are_made_shown_and_taken_back() {
    let data = tempfile::tempdir().unwrap();
    let server = index(data.path());
    let dir = data.path();
    let (alice, bob) = (user(dir, "alice"), user(dir, "bob"));
    let said = done(dir, &["org", "create", "acme", "--owner", "alice"], "");
    assert!(said.contains("`alice` owns it"), "{said}");
    let upload = |repo: &str| Ask::new("POST", format!("/v2/{repo}/blobs/uploads/"));
    assert_eq!(status(&server, upload("acme/app"), &alice).await, 202);
    assert_eq!(status(&server, upload("acme/app"), &bob).await, 403);

    done(dir, &["team", "create", "acme/devs"], "");
    done(dir, &["team", "add", "acme/devs", "bob"], "");
    let shown = told(dir, &["org", "show", "acme"], "");
    assert_eq!(shown["members"], json!(["alice", "bob"]));
    assert_eq!(shown["teams"][0]["name"], "devs");
    let actions = ["--action", "repository:pull", "--action", "repository:push"];
    let more = ["--action", "namespace:create-repository", "--of", "acme"];
    let role = [&["role", "set", "pusher"][..], &actions, &more].concat();
    done(dir, &role, "");
    fails(
        dir,
        &["role", "set", "odd", "--action", "fly"],
        "",
        "no action `fly`",
    );
    let grant = [
        "binding",
        "grant",
        "acme/devs",
        "pusher",
        "acme",
        "--repository",
        "web-*",
        "--expires",
        "30d",
    ];
    let given = told(dir, &grant, "");
    assert_eq!(status(&server, upload("acme/web-1"), &bob).await, 202);
    assert_eq!(status(&server, upload("acme/app"), &bob).await, 403);
    done(
        dir,
        &[
            "binding",
            "deny",
            "bob",
            "pusher",
            // As places of rights are written elsewhere.
            "acme/",
            "--repository",
            "web-2",
        ],
        "",
    );
    assert_eq!(status(&server, upload("acme/web-2"), &bob).await, 403);
    let listed = told(dir, &["binding", "list", "acme"], "");
    let effects: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["effect"])
        .collect();
    assert_eq!(effects, ["allow", "allow", "deny"]);
    assert!(listed[1]["expires"].is_i64() && listed[1]["repositories"] == "web-*");
    let id = given["id"].to_string();
    done(dir, &["binding", "remove", "acme", &id], "");
    assert_eq!(
        status(&server, upload("acme/web-1"), &bob).await,
        403,
        "at once"
    );
    for (args, words) in [
        (&["binding", "remove", "acme", &id][..], "no such binding"),
        (&["binding", "grant", "carol", "reader", "acme"], "`carol`"),
        (
            &["binding", "grant", "bob", "king", "acme"],
            "no such role `king`",
        ),
        (
            &["binding", "grant", "bob", "reader", "nowhere"],
            "no such namespace `nowhere`",
        ),
        (
            &[
                "binding",
                "grant",
                "bob",
                "reader",
                "acme",
                "--network",
                "here",
            ],
            "here",
        ),
        (&["team", "add", "acme/none", "bob"], "no such team"),
        (&["team", "create", "acme"], "ORGANISATION/TEAM"),
        (&["org", "show", "nobody"], "no organisation `nobody`"),
        (&["role", "delete", "reader"], "no such role"),
    ] {
        fails(dir, args, "", words);
    }
    done(
        dir,
        &["namespace", "set", "acme", "--visibility", "internal"],
        "",
    );
    push(&server, &alice, "acme/app", "1", "{}").await;
    assert_eq!(status(&server, pull("acme/app", "1"), &bob).await, 200);
    done(
        dir,
        &["repo", "set", "acme/app", "--visibility", "private"],
        "",
    );
    assert_eq!(status(&server, pull("acme/app", "1"), &bob).await, 403);
    let shown = done(dir, &["repo", "show", "acme/app"], "");
    assert!(shown.contains("visibility   private"), "{shown}");
    let listed = told(dir, &["repo", "list", "acme"], "");
    assert_eq!(listed, json!(["acme/app", "acme/web-1"]));
    fails(
        dir,
        &["org", "delete", "acme"],
        "",
        "there are repositories in `acme`",
    );
    done(dir, &["namespace", "purge", "acme"], "");
    done(dir, &["org", "delete", "acme"], "");
    fails(dir, &["org", "create", "acme"], "", "cannot be had");
}

#[tokio::test]
async fn old_names_of_repositories_groups_and_people_go_on_for_clients() {
    let data = tempfile::tempdir().unwrap();
    let server = index(data.path());
    let dir = data.path();
    let alice = user(dir, "alice");
    let first = push(&server, &alice, "alice/app", "1", "{}").await;
    done(dir, &["namespace", "create", "alice/web"], "");
    done(dir, &["repo", "move", "alice/app", "alice/web/app"], "");
    done(dir, &["namespace", "move", "alice/web", "alice/site"], "");
    done(dir, &["user", "rename", "alice", "alicia"], "");
    let alicia = basic("alicia", PASSWORD);
    assert_eq!(status(&server, pull("alice/app", "1"), &alice).await, 401);
    let names = [
        "alice/app",
        "alice/web/app",
        "alice/site/app",
        "alicia/site/app",
    ];
    let digest = async |repo: &str| {
        let ask = pull(repo, "1").header("authorization", &alicia);
        let answer = expect(&mut server.client(), ask, 200).await;
        answer.header("docker-content-digest").unwrap().to_owned()
    };
    for name in names {
        assert_eq!(digest(name).await, first, "{name}");
    }
    let bearer = token(&server, &alicia, "repository:alice/web/app:pull").await;
    assert_eq!(
        status(&server, pull("alice/web/app", "1"), &bearer).await,
        200
    );
    assert_eq!(
        status(&server, pull("alicia/site/app", "1"), &bearer).await,
        401,
        "a token is for the name it was asked for"
    );
    let second = push(&server, &alicia, "alice/app", "1", "{\"n\":2}").await;
    for name in names {
        assert_eq!(digest(name).await, second, "{name}");
    }
    let listed = told(dir, &["repo", "list"], "");
    assert_eq!(listed, json!(["alicia/site/app"]));
    fails(
        dir,
        &["user", "create", "alice"],
        &format!("{PASSWORD}\n"),
        "cannot be had",
    );
    // Also after a start that remembers nothing.
    assert_eq!(server.stop(), Some(0));
    let server = index(dir);
    let ask = pull("alice/app", "1").header("authorization", &alicia);
    expect(&mut server.client(), ask, 200).await;
    done(dir, &["repo", "delete", "alice/app"], "");
    for name in names {
        assert_eq!(
            status(&server, pull(name, "1"), &alicia).await,
            404,
            "{name}"
        );
    }
    fails(
        dir,
        &["repo", "show", "alicia/site/app"],
        "",
        "nothing of that name",
    );
    let third = push(&server, &alicia, "alicia/site/app", "2", "{\"n\":3}").await;
    assert_ne!(third, second);
    assert_eq!(
        status(&server, pull("alicia/site/app", "1"), &alicia).await,
        404
    );
}

#[tokio::test]
async fn the_audit_log_has_all_of_it_and_tells_when_somebody_changed_it() {
    let data = tempfile::tempdir().unwrap();
    let server = index(data.path());
    let dir = data.path();
    let alice = user(dir, "alice");
    push(&server, &alice, "alice/app", "1", "{}").await;
    done(dir, &["token", "create", "alice"], "");
    done(dir, &["keys", "rotate"], "");
    let text = done(dir, &["audit", "list", "--limit", "2"], "");
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.contains("operator (operator from"), "{text}");
    let rows: Vec<Value> = done(dir, &["audit", "export"], "")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let said: Vec<_> = rows
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap();
            (text("actor_name"), text("action"), text("object"))
        })
        .collect();
    assert_eq!(
        said,
        [
            ("operator", "user:manage", "alice"),
            ("alice", "namespace:create-repository", "alice/app"),
            ("operator", "user:manage", "alice"),
            ("operator", "system:operate", "keys"),
        ]
    );
    let rest = done(dir, &["audit", "export", "--after", "3"], "");
    assert_eq!(rest.lines().count(), 1);
    let of = done(dir, &["audit", "export", "--namespace", "alice"], "");
    assert_eq!(of.lines().count(), 1, "{of}");
    assert_eq!(server.stop(), Some(0));
    // What was done last was signed at the stop.
    let server = index(dir);
    let found = told(dir, &["audit", "verify"], "");
    assert_eq!(found["rows"], 4);
    assert!(found["signatures"].as_u64().unwrap() >= 1, "{found}");
    assert_eq!(server.stop(), Some(0));
    rusqlite::Connection::open(dir.join("meta.db"))
        .unwrap()
        .execute("UPDATE audit SET actor_name = 'eve' WHERE seq = 2", [])
        .unwrap();
    let _server = index(dir);
    let out = admin(dir, &["audit", "verify"], "");
    assert_eq!(out.status.code(), Some(3), "{out:?}");
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(
        said.contains("wrong: row 2 is not what was written"),
        "{said}"
    );
}

#[tokio::test]
async fn reads_of_what_is_private_are_in_the_audit_log_where_that_is_wanted() {
    let data = tempfile::tempdir().unwrap();
    let dir = data.path();
    let start = || {
        Start::over(dir)
            .set("index.enabled", "true")
            .set("index.audit_reads", "1")
            .run()
    };
    let server = start();
    let alice = user(dir, "alice");
    push(&server, &alice, "alice/app", "1", "{}").await;
    push(&server, &alice, "alice/open", "1", "{}").await;
    done(
        dir,
        &["namespace", "set", "alice", "--visibility", "public"],
        "",
    );
    done(
        dir,
        &["repo", "set", "alice/app", "--visibility", "private"],
        "",
    );
    let blob = Digest::of(Algorithm::Sha256, b"{}");
    let get_blob = Ask::new("GET", format!("/v2/alice/app/blobs/{blob}"));
    let head = Ask::new("HEAD", "/v2/alice/app/manifests/1");
    for ask in [
        pull("alice/app", "1"),
        get_blob,
        head,
        pull("alice/open", "1"),
    ] {
        assert_eq!(status(&server, ask, &alice).await, 200);
    }
    assert_eq!(
        status(&server, pull("alice/app", "none"), &alice).await,
        404
    );
    assert_eq!(server.stop(), Some(0));
    // What was noted last is written, and signed, at the stop.
    let server = start();
    let rows: Vec<Value> = done(dir, &["audit", "export", "--namespace", "alice"], "")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|row: &Value| row["action"] == "repository:pull")
        .collect();
    let [row] = rows.as_slice() else {
        panic!("{rows:?}")
    };
    assert_eq!(
        (&row["actor_name"], &row["object"]),
        (&json!("alice"), &json!("alice/app"))
    );
    assert_eq!(row["detail"]["reads"], 2);
    assert_eq!(row["detail"]["what"], json!(["1", blob.to_string()]));
    assert_eq!(told(dir, &["audit", "verify"], "")["wrong"], json!([]));
    assert_eq!(server.stop(), Some(0));
}

#[tokio::test]
async fn a_start_without_an_administrator_prints_a_token_and_one_with_none() {
    let data = tempfile::tempdir().unwrap();
    let server = index(data.path());
    assert!(
        server.banner.contains("Set-up token") && server.banner.contains(": lsi_"),
        "{}",
        server.banner
    );
    let dir = data.path();
    done(
        dir,
        &["user", "create", "chief", "--admin"],
        &format!("{PASSWORD}\n"),
    );
    assert_eq!(server.stop(), Some(0));
    let server = index(dir);
    assert!(!server.banner.contains("lsi_"), "{}", server.banner);
}
