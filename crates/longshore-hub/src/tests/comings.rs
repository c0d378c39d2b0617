use longshore_meta::profiles::profile_get;
use longshore_meta::repos::repo_id;
use zeroize::Zeroizing;

use super::*;
use crate::NewPassword;
use crate::robots::NewRobot;

fn name(text: &str) -> longshore_spec::RepoName {
    text.parse().unwrap()
}

impl House {
    async fn repo_id(&self, text: &str) -> Option<i64> {
        let name = name(text);
        let read = self
            .hub
            .db
            .read(&name, |tx, name| Box::pin(repo_id(tx, name)));
        read.await.unwrap()
    }
}

#[tokio::test]
async fn a_first_push_is_written_down_with_who_made_the_repository() {
    let house = House::new().await;
    let alice = house.user("alice").await;
    let id = house.repo("alice/app").await;
    let born = house.hub.db.write(Durability::Power, id, |tx, id| {
        Box::pin(async move {
            let name = "alice/app".parse().unwrap();
            crate::beginning::born(tx, (*id, &name), &by("alice")).await?;
            profile_get(tx, *id).await
        })
    });
    let profile = born.await.unwrap().unwrap();
    assert_eq!(profile.created_by, alice.who.id());
    let rows = house.rows().await;
    let row = &rows.last().unwrap().entry;
    assert_eq!(
        (row.actor, row.object.as_str()),
        (alice.who.id(), "alice/app")
    );
    assert_eq!(
        (row.via.as_str(), row.origin.as_str()),
        ("token:3", "127.0.0.1")
    );
    assert_eq!(row.namespace, house.home("alice").await);
}

#[tokio::test]
async fn a_repository_is_made_and_removed_and_one_of_its_name_has_nothing_of_it() {
    let house = House::new().await;
    let hub = &house.hub;
    let (alice, bob) = (house.user("alice").await, house.user("bob").await);
    hub.repository_create(&alice, &name("alice/app"))
        .await
        .unwrap();
    for (by, to) in [(&alice, "alice/app"), (&alice, "alice")] {
        assert!(hub.repository_create(by, &name(to)).await.is_err(), "{to}");
    }
    assert_eq!(
        code(hub.repository_create(&bob, &name("alice/new")).await),
        Code::NameUnknown
    );
    let home = house.home("alice").await;
    let id = house.repo_id("alice/app").await.unwrap();
    let mut row = binding(bob.who.id(), READER_ID, home);
    row.repo = Some(id);
    hub.binding_add(&alice, row).await.unwrap();
    hub.star(&bob, &name("alice/app"), true).await.unwrap();
    let said = Said {
        description: Some("secret plans".to_owned()),
        ..Said::default()
    };
    hub.repository_describe(&alice, &name("alice/app"), said)
        .await
        .unwrap();
    assert_eq!(
        code(hub.repository_remove(&bob, &name("alice/app")).await),
        Code::Denied
    );
    hub.repository_remove(&alice, &name("alice/app"))
        .await
        .unwrap();
    assert_eq!(house.repo_id("alice/app").await, None);
    // Nobody reaches what is left of it, not even whoever may do everything everywhere.
    let chief = house.user("chief").await;
    let all = binding(chief.who.id(), ADMINISTRATOR_ID, NamespaceId::EVERYWHERE);
    hub.binding_add(&operator(), all).await.unwrap();
    let left = format!("deleted/{id}");
    for action in [Action::RepositoryPull, Action::RepositoryPush] {
        assert!(!house.may(&chief, action, &left).await);
    }
    assert_eq!(
        code(hub.repository_remove(&alice, &name("alice/app")).await),
        Code::NameUnknown
    );
    hub.repository_create(&alice, &name("alice/app"))
        .await
        .unwrap();
    assert!(!house.may(&bob, Action::RepositoryPull, "alice/app").await);
    let seen = hub
        .repository_get(&alice, &name("alice/app"))
        .await
        .unwrap();
    assert_ne!(seen.id, id);
    assert_eq!(
        (seen.profile.description.as_str(), seen.profile.stars),
        ("", 0)
    );
}

#[tokio::test]
async fn a_namespace_is_purged_and_its_owner_can_be_deleted_then() {
    let house = House::new().await;
    let hub = &house.hub;
    let alice = house.user("alice").await;
    let home = house.home("alice").await;
    let group = hub.group_create(&alice, home, "web").await.unwrap();
    for at in 0..250 {
        house.repo(&format!("alice/app-{at}")).await;
    }
    house.repo("alice/web/api").await;
    let early = hub.account_delete(&operator(), None, "alice").await;
    assert_eq!(code(early), Code::ConditionFailed);
    let bob = house.user("bob").await;
    assert_eq!(
        code(hub.namespace_purge(&bob, home).await),
        Code::NameUnknown
    );
    assert_eq!(hub.namespace_purge(&alice, home).await.unwrap(), 251);
    assert_eq!(
        code(hub.namespace_get(&alice, &Object::Namespace(group)).await),
        Code::NameUnknown
    );
    hub.account_delete(&operator(), None, "alice")
        .await
        .unwrap();
    assert!(!house.may(&alice, Action::RepositoryPush, "alice/app").await);
}

#[tokio::test]
async fn a_renamed_account_keeps_what_it_has_and_its_old_names_lead_there() {
    let house = House::new().await;
    let hub = &house.hub;
    let alice = house.user("alice").await;
    house.user("bob").await;
    let id = house.repo("alice/app").await;
    for (to, expected) in [
        ("bob", Code::ConditionFailed),
        ("v2", Code::NameInvalid),
        ("A", Code::NameInvalid),
    ] {
        let renamed = hub.account_rename(&operator(), None, "alice", to).await;
        assert_eq!(code(renamed), expected, "{to}");
    }
    assert_eq!(
        code(hub.account_rename(&alice, None, "alice", "alicia").await),
        Code::Denied
    );
    hub.account_rename(&operator(), None, "alice", "alicia")
        .await
        .unwrap();
    assert_eq!(house.id("alicia").await, Some(alice.who.id()));
    assert_eq!(house.repo_id("alicia/app").await, Some(id));
    for repo in ["alice/app", "alicia/app", "alice/new"] {
        assert!(
            house.may(&alice, Action::RepositoryPush, repo).await,
            "{repo}"
        );
    }
    let taken = hub.user_create(&operator(), account("alice")).await;
    assert_eq!(code(taken), Code::ConditionFailed);
    // And back.
    hub.account_rename(&operator(), None, "alicia", "alice")
        .await
        .unwrap();
    assert_eq!(house.repo_id("alice/app").await, Some(id));
}

#[tokio::test]
async fn an_organisation_goes_with_its_teams_and_robots() {
    let house = House::new().await;
    let hub = &house.hub;
    let owner = house.user("owner").await;
    house.user("other").await;
    let new = NewAccount {
        owner: "owner".to_owned(),
        ..account("acme")
    };
    hub.organisation_create(&operator(), new).await.unwrap();
    let home = house.home("acme").await;
    let team = hub
        .team_create(&owner, home, account("devs"))
        .await
        .unwrap();
    hub.member_set(&owner, home, Some("devs"), "owner", true)
        .await
        .unwrap();
    let robot = NewRobot {
        name: "acme+ci".to_owned(),
        ..NewRobot::default()
    };
    let secret = hub.robot_create(&owner, robot).await.unwrap().secret;
    let there = house.home("other").await;
    for subject in ["team:acme/devs", "robot:acme+ci"] {
        let give = crate::gives::Give {
            subject: subject.to_owned(),
            role: "reader".to_owned(),
            ..Default::default()
        };
        let there = Object::Namespace(there);
        hub.binding_give(&operator(), &there, give).await.unwrap();
    }
    assert!(house.may(&owner, Action::RepositoryPull, "other/app").await);
    hub.account_delete(&operator(), None, "acme").await.unwrap();
    assert!(!house.may(&owner, Action::RepositoryPull, "other/app").await);
    let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let secret = Zeroizing::new(secret.as_str().as_bytes().to_vec());
    let login = hub.index().login("acme+ci", secret, peer, now()).await;
    assert!(login.is_err(), "its robots are gone");
    let left = hub.binding_list(there, 0, 10).await.unwrap();
    assert!(left.iter().all(|it| it.subject != Subject::from(team)));
    assert_eq!(left.len(), 1, "{left:?}");
}

#[tokio::test]
async fn the_first_administrator_is_made_once_by_the_token_of_the_last_start() {
    let house = House::new().await;
    let hub = &house.hub;
    let stranger = Caller {
        who: Who::stranger(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        ..caller(PrincipalId(0), "-")
    };
    let new = |name: &str| NewAccount {
        password: Some(NewPassword::plain("correct horse")),
        ..account(name)
    };
    let before = hub.setup_token(now()).await.unwrap().unwrap();
    let token = hub.setup_token(now()).await.unwrap().unwrap();
    let late = Caller {
        now: now() + crate::setup::SETUP_LIVES,
        ..stranger.clone()
    };
    for (by, text) in [
        (&stranger, before.as_str()),
        (&stranger, ""),
        (&stranger, "lsi_guess"),
        (&late, token.as_str()),
    ] {
        let made = hub.setup(by, text, new("chief")).await;
        assert_eq!(code(made), Code::Unauthorized, "{text}");
    }
    let weak = NewAccount {
        password: Some(NewPassword::plain("chief")),
        ..account("chief")
    };
    let made = hub.setup(&stranger, token.as_str(), weak).await;
    assert_eq!(code(made), Code::QueryInvalid);
    let id = hub
        .setup(&stranger, token.as_str(), new("chief"))
        .await
        .unwrap();
    let chief = caller(id, "chief");
    assert!(house.may(&chief, Action::RepositoryPush, "any/thing").await);
    let again = hub.setup(&stranger, token.as_str(), new("other")).await;
    assert_eq!(code(again), Code::Unauthorized);
    assert!(hub.setup_token(now()).await.unwrap().is_none());
    let rows = house.rows().await;
    let row = &rows.last().unwrap().entry;
    assert_eq!(
        (
            row.actor_name.as_str(),
            row.action.as_str(),
            row.object.as_str()
        ),
        ("setup", crate::setup::SETUP, "chief")
    );
}
