use super::*;

#[tokio::test]
async fn a_user_owns_the_namespace_of_its_name_and_nobody_elses() {
    let house = House::new().await;
    let (alice, bob) = (house.user("alice").await, house.user("bob").await);
    let home = house.home("alice").await;
    assert!(house.may(&alice, Action::RepositoryPush, "alice/app").await);
    assert!(!house.may(&bob, Action::RepositoryPull, "alice/app").await);
    let open = Some(Visibility::Public);
    let denied = house.hub.namespace_settings(&bob, home, open, None).await;
    let absent = house
        .hub
        .namespace_settings(&bob, NamespaceId(99), open, None)
        .await;
    let (denied, absent) = (denied.unwrap_err(), absent.unwrap_err());
    assert_eq!(
        (denied.code(), denied.public()),
        (absent.code(), absent.public())
    );
    house
        .hub
        .namespace_settings(&alice, home, open, None)
        .await
        .unwrap();
    house.repo("alice/app").await;
    assert!(house.may(&bob, Action::RepositoryPull, "alice/app").await);
    // Now bob may know that it is there, and is told what is missing.
    let denied = house
        .hub
        .namespace_settings(&bob, home, None, Some(true))
        .await
        .unwrap_err();
    assert_eq!(denied.code(), Code::Denied);
    assert!(
        denied.public().contains("`namespace:settings`"),
        "{}",
        denied.public()
    );
}

#[tokio::test]
async fn names_are_free_reserved_or_resting() {
    let house = House::new().await;
    house.user("alice").await;
    for name in [
        "v2",
        "token",
        "library",
        "robot",
        "Alice",
        "a/b",
        "-a",
        "",
        &"a".repeat(65),
    ] {
        let made = house.hub.user_create(&operator(), account(name)).await;
        assert_eq!(code(made), Code::NameInvalid, "{name}");
    }
    let made = house
        .hub
        .organisation_create(&operator(), account("alice"))
        .await;
    assert_eq!(code(made), Code::ConditionFailed);
    house
        .hub
        .account_delete(&operator(), None, "alice")
        .await
        .unwrap();
    assert_eq!(house.id("alice").await, None);
    assert_eq!(
        code(house.hub.user_create(&operator(), account("alice")).await),
        Code::ConditionFailed
    );
    let mut later = operator();
    later.now += crate::names::REST + Duration::from_secs(1);
    house
        .hub
        .user_create(&later, account("alice"))
        .await
        .unwrap();
}

#[tokio::test]
async fn whoever_has_the_name_of_somebody_who_is_gone_has_nothing_of_theirs() {
    let house = House::new().await;
    let alice = house.user("alice").await;
    let acme = house.user("acme").await;
    let home = house.home("acme").await;
    house
        .hub
        .binding_add(&acme, binding(alice.who.id(), DEVELOPER_ID, home))
        .await
        .unwrap();
    assert!(house.may(&alice, Action::RepositoryPush, "acme/app").await);
    house
        .hub
        .account_delete(&operator(), None, "alice")
        .await
        .unwrap();
    assert!(!house.may(&alice, Action::RepositoryPush, "acme/app").await);
    let mut later = operator();
    later.now += crate::names::REST + Duration::from_secs(1);
    let id = house
        .hub
        .user_create(&later, account("alice"))
        .await
        .unwrap();
    assert_ne!(id, alice.who.id());
    assert!(
        !house
            .may(&caller(id, "alice"), Action::RepositoryPull, "acme/app")
            .await
    );
}

#[tokio::test]
async fn an_account_with_repositories_is_not_deleted_and_strays_are_not_taken_over() {
    let house = House::new().await;
    house.user("alice").await;
    house.repo("alice/app").await;
    assert_eq!(
        code(house.hub.account_delete(&operator(), None, "alice").await),
        Code::ConditionFailed
    );
    house.repo("stray/app").await;
    assert_eq!(
        code(house.hub.user_create(&operator(), account("stray")).await),
        Code::ConditionFailed
    );
}

#[tokio::test]
async fn nobody_gives_what_they_have_not() {
    let house = House::new().await;
    let (alice, bob) = (house.user("alice").await, house.user("bob").await);
    let home = house.home("alice").await;
    let everywhere = NamespaceId::EVERYWHERE;
    let give = async |by: &Caller, role, to: &Caller, place| {
        house
            .hub
            .binding_add(by, binding(to.who.id(), role, place))
            .await
    };
    assert_eq!(
        code(give(&alice, ADMINISTRATOR_ID, &bob, everywhere).await),
        Code::Denied
    );
    // With system rights, which alice has not, also in her own namespace.
    assert_eq!(
        code(give(&alice, ADMINISTRATOR_ID, &bob, home).await),
        Code::Denied
    );
    give(&alice, MAINTAINER_ID, &bob, home).await.unwrap();
    // A maintainer gives nothing at all.
    assert_eq!(code(give(&bob, READER_ID, &bob, home).await), Code::Denied);
    // Whoever may give rights and has little else gives only that.
    let some = ActionSet::of(&[Action::RightsManage, Action::RepositoryPull]);
    let role = house
        .hub
        .role_set(&alice, home, "giver", some, "")
        .await
        .unwrap();
    let carol = house.user("carol").await;
    give(&alice, role, &carol, home).await.unwrap();
    assert_eq!(
        code(give(&carol, READER_ID, &carol, home).await),
        Code::Denied
    );
    assert_eq!(
        code(give(&carol, OWNER_ID, &carol, home).await),
        Code::Denied
    );
    assert_eq!(
        code(
            house
                .hub
                .role_set(&carol, home, "giver", ActionSet::ALL, "")
                .await
        ),
        Code::Denied
    );
    give(&carol, role, &bob, home).await.unwrap();
    // And only where they have it.
    let other = house.home("carol").await;
    assert_eq!(
        code(give(&alice, READER_ID, &bob, other).await),
        Code::NameUnknown
    );
    let mut odd = binding(bob.who.id(), READER_ID, home);
    odd.repos = Some("***".to_owned());
    assert_eq!(
        code(house.hub.binding_add(&alice, odd).await),
        Code::NameInvalid
    );
}

#[tokio::test]
async fn the_last_owner_stays_and_what_is_taken_is_void() {
    let house = House::new().await;
    let (alice, bob) = (house.user("alice").await, house.user("bob").await);
    let home = house.home("alice").await;
    let own = house.hub.binding_list(home, 0, 10).await.unwrap()[0].id;
    assert_eq!(
        code(house.hub.binding_remove(&alice, home, own).await),
        Code::ConditionFailed
    );
    assert!(house.may(&alice, Action::RightsManage, "alice/app").await);
    let version = async |name: &'static str| {
        let read = house.hub.db.read(&name, |tx, name| {
            Box::pin(principal_named(tx, PrincipalId(0), name))
        });
        read.await.unwrap().unwrap().version
    };
    let id = house
        .hub
        .binding_add(&alice, binding(bob.who.id(), OWNER_ID, home))
        .await
        .unwrap();
    let before = version("bob").await;
    // By the wrong namespace it is not found.
    let other = house.home("bob").await;
    assert_eq!(
        code(house.hub.binding_remove(&bob, other, id).await),
        Code::NameUnknown
    );
    house.hub.binding_remove(&bob, home, own).await.unwrap();
    assert_eq!(
        code(house.hub.binding_remove(&bob, home, id).await),
        Code::ConditionFailed
    );
    assert_eq!(version("bob").await, before);
    let object = Object::Repository("alice/app".parse().unwrap());
    let pull = Action::RepositoryPull;
    let give = Give {
        subject: "user:alice".to_owned(),
        role: "reader".to_owned(),
        ..Give::default()
    };
    let more = Suppositions {
        with: vec![(Object::Namespace(home), give)],
        ..Suppositions::default()
    };
    let less = Suppositions {
        without: vec![id],
        ..Suppositions::default()
    };
    let then = async |name: &str, changes| {
        let whom = Whom::Somebody(name.to_owned());
        let asked = (pull, &object);
        let by = operator();
        let then = house.hub.supposing(&by, &whom, asked, changes).await;
        then.unwrap().allowed
    };
    assert!(then("alice", &more).await && !house.may(&alice, pull, "alice/app").await);
    assert!(!then("bob", &less).await && house.may(&bob, pull, "alice/app").await);
}

#[tokio::test]
async fn members_come_and_go_with_their_teams() {
    let house = House::new().await;
    let (alice, _) = (house.user("alice").await, house.user("bob").await);
    let admin = house.user("chief").await;
    let row = binding(admin.who.id(), ADMINISTRATOR_ID, NamespaceId::EVERYWHERE);
    house.hub.binding_add(&operator(), row).await.unwrap();
    house
        .hub
        .organisation_create(&admin, account("acme"))
        .await
        .unwrap();
    let home = house.home("acme").await;
    let team = house
        .hub
        .team_create(&admin, home, account("devs"))
        .await
        .unwrap();
    house
        .hub
        .binding_add(&admin, binding(team, DEVELOPER_ID, home))
        .await
        .unwrap();
    assert_eq!(
        code(
            house
                .hub
                .member_set(&alice, home, Some("devs"), "alice", true)
                .await
        ),
        Code::NameUnknown
    );
    house
        .hub
        .member_set(&admin, home, Some("devs"), "alice", true)
        .await
        .unwrap();
    assert!(house.may(&alice, Action::RepositoryPush, "acme/app").await);
    house
        .hub
        .member_set(&admin, home, None, "alice", false)
        .await
        .unwrap();
    assert!(!house.may(&alice, Action::RepositoryPush, "acme/app").await);
    house.enable(&admin, "alice", false).await.unwrap();
    assert!(!house.may(&alice, Action::RepositoryPush, "alice/app").await);
    assert_eq!(
        code(house.enable(&alice, "alice", true).await),
        Code::NameUnknown
    );
}
