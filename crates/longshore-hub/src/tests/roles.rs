//! Nobody gives by a role, or by taking somebody in, what they have not. A role is for all namespaces of its owner, so nobody changes it
//! who gives rights in a part of them only.

use longshore_auth::index::secret::ShownSecret;
use longshore_meta::bindings::binding_put;
use longshore_meta::secrets::Kind as Secret;

use super::*;
use crate::comings::NewInvitation;

/// Gives somebody a role of whoever owns a namespace, by which they pull.
async fn holds(house: &House, home: NamespaceId, whom: &Caller) {
    let pulls = ActionSet::of(&[Action::RepositoryPull]);
    let (hub, by) = (&house.hub, operator());
    let role = hub.role_set(&by, home, "special", pulls, "").await.unwrap();
    let given = binding(whom.who.id(), role, home);
    hub.binding_add(&by, given).await.unwrap();
}

#[tokio::test]
async fn whoever_gives_rights_in_a_group_changes_no_role_of_the_organisation() {
    let house = House::new().await;
    let hub = &house.hub;
    let bob = house.user("bob").await;
    hub.organisation_create(&operator(), account("acme"))
        .await
        .unwrap();
    let acme = house.home("acme").await;
    let web = hub.group_create(&operator(), acme, "web").await.unwrap();
    house.repo("acme/prod").await;
    holds(&house, acme, &bob).await;
    hub.binding_add(&operator(), binding(bob.who.id(), OWNER_ID, web))
        .await
        .unwrap();
    let more = ActionSet::of(&[Action::RepositoryPull, Action::RepositoryPush]);
    for name in ["special", "new"] {
        let changed = hub.role_set(&bob, web, name, more, "").await;
        assert_eq!(code(changed), Code::ConditionFailed, "{name}");
    }
    assert!(!house.may(&bob, Action::RepositoryPush, "acme/prod").await);
    let removed = hub.role_remove(&bob, web, "special").await;
    assert_eq!(code(removed), Code::ConditionFailed);
}

#[tokio::test]
async fn whoever_gives_rights_in_a_namespace_of_the_system_changes_no_role_of_all() {
    let house = House::new().await;
    let hub = &house.hub;
    let bob = house.user("bob").await;
    let open = hub.namespace_create(&operator(), "open").await.unwrap();
    house.repo("bob/app").await;
    house.user("eve").await;
    house.repo("eve/app").await;
    holds(&house, NamespaceId::EVERYWHERE, &bob).await;
    hub.binding_add(&operator(), binding(bob.who.id(), OWNER_ID, open))
        .await
        .unwrap();
    let more = ActionSet::of(&[Action::RepositoryPull, Action::RepositoryPush]);
    for name in ["special", "new"] {
        let changed = hub.role_set(&bob, open, name, more, "").await;
        assert_eq!(code(changed), Code::ConditionFailed, "{name}");
    }
    assert!(!house.may(&bob, Action::RepositoryPush, "eve/app").await);
    let removed = hub.role_remove(&bob, open, "special").await;
    assert_eq!(code(removed), Code::ConditionFailed);
}

#[tokio::test]
async fn whoever_manages_members_gives_nothing_by_it_that_they_have_not() {
    let house = House::new().await;
    let (hub, by) = (&house.hub, operator());
    for name in ["acme", "other"] {
        hub.organisation_create(&by, account(name)).await.unwrap();
    }
    let (acme, other) = (house.home("acme").await, house.home("other").await);
    let (bob, eve) = (house.user("bob").await, house.user("eve").await);
    house.repo("acme/app").await;
    let desk = ActionSet::of(&[
        Action::MemberManage,
        Action::MemberList,
        Action::NamespaceRead,
    ]);
    let desk = hub.role_set(&by, acme, "desk", desk, "").await.unwrap();
    let give = async |subject: Subject, role, place| {
        let given = hub.binding_add(&by, binding(subject, role, place)).await;
        given.unwrap();
    };
    give(bob.who.id().into(), desk, acme).await;
    let mut teams = Vec::new();
    for name in ["owners", "friends", "ops"] {
        teams.push(hub.team_create(&by, acme, account(name)).await.unwrap());
    }
    give(teams[0].into(), OWNER_ID, acme).await;
    give(teams[1].into(), READER_ID, other).await;
    give(teams[2].into(), ADMINISTRATOR_ID, NamespaceId::EVERYWHERE).await;
    let join = async |who: &Caller, team: Option<&str>, whom: &str| {
        code_of(hub.member_set(who, acme, team, whom, true).await)
    };
    for team in ["owners", "ops"] {
        for whom in ["bob", "eve"] {
            assert_eq!(join(&bob, Some(team), whom).await, Err(Code::Denied));
        }
    }
    assert!(!house.may(&bob, Action::RepositoryPush, "acme/app").await);
    let invites = async |who: &Caller, team: &str| {
        let new = NewInvitation {
            team: Some(team.to_owned()),
            ..NewInvitation::default()
        };
        code_of(hub.invitation_create(who, Some(acme), new).await.map(drop))
    };
    assert_eq!(invites(&bob, "owners").await, Err(Code::Denied));
    assert_eq!(invites(&bob, "friends").await, Ok(()));
    // What others gave to a team is theirs to give, and who is in it is the organisation's business.
    assert_eq!(join(&bob, Some("friends"), "eve").await, Ok(()));
    // Whoever owns all of it gives that, and nothing of the system.
    give(eve.who.id().into(), OWNER_ID, acme).await;
    assert_eq!(join(&eve, Some("owners"), "bob").await, Ok(()));
    assert_eq!(join(&eve, Some("ops"), "eve").await, Err(Code::Denied));
    // The same for what all members have.
    let organisation = house.id("acme").await.unwrap();
    house.user("carol").await;
    hub.member_set(&by, acme, None, "bob", false).await.unwrap();
    assert_eq!(join(&bob, None, "carol").await, Ok(()));
    give(organisation.into(), READER_ID, acme).await;
    house.user("dave").await;
    assert_eq!(join(&bob, None, "dave").await, Err(Code::Denied));
    assert_eq!(join(&bob, Some("friends"), "carol").await, Ok(()));
}

#[tokio::test]
async fn who_is_taken_out_of_an_organisation_that_is_switched_off_is_in_no_team_of_it_later() {
    let house = House::new().await;
    let (hub, by) = (&house.hub, operator());
    let eve = house.user("eve").await;
    hub.organisation_create(&by, account("acme")).await.unwrap();
    let acme = house.home("acme").await;
    let team = hub.team_create(&by, acme, account("web")).await.unwrap();
    house.repo("acme/app").await;
    let reads = binding(team, READER_ID, acme);
    hub.binding_add(&by, reads).await.unwrap();
    hub.member_set(&by, acme, Some("web"), "eve", true)
        .await
        .unwrap();
    let may = async || house.may(&eve, Action::RepositoryPull, "acme/app").await;
    let switch = async |on| {
        let edit = Edit {
            enabled: Some(on),
            ..Edit::default()
        };
        hub.account_edit(&by, Kind::Organisation, "acme", edit)
            .await
            .unwrap();
    };
    assert!(may().await);
    switch(false).await;
    assert!(!may().await, "a team is no way around it");
    switch(true).await;
    assert!(may().await);
    switch(false).await;
    hub.member_set(&by, acme, None, "eve", false).await.unwrap();
    switch(true).await;
    assert!(!may().await);
}

#[tokio::test]
async fn whoever_manages_members_is_rid_of_no_denial_by_it() {
    let house = House::new().await;
    let (hub, by) = (&house.hub, operator());
    let (bob, eve) = (house.user("bob").await, house.user("eve").await);
    hub.organisation_create(&by, account("acme")).await.unwrap();
    let acme = house.home("acme").await;
    house.repo("acme/app").await;
    let desk = ActionSet::of(&[Action::MemberManage, Action::RepositoryPush]);
    let desk = hub.role_set(&by, acme, "desk", desk, "").await.unwrap();
    hub.binding_add(&by, binding(bob.who.id(), desk, acme))
        .await
        .unwrap();
    let team = hub.team_create(&by, acme, account("web")).await.unwrap();
    for who in ["bob", "eve"] {
        hub.member_set(&by, acme, Some("web"), who, true)
            .await
            .unwrap();
    }
    let mut denial = binding(team, DEVELOPER_ID, acme);
    denial.deny = true;
    let denial = hub.binding_add(&by, denial).await.unwrap();
    let push = async |who: &Caller| house.may(who, Action::RepositoryPush, "acme/app").await;
    assert!(!push(&bob).await);
    for (team, whom) in [(Some("web"), "bob"), (None, "bob"), (Some("web"), "eve")] {
        let out = hub.member_set(&bob, acme, team, whom, false).await;
        assert_eq!(code(out), Code::Denied, "{team:?} {whom}");
    }
    let object = Object::Namespace(acme);
    let ended = hub.team_delete(&bob, &object, "web").await;
    assert_eq!(code(ended), Code::Denied);
    assert!(!push(&bob).await);
    // Who says what is denied there may, and of what is denied to nobody they all may.
    hub.binding_add(&by, binding(eve.who.id(), OWNER_ID, acme))
        .await
        .unwrap();
    hub.member_set(&eve, acme, Some("web"), "bob", false)
        .await
        .unwrap();
    assert!(push(&bob).await);
    hub.binding_remove(&by, acme, denial).await.unwrap();
    hub.member_set(&bob, acme, None, "eve", false)
        .await
        .unwrap();
    hub.team_delete(&bob, &object, "web").await.unwrap();
}

#[tokio::test]
async fn an_invitation_into_more_than_can_be_looked_at_is_no_good_and_says_nothing_of_it() {
    let house = House::new().await;
    let (hub, by) = (&house.hub, operator());
    let (ann, bob) = (house.user("ann").await, house.user("bob").await);
    let acme = NewAccount {
        owner: "ann".to_owned(),
        ..account("acme")
    };
    hub.organisation_create(&by, acme).await.unwrap();
    let acme = house.home("acme").await;
    let team = hub.team_create(&ann, acme, account("secret")).await;
    let team = team.unwrap();
    let new = NewInvitation {
        team: Some("secret".to_owned()),
        ..NewInvitation::default()
    };
    let made = hub.invitation_create(&ann, Some(acme), new).await;
    let token = made.unwrap().secret.unwrap();
    let put = hub
        .db
        .write(Durability::Process, (team, acme), |tx, (team, acme)| {
            Box::pin(async move {
                for _ in 0..1001 {
                    binding_put(tx, &binding(*team, READER_ID, *acme)).await?;
                }
                Ok(())
            })
        });
    put.await.unwrap();
    let refused = hub.invitation_accept(&bob, token.as_str()).await;
    let other = ShownSecret::make(Secret::Invitation).unwrap();
    let none = hub.invitation_accept(&bob, other.as_str()).await;
    let (refused, none) = (refused.unwrap_err(), none.unwrap_err());
    assert_eq!(
        (refused.code(), refused.public()),
        (none.code(), none.public())
    );
    assert_eq!(refused.code(), Code::Unauthorized);
}

fn code_of<T>(done: Result<T>) -> std::result::Result<T, Code> {
    done.map_err(|error| error.code())
}
