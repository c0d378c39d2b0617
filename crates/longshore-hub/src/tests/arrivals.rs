//! People of directories: their accounts, their groups, and whom a name does not make them.

use std::collections::BTreeMap;

use longshore_auth::directory::Person;
use longshore_auth::index::{Received, Reception as _};
use longshore_meta::bindings::binding_of;
use longshore_meta::members::{member_is, member_put};
use longshore_meta::principals::principal_get;

use super::*;
use crate::arrivals::{Arrivals, Rules};

const CORP: &str = "ldap:corp";

fn person(source: &str, subject: &str, name: &str) -> Person {
    Person {
        source: source.to_owned(),
        subject: subject.to_owned(),
        name: name.to_owned(),
        mail: Some(format!("{subject}@example.test")),
        mail_verified: true,
        full_name: Some(name.to_uppercase()),
        groups: None,
        admin: None,
    }
}

fn in_groups(groups: &[&str], admin: Option<bool>) -> Person {
    Person {
        groups: Some(groups.iter().map(|group| (*group).to_owned()).collect()),
        admin,
        ..person(CORP, "s1", "alice")
    }
}

impl House {
    fn arrivals(&self) -> Arrivals {
        let rules = |teams: &[&str]| Rules {
            onboard: true,
            teams: teams.iter().map(|rule| rule.parse().unwrap()).collect(),
        };
        Arrivals::new(
            self.hub.db.clone(),
            BTreeMap::from([
                (
                    CORP.to_owned(),
                    rules(&["* = acme/*", "staff = acme", "boss = other/web"]),
                ),
                ("ldap:two".to_owned(), rules(&["web = acme/web"])),
                ("ldap:closed".to_owned(), Rules::default()),
            ]),
        )
    }

    /// An organisation with these teams.
    async fn company(&self, name: &str, teams: &[&str]) -> PrincipalId {
        let id = self
            .hub
            .organisation_create(&operator(), account(name))
            .await
            .unwrap();
        let home = self.home(name).await;
        for team in teams {
            self.hub
                .team_create(&operator(), home, account(team))
                .await
                .unwrap();
        }
        id
    }

    async fn team(&self, company: PrincipalId, name: &'static str) -> PrincipalId {
        let args = (company, name);
        let read = self.hub.db.read(&args, |tx, (company, name)| {
            Box::pin(principal_named(tx, *company, name))
        });
        read.await.unwrap().unwrap().id
    }

    async fn is_in(&self, who: PrincipalId, party: PrincipalId) -> bool {
        let args = (who, party);
        let read = self.hub.db.read(&args, |tx, (who, party)| {
            Box::pin(member_is(tx, *party, *who))
        });
        read.await.unwrap()
    }

    async fn version(&self, who: PrincipalId) -> i64 {
        let read = self
            .hub
            .db
            .read(&who, |tx, who| Box::pin(principal_get(tx, *who)));
        read.await.unwrap().unwrap().version
    }
}

fn id(received: Result<Received>) -> PrincipalId {
    match received.unwrap() {
        Received::Account(id) => id,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_first_login_makes_an_account_and_the_next_finds_it_by_the_subject_alone() {
    let house = House::new().await;
    let arrivals = house.arrivals();
    let first = id(arrivals
        .receive(&person(CORP, "s1", "Alice@corp.example"), now())
        .await);
    assert_eq!(house.id("alice").await, Some(first));
    let written = house.rows().await.len();
    let again = person(CORP, "s1", "Alice@corp.example");
    assert_eq!(id(arrivals.receive(&again, now()).await), first);
    assert_eq!(
        house.rows().await.len(),
        written,
        "nothing changed, nothing is written"
    );
    let renamed = person(CORP, "s1", "alicia");
    assert_eq!(id(arrivals.receive(&renamed, now()).await), first);
    // The name is given to the next one: that is somebody else.
    for (source, subject) in [(CORP, "s2"), ("ldap:two", "s1")] {
        let other = arrivals
            .receive(&person(source, subject, "alice"), now())
            .await;
        assert_eq!(other.unwrap(), Received::NameTaken, "{source} {subject}");
    }
    let home = house.home("alice").await;
    let object = Object::Namespace(home);
    let who = caller(first, "alice").who;
    let owns = house
        .hub
        .judge()
        .allows(&who, Action::NamespaceSettings, &object, now());
    assert!(owns.await.unwrap());
}

#[tokio::test]
async fn a_name_leads_into_an_account_that_is_there_only_where_an_administrator_said_so() {
    let house = House::new().await;
    let arrivals = house.arrivals();
    let alice = house.user("alice").await.who.id();
    let mallory = person(CORP, "s1", "alice");
    assert_eq!(
        arrivals.receive(&mallory, now()).await.unwrap(),
        Received::NameTaken
    );
    for name in ["root", "a b", "", "länge", &"x".repeat(65)] {
        let odd = arrivals.receive(&person(CORP, "odd", name), now()).await;
        assert_eq!(odd.unwrap(), Received::NameInvalid, "{name}");
    }
    let closed = arrivals
        .receive(&person("ldap:closed", "s1", "new"), now())
        .await;
    assert_eq!(closed.unwrap(), Received::Unknown);
    let nowhere = arrivals
        .receive(&person("ldap:gone", "s1", "new"), now())
        .await;
    assert_eq!(nowhere.unwrap(), Received::Unknown);

    let expect = async |account: &str, source: &str, name: &str| {
        house
            .hub
            .identity_expect(&operator(), account, source, name)
            .await
    };
    expect("alice", CORP, "a.smith").await.unwrap();
    expect("alice", CORP, "a.smith").await.unwrap();
    house.user("bob").await;
    assert_eq!(
        code(expect("bob", CORP, "a.smith").await),
        Code::ConditionFailed
    );
    assert_eq!(code(expect("nobody", CORP, "x").await), Code::NameUnknown);
    let stranger = caller(alice, "alice");
    let by_stranger = house.hub.identity_expect(&stranger, "bob", CORP, "alice");
    assert_eq!(code(by_stranger.await), Code::Denied);
    let elsewhere = arrivals
        .receive(&person("ldap:two", "s9", "a.smith"), now())
        .await;
    assert_ne!(id(elsewhere), alice, "of another source");
    assert_eq!(
        id(arrivals
            .receive(&person(CORP, "s9", "a.smith"), now())
            .await),
        alice
    );
    let second = arrivals
        .receive(&person(CORP, "s10", "a.smith"), now())
        .await;
    assert_ne!(
        second.unwrap(),
        Received::Account(alice),
        "whoever came first"
    );
    let links = house.hub.identities("alice").await.unwrap();
    assert_eq!(links.len(), 1);
    assert_eq!(links[0].subject.as_deref(), Some("s9"));
    house
        .hub
        .identity_forget(&operator(), "alice", CORP)
        .await
        .unwrap();
    assert!(house.hub.identities("alice").await.unwrap().is_empty());
}

#[tokio::test]
async fn groups_of_a_source_take_the_place_of_what_it_said_before_and_of_nothing_else() {
    let house = House::new().await;
    let acme = house.company("acme", &["web", "ops"]).await;
    let other = house.company("other", &["web"]).await;
    let (web, ops, others) = (
        house.team(acme, "web").await,
        house.team(acme, "ops").await,
        house.team(other, "web").await,
    );
    let arrivals = house.arrivals();
    let arrive =
        async |groups: &[&str]| id(arrivals.receive(&in_groups(groups, None), now()).await);
    let alice = arrive(&["web", "nothing-here"]).await;
    let is_in = async || {
        let mut found = Vec::new();
        for (name, party) in [
            ("acme", acme),
            ("web", web),
            ("ops", ops),
            ("other/web", others),
        ] {
            if house.is_in(alice, party).await {
                found.push(name);
            }
        }
        found.join(" ")
    };
    assert_eq!(is_in().await, "acme web");
    // A person puts her into `ops`, another directory into `web` as well.
    house
        .hub
        .db
        .write(Durability::Process, (alice, ops), |tx, (who, ops)| {
            Box::pin(member_put(tx, *ops, *who, "", 1))
        })
        .await
        .unwrap();
    house
        .hub
        .db
        .write(Durability::Process, (alice, web), |tx, (who, web)| {
            Box::pin(member_put(tx, *web, *who, "ldap:two", 1))
        })
        .await
        .unwrap();
    let before = house.version(alice).await;
    arrive(&["staff", "boss"]).await;
    assert_eq!(is_in().await, "acme web ops other/web");
    assert!(
        house.version(alice).await > before,
        "what she was issued before is void"
    );
    let before = house.version(alice).await;
    arrive(&["staff", "boss"]).await;
    assert_eq!(house.version(alice).await, before);
    arrive(&[]).await;
    assert_eq!(is_in().await, "web ops", "what others said stays");
    let silent = Person {
        groups: None,
        ..in_groups(&[], None)
    };
    arrive(&["boss"]).await;
    arrivals.receive(&silent, now()).await.unwrap();
    assert_eq!(
        is_in().await,
        "web ops other/web",
        "it said nothing about groups"
    );
}

#[tokio::test]
async fn an_administrator_by_a_source_is_one_as_long_as_it_says_so() {
    let house = House::new().await;
    let arrivals = house.arrivals();
    let say = async |admin| id(arrivals.receive(&in_groups(&[], admin), now()).await);
    let alice = say(Some(true)).await;
    let may = async || {
        let who = caller(alice, "alice").who;
        let object = Object::System;
        let asked = house
            .hub
            .judge()
            .allows(&who, Action::UserManage, &object, now());
        asked.await.unwrap()
    };
    assert!(may().await);
    say(None).await;
    assert!(may().await, "it has no say");
    let before = house.version(alice).await;
    say(Some(false)).await;
    assert!(!may().await);
    assert!(house.version(alice).await > before);
    let by_hand = binding(alice, ADMINISTRATOR_ID, NamespaceId::EVERYWHERE);
    house
        .hub
        .db
        .write(Durability::Process, by_hand, |tx, binding| {
            Box::pin(longshore_meta::bindings::binding_put(tx, binding))
        })
        .await
        .unwrap();
    say(Some(true)).await;
    say(Some(false)).await;
    assert!(may().await, "what a person gave stays");
    let read = house.hub.db.read(&alice, |tx, who| {
        Box::pin(binding_of(tx, Subject::from(*who), 10))
    });
    assert_eq!(read.await.unwrap().len(), 2, "that, and the own namespace");
}
