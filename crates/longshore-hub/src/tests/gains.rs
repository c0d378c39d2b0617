//! Ways by which somebody would get hold of more than they have.

use std::net::Ipv4Addr;

use super::*;
use crate::robots::NewRobot;

#[tokio::test]
async fn who_gives_rights_gets_no_secret_of_a_robot_that_has_more_than_they() {
    let house = House::new().await;
    let (hub, by) = (&house.hub, operator());
    hub.organisation_create(&by, account("acme")).await.unwrap();
    let acme = house.home("acme").await;
    let bob = house.user("bob").await;
    let desk = ActionSet::of(&[Action::RobotManage, Action::RightsManage]);
    let desk = hub.role_set(&by, acme, "desk", desk, "").await.unwrap();
    hub.binding_add(&by, binding(bob.who.id(), desk, acme))
        .await
        .unwrap();
    let new = NewRobot {
        name: "acme+ci".to_owned(),
        grants: vec![("developer".to_owned(), "acme".to_owned())],
        ..NewRobot::default()
    };
    hub.robot_create(&by, new).await.unwrap();
    let rotated = hub.robot_rotate(&bob, "acme+ci", Duration::ZERO).await;
    assert_eq!(code(rotated), Code::Denied);
    hub.binding_add(&by, binding(bob.who.id(), OWNER_ID, acme))
        .await
        .unwrap();
    let rotated = hub.robot_rotate(&bob, "acme+ci", Duration::ZERO).await;
    rotated.unwrap();
}

#[tokio::test]
async fn who_manages_users_is_not_above_an_administrator_of_other_networks() {
    let house = House::new().await;
    let (hub, by) = (&house.hub, operator());
    let (carol, bob) = (house.user("carol").await, house.user("bob").await);
    let everywhere = NamespaceId::EVERYWHERE;
    let mut office = binding(carol.who.id(), ADMINISTRATOR_ID, everywhere);
    office.networks = Some("10.0.0.0/8".to_owned());
    hub.binding_add(&by, office).await.unwrap();
    let users = ActionSet::of(&[Action::UserManage]);
    let users = hub.role_set(&by, everywhere, "users", users, "");
    let users = users.await.unwrap();
    hub.binding_add(&by, binding(bob.who.id(), users, everywhere))
        .await
        .unwrap();
    assert_eq!(bob.who.from, IpAddr::V4(Ipv4Addr::LOCALHOST));
    let off = house.enable(&bob, "carol", false).await;
    assert_eq!(code(off), Code::Denied);
}

#[tokio::test]
async fn emptying_a_namespace_leaves_what_is_read_only_in_it() {
    let house = House::new().await;
    let hub = &house.hub;
    let ann = house.user("ann").await;
    let home = house.home("ann").await;
    for name in ["ann/app", "ann/kept"] {
        house.repo(name).await;
    }
    let kept = "ann/kept".parse().unwrap();
    hub.repository_set(&ann, &kept, None, Some(true))
        .await
        .unwrap();
    assert_eq!(code(hub.namespace_purge(&ann, home).await), Code::Denied);
    hub.repository_set(&ann, &kept, None, Some(false))
        .await
        .unwrap();
    hub.namespace_purge(&ann, home).await.unwrap();
}

#[tokio::test]
async fn who_manages_members_frees_none_of_what_their_team_is_denied() {
    let house = House::new().await;
    let (hub, by) = (&house.hub, operator());
    hub.organisation_create(&by, account("acme")).await.unwrap();
    let acme = house.home("acme").await;
    let (bob, carl) = (house.user("bob").await, house.user("carl").await);
    let desk = ActionSet::of(&[Action::MemberManage]);
    let desk = hub.role_set(&by, acme, "desk", desk, "").await.unwrap();
    hub.binding_add(&by, binding(bob.who.id(), desk, acme))
        .await
        .unwrap();
    hub.team_create(&by, acme, account("guests")).await.unwrap();
    let join = async |team| hub.member_set(&bob, acme, team, "carl", true).await;
    let leave = async |by, team| hub.member_set(by, acme, team, "carl", false).await;
    let object = Object::Namespace(acme);
    for subject in ["team:acme/guests", "organisation:acme"] {
        join(None).await.unwrap();
        // Nobody is freed who is not in it.
        leave(&bob, Some("guests")).await.unwrap();
        join(Some("guests")).await.unwrap();
        leave(&bob, Some("guests")).await.unwrap();
        join(Some("guests")).await.unwrap();
        let denial = Give {
            subject: subject.to_owned(),
            role: "developer".to_owned(),
            deny: true,
            ..Give::default()
        };
        let id = hub
            .binding_give(&by, &object, denial.clone())
            .await
            .unwrap();
        let all = hub
            .binding_give(&by, &Object::System, denial)
            .await
            .unwrap();
        for system in [false, true] {
            // Of the organisation's denial, and then of the system's alone.
            if system {
                hub.binding_remove(&by, acme, id).await.unwrap();
            }
            assert_eq!(code(leave(&bob, None).await), Code::Denied, "{subject}");
            if subject == "team:acme/guests" {
                let left = leave(&bob, Some("guests")).await;
                assert_eq!(code(left), Code::Denied);
                let deleted = hub.team_delete(&bob, &object, "guests").await;
                assert_eq!(code(deleted), Code::Denied);
            }
        }
        leave(&by, None).await.unwrap();
        hub.binding_remove(&by, NamespaceId::EVERYWHERE, all)
            .await
            .unwrap();
    }
    // What others deny to a team keeps nobody in it.
    join(Some("guests")).await.unwrap();
    let theirs = Object::Namespace(house.home("carl").await);
    let denial = Give {
        subject: "team:acme/guests".to_owned(),
        role: "reader".to_owned(),
        deny: true,
        ..Give::default()
    };
    hub.binding_give(&carl, &theirs, denial).await.unwrap();
    leave(&bob, Some("guests")).await.unwrap();
    hub.team_delete(&bob, &object, "guests").await.unwrap();
}
