//! Sessions of browsers: how they end.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, SystemTime};

use longshore_auth::index::{SESSION_IDLE, SESSION_LIVES, keep};
use longshore_meta::principals::State;

use super::house::now;
use super::index::{PASSWORD, Village};

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

impl Village {
    async fn session(&self, who: &str, at: SystemTime) -> String {
        let password = PASSWORD.as_bytes().to_vec().into();
        let known = self.index.login(who, password, PEER, at).await.unwrap();
        let session = self.index.session_begin(&known, "a browser\n", at).await;
        session.unwrap().as_str().to_owned()
    }

    async fn holds(&self, session: &str, at: SystemTime) -> bool {
        let known = self.index.by_session(session.as_bytes(), PEER, at).await;
        known.is_ok()
    }
}

#[tokio::test]
async fn a_session_goes_on_while_it_is_used_and_ends_after_a_week_all_the_same() {
    let village = Village::new().await;
    let (used, idle) = (
        village.session("alice", now()).await,
        village.session("alice", now()).await,
    );
    assert!(
        village
            .holds(&idle, now() + SESSION_IDLE - Duration::from_secs(1))
            .await
    );
    let mut at = now();
    while at < now() + SESSION_LIVES {
        assert!(village.holds(&used, at).await);
        at += Duration::from_hours(11);
    }
    assert!(!village.holds(&used, now() + SESSION_LIVES).await);
    assert!(
        !village.holds(&idle, now() + SESSION_LIVES / 2).await,
        "nobody used it"
    );
}

#[tokio::test]
async fn a_session_ends_with_its_account_its_password_and_by_itself_and_nothing_else_is_one() {
    let village = Village::new().await;
    let (one, two) = (
        village.session("alice", now()).await,
        village.session("alice", now()).await,
    );
    let others = village.session("carol", now()).await;
    village.index.session_end(one.as_bytes()).await.unwrap();
    assert!(!village.holds(&one, now()).await && village.holds(&two, now()).await);
    village.switch("alice", State::Disabled).await;
    assert!(!village.holds(&two, now()).await);
    village.switch("alice", State::Active).await;
    assert!(village.holds(&two, now()).await);
    let alice = village.id("alice").0;
    village
        .write(alice, |tx, alice| {
            Box::pin(keep::password_set(tx, *alice, "$2y$04$x", 2))
        })
        .await;
    assert!(!village.holds(&two, now()).await, "another password");
    assert!(village.holds(&others, now()).await);
    let personal = village
        .secret(longshore_meta::secrets::Kind::Personal, "carol", None, 60)
        .await;
    village
        .index
        .session_end(personal.as_bytes())
        .await
        .unwrap();
    for other in ["", "lss_x", PASSWORD, &personal] {
        assert!(!village.holds(other, now()).await, "{other}");
    }
    assert_eq!(
        village.login("carol", &personal).await,
        200,
        "a token is not ended as a session"
    );
}
