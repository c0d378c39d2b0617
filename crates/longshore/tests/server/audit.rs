//! The audit log under somebody who can write to the database.

use std::path::Path;

use longshore_testkit::wire::{Ask, Login, Wire};
use serde_json::{Value, json};

use super::admin::{push, user};
use super::harness::{Server, Start, expect, said};
use super::index::{PASSWORD, admin, basic, done, fails, index, json as told, status, token};

fn sql(data: &Path, sql: &str) {
    let db = rusqlite::Connection::open(data.join("meta.db")).unwrap();
    db.execute_batch(sql).unwrap();
}

async fn metric(server: &Server, name: &str) -> String {
    let mut admin = Wire::new(server.admin, Login::Nobody);
    let answer = expect(&mut admin, Ask::new("GET", "/metrics"), 200).await;
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let line = text.lines().find(|line| line.starts_with(name));
    line.unwrap().rsplit(' ').next().unwrap().to_owned()
}

fn rows(data: &Path) -> Vec<Value> {
    done(data, &["audit", "export"], "")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn entries_that_are_removed_or_rewritten_are_found_out_at_the_next_start() {
    for attack in [
        "DELETE FROM audit WHERE seq > 3",
        "DELETE FROM audit WHERE seq > 3; DELETE FROM audit_checkpoint",
        "DELETE FROM audit; DELETE FROM audit_checkpoint",
        // With its hash computed anew there would be more of this; the one that was signed is remembered either way.
        "UPDATE audit SET actor_name = 'eve', hash = x'00' WHERE seq = 5; DELETE FROM audit_checkpoint",
    ] {
        let data = tempfile::tempdir().unwrap();
        let dir = data.path();
        let server = index(dir);
        for name in ["alice", "bob", "carol", "dave", "erin"] {
            user(dir, name);
        }
        assert_eq!(server.stop(), Some(0));
        let server = index(dir);
        assert_eq!(told(dir, &["audit", "verify"], "")["wrong"], json!([]));
        assert_eq!(metric(&server, "longshore_audit_broken").await, "0");
        fails(
            dir,
            &["audit", "accept", "--why", "x"],
            "",
            "nothing is wrong",
        );
        assert_eq!(server.stop(), Some(0));
        sql(dir, attack);

        let server = index(dir);
        said(&server, "the audit log is not what was signed").await;
        let out = admin(dir, &["audit", "verify"], "");
        assert_eq!(out.status.code(), Some(3), "{attack}: {out:?}");
        assert!(String::from_utf8_lossy(&out.stdout).contains("wrong: "));
        assert_eq!(metric(&server, "longshore_audit_broken").await, "1");
        let broken = rows(dir).into_iter().find(|row| row["result"] == "broken");
        assert_eq!(broken.unwrap()["object"], "audit log", "{attack}");
        // Neither while it runs, nor at its stop, nor at another start.
        assert_eq!(server.stop(), Some(0));
        let server = index(dir);
        assert_eq!(admin(dir, &["audit", "verify"], "").status.code(), Some(3));

        let text = done(dir, &["audit", "accept", "--why", "a drill"], "");
        assert!(
            text.contains("wrong: ") && text.contains("accepted;"),
            "{text}"
        );
        user(dir, "frank");
        let found = told(dir, &["audit", "verify"], "");
        assert_eq!(found["wrong"], json!([]), "{attack}: {found}");
        assert_eq!(server.stop(), Some(0));
    }
}

#[tokio::test]
async fn what_a_killed_server_had_not_signed_is_signed_by_the_next() {
    let data = tempfile::tempdir().unwrap();
    let dir = data.path();
    let server = index(dir);
    user(dir, "alice");
    user(dir, "bob");
    server.kill();
    let server = index(dir);
    let found = told(dir, &["audit", "verify"], "");
    assert_eq!(
        (&found["wrong"], &found["unsigned"]),
        (&json!([]), &json!(0))
    );
    assert_eq!(found["rows"], 2);
    said(&server, "the audit log is signed up to this row").await;
    assert_eq!(server.stop(), Some(0));
    // A copy without the file beside the database, as a backup is: it goes on, and says so.
    std::fs::remove_file(dir.join("audit.head")).unwrap();
    let server = Start::over(dir).set("index.enabled", "true").run();
    said(&server, "is remembered nowhere but in the database").await;
    assert_eq!(told(dir, &["audit", "verify"], "")["wrong"], json!([]));
    assert_eq!(rows(dir)[2]["detail"]["goes_on_from"], 2);
    assert_eq!(server.stop(), Some(0));
}

/// Who did what and how, of the rows with this action.
fn how(data: &Path, action: &str) -> Vec<[String; 5]> {
    let rows = rows(data).into_iter();
    rows.filter(|row| row["action"] == action)
        .map(|row| {
            ["actor_name", "via", "origin", "object", "result"]
                .map(|name| row[name].as_str().unwrap().to_owned())
        })
        .collect()
}

#[tokio::test]
async fn who_pushes_and_deletes_is_written_down_with_the_credential_and_the_address() {
    let data = tempfile::tempdir().unwrap();
    let dir = data.path();
    let server = index(dir);
    let alice = user(dir, "alice");
    let made = told(dir, &["token", "create", "alice", "--label", "ci"], "");
    let (id, secret) = (&made["id"], made["secret"].as_str().unwrap());
    let by_token = basic("alice", secret);
    push(&server, &alice, "alice/one", "1", "{}").await;
    push(&server, &by_token, "alice/two", "1", "{}").await;
    let scope = "repository:alice/three:pull,push,delete";
    let bearer = token(&server, &by_token, scope).await;
    let digest = push(&server, &bearer, "alice/three", "1", "{}").await;
    let local = "127.0.0.1".to_owned();
    let (by, done) = (format!("token:{id}"), "done".to_owned());
    let row = |via: &str, object: &str| {
        [
            "alice".to_owned(),
            via.to_owned(),
            local.clone(),
            object.to_owned(),
            done.clone(),
        ]
    };
    assert_eq!(
        how(dir, "namespace:create-repository"),
        [
            row("password", "alice/one"),
            row(&by, "alice/two"),
            row(&by, "alice/three"),
        ]
    );
    for (path, by) in [("manifests/1", &by_token), ("manifests/none", &alice)] {
        let delete = Ask::new("DELETE", format!("/v2/alice/two/{path}"));
        let gone = status(&server, delete, by).await;
        assert_eq!(gone, if path.ends_with('1') { 202 } else { 404 });
    }
    let delete = Ask::new("DELETE", format!("/v2/alice/three/manifests/{digest}"));
    let bearer = token(&server, &by_token, scope).await;
    assert_eq!(status(&server, delete, &bearer).await, 202);
    assert_eq!(how(dir, "tag:delete"), [row(&by, "alice/two:1")]);
    let object = format!("alice/three@{digest}");
    assert_eq!(how(dir, "repository:delete"), [row(&by, &object)]);
    super::index::done(dir, &["trash", "restore", "alice/three", &digest], "");
    let restored = rows(dir).pop().unwrap();
    assert_eq!(restored["actor_name"], "operator");
    assert_eq!(restored["detail"]["restored"], "manifest");
    assert_eq!(server.stop(), Some(0));
}

#[tokio::test]
async fn who_is_turned_away_is_written_down_and_no_password_is() {
    let data = tempfile::tempdir().unwrap();
    let dir = data.path();
    let server = index(dir);
    let (alice, bob) = (user(dir, "alice"), user(dir, "bob"));
    push(&server, &alice, "alice/app", "1", "{}").await;
    for nth in 0..12 {
        let wrong = basic("bob", &format!("not the password {nth}"));
        status(&server, Ask::new("GET", "/v2/"), &wrong).await;
    }
    // Who types into the wrong field types a password there.
    for name in [PASSWORD, "hunter2hunter2"] {
        let wrong = basic(name, "something else");
        assert_eq!(status(&server, Ask::new("GET", "/v2/"), &wrong).await, 401);
    }
    assert_eq!(server.stop(), Some(0));
    let server = index(dir);
    let upload = || Ask::new("POST", "/v2/alice/app/blobs/uploads/");
    assert_eq!(status(&server, upload(), &bob).await, 403);
    assert_eq!(status(&server, upload(), &bob).await, 403);
    let bearer = token(&server, &bob, "repository:alice/app:pull,push").await;
    assert_eq!(status(&server, upload(), &bearer).await, 401);
    let delete = Ask::new("DELETE", "/v2/alice/app/manifests/1");
    assert_eq!(status(&server, delete, &bob).await, 403);
    // Nobody in particular is only asked who they are.
    assert_eq!(status(&server, upload(), "").await, 401);
    assert_eq!(server.stop(), Some(0));

    let server = index(dir);
    let row = |who: &str, via: &str, object: &str| {
        [who, via, "127.0.0.1", object, "denied"].map(str::to_owned)
    };
    assert_eq!(
        how(dir, "login"),
        [
            row("", "nothing", "bob"),
            row("", "nothing", "unknown name")
        ]
    );
    let logins: Vec<_> = rows(dir)
        .into_iter()
        .filter(|row| row["action"] == "login")
        .map(|row| row["detail"].clone())
        .collect();
    assert_eq!(logins[1], json!({ "wrong": 2, "held_off": 0, "names": 2 }));
    let bobs = (&logins[0]["wrong"], &logins[0]["held_off"]);
    assert_eq!(bobs, (&json!(10), &json!(2)));
    assert_eq!(
        how(dir, "repository:push"),
        [row("bob", "password", "alice/app")]
    );
    assert_eq!(
        how(dir, "tag:delete"),
        [row("bob", "password", "alice/app:1")]
    );
    let text = done(dir, &["audit", "export"], "");
    assert!(
        !text.contains("hunter2") && !text.contains(PASSWORD),
        "{text}"
    );
    assert_eq!(told(dir, &["audit", "verify"], "")["wrong"], json!([]));
    assert_eq!(server.stop(), Some(0));
}
