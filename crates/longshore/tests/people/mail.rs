//! People sign up, are invited and forget their passwords: a running server, and a real mail server that keeps the letters.

use std::path::{Path, PathBuf};

use longshore_testkit::wire::{Answer, Ask, Login, Wire};
use serde_json::{Value, json};

use crate::harness::{Server, Start, file};
use crate::logins::{admin, basic};
use crate::outside::free_port;
use crate::sink::{Sink, certificate, token};

pub(crate) const PASSWORD: &str = "correct horse battery";
const NEW: &str = "another staple";

/// A server that sends mail to a port.
pub(crate) fn config(dir: &Path, port: u16, more: &str) -> PathBuf {
    let data = dir.join("data");
    let text = format!(
        "data = \"{}\"\nlisten = \"127.0.0.1:0\"\npublic_url = \"https://reg.example\"\n[index]\nenabled = true\n\
         [index.mail]\nserver = \"127.0.0.1:{port}\"\nfrom = \"Registry <reg@example.org>\"\n{more}",
        data.display(),
    );
    file(dir, "longshore.toml", &text)
}

pub(crate) const PLAIN: &str = "tls = \"none\"\n";

/// With TLS and a login, as most mail servers want it.
pub(crate) fn secured(dir: &Path, folder: &Path) -> String {
    let password = file(dir, "mail-password", "mail-secret\n");
    format!(
        "ca_file = \"{}\"\nuser = \"reg\"\npassword_file = \"{}\"\n",
        folder.join("cert.pem").display(),
        password.display()
    )
}

pub(crate) fn done(dir: &Path, args: &[&str], input: &str) -> String {
    let out = admin(dir, args, input);
    assert!(out.status.success(), "{args:?}: {}", text(&out.stderr));
    text(&out.stdout)
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

async fn send(
    server: &Server,
    method: &'static str,
    path: &str,
    auth: Option<&str>,
    body: &Value,
) -> Answer {
    let mut ask =
        Ask::new(method, format!("/api/v1{path}")).header("content-type", "application/json");
    if let Some(auth) = auth {
        ask = ask.header("authorization", auth);
    }
    let mut client = Wire::new(server.address, Login::Nobody);
    client.ask(&ask.sized(body.to_string())).await.unwrap()
}

pub(crate) async fn post(server: &Server, path: &str, body: Value) -> Answer {
    send(server, "POST", path, None, &body).await
}

/// The status of a login at the token service, as `docker login` asks it, and the refresh token.
pub(crate) async fn docker_login(
    server: &Server,
    user: &str,
    password: &str,
) -> (u16, Option<String>) {
    let target = "/token?service=reg.example&account=x&offline_token=true&client_id=docker";
    let ask = Ask::new("GET", target).header("authorization", basic(user, password));
    let mut client = Wire::new(server.address, Login::Nobody);
    let answer = client.ask(&ask).await.unwrap();
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let refresh = body["refresh_token"].as_str().map(str::to_owned);
    (answer.status, refresh)
}

async fn refreshed(server: &Server, token: &str) -> u16 {
    let form = format!(
        "grant_type=refresh_token&service=reg.example&client_id=docker&refresh_token={token}"
    );
    let ask = Ask::new("POST", "/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .sized(form);
    let mut client = Wire::new(server.address, Login::Nobody);
    client.ask(&ask).await.unwrap().status
}

async fn open_sign_up(server: &Server, dir: &Path) {
    done(dir, &["user", "create", "ada", "--admin"], PASSWORD);
    let auth = basic("ada", PASSWORD);
    let open = json!({"sign_up": "open"});
    let said = send(server, "PATCH", "/settings", Some(&auth), &open).await;
    assert_eq!(said.status, 204, "{said}");
}

#[tokio::test]
async fn a_stranger_signs_up_by_letter_and_logs_in_as_docker_does() {
    if !Sink::is_there() {
        return;
    }
    let (dir, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    certificate(folder.path(), "127.0.0.1");
    let port = free_port();
    let sink = Sink::start(folder.path(), port, true);
    let more = secured(dir.path(), folder.path());
    let server = Start::with(&config(dir.path(), port, &more)).run();
    open_sign_up(&server, dir.path()).await;
    let said = post(
        &server,
        "/sign-up",
        json!({"name": "ann", "mail": "ann@example.org"}),
    )
    .await;
    assert_eq!(said.status, 200, "{said}");
    assert_eq!(docker_login(&server, "ann", NEW).await.0, 401);
    let letter = sink.next().await;
    assert_eq!(
        (
            &letter["to"],
            &letter["tls"],
            &letter["login"],
            &letter["hello"]
        ),
        (
            &json!(["ann@example.org"]),
            &json!(true),
            &json!(true),
            &json!("reg.example")
        )
    );
    let token = token(&letter);
    assert!(!server.log().contains(&token), "no code is logged");
    let text = letter["text"].as_str().unwrap();
    assert!(text.contains("https://reg.example/account/join#"), "{text}");
    let ask = Ask::new("GET", "/account/join");
    let mut client = Wire::new(server.address, Login::Nobody);
    let page = client.ask(&ask).await.unwrap();
    assert_eq!(page.status, 200, "the link leads to a page");
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let complete = json!({"token": token, "password": NEW});
    let said = post(&server, "/sign-up/complete", complete.clone()).await;
    assert_eq!(said.status, 201, "{said}");
    assert_eq!(docker_login(&server, "ann", NEW).await.0, 200);
    for _ in 0..2 {
        let again = post(&server, "/sign-up/complete", complete.clone()).await;
        assert_eq!(again.status, 401, "{again}");
    }
    // No code is in the database, nor in what was logged of it.
    for name in ["longshore.db", "longshore.db-wal"] {
        let bytes = std::fs::read(dir.path().join("data").join(name)).unwrap_or_default();
        let found = bytes.windows(token.len()).any(|at| at == token.as_bytes());
        assert!(!found, "{name}");
    }
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_and_what_it_gave_is_void() {
    if !Sink::is_there() {
        return;
    }
    let (dir, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let port = free_port();
    let sink = Sink::start(folder.path(), port, false);
    let server = Start::with(&config(dir.path(), port, PLAIN)).run();
    let create = ["user", "create", "ann", "--mail", "ann@example.org"];
    done(dir.path(), &create, PASSWORD);
    let (status, refresh) = docker_login(&server, "ann", PASSWORD).await;
    assert_eq!(status, 200);
    let refresh = refresh.unwrap();
    let answers = [
        post(
            &server,
            "/password-resets",
            json!({"account": "ann@example.org"}),
        )
        .await,
        post(
            &server,
            "/password-resets",
            json!({"account": "nobody@example.org"}),
        )
        .await,
        post(&server, "/password-resets", json!({"account": "nobody"})).await,
    ];
    for answer in &answers {
        assert_eq!(answer.status, 204, "{answer}");
        assert_eq!(answer.body, answers[0].body);
    }
    let token = token(&sink.next().await);
    let weak = json!({"token": token, "password": "short"});
    assert_eq!(
        post(&server, "/password-resets/complete", weak)
            .await
            .status,
        400
    );
    let reset = json!({"token": token, "password": NEW});
    // One that is good for something else.
    let other = post(&server, "/mail-confirmations", json!({"token": token})).await;
    assert_eq!(other.status, 401);
    let said = post(&server, "/password-resets/complete", reset.clone()).await;
    assert_eq!(said.status, 204, "{said}");
    assert_eq!(
        post(&server, "/password-resets/complete", reset)
            .await
            .status,
        401
    );
    assert_eq!(docker_login(&server, "ann", PASSWORD).await.0, 401);
    assert_eq!(docker_login(&server, "ann", NEW).await.0, 200);
    assert_eq!(refreshed(&server, &refresh).await, 400);
    let told = sink.next().await;
    assert!(told["text"].as_str().unwrap().contains("was changed"));
    // Her own password, and her own address.
    let auth = basic("ann", NEW);
    let change = json!({"old": "wrong one", "password": PASSWORD});
    let said = send(&server, "PUT", "/session/password", Some(&auth), &change).await;
    assert_eq!(said.status, 401, "{said}");
    let change = json!({"old": NEW, "password": PASSWORD});
    let said = send(&server, "PUT", "/session/password", Some(&auth), &change).await;
    assert_eq!(said.status, 204, "{said}");
    sink.next().await;
    let auth = basic("ann", PASSWORD);
    let change = json!({"mail": "lee@example.org"});
    let said = send(&server, "POST", "/session/mail", Some(&auth), &change).await;
    assert_eq!(said.status, 204, "{said}");
    let letter = sink.next().await;
    assert_eq!(letter["to"], json!(["lee@example.org"]));
    let confirm = json!({"token": crate::sink::token(&letter)});
    assert_eq!(
        post(&server, "/mail-confirmations", confirm).await.status,
        204
    );
    assert_eq!(sink.next().await["to"], json!(["ann@example.org"]));
    let list = done(dir.path(), &["user", "list"], "");
    assert!(list.contains("lee@example.org"), "{list}");
    assert!(sink.take().is_none(), "nobody else was written to");
}

#[tokio::test]
async fn who_is_invited_comes_in_by_the_letter_and_a_code_that_was_shown_is_one() {
    if !Sink::is_there() {
        return;
    }
    let (dir, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let port = free_port();
    let sink = Sink::start(folder.path(), port, false);
    let server = Start::with(&config(dir.path(), port, PLAIN)).run();
    done(dir.path(), &["user", "create", "ada", "--admin"], PASSWORD);
    done(dir.path(), &["org", "create", "acme", "--owner", "ada"], "");
    done(dir.path(), &["team", "create", "acme/web"], "");
    let invite = [
        "user",
        "invite",
        "--mail",
        "bob@example.org",
        "--name",
        "bob",
    ];
    let said = done(dir.path(), &invite, "");
    assert!(said.contains("a letter goes to bob@example.org"), "{said}");
    let letter = token(&sink.next().await);
    let join = json!({"token": letter, "password": NEW});
    let said = post(&server, "/sign-up/complete", join).await;
    assert_eq!(said.status, 201, "{said}");
    assert_eq!(docker_login(&server, "bob", NEW).await.0, 200);
    // Into a team, for somebody who has an account; by a code that is shown.
    let said = done(
        dir.path(),
        &["user", "invite", "--into", "acme/web", "--json"],
        "",
    );
    let made: Value = serde_json::from_str(&said).unwrap();
    let code = json!({"token": made["token"]});
    let auth = basic("bob", NEW);
    let stranger = send(&server, "POST", "/session/invitations", None, &code).await;
    assert_eq!(stranger.status, 401);
    let said = send(&server, "POST", "/session/invitations", Some(&auth), &code).await;
    assert_eq!(said.status, 204, "{said}");
    let again = send(&server, "POST", "/session/invitations", Some(&auth), &code).await;
    assert_eq!(again.status, 401);
    let session = send(&server, "GET", "/session", Some(&auth), &Value::Null).await;
    assert!(matches!(session.status, 200 | 400), "{session}");
    let audit = done(dir.path(), &["audit", "list"], "");
    assert!(audit.contains("account:join"), "{audit}");
    // One that is withdrawn.
    done(
        dir.path(),
        &["user", "invite", "--mail", "eve@example.org"],
        "",
    );
    let letter = token(&sink.next().await);
    let list = done(dir.path(), &["user", "invitations", "--json"], "");
    let list: Value = serde_json::from_str(&list).unwrap();
    let id = list[0]["id"].to_string();
    done(dir.path(), &["user", "withdraw", &id], "");
    let join = json!({"token": letter, "name": "eve", "password": NEW});
    assert_eq!(post(&server, "/sign-up/complete", join).await.status, 401);
}

#[tokio::test]
async fn a_letter_that_was_asked_for_is_sent_although_the_server_was_killed() {
    if !Sink::is_there() {
        return;
    }
    let (dir, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let port = free_port();
    let config = config(dir.path(), port, PLAIN);
    let server = Start::with(&config).run();
    let create = ["user", "create", "ann", "--mail", "ann@example.org"];
    done(dir.path(), &create, PASSWORD);
    let said = post(&server, "/password-resets", json!({"account": "ann"})).await;
    assert_eq!(said.status, 204);
    server.kill();
    let sink = Sink::start(folder.path(), port, false);
    let server = Start::with(&config).run();
    let token = token(&sink.next().await);
    let reset = json!({"token": token, "password": NEW});
    let said = post(&server, "/password-resets/complete", reset).await;
    assert_eq!(said.status, 204, "{said}");
    assert_eq!(docker_login(&server, "ann", NEW).await.0, 200);
}

#[tokio::test]
async fn whoever_runs_the_system_tries_the_mail_server_over_the_api_and_is_told_what_it_says() {
    if !Sink::is_there() {
        return;
    }
    let (dir, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let port = free_port();
    let sink = Sink::start(folder.path(), port, false);
    let server = Start::with(&config(dir.path(), port, PLAIN)).run();
    done(dir.path(), &["user", "create", "ada", "--admin"], PASSWORD);
    done(dir.path(), &["user", "create", "bob"], PASSWORD);
    let (ada, bob) = (basic("ada", PASSWORD), basic("bob", PASSWORD));
    let to = json!({"address": "postmaster@example.org"});
    for (who, status) in [(None, 401), (Some(&bob), 403)] {
        let who = who.map(String::as_str);
        let said = send(&server, "POST", "/mail/test", who, &to).await;
        assert_eq!(said.status, status, "{said}");
    }
    let said = send(&server, "POST", "/mail/test", Some(&ada), &to).await;
    assert_eq!((said.status, said.body.len()), (204, 0), "{said}");
    // It was taken by the server before the answer, and nobody else was written to.
    let letter = sink.take().unwrap();
    assert_eq!(letter["to"], json!(["postmaster@example.org"]));
    assert!(letter["text"].as_str().unwrap().contains("reg.example"));
    assert!(sink.take().is_none());
    let log = done(dir.path(), &["audit", "list"], "");
    assert!(
        log.contains("system:operate") && log.contains("ada"),
        "{log}"
    );
    let refused = json!({"address": "no address"});
    let said = send(&server, "POST", "/mail/test", Some(&ada), &refused).await;
    assert_eq!(said.status, 400, "{said}");
    drop(sink);
    let said = send(&server, "POST", "/mail/test", Some(&ada), &to).await;
    assert_eq!(said.status, 503, "{said}");
    let why = text(&said.body);
    assert!(why.contains(&format!("127.0.0.1:{port}")), "{why}");
}
