//! An address from which too much was wrong: who gets in all the same.

use longshore_meta::secrets::Kind;

use super::house::now;
use super::index::{PASSWORD, SERVICE, Said, Village, basic};

/// A secret that has the form of one and is nobody's.
fn unknown(kind: Kind) -> String {
    let secret = longshore_auth::index::secret::ShownSecret::make(kind).unwrap();
    secret.as_str().to_owned()
}

impl Village {
    /// Tries wrong passwords, each another one.
    async fn guess(&self, user: &str, numbers: std::ops::Range<u32>) {
        for n in numbers {
            let said = self.login(user, &format!("wrong horse {n}")).await;
            assert_eq!(said, 401, "{n}");
        }
    }

    /// Whether a secret is known to the API's door.
    async fn bearer(&self, secret: &str) -> u16 {
        let header = format!("Bearer {secret}");
        let peer = std::net::Ipv4Addr::LOCALHOST.into();
        let asked = self.index.by_any_header([header.as_bytes()], peer, now());
        match asked.await {
            Ok(_) => 200,
            Err(refusal) if refusal.is_throttled() => 429,
            Err(_) => 401,
        }
    }
}

/// All of an answer that could tell one secret from another.
fn told(said: &Said) -> (u16, String, String) {
    let message = said.json()["errors"][0]["message"].to_string();
    (said.status, message, said.header("retry-after").to_owned())
}

#[tokio::test]
async fn a_good_secret_gets_in_where_its_account_is_held_off_and_nothing_else_does() {
    let village = Village::new().await;
    let personal = village.secret(Kind::Personal, "alice", None, 60).await;
    let others = village.secret(Kind::Personal, "carol", None, 60).await;
    let ended = village.secret(Kind::Personal, "alice", None, -1).await;
    village.guess("alice", 0..10).await;
    let held_off = village.ask("GET", "/token", &basic("alice", "a")).await;
    assert_eq!(held_off.status, 429);
    for target in ["/token", "/v2/"] {
        let said = village.ask("GET", target, &basic("alice", &personal)).await;
        assert_eq!(said.status, 200, "{target}");
    }
    let mistyped = &personal[..52];
    for (what, secret) in [
        ("the password", PASSWORD),
        ("another's token", &others),
        ("one that has ended", &ended),
        ("one that is nobody's", &unknown(Kind::Personal)),
        ("a robot's that is nobody's", &unknown(Kind::Robot)),
        ("a mistyped one", mistyped),
    ] {
        let said = village.ask("GET", "/token", &basic("alice", secret)).await;
        assert_eq!(told(&said), told(&held_off), "{what}");
    }
}

#[tokio::test]
async fn behind_one_address_a_company_goes_on_with_its_secrets() {
    let village = Village::new().await;
    let personal = village.secret(Kind::Personal, "carol", None, 60).await;
    let robot = village.secret(Kind::Robot, "ci", None, 60).await;
    let form = format!("/token?service={SERVICE}&offline_token=true");
    let said = village.ask("GET", &form, &basic("carol", PASSWORD)).await;
    let refresh = said.json()["refresh_token"].as_str().unwrap().to_owned();
    for n in 0..100 {
        let said = village
            .login(&format!("user{n}"), &unknown(Kind::Robot))
            .await;
        assert_eq!(said, 401, "wrong secrets count, the {n}th");
    }
    let refreshed = async |secret: &str| {
        let form = format!("grant_type=refresh_token&service={SERVICE}&refresh_token={secret}");
        village.post(&form).await.status
    };
    assert_eq!(village.login("alice", PASSWORD).await, 429);
    assert_eq!(village.login("carol", &personal).await, 200);
    assert_eq!(village.login("robot+ci", &robot).await, 200);
    assert_eq!(refreshed(&refresh).await, 200);
    for secret in [&personal, &robot] {
        assert_eq!(village.bearer(secret).await, 200);
    }
    assert_eq!(village.login("carol", &unknown(Kind::Personal)).await, 429);
    assert_eq!(refreshed(&unknown(Kind::Refresh)).await, 429);
    for kind in [Kind::Personal, Kind::Robot] {
        assert_eq!(village.bearer(&unknown(kind)).await, 429);
    }
}

#[tokio::test]
async fn a_good_secret_buys_no_guesses_at_its_owners_password() {
    let village = Village::new().await;
    let personal = village.secret(Kind::Personal, "alice", None, 60).await;
    village.guess("alice", 0..9).await;
    assert_eq!(village.login("alice", &personal).await, 200);
    village.guess("alice", 9..10).await;
    assert_eq!(village.login("alice", PASSWORD).await, 429);
}
