//! A directory's people at the token service and at the registry's own door.

use std::path::Path;
use std::process::{Output, Stdio};

use longshore_testkit::wire::{Ask, Login, Wire};
use serde_json::Value;

use crate::harness::{Server, Start, binary, file};
use crate::outside::free_port;
use crate::slapd::{PEOPLE, Slapd};

fn config(dir: &Path, slapd: &Slapd, more: &str) -> std::path::PathBuf {
    let data = dir.join("data");
    let secret = file(dir, "search", "search-secret\n");
    let text = format!(
        "data = \"{}\"\nlisten = \"127.0.0.1:0\"\n[index]\nenabled = true\n\
         [index.ldap.corp]\nurl = \"ldap://127.0.0.1:{}\"\nbind_dn = \"cn=search,dc=example,dc=test\"\n\
         bind_password_file = \"{}\"\nuser_base = \"{PEOPLE}\"\ngroup_base = \"dc=example,dc=test\"\n\
         admin_group = \"admins\"\n{more}",
        data.display(),
        slapd.port,
        secret.display()
    );
    file(dir, "longshore.toml", &text)
}

pub(crate) fn admin(dir: &Path, args: &[&str], input: &str) -> Output {
    use std::io::Write as _;
    let mut child = binary()
        .arg("admin")
        .args(args)
        .arg("--data")
        .arg(dir.join("data"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut to = child.stdin.take().unwrap();
    to.write_all(input.as_bytes()).unwrap();
    drop(to);
    child.wait_with_output().unwrap()
}

pub(crate) fn basic(user: &str, password: &str) -> String {
    let Login::Always(basic) = Login::always_basic(user, password) else {
        panic!("that is what it is")
    };
    basic
}

/// The status and the first message of an answer to these credentials.
async fn ask(
    server: &Server,
    method: &'static str,
    target: &str,
    authorization: &str,
) -> (u16, String) {
    let ask = Ask::new(method, target).header("authorization", authorization);
    let mut client = Wire::new(server.address, Login::Nobody);
    let answer = client.ask(&ask).await.unwrap();
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let message = body["errors"][0]["message"].as_str().unwrap_or_default();
    (answer.status, message.to_owned())
}

async fn login(server: &Server, user: &str, password: &str) -> u16 {
    ask(server, "GET", "/v2/", &basic(user, password)).await.0
}

/// The status of a push to a repository, by a token as `docker` fetches it.
async fn push(server: &Server, user: &str, password: &str, repo: &str) -> u16 {
    let scope = format!("/token?scope=repository:{repo}:pull,push&offline_token=true");
    let ask_token = Ask::new("GET", scope).header("authorization", basic(user, password));
    let mut client = Wire::new(server.address, Login::Nobody);
    let answer = client.ask(&ask_token).await.unwrap();
    if answer.status != 200 {
        return answer.status;
    }
    let said: Value = serde_json::from_slice(&answer.body).unwrap();
    assert!(
        said.get("refresh_token").is_none(),
        "nothing that outlives an account in the directory"
    );
    let bearer = format!("Bearer {}", said["token"].as_str().unwrap());
    let target = format!("/v2/{repo}/blobs/uploads/");
    ask(server, "POST", &target, &bearer).await.0
}

#[tokio::test]
async fn people_of_a_directory_log_in_with_their_names_and_have_what_its_groups_say() {
    let Some(slapd) = Slapd::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path(), &slapd, "");
    let server = Start::with(&config).run();
    for (user, password, status) in [
        ("alice", "alice-secret", 200),
        ("alice", "wrong", 401),
        ("alice", "bob-secret", 401),
        ("nobody", "alice-secret", 401),
        ("bob", "bob-secret", 200),
        ("search", "search-secret", 401),
    ] {
        assert_eq!(
            login(&server, user, password).await,
            status,
            "{user} {password}"
        );
    }
    assert_eq!(push(&server, "bob", "bob-secret", "bob/app").await, 202);
    assert_eq!(push(&server, "bob", "bob-secret", "alice/app").await, 401);
    assert_eq!(
        push(&server, "alice", "alice-secret", "bob/app").await,
        202,
        "she is one of the directory's administrators"
    );
    let direct = "/v2/bob/app/blobs/uploads/";
    let who = basic("bob", "bob-secret");
    assert_eq!(ask(&server, "POST", direct, &who).await.0, 202);
    // A name with what filters mean something by cannot be an account's.
    let odd = basic("a(b)*c\\d,e", "odd-secret");
    let (status, said) = ask(&server, "GET", "/token", &odd).await;
    assert!(
        status == 401 && said.contains("your name cannot be"),
        "{status} {said}"
    );
    let log = server.log();
    assert!(!log.contains("-secret"), "no password is logged");
    assert_eq!(server.stop(), Some(0));

    slapd.change(
        "ldapmodify",
        "dn: cn=admins,ou=other,dc=example,dc=test\nchangetype: delete\n\n\
         dn: uid=bob,ou=people,dc=example,dc=test\nchangetype: delete\n",
    );
    let server = Start::with(&config).run();
    let users = admin(dir.path(), &["user", "list", "--json"], "");
    let users: Value = serde_json::from_slice(&users.stdout).unwrap();
    let bob = users
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["name"] == "bob");
    assert!(
        bob.unwrap()["seen"].is_i64(),
        "noted before the stop: {users}"
    );
    assert_eq!(push(&server, "alice", "alice-secret", "bob/app").await, 401);
    assert_eq!(
        push(&server, "alice", "alice-secret", "alice/app").await,
        202
    );
    assert_eq!(
        login(&server, "bob", "bob-secret").await,
        401,
        "he has left"
    );
}

#[tokio::test]
async fn accounts_of_here_come_first_and_go_on_while_a_directory_is_down() {
    let Some(mut slapd) = Slapd::start() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path(), &slapd, "");
    let server = Start::with(&config).run();
    for name in ["bob", "carol"] {
        let made = admin(dir.path(), &["user", "create", name], "correct horse\n");
        assert!(made.status.success(), "{made:?}");
    }
    assert_eq!(login(&server, "bob", "correct horse").await, 200);
    assert_eq!(
        login(&server, "bob", "bob-secret").await,
        401,
        "a name leads nobody into somebody else's account"
    );
    assert_eq!(login(&server, "alice", "alice-secret").await, 200);
    slapd.stop();
    assert_eq!(login(&server, "carol", "correct horse").await, 200);
    assert_eq!(
        login(&server, "alice", "alice-secret").await,
        200,
        "remembered for a minute"
    );
    let (status, said) = ask(&server, "GET", "/token", &basic("alice", "other")).await;
    assert!(
        status == 503 && said.contains("cannot be checked just now"),
        "{status} {said}"
    );
    let (status, _) = ask(&server, "GET", "/v2/", &basic("nobody", "other")).await;
    assert_eq!(status, 503);
    for _ in 0..20 {
        // What the directory owes them is no failure of theirs.
        let (status, _) = ask(&server, "GET", "/token", &basic("alice", "other")).await;
        assert_eq!(status, 503);
    }
}

#[tokio::test]
async fn of_two_directories_the_second_is_asked_where_the_first_is_down_and_failures_are_counted() {
    let Some(slapd) = Slapd::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let dead = format!(
        "[index.ldap.dead]\norder = 1\nurl = \"ldap://127.0.0.1:{}\"\nuser_base = \"dc=nowhere\"\n",
        free_port()
    );
    let both = Start::with(&config(dir.path(), &slapd, &dead)).run();
    assert_eq!(login(&both, "alice", "alice-secret").await, 200);
    assert_eq!(
        login(&both, "alice", "wrong").await,
        503,
        "the one that cannot be asked may know her"
    );
    assert_eq!(both.stop(), Some(0));
    let one = Start::with(&config(dir.path(), &slapd, "")).run();
    for guess in 0..10 {
        let status = login(&one, "alice", &format!("wrong {guess}")).await;
        assert_eq!(status, 401, "{guess}");
    }
    let (status, said) = ask(&one, "GET", "/token", &basic("alice", "wrong 10")).await;
    assert!(
        status == 429 && said.contains("too many logins"),
        "{status} {said}"
    );
    assert_eq!(
        login(&one, "bob", "bob-secret").await,
        200,
        "another account"
    );
}

#[tokio::test]
async fn an_account_that_is_there_is_let_to_the_person_that_the_operator_says() {
    let Some(slapd) = Slapd::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let server = Start::with(&config(dir.path(), &slapd, "")).run();
    let run = |args: &[&str], input: &str| {
        let done = admin(dir.path(), args, input);
        (
            done.status.success(),
            String::from_utf8_lossy(&done.stderr).into_owned(),
        )
    };
    assert!(run(&["user", "create", "bob"], "correct horse\n").0);
    assert_eq!(login(&server, "bob", "bob-secret").await, 401);
    let (ok, said) = run(
        &["identity", "expect", "bob", "--source", "ldap:nowhere"],
        "",
    );
    assert!(!ok && said.contains("ldap:corp"), "{said}");
    assert!(run(&["identity", "expect", "bob", "--source", "ldap:corp"], "").0);
    assert_eq!(login(&server, "bob", "bob-secret").await, 200);
    assert_eq!(push(&server, "bob", "bob-secret", "bob/app").await, 202);
    assert_eq!(
        login(&server, "bob", "correct horse").await,
        401,
        "his password is the directory's now"
    );
    let links = admin(dir.path(), &["identity", "list", "bob", "--json"], "");
    let links: Value = serde_json::from_slice(&links.stdout).unwrap();
    assert_eq!(links[0]["source"], "ldap:corp");
    assert_eq!(links[0]["subject"].as_str().unwrap().len(), 36);
    let (ok, said) = run(&["identity", "remove-factor", "bob"], "");
    assert!(!ok && said.contains("second factor"), "{said}");
}
