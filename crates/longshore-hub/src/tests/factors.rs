//! Second factors: begun, confirmed, used once, and taken away.

use longshore_auth::index::password;
use longshore_meta::logins::password_put;
use longshore_testkit::telephone;

use super::*;

const PASSWORD: &[u8] = b"correct horse";

fn later(seconds: u64) -> SystemTime {
    now() + Duration::from_secs(seconds)
}

/// What a telephone with this secret shows, so many seconds from now.
fn code_at(secret: &[u8], seconds: u64) -> String {
    let since = later(seconds).duration_since(SystemTime::UNIX_EPOCH);
    telephone::code(secret, since.unwrap().as_secs())
}

fn at(caller: &Caller, seconds: u64) -> Caller {
    Caller {
        now: later(seconds),
        ..caller.clone()
    }
}

impl House {
    /// Somebody with a password.
    pub(super) async fn person(&self, name: &str) -> Caller {
        let caller = self.user(name).await;
        let hash = password::hash(PASSWORD).unwrap();
        let args = (caller.who.id().0, hash);
        self.hub
            .db
            .write(Durability::Process, args, |tx, (id, hash)| {
                Box::pin(password_put(tx, *id, hash, 1))
            })
            .await
            .unwrap();
        caller
    }

    async fn login(&self, name: &str, code: &str, seconds: u64) -> bool {
        let from = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let secret = PASSWORD.to_vec().into();
        let index = self.hub.index();
        let login = index.login_with_code(name, secret, code, from, later(seconds));
        login.await.is_ok()
    }
}

#[tokio::test]
async fn a_factor_counts_when_a_code_of_it_was_confirmed_and_each_code_counts_once() {
    let house = House::new().await;
    let alice = house.person("alice").await;
    assert!(house.login("alice", "", 0).await, "there is none yet");
    let lost = house.hub.factor_begin(&alice).await.unwrap();
    let secret = house.hub.factor_begin(&alice).await.unwrap();
    assert!(house.login("alice", "", 0).await, "it is not confirmed");
    let other = code_at(lost.as_bytes(), 0);
    let confirm = async |code: &str| house.hub.factor_confirm(&alice, code).await.map(drop);
    assert_eq!(
        code(confirm(&other).await),
        Code::Denied,
        "another secret's"
    );
    assert_eq!(code(confirm("000").await), Code::Denied);
    let first = code_at(secret.as_bytes(), 0);
    confirm(&first).await.unwrap();
    assert_eq!(code(confirm(&first).await), Code::ConditionFailed);
    assert_eq!(
        code(house.hub.factor_begin(&alice).await),
        Code::ConditionFailed
    );

    assert!(!house.login("alice", "", 0).await);
    assert!(
        !house.login("alice", &first, 0).await,
        "it was used to confirm"
    );
    let next = code_at(secret.as_bytes(), 60);
    assert!(house.login("alice", &next, 60).await);
    assert!(!house.login("alice", &next, 60).await, "once");
    assert!(
        !house
            .login("alice", &code_at(secret.as_bytes(), 30), 60)
            .await,
        "none before it"
    );
    let log = house.rows().await;
    let own = log
        .iter()
        .filter(|row| row.entry.action == "own:second-factor");
    assert_eq!(own.count(), 3);
    assert!(!log.iter().any(|row| row.entry.detail.contains(&next)));
}

#[tokio::test]
async fn recovery_codes_are_each_good_for_one_login_and_a_factor_goes_by_a_code() {
    let house = House::new().await;
    let alice = house.person("alice").await;
    let secret = house.hub.factor_begin(&alice).await.unwrap();
    let codes = house
        .hub
        .factor_confirm(&alice, &code_at(secret.as_bytes(), 0))
        .await
        .unwrap();
    let codes: Vec<String> = codes.shown().map(str::to_owned).collect();
    assert!(house.login("alice", &codes[0].to_lowercase(), 0).await);
    assert!(!house.login("alice", &codes[0], 0).await);
    assert_eq!(
        house.hub.factor_state(&alice).await.unwrap().recovery_codes,
        9
    );
    let bob = house.person("bob").await;
    let his = house.hub.factor_begin(&bob).await.unwrap();
    house
        .hub
        .factor_confirm(&bob, &code_at(his.as_bytes(), 0))
        .await
        .unwrap();
    assert!(!house.login("bob", &codes[1], 0).await, "another's");

    let disable = async |who: &Caller, code: &str| house.hub.factor_disable(who, Some(code)).await;
    assert_eq!(code(disable(&alice, &codes[0]).await), Code::Denied);
    disable(&alice, &codes[1]).await.unwrap();
    assert!(house.login("alice", "", 0).await);
    let again = house.hub.factor_state(&alice).await.unwrap();
    assert_eq!((again.confirmed, again.recovery_codes), (None, 0));
    for guess in 0..9 {
        let guess = format!("{guess:06}");
        assert_eq!(code(disable(&at(&bob, 90), &guess).await), Code::Denied);
    }
    let good = code_at(his.as_bytes(), 90);
    assert_eq!(
        code(disable(&at(&bob, 90), &good).await),
        Code::TooManyRequests
    );
}

#[tokio::test]
async fn a_factor_is_its_owners_and_a_token_does_not_touch_it() {
    let house = House::new().await;
    let alice = house.person("alice").await;
    let token = Caller {
        who: Who::principal(alice.who.id(), Via::PersonalToken, alice.who.from),
        ..alice.clone()
    };
    for who in [&token, &operator()] {
        assert_eq!(code(house.hub.factor_begin(who).await), Code::Denied);
        assert_eq!(
            code(house.hub.factor_disable(who, Some("000000")).await),
            Code::Denied
        );
    }
    let nobody = house.user("without-password").await;
    assert_eq!(
        code(house.hub.factor_begin(&nobody).await),
        Code::ConditionFailed
    );
    let secret = house.hub.factor_begin(&alice).await.unwrap();
    house
        .hub
        .factor_confirm(&alice, &code_at(secret.as_bytes(), 0))
        .await
        .unwrap();
    let bob = house.person("bob").await;
    assert_eq!(
        code(house.hub.factor_remove(&bob, "alice").await),
        Code::Denied
    );
    house.hub.factor_remove(&operator(), "alice").await.unwrap();
    assert_eq!(
        code(house.hub.factor_remove(&operator(), "alice").await),
        Code::NameUnknown
    );
    assert!(house.login("alice", "", 0).await);
}

#[tokio::test]
async fn a_login_by_the_password_takes_it_away_if_the_login_needed_a_code() {
    let house = House::new().await;
    let alice = house.person("alice").await;
    let by = |via: Via, seconds: u64| Caller {
        who: Who::principal(alice.who.id(), via, alice.who.from),
        ..at(&alice, seconds)
    };
    let secret = house.hub.factor_begin(&alice).await.unwrap();
    let first = code_at(secret.as_bytes(), 0);
    house.hub.factor_confirm(&alice, &first).await.unwrap();
    let disable = async |who: Caller| house.hub.factor_disable(&who, None).await;
    assert_eq!(code(disable(by(Via::Session, 60)).await), Code::Denied);
    // A request that came before it was confirmed was let in by the password alone.
    assert_eq!(code(disable(by(Via::Password, 0)).await), Code::Denied);
    assert!(!house.login("alice", "", 60).await);
    disable(by(Via::Password, 60)).await.unwrap();
    assert!(house.login("alice", "", 60).await);
}
