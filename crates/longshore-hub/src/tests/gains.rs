//! Ways by which somebody would get hold of more than they have.

use std::net::Ipv4Addr;

use longshore_auth::certificate::Subject;
use longshore_auth::rights::Narrow;
use longshore_testkit::telephone;

use super::*;
use crate::certificates::NewCertificate;
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
    // Nor does whoever manages users, by the end of all of it. What a robot is denied ends with the robot.
    let clerk = house.user("clerk").await;
    let users = ActionSet::of(&[Action::UserManage]);
    let everywhere = NamespaceId::EVERYWHERE;
    let users = hub.role_set(&by, everywhere, "users", users, "").await;
    hub.binding_add(&by, binding(clerk.who.id(), users.unwrap(), everywhere))
        .await
        .unwrap();
    let robot = NewRobot {
        name: "acme+ci".to_owned(),
        ..NewRobot::default()
    };
    hub.robot_create(&by, robot).await.unwrap();
    let denied = async |subject: &str| {
        let denial = Give {
            subject: subject.to_owned(),
            role: "reader".to_owned(),
            deny: true,
            ..Give::default()
        };
        let given = hub.binding_give(&by, &Object::System, denial).await;
        given.unwrap()
    };
    denied("robot:acme+ci").await;
    let denial = denied("organisation:acme").await;
    let deleted = hub.account_delete(&clerk, None, "acme").await;
    assert_eq!(code(deleted), Code::Denied);
    hub.binding_remove(&by, everywhere, denial).await.unwrap();
    hub.account_delete(&clerk, None, "acme").await.unwrap();
}

/// A rule by which whoever shows a certificate of that name is `account`.
fn certificate(account: &str, name: &str) -> NewCertificate {
    NewCertificate {
        account: account.to_owned(),
        of: None,
        subject: Subject::read(name).unwrap(),
        narrow: None,
        description: String::new(),
        expires: None,
    }
}

#[tokio::test]
async fn who_manages_users_does_by_a_token_nothing_to_their_own_account() {
    let house = House::new().await;
    let hub = &house.hub;
    let ann = house.person("ann").await;
    let everything = binding(ann.who.id(), ADMINISTRATOR_ID, NamespaceId::EVERYWHERE);
    hub.binding_add(&operator(), everything).await.unwrap();
    let runs = operator();
    let made = hub.certificate_create(&runs, certificate("ann", "dns:ann.example"));
    let rule = made.await.unwrap().id;
    hub.identity_expect(&runs, "ann", "oidc:corp", "ann")
        .await
        .unwrap();
    let secret = hub.factor_begin(&ann).await.unwrap();
    let since = now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let first = telephone::code(secret.as_bytes(), since.as_secs());
    hub.factor_confirm(&ann, &first).await.unwrap();
    let way = |via, narrowed| {
        let mut who = Who::principal(ann.who.id(), via, ann.who.from);
        who.narrowed = narrowed;
        Caller { who, ..ann.clone() }
    };
    let all = Narrow {
        actions: ActionSet::ALL,
        repos: None,
        ids: Vec::new(),
    };
    let mail = || Edit {
        mail: Some("other@example.com".to_owned()),
        ..Edit::default()
    };
    let edited = async |by: &Caller| hub.account_edit(by, Kind::User, "ann", mail()).await.err();
    let refused = Some(Code::Denied);
    for by in [
        way(Via::PersonalToken, None),
        way(Via::Certificate, None),
        way(Via::Session, Some(Arc::new(all))),
    ] {
        for (what, heard) in [
            ("factor", hub.factor_remove(&by, "ann").await.err()),
            ("mail", edited(&by).await),
            (
                "known by less",
                hub.identity_forget(&by, "ann", "oidc:corp").await.err(),
            ),
            (
                "known by more",
                hub.identity_expect(&by, "ann", "oidc:corp", "eve")
                    .await
                    .err(),
            ),
            (
                "certificate less",
                hub.certificate_delete(&by, "ann", rule).await.err(),
            ),
            (
                "certificate more",
                hub.certificate_create(&by, certificate("ann", "dns:eve.example"))
                    .await
                    .err(),
            ),
            (
                "renamed",
                hub.account_rename(&by, None, "ann", "eve").await.err(),
            ),
            ("deleted", hub.account_delete(&by, None, "ann").await.err()),
        ] {
            let heard = heard.map(|error| error.code());
            assert_eq!(heard, refused, "{what} by {}", by.who.via);
        }
    }
    // To others they do it all the same, and by a session to themselves, but for the factor: that takes a code, as of everybody.
    let (token, session) = (way(Via::PersonalToken, None), way(Via::Session, None));
    house.person("bob").await;
    hub.account_edit(&token, Kind::User, "bob", mail())
        .await
        .unwrap();
    assert_eq!(code(hub.factor_remove(&session, "ann").await), Code::Denied);
    assert_eq!(code(hub.factor_remove(&ann, "ann").await), Code::Denied);
    assert!(edited(&session).await.is_none());
    hub.identity_forget(&session, "ann", "oidc:corp")
        .await
        .unwrap();
    hub.certificate_delete(&session, "ann", rule).await.unwrap();
    let later = Caller {
        now: now() + Duration::from_secs(1),
        ..ann.clone()
    };
    hub.factor_remove(&later, "ann").await.unwrap();
}

#[tokio::test]
async fn who_manages_users_takes_no_certificate_from_whoever_has_more_rights() {
    let house = House::new().await;
    let (hub, by) = (&house.hub, operator());
    let (chief, clerk) = (house.user("chief").await, house.user("clerk").await);
    let everywhere = NamespaceId::EVERYWHERE;
    hub.binding_add(&by, binding(chief.who.id(), ADMINISTRATOR_ID, everywhere))
        .await
        .unwrap();
    let users = ActionSet::of(&[Action::UserManage]);
    let users = hub.role_set(&by, everywhere, "users", users, "").await;
    hub.binding_add(&by, binding(clerk.who.id(), users.unwrap(), everywhere))
        .await
        .unwrap();
    let rule = hub.certificate_create(&by, certificate("chief", "dns:chief.example"));
    let rule = rule.await.unwrap().id;
    let taken = hub.certificate_delete(&clerk, "chief", rule).await;
    assert_eq!(code(taken), Code::Denied);
    hub.certificate_delete(&chief, "chief", rule).await.unwrap();
}
