use longshore_auth::index::Known;
use longshore_auth::rights::Narrow;
use zeroize::Zeroizing;

use super::*;
use crate::NewPassword;
use crate::robots::NewRobot;
use crate::tokens::NewToken;

const PASSWORD: &str = "correct horse";

impl House {
    /// A user with a password.
    async fn keyed(&self, name: &str, administrator: bool) -> Caller {
        let new = NewAccount {
            password: Some(NewPassword::plain(PASSWORD)),
            administrator,
            ..account(name)
        };
        let id = self.hub.user_create(&operator(), new).await.unwrap();
        caller(id, name)
    }

    async fn known(&self, name: &str, secret: &str) -> Option<Known> {
        let secret = Zeroizing::new(secret.as_bytes().to_vec());
        let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let known = self.hub.index().login(name, secret, peer, now()).await;
        known.ok()
    }
}

fn robot(name: &str, grants: &[(&str, &str)]) -> NewRobot {
    let grants = grants.iter();
    NewRobot {
        name: name.to_owned(),
        grants: grants
            .map(|(role, path)| ((*role).to_owned(), (*path).to_owned()))
            .collect(),
        ..NewRobot::default()
    }
}

#[tokio::test]
async fn passwords_and_tokens_are_their_owners_and_of_those_who_manage_users() {
    let house = House::new().await;
    let (alice, bob) = (
        house.keyed("alice", false).await,
        house.keyed("bob", false).await,
    );
    let hub = &house.hub;
    let made = hub
        .token_create(&alice, "alice", NewToken::default())
        .await
        .unwrap();
    let known = house.known("alice", made.secret.as_str()).await.unwrap();
    // Nobody else, and by no token: one that leaked would make others that outlive it.
    let by_token = Caller {
        who: known.who(alice.who.from),
        ..alice.clone()
    };
    for (by, of, expected) in [
        (&bob, "alice", Code::Denied),
        (&bob, "nobody", Code::Denied),
        (&by_token, "alice", Code::Denied),
    ] {
        let new = NewToken::default();
        assert_eq!(code(hub.token_create(by, of, new).await), expected, "{of}");
        let new = NewPassword::plain("another horse");
        assert_eq!(code(hub.password_set(by, of, new).await), expected, "{of}");
        assert_eq!(code(hub.token_list(by, of, 0, 9).await), expected, "{of}");
        assert_eq!(code(hub.token_revoke(by, of, made.id).await), expected);
    }
    let (hidden, absent) = (
        hub.token_list(&bob, "alice", 0, 9).await.unwrap_err(),
        hub.token_list(&bob, "nobody", 0, 9).await.unwrap_err(),
    );
    assert_eq!(hidden.public(), absent.public());
    assert_eq!(
        hub.token_list(&alice, "alice", 0, 9)
            .await
            .unwrap()
            .items
            .len(),
        1
    );
    hub.token_revoke(&operator(), "alice", made.id)
        .await
        .unwrap();
    assert!(house.known("alice", made.secret.as_str()).await.is_none());

    let old = |text: &str| Zeroizing::new(text.as_bytes().to_vec());
    let new = || NewPassword::plain("another horse");
    let wrong = hub.password_change(&alice, old("wrong horse"), new()).await;
    assert_eq!(code(wrong), Code::Unauthorized);
    hub.password_change(&alice, old(PASSWORD), new())
        .await
        .unwrap();
    assert!(house.known("alice", PASSWORD).await.is_none());
    assert!(house.known("alice", "another horse").await.is_some());
    let weak = hub
        .password_set(&alice, "alice", NewPassword::plain("Password1"))
        .await;
    assert_eq!(code(weak), Code::QueryInvalid);
    let rows = house.rows().await;
    let last = rows.last().unwrap();
    assert_eq!(last.entry.action, crate::own::OWN);
    assert!(rows.iter().all(|row| !row.entry.detail.contains("horse")));
}

#[tokio::test]
async fn whoever_manages_users_becomes_nobody_with_more_rights() {
    let house = House::new().await;
    let hub = &house.hub;
    let (chief, clerk) = (
        house.keyed("chief", true).await,
        house.keyed("clerk", false).await,
    );
    house.keyed("alice", false).await;
    let users = ActionSet::of(&[Action::UserManage, Action::UserList]);
    let everywhere = NamespaceId::EVERYWHERE;
    let role = hub
        .role_set(&operator(), everywhere, "desk", users, "")
        .await
        .unwrap();
    let row = binding(clerk.who.id(), role, everywhere);
    hub.binding_add(&operator(), row).await.unwrap();
    let new = || NewPassword::plain("another horse");
    hub.password_set(&clerk, "alice", new()).await.unwrap();
    let taken = hub.password_set(&clerk, "chief", new()).await;
    assert_eq!(code(taken), Code::Denied);
    assert_eq!(
        code(house.enable(&clerk, "chief", false).await),
        Code::Denied
    );
    assert_eq!(
        code(hub.account_delete(&clerk, None, "chief").await),
        Code::Denied
    );
    // Nor of somebody who is kept out for now.
    house.enable(&operator(), "chief", false).await.unwrap();
    let taken = hub.password_set(&clerk, "chief", new()).await;
    assert_eq!(code(taken), Code::Denied);
    house.enable(&operator(), "chief", true).await.unwrap();
    let mut other = account("other");
    other.administrator = true;
    let made = hub.user_create(&clerk, other.clone()).await;
    assert_eq!(code(made), Code::Denied);
    assert_eq!(house.id("other").await, None);
    hub.user_create(&chief, other).await.unwrap();
    assert!(hub.has_administrator().await.unwrap());
    let names = hub.accounts_of(&clerk, Kind::User, "", 10).await.unwrap();
    let names: Vec<_> = names.items.into_iter().map(|it| it.name).collect();
    assert_eq!(names, ["alice", "chief", "clerk", "other"]);
}

#[tokio::test]
async fn a_robot_has_no_more_than_its_maker_and_its_secret_is_for_whoever_could_give_that() {
    let house = House::new().await;
    let hub = &house.hub;
    let (owner, keeper) = (house.user("owner").await, house.user("keeper").await);
    let new = NewAccount {
        owner: "owner".to_owned(),
        ..account("acme")
    };
    hub.organisation_create(&operator(), new).await.unwrap();
    let home = house.home("acme").await;
    hub.binding_add(&owner, binding(keeper.who.id(), MAINTAINER_ID, home))
        .await
        .unwrap();
    for (grant, expected) in [
        (("owner", "acme"), Code::Denied),
        (("reader", "owner"), Code::Denied),
        (("reader", "**"), Code::Denied),
        (("king", "acme"), Code::NameUnknown),
        (("reader", "nowhere"), Code::Denied),
    ] {
        let made = hub.robot_create(&keeper, robot("acme+ci", &[grant])).await;
        assert_eq!(code(made), expected, "{grant:?}");
    }
    for name in ["ci", "acme$ci", "acme+", "acme+A", "acme+a+b"] {
        let made = hub.robot_create(&keeper, robot(name, &[])).await;
        assert_eq!(code(made), Code::NameInvalid, "{name}");
    }
    let grants = [("developer", "acme")];
    hub.robot_create(&keeper, robot("acme+ci", &grants))
        .await
        .unwrap();
    let first = hub
        .robot_create(&owner, robot("acme+boss", &[("owner", "acme")]))
        .await
        .unwrap();
    let again = hub.robot_create(&owner, robot("acme+ci", &grants)).await;
    assert_eq!(code(again), Code::ConditionFailed);
    // The keeper may rotate its own robot, and not one that may do more than the keeper.
    hub.robot_rotate(&keeper, "acme+ci", Duration::ZERO)
        .await
        .unwrap();
    let taken = hub.robot_rotate(&keeper, "acme+boss", Duration::ZERO).await;
    assert_eq!(code(taken), Code::Denied);
    let second = hub
        .robot_rotate(&owner, "acme+boss", Duration::from_hours(1))
        .await
        .unwrap();
    for secret in [&first, &second] {
        let known = house.known("acme+boss", secret.secret.as_str()).await;
        assert!(known.is_some(), "both secrets are alive");
    }
    let listed = hub.robot_list(&keeper, "acme", "", 10).await.unwrap();
    let listed: Vec<_> = listed
        .items
        .iter()
        .map(|it| (it.name.as_str(), it.secrets.len()))
        .collect();
    assert_eq!(listed, [("acme+boss", 2), ("acme+ci", 2)]);
    hub.robot_revoke(&owner, "acme+boss", second.id)
        .await
        .unwrap();
    let known = house.known("acme+boss", second.secret.as_str()).await;
    assert!(known.is_none());
    hub.robot_delete(&owner, "acme+boss").await.unwrap();
    let known = house.known("acme+boss", first.secret.as_str()).await;
    assert!(known.is_none(), "a deleted robot's secret opens nothing");
    let stranger = house.user("stranger").await;
    let one = hub.robot_get(&keeper, "acme+ci").await.unwrap();
    assert_eq!((one.name.as_str(), one.secrets.len()), ("acme+ci", 2));
    let one = hub.robot_get(&stranger, "acme+ci").await;
    assert_eq!(code(one), Code::NameUnknown);
    let list = hub.robot_list(&stranger, "acme", "", 10).await;
    assert_eq!(code(list), Code::NameUnknown);
}

#[tokio::test]
async fn a_key_is_rotated_and_written_down_together() {
    let house = House::new().await;
    let hub = &house.hub;
    let alice = house.user("alice").await;
    let before = hub.key_list(&operator()).await.unwrap();
    assert_ne!(code(hub.key_rotate(&alice, true).await), Code::Internal);
    assert_ne!(code(hub.key_list(&alice).await), Code::Internal);
    assert_eq!(hub.key_list(&operator()).await.unwrap(), before);
    let after = hub.key_rotate(&operator(), true).await.unwrap();
    let signs = after.iter().find(|key| key.signs).unwrap();
    assert!(before.iter().all(|key| key.kid != signs.kid));
    let rows = house.rows().await;
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.entry.actor_name.as_str(), row.entry.result.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("operator", "done"),
            ("alice", "denied"),
            ("operator", "done")
        ]
    );
    assert!(rows[2].entry.detail.contains(&signs.kid));
}

#[tokio::test]
async fn a_token_that_is_narrow_narrows_and_has_an_end() {
    let house = House::new().await;
    house.keyed("alice", false).await;
    let new = NewToken {
        label: "ci".to_owned(),
        narrow: Some(Narrow {
            actions: ActionSet::of(&[Action::RepositoryPull]),
            repos: None,
            ids: Vec::new(),
        }),
        expires: Some(now() + Duration::from_hours(1)),
    };
    let made = house
        .hub
        .token_create(&operator(), "alice", new.clone())
        .await
        .unwrap();
    let known = house.known("alice", made.secret.as_str()).await.unwrap();
    let by = Caller {
        who: known.who(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        ..caller(PrincipalId(0), "alice")
    };
    assert!(house.may(&by, Action::RepositoryPull, "alice/app").await);
    assert!(!house.may(&by, Action::RepositoryPush, "alice/app").await);
    let late = NewToken {
        expires: Some(now()),
        ..new
    };
    let ended = house.hub.token_create(&operator(), "alice", late).await;
    assert_eq!(code(ended), Code::QueryInvalid);
}
