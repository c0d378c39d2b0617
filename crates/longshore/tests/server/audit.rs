//! The audit log under somebody who can write to the database.

use std::path::Path;

use longshore_testkit::wire::{Ask, Login, Wire};
use serde_json::{Value, json};

use super::admin::user;
use super::harness::{Server, Start, expect, said};
use super::index::{admin, done, fails, index, json as told};

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
