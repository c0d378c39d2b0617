//! Nobody gets around what keeps them from some tags by deleting the repository, or all of a namespace.

use super::*;

async fn bind(house: &House, home: NamespaceId, give: Give) -> i64 {
    let (by, object) = (operator(), Object::Namespace(home));
    let given = house.hub.binding_give(&by, &object, give).await;
    given.unwrap()
}

fn give(role: &str, tags: Option<&str>, deny: bool) -> Give {
    Give {
        subject: "user:bob".to_owned(),
        role: role.to_owned(),
        tags: tags.map(str::to_owned),
        deny,
        ..Give::default()
    }
}

#[tokio::test]
async fn whoever_may_not_delete_every_tag_removes_neither_the_repository_nor_all_of_a_namespace() {
    let house = House::new().await;
    let (alice, bob) = (house.user("alice").await, house.user("bob").await);
    let home = house.home("alice").await;
    house.repo("alice/app").await;
    let name = "alice/app".parse().unwrap();
    // For some tags only: nothing about the repository as a whole.
    bind(&house, home, give("owner", Some("dev-*"), false)).await;
    let may_not = async |why: &str| {
        let removed = house.hub.repository_remove(&bob, &name).await.unwrap_err();
        assert_eq!(removed.code(), Code::Denied, "{why}");
        let purged = house.hub.namespace_purge(&bob, home).await;
        assert!(purged.is_err(), "{why}");
        removed.public().to_owned()
    };
    may_not("a role on some tags").await;
    // All of it, but for some tags.
    bind(&house, home, give("owner", None, false)).await;
    let denial = bind(&house, home, give("maintainer", Some("v*"), true)).await;
    let said = may_not("a denial of some tags").await;
    assert!(said.contains("every tag of `alice/app`"), "{said}");
    assert!(house.may(&alice, Action::RepositoryPull, "alice/app").await);
    house
        .hub
        .binding_remove(&operator(), home, denial)
        .await
        .unwrap();
    house.hub.repository_remove(&bob, &name).await.unwrap();
    house.repo("alice/app").await;
    assert_eq!(house.hub.namespace_purge(&bob, home).await.unwrap(), 1);
}
