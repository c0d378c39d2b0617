//! Mail servers that are broken or mean ill, as a running server meets them.

use std::process::Output;

use serde_json::json;

use crate::harness::{Start, file};
use crate::logins::admin;
use crate::mail::{PASSWORD, PLAIN, config, docker_login, done, post, secured, text};
use crate::outside::free_port;
use crate::sink::{Evil, Sink, certificate, evil};

/// The first words of what `mail test` says is wrong.
fn wrong(out: &Output) -> String {
    assert!(!out.status.success(), "{}", text(&out.stdout));
    text(&out.stderr)
}

#[tokio::test]
async fn a_test_of_the_mail_says_what_is_wrong() {
    let (dir, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let tried = |port: u16, more: &str| {
        let server = Start::with(&config(dir.path(), port, more)).run();
        let out = admin(dir.path(), &["mail", "test", "ann@example.org"], "");
        assert_eq!(server.stop(), Some(0));
        out
    };
    for (port, more, words) in [
        (free_port(), PLAIN, "no connection to the mail server"),
        (evil(Evil::Endless), PLAIN, "speaks no SMTP"),
        (evil(Evil::Drops), "", "TLS with the mail server fails"),
        (evil(Evil::Strips), "", "offers no TLS"),
        (evil(Evil::Refuses), PLAIN, "refuses the address"),
    ] {
        let said = wrong(&tried(port, more));
        assert!(said.contains(words), "{words}: {said}");
    }
    let bad = {
        let _server = Start::with(&config(dir.path(), 9, PLAIN)).run();
        wrong(&admin(dir.path(), &["mail", "test", "no address"], ""))
    };
    assert!(bad.contains("no mail address"), "{bad}");
    if !Sink::is_there() {
        return;
    }
    certificate(folder.path(), "127.0.0.1");
    let port = free_port();
    let sink = Sink::start(folder.path(), port, true);
    let right = secured(dir.path(), folder.path());
    let no_login = right.split("user =").next().unwrap();
    let other = tempfile::tempdir().unwrap();
    certificate(other.path(), "127.0.0.1");
    let untrusted = secured(dir.path(), other.path());
    let out = tried(port, &right);
    assert!(out.status.success(), "{}", text(&out.stderr));
    assert!(
        sink.next().await["text"]
            .as_str()
            .unwrap()
            .contains("mail test")
    );
    let not_it = file(dir.path(), "not-it", "not it\n");
    let secret = dir.path().join("mail-password");
    let wrong_login = right.replace(secret.to_str().unwrap(), not_it.to_str().unwrap());
    let said = wrong(&tried(port, &wrong_login));
    assert!(said.contains("refuses the login"), "{said}");
    for (more, words) in [
        (no_login, "refuses the sender"),
        (&*untrusted, "TLS with the mail server fails"),
    ] {
        let said = wrong(&tried(port, more));
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[tokio::test]
async fn mail_servers_that_mean_ill_keep_no_request_waiting_and_no_memory() {
    for what in [Evil::Silent, Evil::Endless, Evil::Refuses] {
        let dir = tempfile::tempdir().unwrap();
        let server = Start::with(&config(dir.path(), evil(what), PLAIN)).run();
        let create = ["user", "create", "ann", "--mail", "ann@example.org"];
        done(dir.path(), &create, PASSWORD);
        let before = resident(server.id());
        let said = post(&server, "/password-resets", json!({"account": "ann"})).await;
        assert_eq!(said.status, 204, "{what:?}");
        if !matches!(what, Evil::Silent) {
            crate::harness::said(&server, "mail could not be sent").await;
        }
        let list = done(dir.path(), &["mail", "list"], "");
        assert!(list.contains("password-reset"), "{what:?}: {list}");
        assert_eq!(docker_login(&server, "ann", PASSWORD).await.0, 200);
        let grown = resident(server.id()).saturating_sub(before);
        assert!(grown < 128 << 20, "{what:?}: {grown} bytes");
        assert_eq!(server.stop(), Some(0), "{what:?}: it stops all the same");
    }
}

/// The memory of a process, in bytes.
fn resident(id: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{id}/statm")).unwrap();
    let pages: u64 = text.split_whitespace().nth(1).unwrap().parse().unwrap();
    pages * 4096
}
