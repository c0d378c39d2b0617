//! Every point of the conformance program, asked of the binary over a socket: by strangers, with a password, with a token.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use longshore_testkit::bad_input::{self, Who};
use longshore_testkit::conformance::{self, Target};
use longshore_testkit::issuer::{ISSUER, Issuer, SERVICE};
use longshore_testkit::wire::{Answer, Ask, Login, Wire};

use super::harness::{Server, Start, file};

/// `htpasswd -nbB` of the password `secret`, with a cost that lets tests be quick.
const HASH: &str = "$2y$04$C/2ToN/3SDm9f/ki2eIBxeC7a/NS7T3qbSdwVYW3An2GCr./RrdLS";

fn open(data: &Path) -> Start {
    Start::over(data).set("manifests.sparse", "all")
}

pub(crate) fn with_passwords(dir: &Path) -> Start {
    let users = file(
        dir,
        "htpasswd",
        &format!("owner:{HASH}\ncolleague:{HASH}\n"),
    );
    open(&dir.join("data")).set("auth.htpasswd.path", users.to_str().unwrap())
}

pub(crate) fn with_tokens(dir: &Path, issuer: &Issuer) -> Start {
    let keys = file(dir, "jwks.json", &issuer.jwks());
    open(&dir.join("data"))
        .set("auth.token.realm", "https://auth.example/token")
        .set("auth.token.service", SERVICE)
        .set("auth.token.issuer", ISSUER)
        .set("auth.token.jwks_file", keys.to_str().unwrap())
}

/// A token for these repositories and the catalog, good for an hour from now.
pub(crate) fn token(issuer: &Issuer, who: &str, repos: &[&str]) -> Login {
    let all: &[&str] = &["pull", "push", "delete"];
    let mut access: Vec<_> = repos.iter().map(|repo| (*repo, all)).collect();
    access.push(("*", &["*"]));
    #[allow(
        clippy::disallowed_methods,
        reason = "the server under test goes by the wall clock"
    )]
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    Login::always_bearer(&issuer.token(who, &access, now, 3600))
}

#[tokio::test]
async fn every_point_holds_for_strangers_where_nobody_has_to_log_in() {
    let data = tempfile::tempdir().unwrap();
    let server = open(data.path()).run();
    conformance::run(&Target::new(server.address))
        .await
        .expect_all();
}

#[tokio::test]
async fn every_point_holds_for_callers_with_a_password() {
    let dir = tempfile::tempdir().unwrap();
    let server = with_passwords(dir.path()).run();
    let login = Login::with_password("owner", "secret");
    conformance::run(&Target::new(server.address).asked_by(login))
        .await
        .expect_all();
}

#[tokio::test]
async fn every_point_holds_for_callers_with_a_token() {
    let (dir, issuer) = (tempfile::tempdir().unwrap(), Issuer::new());
    let server = with_tokens(dir.path(), &issuer).run();
    let target = Target::new(server.address);
    let login = token(&issuer, "owner", &[&target.repo, &target.other]);
    conformance::run(&target.asked_by(login)).await.expect_all();
}

/// A server, and how each kind of caller comes to it.
struct Asked {
    server: Server,
    logins: Vec<(Who, Login)>,
}

impl bad_input::Target for Asked {
    fn knows(&self, who: Who) -> bool {
        self.logins.iter().any(|(known, _)| *known == who)
    }

    async fn send(&mut self, who: Who, ask: &Ask) -> std::io::Result<Answer> {
        let login = self
            .logins
            .iter()
            .find(|(known, _)| *known == who)
            .unwrap()
            .1
            .clone();
        Wire::new(self.server.address, login).ask(ask).await
    }
}

async fn every_row_holds(mut asked: Asked, may_leave_out: usize) {
    let report = bad_input::run(&mut asked).await.unwrap();
    assert!(report.failures.is_empty(), "{report}");
    assert!(
        report.left_out.len() <= may_leave_out,
        "left out: {:?}",
        report.left_out
    );
}

#[tokio::test]
async fn bad_input_is_answered_as_the_table_says_where_nobody_has_to_log_in() {
    let data = tempfile::tempdir().unwrap();
    // The table is of a registry with its defaults.
    let server = Start::over(data.path())
        .set("manifests.sparse", "none")
        .run();
    every_row_holds(
        Asked {
            server,
            logins: vec![(Who::Owner, Login::Nobody)],
        },
        8,
    )
    .await;
}

#[tokio::test]
async fn bad_input_is_answered_as_the_table_says_to_callers_with_passwords() {
    let dir = tempfile::tempdir().unwrap();
    let server = with_passwords(dir.path())
        .set("manifests.sparse", "none")
        .run();
    let logins = vec![
        (Who::Owner, Login::always_basic("owner", "secret")),
        (Who::Colleague, Login::always_basic("colleague", "secret")),
        (Who::Stranger, Login::Nobody),
    ];
    every_row_holds(Asked { server, logins }, 2).await;
}

#[tokio::test]
async fn bad_input_is_answered_as_the_table_says_to_callers_with_tokens() {
    let (dir, issuer) = (tempfile::tempdir().unwrap(), Issuer::new());
    let server = with_tokens(dir.path(), &issuer)
        .set("manifests.sparse", "none")
        .run();
    let named = [
        "acme/app",
        "acme/other",
        "acme/never",
        "manifests",
        "tags/list",
        "a/blobs/uploads",
        "a/manifests/b",
    ];
    let logins = vec![
        (Who::Owner, token(&issuer, "owner", &named)),
        (Who::Colleague, token(&issuer, "colleague", &named)),
        (Who::Stranger, Login::Nobody),
        (Who::Outsider, token(&issuer, "outsider", &["elsewhere"])),
    ];
    every_row_holds(Asked { server, logins }, 0).await;
}
