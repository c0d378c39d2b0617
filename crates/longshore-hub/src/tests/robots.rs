//! Robots: whose they are, who stands behind them, and what becomes of them when those change.

use longshore_auth::index::Known;
use longshore_meta::principals::State;
use zeroize::Zeroizing;

use super::*;
use crate::robots::{NewRobot, RobotEdit, RobotName};
use crate::views::Maker;

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

pub(super) fn robot(name: &str, grants: &[(&str, &str)]) -> NewRobot {
    let grants = grants.iter();
    NewRobot {
        name: name.to_owned(),
        grants: grants
            .map(|(role, path)| ((*role).to_owned(), (*path).to_owned()))
            .collect(),
        ..NewRobot::default()
    }
}

async fn login(house: &House, name: &str, secret: &str) -> Option<Known> {
    let secret = Zeroizing::new(secret.as_bytes().to_vec());
    let known = house.hub.index().login(name, secret, PEER, now()).await;
    known.ok()
}

/// A robot as it asks.
pub(super) async fn asks(house: &House, name: &str, secret: &str) -> Caller {
    let known = login(house, name, secret).await.unwrap();
    Caller {
        who: known.who(PEER),
        ..caller(PrincipalId(known.principal), name)
    }
}

/// An organisation that `owner` owns, with two who keep its robots.
pub(super) async fn acme(house: &House) -> [Caller; 3] {
    let people = [
        house.user("owner").await,
        house.user("keeper").await,
        house.user("other").await,
    ];
    let new = NewAccount {
        owner: "owner".to_owned(),
        ..account("acme")
    };
    let hub = &house.hub;
    hub.organisation_create(&operator(), new).await.unwrap();
    let home = house.home("acme").await;
    for keeper in &people[1..] {
        let row = binding(keeper.who.id(), MAINTAINER_ID, home);
        hub.binding_add(&people[0], row).await.unwrap();
    }
    people
}

pub(super) async fn maker(house: &House, name: &str) -> Option<Maker> {
    let found = house.hub.robot_get(&operator(), name).await.unwrap();
    found.maker
}

#[tokio::test]
async fn a_users_robot_is_for_what_lies_in_their_namespace_and_nobody_elses_business() {
    let house = House::new().await;
    let hub = &house.hub;
    let (ann, bob) = (house.user("ann").await, house.user("bob").await);
    for repo in ["ann/app", "bob/app"] {
        house.repo(repo).await;
    }
    for (grant, expected) in [
        (("reader", "bob"), Code::Denied),
        (("reader", "**"), Code::Denied),
        (("administrator", "ann"), Code::Denied),
        (("reader", "ann/nowhere"), Code::NameUnknown),
        // What is somebody else's is not told from what is not there.
        (("reader", "nowhere"), Code::Denied),
        (("reader", "bob/nowhere"), Code::Denied),
    ] {
        let made = hub.robot_create(&ann, robot("ann+ci", &[grant])).await;
        assert_eq!(code(made), expected, "{grant:?}");
    }
    let made = hub.robot_create(&ann, robot("ann+ci", &[("developer", "ann")]));
    let made = made.await.unwrap();
    let ci = asks(&house, "ann+ci", made.secret.as_str()).await;
    assert!(house.may(&ci, Action::RepositoryPush, "ann/app").await);
    assert!(!house.may(&ci, Action::RepositoryPush, "bob/app").await);
    assert_eq!(ci.name, "ann+ci");
    // Others do not know of it; who sees it gives it theirs.
    let object = Object::Namespace(house.home("bob").await);
    let give = Give {
        subject: "robot:ann+ci".to_owned(),
        role: "reader".to_owned(),
        ..Give::default()
    };
    let given = hub.binding_give(&bob, &object, give.clone()).await;
    assert_eq!(code(given), Code::NameUnknown);
    hub.binding_give(&operator(), &object, give).await.unwrap();
    let pulls = house.may(&ci, Action::RepositoryPull, "bob/app").await;
    assert!(!pulls, "no more than whoever made it");
    let listed = hub.robot_list(&ann, "ann", "", 9).await.unwrap().items;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].name, "ann+ci");
    let rows = house.rows().await;
    let row = rows.iter().find(|row| row.entry.object == "ann+ci");
    assert_eq!(row.unwrap().entry.namespace, house.home("ann").await);

    // To others it is as if there were no such user, whatever they ask; and no user is an organisation.
    let hidden = hub.robot_get(&bob, "absent+ci").await.unwrap_err();
    let of = |name: &'static str, kind| RobotName {
        name,
        of: Some(kind),
    };
    for asked in [
        hub.robot_get(&bob, "ann+ci").await.unwrap_err(),
        hub.robot_list(&bob, "ann", "", 9).await.unwrap_err(),
        hub.robot_list(&bob, "absent", "", 9).await.unwrap_err(),
        hub.robot_create(&bob, robot("ann+x", &[]))
            .await
            .unwrap_err(),
        hub.robot_create(&bob, robot("absent+x", &[]))
            .await
            .unwrap_err(),
        hub.robot_rotate(&bob, "ann+ci", Duration::ZERO)
            .await
            .unwrap_err(),
        hub.robot_take_over(&bob, "ann+ci").await.unwrap_err(),
        hub.robot_get(&ann, of("ann+ci", Kind::Organisation))
            .await
            .unwrap_err(),
    ] {
        assert_eq!(
            (asked.code(), asked.public()),
            (hidden.code(), hidden.public())
        );
    }
    let own = hub.robot_get(&ann, of("ann+ci", Kind::User)).await;
    assert_eq!(own.unwrap().name, "ann+ci");
}

#[tokio::test]
async fn a_users_robots_are_called_as_they_are_stop_when_they_do_and_go_with_them() {
    let house = House::new().await;
    let hub = &house.hub;
    let ann = house.user("ann").await;
    house.repo("ann/app").await;
    let grants = [("developer", "ann")];
    let own = hub.robot_create(&ann, robot("ann+ci", &grants)).await;
    let own = own.unwrap();
    let given = hub
        .robot_create(&operator(), robot("ann+given", &grants))
        .await
        .unwrap();
    let both = [
        ("ci", own.secret.as_str()),
        ("given", given.secret.as_str()),
    ];
    let mut asking = Vec::new();
    for (name, secret) in both {
        asking.push(asks(&house, &format!("ann+{name}"), secret).await);
    }
    // Whoever made them, they can do nothing while she cannot.
    let version = login(&house, "ann+given", both[1].1).await.unwrap().version;
    house.enable(&operator(), "ann", false).await.unwrap();
    for ((name, secret), asks) in both.iter().zip(&asking) {
        let name = format!("ann+{name}");
        assert!(login(&house, &name, secret).await.is_none(), "{name}");
        assert!(!house.may(asks, Action::RepositoryPull, "ann/app").await);
        let reach = hub.judge().reach(&asks.who, Action::RepositoryPull, now());
        assert!(reach.await.unwrap().is_nothing(), "{name}");
    }
    house.enable(&operator(), "ann", true).await.unwrap();
    for ((name, secret), asks) in both.iter().zip(&asking) {
        let known = login(&house, &format!("ann+{name}"), secret).await.unwrap();
        assert!(
            known.version > version,
            "what was issued before is void: {name}"
        );
        assert!(house.may(asks, Action::RepositoryPull, "ann/app").await);
    }
    hub.account_rename(&operator(), None, "ann", "anna")
        .await
        .unwrap();
    for name in ["ann+ci", "anna+ci"] {
        let known = login(&house, name, both[0].1).await.unwrap();
        assert_eq!(&*known.name, "anna+ci", "{name}");
    }
    hub.name_free(&operator(), "ann").await.unwrap();
    assert!(login(&house, "ann+ci", both[0].1).await.is_none());
    house.user("ben").await;
    assert!(login(&house, "ben+ci", both[0].1).await.is_none());

    let lone = house.user("lone").await;
    let made = hub.robot_create(&lone, robot("lone+ci", &[])).await;
    let made = made.unwrap();
    assert!(
        login(&house, "lone+ci", made.secret.as_str())
            .await
            .is_some()
    );
    let user = Some(Kind::User);
    hub.account_delete(&operator(), user, "lone").await.unwrap();
    let gone = login(&house, "lone+ci", made.secret.as_str()).await;
    assert!(gone.is_none());
    let gone = hub.robot_get(&operator(), "lone+ci").await;
    assert_eq!(code(gone), Code::NameUnknown);
}

#[tokio::test]
async fn the_robots_of_an_organisation_that_is_switched_off_stop_as_well() {
    let house = House::new().await;
    let hub = &house.hub;
    acme(&house).await;
    let made = hub.robot_create(&operator(), robot("acme+ci", &[])).await;
    let made = made.unwrap();
    for (enabled, is_known) in [(false, false), (true, true)] {
        let edit = Edit {
            enabled: Some(enabled),
            ..Edit::default()
        };
        hub.account_edit(&operator(), Kind::Organisation, "acme", edit)
            .await
            .unwrap();
        let known = login(&house, "acme+ci", made.secret.as_str()).await;
        assert_eq!(known.is_some(), is_known);
    }
}

#[tokio::test]
async fn parts_of_a_robot_are_changed_and_what_is_not_said_stays() {
    let house = House::new().await;
    let hub = &house.hub;
    let [owner, keeper, _] = acme(&house).await;
    let made = hub.robot_create(&owner, robot("acme+ci", &[])).await;
    let made = made.unwrap();
    let seen = async || hub.robot_get(&owner, "acme+ci").await.unwrap().row;
    let first = seen().await;
    let edit = async |edit: RobotEdit| hub.robot_edit(&keeper, "acme+ci", edit).await;
    let said = RobotEdit {
        description: Some("builds".to_owned()),
        ..RobotEdit::default()
    };
    edit(said).await.unwrap();
    let now_is = seen().await;
    assert_eq!(
        (now_is.description.as_str(), now_is.version),
        ("builds", first.version),
        "what it is for takes nothing away"
    );
    let ends = |end| RobotEdit {
        expires: Some(end),
        ..RobotEdit::default()
    };
    assert_eq!(code(edit(ends(Some(now()))).await), Code::QueryInvalid);
    let soon = now() + Duration::from_hours(1);
    edit(ends(Some(soon))).await.unwrap();
    let ending = seen().await;
    assert!(ending.expires.is_some() && ending.version > first.version);
    assert_eq!(ending.description, "builds");
    edit(ends(None)).await.unwrap();
    assert_eq!(seen().await.expires, None);
    for enabled in [false, true] {
        let switch = RobotEdit {
            enabled: Some(enabled),
            ..RobotEdit::default()
        };
        edit(switch).await.unwrap();
        let known = login(&house, "acme+ci", made.secret.as_str()).await;
        assert_eq!(known.is_some(), enabled);
    }
    let late = NewRobot {
        expires: Some(now()),
        ..robot("acme+late", &[])
    };
    assert_eq!(
        code(hub.robot_create(&owner, late).await),
        Code::QueryInvalid
    );
    let rows = house.rows().await;
    let told = rows.iter().filter(|row| row.entry.object == "acme+ci");
    let told: Vec<_> = told.map(|row| row.entry.detail.as_str()).collect();
    assert!(told[1].contains(r#""changed":["description"]"#), "{told:?}");
    assert!(told[2].contains(r#""changed":["expires"]"#), "{told:?}");
    assert!(told[4].contains(r#""changed":["disabled"]"#), "{told:?}");
}

#[tokio::test]
async fn who_keeps_robots_takes_over_one_whose_maker_left_and_no_more_than_they_have() {
    let house = House::new().await;
    let hub = &house.hub;
    let [owner, keeper, other] = acme(&house).await;
    house.repo("acme/app").await;
    let grants = [("developer", "acme")];
    let made = hub.robot_create(&other, robot("acme+ci", &grants)).await;
    let made = made.unwrap();
    let ci = asks(&house, "acme+ci", made.secret.as_str()).await;
    hub.robot_create(&owner, robot("acme+boss", &[("owner", "acme")]))
        .await
        .unwrap();
    let is_maker = Maker {
        subject: "user:other".to_owned(),
        state: State::Active,
        counts: true,
    };
    assert_eq!(maker(&house, "acme+ci").await, Some(is_maker.clone()));
    hub.account_delete(&operator(), None, "other")
        .await
        .unwrap();
    let gone = Maker {
        state: State::Deleted,
        counts: false,
        ..is_maker
    };
    assert_eq!(maker(&house, "acme+ci").await, Some(gone));
    assert!(!house.may(&ci, Action::RepositoryPush, "acme/app").await);
    // Who made it is gone, and who only keeps robots does not rotate it.
    let rotated = hub.robot_rotate(&keeper, "acme+ci", Duration::ZERO).await;
    assert_eq!(code(rotated), Code::Denied);
    hub.robot_take_over(&keeper, "acme+ci").await.unwrap();
    assert!(house.may(&ci, Action::RepositoryPush, "acme/app").await);
    let kept = maker(&house, "acme+ci").await.unwrap();
    assert_eq!((kept.subject.as_str(), kept.counts), ("user:keeper", true));
    hub.robot_rotate(&keeper, "acme+ci", Duration::ZERO)
        .await
        .unwrap();
    let rows = house.rows().await;
    let row = rows
        .iter()
        .find(|row| row.entry.detail.contains("taken_over"));
    let row = &row.unwrap().entry;
    assert_eq!(
        (row.actor_name.as_str(), row.object.as_str()),
        ("keeper", "acme+ci")
    );
    assert!(row.detail.contains("user:other"), "{}", row.detail);

    // Not what has more than they have, which is said by its name.
    let refused = hub.robot_take_over(&keeper, "acme+boss").await.unwrap_err();
    assert_eq!(refused.code(), Code::Denied);
    let said = refused.public();
    assert!(said.contains("the role `owner` on `acme`"), "{said}");
    // Nor is anything said of where they see nothing.
    let away = house.home("owner").await;
    let give = Give {
        subject: "robot:acme+ci".to_owned(),
        role: "reader".to_owned(),
        ..Give::default()
    };
    hub.binding_give(&owner, &Object::Namespace(away), give)
        .await
        .unwrap();
    let refused = hub.robot_take_over(&keeper, "acme+ci").await.unwrap_err();
    let said = refused.public();
    assert!(
        said.contains("`reader` on something that you may"),
        "{said}"
    );
    assert!(!said.contains("`owner`"), "{said}");
    hub.robot_take_over(&owner, "acme+ci").await.unwrap();
    // The operator stands behind it for good.
    hub.robot_take_over(&operator(), "acme+ci").await.unwrap();
    assert_eq!(maker(&house, "acme+ci").await, None);
}
