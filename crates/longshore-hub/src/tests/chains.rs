//! Robots that made robots: who stands behind whom, and what none does for itself.

use longshore_meta::principals::State;

use super::robots::{acme, asks, maker, robot};
use super::*;
use crate::robots::{NewRobot, RobotEdit};

#[tokio::test]
async fn robots_do_not_stand_behind_themselves() {
    let house = House::new().await;
    let hub = &house.hub;
    let [owner, ..] = acme(&house).await;
    let grants = [("maintainer", "acme")];
    let one = hub.robot_create(&owner, robot("acme+one", &grants)).await;
    let one = asks(&house, "acme+one", one.unwrap().secret.as_str()).await;
    let two = hub.robot_create(&one, robot("acme+two", &grants)).await;
    let two = asks(&house, "acme+two", two.unwrap().secret.as_str()).await;
    let by = maker(&house, "acme+two").await.unwrap();
    assert_eq!((by.subject.as_str(), by.counts), ("robot:acme+one", true));
    for (by, name) in [(&one, "acme+one"), (&two, "acme+two"), (&two, "acme+one")] {
        let taken = hub.robot_take_over(by, name).await;
        assert_eq!(code(taken), Code::ConditionFailed, "{name}");
    }
    // Whoever is behind the one is behind the other.
    house.enable(&operator(), "owner", false).await.unwrap();
    let by = maker(&house, "acme+two").await.unwrap();
    assert_eq!((by.state, by.counts), (State::Active, false));
    house.enable(&operator(), "owner", true).await.unwrap();
    // Eight may have made one another, with whoever made the first; no ninth is let in.
    let mut last = two;
    for name in ["three", "four", "five", "six", "seven"] {
        let name = format!("acme+{name}");
        let made = hub.robot_create(&last, robot(&name, &grants)).await;
        last = asks(&house, &name, made.unwrap().secret.as_str()).await;
    }
    hub.robot_create(&operator(), robot("acme+more", &grants))
        .await
        .unwrap();
    let taken = hub.robot_take_over(&last, "acme+more").await;
    assert_eq!(code(taken), Code::ConditionFailed);
    assert_eq!(maker(&house, "acme+more").await, None);
    let made = hub.robot_create(&last, robot("acme+eight", &[])).await;
    let refused = made.unwrap_err();
    assert_eq!(refused.code(), Code::ConditionFailed);
    assert!(refused.public().contains("have a person"), "{refused}");
    let found = hub.robot_get(&operator(), "acme+eight").await;
    assert_eq!(code(found), Code::NameUnknown);
}

#[tokio::test]
async fn no_robot_prolongs_itself_nor_one_that_is_there_by_it() {
    let house = House::new().await;
    let hub = &house.hub;
    let [owner, ..] = acme(&house).await;
    let grants = [("maintainer", "acme")];
    let soon = now() + Duration::from_hours(2);
    let ending = NewRobot {
        expires: Some(soon),
        ..robot("acme+one", &grants)
    };
    let one = hub.robot_create(&owner, ending).await;
    let one = asks(&house, "acme+one", one.unwrap().secret.as_str()).await;
    let two = hub.robot_create(&one, robot("acme+two", &grants)).await;
    let two = asks(&house, "acme+two", two.unwrap().secret.as_str()).await;
    let edit = async |by: &Caller, expires, enabled| {
        let edit = RobotEdit {
            expires,
            enabled,
            ..RobotEdit::default()
        };
        let done = hub.robot_edit(by, "acme+one", edit).await;
        done.map(|robot| robot.row.expires)
    };
    for by in [&one, &two] {
        for end in [Some(soon + Duration::from_secs(1)), None] {
            let refused = edit(by, Some(end), None).await.unwrap_err();
            assert_eq!(refused.code(), Code::Denied, "{}", by.name);
            let said = refused.public();
            assert!(said.contains("nobody prolongs themselves"), "{said}");
        }
        // What is no more than it was, it may say, and what it is for.
        edit(by, Some(Some(soon)), Some(true)).await.unwrap();
    }
    let seen = hub.robot_get(&owner, "acme+one").await.unwrap();
    assert_eq!(seen.row.expires, Some(longshore_meta::time::micros(soon)));
    let denied = house.rows().await;
    let denied = denied.iter().filter(|row| row.entry.result == "denied");
    assert_eq!(denied.count(), 2, "of each is written down");
    // It ends sooner where it says so, and then no later by itself; others prolong it.
    let sooner = soon - Duration::from_hours(1);
    edit(&one, Some(Some(sooner)), None).await.unwrap();
    let later = edit(&one, Some(Some(soon)), None).await;
    assert_eq!(code(later), Code::Denied);
    let free = edit(&owner, Some(None), None).await.unwrap();
    assert_eq!(free, None);
    // Two that end do not prolong each other beyond that.
    let pair = async |name: &str, end| {
        let new = NewRobot {
            expires: Some(end),
            ..robot(name, &grants)
        };
        let made = hub.robot_create(&owner, new).await;
        asks(&house, name, made.unwrap().secret.as_str()).await
    };
    let (first, second) = (
        pair("acme+first", sooner).await,
        pair("acme+second", soon).await,
    );
    let prolong = async |by: &Caller, name, end| {
        let edit = RobotEdit {
            expires: Some(end),
            ..RobotEdit::default()
        };
        hub.robot_edit(by, name, edit).await.map(drop)
    };
    let later = soon + Duration::from_secs(1);
    for (by, name) in [(&second, "acme+first"), (&first, "acme+second")] {
        for end in [None, Some(later)] {
            assert_eq!(code(prolong(by, name, end).await), Code::Denied, "{name}");
        }
    }
    prolong(&second, "acme+first", Some(soon)).await.unwrap();
}
