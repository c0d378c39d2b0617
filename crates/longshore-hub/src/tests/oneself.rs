//! What people do about themselves: their name, their password, and leaving.

use longshore_auth::index::secret::ShownSecret;
use longshore_meta::members::member_put;
use longshore_meta::principals::{State, principal_get};
use longshore_meta::secrets::{Kind as Secret, NewSecret, secret_count, secret_put};
use longshore_testkit::telephone;

use super::*;
use crate::NewPassword;
use crate::robots::NewRobot;

const PASSWORD: &[u8] = b"correct horse";

impl House {
    async fn leave(&self, who: &Caller, password: &[u8]) -> Result<()> {
        self.hub.leave(who, password.to_vec().into()).await
    }

    async fn standing(&self, who: &Caller) -> (State, String) {
        let id = who.who.principal.unwrap();
        let read = self
            .hub
            .db
            .read(&id, |tx, id| Box::pin(principal_get(tx, *id)));
        let row = read.await.unwrap().unwrap();
        (row.state, row.full_name)
    }

    async fn secrets(&self, who: &Caller, kind: Secret) -> u64 {
        let args = (who.who.id().0, kind);
        let count = self.hub.db.read(&args, |tx, (id, kind)| {
            Box::pin(secret_count(tx, *id, *kind))
        });
        count.await.unwrap()
    }

    async fn give_secret(&self, who: &Caller, kind: Secret) -> String {
        let secret = ShownSecret::make(kind).unwrap();
        let new = NewSecret {
            kind,
            principal: who.who.id().0,
            hash: self.hub.index().hash(secret.as_str()),
            label: String::new(),
            scope: None,
            expires: None,
            version: 1,
        };
        let put = self.hub.db.write(Durability::Process, new, |tx, new| {
            Box::pin(secret_put(tx, new, 1))
        });
        put.await.unwrap();
        secret.as_str().to_owned()
    }

    /// A robot of the system that may do everything.
    async fn robot_for_everything(&self) {
        let new = NewRobot {
            name: "robot+all".to_owned(),
            grants: vec![("administrator".to_owned(), "**".to_owned())],
            ..NewRobot::default()
        };
        self.hub.robot_create(&operator(), new).await.unwrap();
    }

    async fn administrator(&self, name: &str) -> Caller {
        let who = self.person(name).await;
        let everything = binding(
            who.who.principal.unwrap(),
            ADMINISTRATOR_ID,
            NamespaceId::EVERYWHERE,
        );
        self.hub.binding_add(&operator(), everything).await.unwrap();
        who
    }
}

fn by_way(caller: &Caller, via: Via) -> Caller {
    let who = Who::principal(caller.who.id(), via, caller.who.from);
    Caller {
        who,
        ..caller.clone()
    }
}

#[tokio::test]
async fn people_say_what_they_are_called_and_nobody_says_it_for_them_this_way() {
    let house = House::new().await;
    let alice = house.person("alice").await;
    house.hub.own_name_set(&alice, "Alice L.").await.unwrap();
    assert_eq!(house.standing(&alice).await.1, "Alice L.");
    let row = house.rows().await.pop().unwrap().entry;
    assert_eq!(
        (row.action.as_str(), row.object.as_str()),
        ("account:own", "alice")
    );
    let set = async |who: &Caller, name: &str| code(house.hub.own_name_set(who, name).await);
    for name in ["two\nlines", &"x".repeat(201)] {
        assert_eq!(set(&alice, name).await, Code::QueryInvalid);
    }
    for via in [Via::PersonalToken, Via::Certificate] {
        assert_eq!(set(&by_way(&alice, via), "x").await, Code::Denied);
    }
    // Who goes by somebody's name is not them.
    let bob = house.person("bob").await;
    let other = Caller {
        name: "alice".to_owned(),
        ..bob
    };
    assert_eq!(set(&other, "x").await, Code::Denied);
    let operator = Caller {
        name: "alice".to_owned(),
        ..operator()
    };
    assert_eq!(set(&operator, "x").await, Code::Denied);
    assert_eq!(house.standing(&alice).await.1, "Alice L.");
}

#[tokio::test]
async fn who_leaves_shows_the_password_and_takes_all_logins_along() {
    let house = House::new().await;
    let alice = house.person("alice").await;
    let token = house.give_secret(&alice, Secret::Personal).await;
    for kind in [Secret::Session, Secret::Refresh] {
        house.give_secret(&alice, kind).await;
    }
    let bob = house.person("bob").await;
    house.give_secret(&bob, Secret::Personal).await;
    let leave = async |who: &Caller, password: &[u8]| code(house.leave(who, password).await);
    assert_eq!(leave(&alice, b"wrong").await, Code::Unauthorized);
    assert_eq!(
        leave(&alice, token.as_bytes()).await,
        Code::Unauthorized,
        "a token is no password"
    );
    let by_token = by_way(&alice, Via::PersonalToken);
    assert_eq!(leave(&by_token, PASSWORD).await, Code::Denied);
    assert_eq!(house.standing(&alice).await.0, State::Active);

    house.leave(&alice, PASSWORD).await.unwrap();
    assert_eq!(house.standing(&alice).await.0, State::Disabled);
    for kind in [Secret::Personal, Secret::Session, Secret::Refresh] {
        assert_eq!(house.secrets(&alice, kind).await, 0, "{kind:?}");
    }
    assert_eq!(house.secrets(&bob, Secret::Personal).await, 1);
    let row = house.rows().await.pop().unwrap().entry;
    assert_eq!(row.action, "account:own");
    assert!(row.detail.contains("left"), "{}", row.detail);
    let login = async |secret: &[u8]| {
        let from = alice.who.from;
        let known = house
            .hub
            .index()
            .login("alice", secret.to_vec().into(), from, now());
        known.await.is_ok()
    };
    assert!(!login(PASSWORD).await && !login(token.as_bytes()).await);
    house.enable(&operator(), "alice", true).await.unwrap();
    assert!(login(PASSWORD).await && !login(token.as_bytes()).await);
}

#[tokio::test]
async fn the_last_administrator_stays_and_one_of_several_may_go() {
    let house = House::new().await;
    let ada = house.administrator("ada").await;
    house.give_secret(&ada, Secret::Personal).await;
    let refused = house.leave(&ada, PASSWORD).await.unwrap_err();
    assert_eq!(refused.code(), Code::ConditionFailed);
    assert!(refused.public().contains("last administrator"), "{refused}");
    assert_eq!(house.standing(&ada).await.0, State::Active);
    assert_eq!(
        house.secrets(&ada, Secret::Personal).await,
        1,
        "nothing was done"
    );
    // Somebody who is switched off is none, and a robot of the system is nobody who could help.
    house.robot_for_everything().await;
    let bob = house.administrator("bob").await;
    house.enable(&operator(), "bob", false).await.unwrap();
    assert_eq!(
        code(house.leave(&ada, PASSWORD).await),
        Code::ConditionFailed
    );
    house.enable(&operator(), "bob", true).await.unwrap();
    // Nor is there another way, which asks for no password.
    assert_eq!(
        code(house.hub.account_delete(&ada, None, "ada").await),
        Code::ConditionFailed
    );
    house.leave(&ada, PASSWORD).await.unwrap();
    assert_eq!(
        code(house.leave(&bob, PASSWORD).await),
        Code::ConditionFailed
    );
    // Others come and go.
    let carol = house.person("carol").await;
    house.leave(&carol, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn who_is_an_administrator_by_a_team_or_an_organisation_is_one_as_long_as_they_can_log_in() {
    for by in ["team", "organisation", "directory"] {
        let house = House::new().await;
        let hub = &house.hub;
        let ada = house.administrator("ada").await;
        house.robot_for_everything().await;
        let bob = house.person("bob").await;
        let ops = hub.organisation_create(&operator(), account("ops")).await;
        let (ops, home) = (ops.unwrap(), house.home("ops").await);
        let team = hub.team_create(&operator(), home, account("all")).await;
        let team = team.unwrap();
        let subject = if by == "team" { team } else { ops };
        let everything = binding(subject, ADMINISTRATOR_ID, NamespaceId::EVERYWHERE);
        hub.binding_add(&operator(), everything).await.unwrap();
        let leave = async |who: &Caller| house.leave(who, PASSWORD).await.err();
        let last = Some(Code::ConditionFailed);
        let code = |error: Option<longshore_core::Error>| error.map(|error| error.code());
        assert_eq!(code(leave(&ada).await), last, "nobody is in it: {by}");
        if by == "directory" {
            // A directory says who is in a team, and the organisation is not its business.
            let args = (team, bob.who.id());
            let put = hub.db.write(Durability::Process, args, |tx, (team, who)| {
                Box::pin(member_put(tx, *team, *who, "ldap:corp", 1))
            });
            assert!(put.await.unwrap());
        } else {
            let into = (by == "team").then_some("all");
            hub.member_set(&operator(), home, into, "bob", true)
                .await
                .unwrap();
        }
        let may = hub
            .judge()
            .allows(&bob.who, Action::UserManage, &Object::System, now());
        assert!(may.await.unwrap(), "{by}");
        house.enable(&operator(), "bob", false).await.unwrap();
        assert_eq!(code(leave(&ada).await), last, "bob is switched off: {by}");
        house.enable(&operator(), "bob", true).await.unwrap();
        assert_eq!(code(leave(&ada).await), None, "bob stays: {by}");
        assert_eq!(code(leave(&bob).await), last, "bob is the last: {by}");
    }
}

#[tokio::test]
async fn who_has_a_second_factor_changes_the_password_with_the_password_alone() {
    let house = House::new().await;
    let alice = house.person("alice").await;
    let token = house.give_secret(&alice, Secret::Personal).await;
    let secret = house.hub.factor_begin(&alice).await.unwrap();
    let since = now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let first = telephone::code(secret.as_bytes(), since.as_secs());
    house.hub.factor_confirm(&alice, &first).await.unwrap();
    let change = async |old: &[u8]| {
        let new = NewPassword::plain("another horse");
        house
            .hub
            .password_change(&alice, old.to_vec().into(), new)
            .await
    };
    assert_eq!(code(change(b"wrong").await), Code::Unauthorized);
    assert_eq!(code(change(token.as_bytes()).await), Code::Unauthorized);
    change(PASSWORD).await.unwrap();
    assert_eq!(code(change(PASSWORD).await), Code::Unauthorized);
    change(b"another horse").await.unwrap();
}
