//! A role is for all namespaces of its owner, so nobody changes it who gives rights in a part of them only.

use super::*;

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
