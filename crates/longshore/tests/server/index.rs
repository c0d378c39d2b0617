//! A server with an index: first start, accounts, tokens, robots, keys, and registries that trust it.

use std::io::Write as _;
use std::path::Path;
use std::process::{Output, Stdio};

use longshore_testkit::wire::{Ask, Login, Wire};
use serde_json::Value;

use super::harness::{Server, Start, binary, expect, file};

pub(crate) const PASSWORD: &str = "correct horse";

/// A command to the server over `data`, with this on its standard input.
pub(crate) fn admin(data: &Path, args: &[&str], input: &str) -> Output {
    let mut command = binary();
    command.arg("admin").args(args).arg("--data").arg(data);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

/// The same, which must succeed.
pub(crate) fn done(data: &Path, args: &[&str], input: &str) -> String {
    let out = admin(data, args, input);
    assert!(out.status.success(), "{args:?}: {out:?}");
    String::from_utf8(out.stdout).unwrap()
}

/// The same, as JSON.
pub(crate) fn json(data: &Path, args: &[&str], input: &str) -> Value {
    let args = [args, &["--json"]].concat();
    serde_json::from_str(&done(data, &args, input)).unwrap()
}

/// The same, which must fail with these words.
pub(crate) fn fails(data: &Path, args: &[&str], input: &str, words: &str) {
    let out = admin(data, args, input);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(
        !out.status.success() && said.contains(words),
        "{args:?}: {said}"
    );
}

pub(crate) fn index(data: &Path) -> Server {
    Start::over(data).set("index.enabled", "true").run()
}

pub(crate) fn basic(user: &str, password: &str) -> String {
    let Login::Always(basic) = Login::always_basic(user, password) else {
        panic!("that is what it is")
    };
    basic
}

/// The status of a request with these credentials.
pub(crate) async fn status(server: &Server, ask: Ask, authorization: &str) -> u16 {
    let ask = if authorization.is_empty() {
        ask
    } else {
        ask.header("authorization", authorization)
    };
    let mut client = Wire::new(server.address, Login::Nobody);
    client.ask(&ask).await.unwrap().status
}

pub(crate) async fn token(server: &Server, authorization: &str, scope: &str) -> String {
    let ask =
        Ask::new("GET", format!("/token?scope={scope}")).header("authorization", authorization);
    let answer = expect(&mut server.client(), ask, 200).await;
    let json: Value = serde_json::from_slice(&answer.body).unwrap();
    format!("Bearer {}", json["token"].as_str().unwrap())
}

#[tokio::test]
async fn the_first_start_opens_nothing_and_says_how_to_make_an_administrator() {
    let data = tempfile::tempdir().unwrap();
    let server = index(data.path());
    assert!(
        server.banner.contains("admin user create NAME --admin"),
        "{}",
        server.banner
    );
    let key = std::fs::metadata(data.path().join("index.key")).unwrap();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&key.permissions()) & 0o777,
        0o600
    );
    for (method, target) in [
        ("GET", "/v2/"),
        ("GET", "/v2/a/tags/list"),
        ("POST", "/v2/a/blobs/uploads/"),
    ] {
        assert_eq!(status(&server, Ask::new(method, target), "").await, 401);
    }
    assert_eq!(server.stop(), Some(0));
    let server = index(data.path());
    done(
        data.path(),
        &["user", "create", "root-of-all", "--admin"],
        &format!("{PASSWORD}\n"),
    );
    assert_eq!(server.stop(), Some(0));
    let server = index(data.path());
    assert!(!server.banner.contains("user create"), "{}", server.banner);
    let who = basic("root-of-all", PASSWORD);
    assert_eq!(
        status(&server, Ask::new("POST", "/v2/a/b/blobs/uploads/"), &who).await,
        202
    );
}

#[tokio::test]
async fn users_are_made_given_passwords_switched_off_and_on_and_listed() {
    let data = tempfile::tempdir().unwrap();
    let server = index(data.path());
    let dir = data.path();
    done(
        dir,
        &["user", "create", "alice", "--full-name", "Alice L"],
        &format!("{PASSWORD}\n"),
    );
    for (args, input, words) in [
        (
            &["user", "create", "alice"][..],
            "another horse\n",
            "cannot be had",
        ),
        (&["user", "create", "bob"], "short\n", "too short"),
        (&["user", "create", "bob"], "Password123\n", "tried first"),
        (
            &["user", "create", "bobs-long-name"],
            "Bobs-Long-Name\n",
            "first thing that is tried",
        ),
        (
            &["user", "create", "bob"],
            "",
            "no password on standard input",
        ),
        (&["user", "create", "Bob"], "correct horse\n", "is no name"),
        (
            &["user", "create", "library"],
            "correct horse\n",
            "is reserved",
        ),
        (
            &["user", "passwd", "nobody"],
            "correct horse\n",
            "no such user `nobody`",
        ),
    ] {
        fails(dir, args, input, words);
    }
    let own = || Ask::new("POST", "/v2/alice/app/blobs/uploads/");
    let foreign = || Ask::new("POST", "/v2/acme/app/blobs/uploads/");
    let who = basic("alice", PASSWORD);
    assert_eq!(status(&server, own(), &who).await, 202);
    assert_eq!(status(&server, foreign(), &who).await, 403);
    let bearer = token(&server, &who, "repository:alice/app:pull,push").await;
    assert_eq!(status(&server, own(), &bearer).await, 202);

    done(dir, &["user", "passwd", "alice"], "another horse\n");
    assert_eq!(status(&server, own(), &who).await, 401, "the old password");
    assert_eq!(
        status(&server, own(), &bearer).await,
        401,
        "what was issued by it"
    );
    let who = basic("alice", "another horse");
    assert_eq!(status(&server, own(), &who).await, 202);

    let bearer = token(&server, &who, "repository:alice/app:pull,push").await;
    done(dir, &["user", "disable", "alice"], "");
    assert_eq!(status(&server, own(), &who).await, 401);
    assert_eq!(
        status(&server, own(), &bearer).await,
        401,
        "at once, by the command's own process"
    );
    assert_eq!(json(dir, &["user", "list"], "")[0]["state"], "disabled");
    done(dir, &["user", "enable", "alice"], "");
    assert_eq!(status(&server, own(), &who).await, 202);
    let listed = json(dir, &["user", "list"], "");
    assert_eq!(
        (&listed[0]["name"], &listed[0]["full_name"]),
        (&"alice".into(), &"Alice L".into())
    );
    assert!(!server.log().contains("horse"), "no password is logged");
}

#[tokio::test]
async fn tokens_open_what_they_are_for_until_they_are_revoked_and_the_database_holds_none() {
    let data = tempfile::tempdir().unwrap();
    let server = index(data.path());
    let dir = data.path();
    done(dir, &["user", "create", "alice"], &format!("{PASSWORD}\n"));
    let pulls = json(
        dir,
        &[
            "token",
            "create",
            "alice",
            "--action",
            "pull",
            "--repository",
            "alice/**",
            "--label",
            "ci",
        ],
        "",
    );
    let all = json(dir, &["token", "create", "alice", "--expires", "never"], "");
    let text = |made: &Value| made["secret"].as_str().unwrap().to_owned();
    assert!(text(&pulls).starts_with("lsp_"));
    assert!(pulls["expires"].is_i64() && all["expires"].is_null());
    let push = || Ask::new("POST", "/v2/alice/app/blobs/uploads/");
    let list = || Ask::new("GET", "/v2/alice/app/tags/list");
    let (reads, writes) = (basic("alice", &text(&pulls)), basic("alice", &text(&all)));
    assert_eq!(status(&server, push(), &reads).await, 403);
    assert_eq!(
        status(&server, list(), &reads).await,
        403,
        "nothing is there yet, and this token could not make it"
    );
    assert_eq!(status(&server, push(), &writes).await, 202);
    fails(
        dir,
        &["token", "create", "alice", "--action", "fly"],
        "",
        "none of the actions",
    );
    fails(dir, &["token", "create", "bob"], "", "no such user `bob`");
    let listed = json(dir, &["token", "list", "alice"], "");
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert!(listed[0]["used"].is_i64() && !listed.to_string().contains("lsp_"));

    let bearer = token(&server, &writes, "repository:alice/app:pull,push").await;
    assert_eq!(status(&server, push(), &bearer).await, 202);
    done(
        dir,
        &["token", "revoke", "alice", &all["id"].to_string()],
        "",
    );
    assert_eq!(status(&server, push(), &writes).await, 401);
    assert_eq!(
        status(&server, push(), &bearer).await,
        401,
        "what was issued for it"
    );
    let goes_on = status(&server, list(), &reads).await;
    assert!(
        matches!(goes_on, 200 | 404),
        "the other one goes on: {goes_on}"
    );
    fails(
        dir,
        &["token", "revoke", "alice", &all["id"].to_string()],
        "",
        "no such token",
    );
    assert_eq!(server.stop(), Some(0));
    for name in ["meta.db", "meta.db-wal"] {
        let Ok(bytes) = std::fs::read(dir.join(name)) else {
            continue;
        };
        for secret in [
            text(&pulls),
            text(&all),
            PASSWORD.to_owned(),
            "PRIVATE KEY".to_owned(),
        ] {
            assert!(
                !bytes
                    .windows(secret.len())
                    .any(|part| part == secret.as_bytes()),
                "{name}"
            );
        }
    }
}

#[tokio::test]
async fn a_robots_secret_is_replaced_without_an_outage() {
    let data = tempfile::tempdir().unwrap();
    let server = index(data.path());
    let dir = data.path();
    done(dir, &["user", "create", "acme"], &format!("{PASSWORD}\n"));
    let made = json(
        dir,
        &["robot", "create", "robot+ci", "--grant", "developer:acme"],
        "",
    );
    let text = |made: &Value| made["secret"].as_str().unwrap().to_owned();
    let push = || Ask::new("POST", "/v2/acme/app/blobs/uploads/");
    let elsewhere = || Ask::new("POST", "/v2/other/app/blobs/uploads/");
    let old = basic("robot+ci", &text(&made));
    assert_eq!(status(&server, push(), &old).await, 202);
    assert_eq!(status(&server, elsewhere(), &old).await, 403);
    let new = json(dir, &["robot", "rotate", "robot+ci"], "");
    let new = basic("robot+ci", &text(&new));
    for who in [&old, &new] {
        assert_eq!(status(&server, push(), who).await, 202, "both are alive");
    }
    let last = json(dir, &["robot", "rotate", "robot+ci", "--overlap", "0s"], "");
    let last = basic("robot+ci", &text(&last));
    for (who, expected) in [(&old, 401), (&new, 401), (&last, 202)] {
        assert_eq!(status(&server, push(), who).await, expected);
    }
    for (args, words) in [
        (&["robot", "create", "robot+ci"][..], "already"),
        (&["robot", "create", "ci"], "no robot's name"),
        (
            &["robot", "create", "nowhere+ci"],
            "no such user or organisation",
        ),
        (
            &["robot", "create", "robot+x", "--grant", "king:acme"],
            "no such role `king`",
        ),
        (
            &["robot", "create", "robot+x", "--grant", "reader:nowhere"],
            "no such namespace `nowhere`",
        ),
    ] {
        fails(dir, args, "", words);
    }
    let robots = json(dir, &["robot", "list"], "");
    assert_eq!(robots.as_array().unwrap().len(), 1);
    done(dir, &["user", "disable", "robot+ci"], "");
    assert_eq!(status(&server, push(), &last).await, 401);
}

#[tokio::test]
async fn the_users_of_an_htpasswd_file_keep_their_passwords() {
    let data = tempfile::tempdir().unwrap();
    let server = index(data.path());
    // `htpasswd -nbB -C 5 alice "open sesame 5"`.
    let hash = "$2y$05$fdUpqnxiEoa6f47Gi6W4K.Quee5QuHTNsiF/NMuKztIE.FbyvjBIG";
    let text = format!("# staff\nalice:{hash}\nBob:{hash}\ncarol:{{SHA}}x\n");
    let path = file(data.path(), "users", &text);
    let out = admin(
        data.path(),
        &["user", "import-htpasswd", path.to_str().unwrap()],
        "",
    );
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert_eq!(out.status.code(), Some(3), "{out:?}");
    assert!(
        said.contains("1 users") && said.contains("`Bob`") && said.contains("SHA-1"),
        "{said}"
    );
    let who = basic("alice", "open sesame 5");
    let push = || Ask::new("POST", "/v2/alice/app/blobs/uploads/");
    assert_eq!(status(&server, push(), &who).await, 202);
    assert_eq!(
        status(&server, push(), &who).await,
        202,
        "after its hash was made anew"
    );
}
