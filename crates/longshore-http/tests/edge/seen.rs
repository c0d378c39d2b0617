//! When somebody was last seen, by whichever way they log in without a secret of their own.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use longshore_auth::directory::Person;
use longshore_auth::index::{Received, Reception, Sources};
use longshore_core::Result;
use longshore_meta::principals::{PrincipalId, principal_get};
use longshore_meta::time::micros;

use super::device::{Browser, hidden};
use super::house::now;
use super::index::{PASSWORD, Village, basic, pass, with_clock};

impl Village {
    async fn seen(&self, who: &str) -> Option<i64> {
        let id = self.id(who);
        let read = self
            .db
            .read(&id, |tx, id| Box::pin(principal_get(tx, *id)))
            .await;
        read.unwrap().unwrap().seen
    }

    /// What the minute's end writes down of somebody, who was not noted before it.
    async fn seen_after(&self, who: &str, before: Option<i64>) -> Option<i64> {
        assert_eq!(self.seen(who).await, before, "no answer waits for a write");
        self.index.seen_write().await;
        self.seen(who).await
    }
}

fn at(seconds: u64) -> i64 {
    micros(now()) + i64::try_from(seconds).unwrap() * 1_000_000
}

#[tokio::test]
async fn a_login_by_password_is_noted_at_every_door_and_written_down_once_a_minute() {
    let village = Village::new().await;
    let mut last = None;
    let who = basic("alice", PASSWORD);
    for (minute, target) in [(0, "/token"), (1, "/v2/"), (2, "/v2/acme/app/tags/list")] {
        for _ in 0..3 {
            village.ask("GET", target, &who).await;
        }
        let seen = village.seen_after("alice", last).await;
        assert_eq!(seen, Some(at(60 * minute)), "{target}");
        last = seen;
        pass(60);
    }
    let form = "grant_type=password&username=alice&password=correct+horse";
    assert_eq!(village.post(form).await.status, 200);
    let seen = village.seen_after("alice", last).await;
    assert_eq!(seen, Some(at(180)), "the form");
    pass(60);
    let mut browser = Browser::default();
    let page = browser.get(&village, "/auth/login").await;
    let form = format!(
        "mark={}&user_code=&username=alice&password=correct+horse&code=",
        hidden(&page, "mark")
    );
    let said = browser
        .go(&village, "POST", "/auth/login", &form, &[])
        .await;
    assert_eq!(said.status, 303);
    let seen = village.seen_after("alice", seen).await;
    assert_eq!(seen, Some(at(240)), "the page");
    assert_eq!(village.seen("carol").await, None, "nobody else");
}

#[tokio::test]
async fn what_lets_nobody_in_is_no_sight_of_anybody() {
    let village = Village::new().await;
    for (user, password) in [
        ("alice", "wrong horse"),
        ("bob", PASSWORD),
        ("nobody", PASSWORD),
    ] {
        let who = basic(user, password);
        for target in ["/token", "/v2/"] {
            assert_eq!(village.ask("GET", target, &who).await.status, 401);
        }
    }
    village.enrol().await;
    let alone = village
        .ask("GET", "/token", &basic("alice", PASSWORD))
        .await;
    assert_eq!(alone.status, 401, "a code is missing");
    for who in ["alice", "bob"] {
        assert_eq!(village.seen_after(who, None).await, None, "{who}");
    }
}

/// Takes everybody for the same account.
#[derive(Debug, Default)]
struct Porter(OnceLock<PrincipalId>);

#[async_trait]
impl Reception for Porter {
    async fn receive(&self, _: &Person, _: SystemTime) -> Result<Received> {
        Ok(Received::Account(*self.0.get().unwrap()))
    }
}

#[tokio::test]
async fn people_of_a_directory_or_a_provider_are_noted_when_they_are_received() {
    for (who, last) in [("alice", Some(at(90))), ("bob", None)] {
        let porter = Arc::new(Porter::default());
        let sources = Sources {
            reception: Some(porter.clone()),
            ..Sources::default()
        };
        let village = Village::with_sources(|_| {}, with_clock(), None, sources).await;
        porter.0.set(village.id(who)).unwrap();
        let person = Person {
            source: "ldap:corp".to_owned(),
            subject: "1".to_owned(),
            name: who.to_owned(),
            mail: None,
            mail_verified: false,
            full_name: None,
            groups: None,
            admin: None,
        };
        for seconds in [0, 90, 30] {
            let moment = now() + Duration::from_secs(seconds);
            let known = village.index.received(&person, moment).await;
            assert_eq!(known.is_ok(), last.is_some(), "{who}");
        }
        assert_eq!(village.seen_after(who, None).await, last, "{who}");
    }
}
