//! What was said of a thing goes with it, and says nothing where it goes that whoever takes it there could not say.

use super::carried::{Corp, deny, name};
use super::*;

fn reader(subject: &str, repository: &str) -> Give {
    Give {
        subject: subject.to_owned(),
        role: "reader".to_owned(),
        repository: Some(name(repository)),
        ..Give::default()
    }
}

fn owner(subject: &str) -> Give {
    Give {
        subject: subject.to_owned(),
        role: "owner".to_owned(),
        ..Give::default()
    }
}

#[tokio::test]
async fn nobody_brings_a_right_with_a_repository_who_could_not_give_it_where_it_goes() {
    let corp = Corp::new().await;
    let (hub, home) = (&corp.house.hub, corp.house.home("bob").await);
    corp.rename(&corp.bob, "corp/rel", "bob/rel").await.unwrap();
    let home = Object::Namespace(home);
    let give = reader("user:carl", "bob/rel");
    let given = hub.binding_give(&corp.bob, &home, give).await.unwrap();
    let refused = corp.rename(&corp.bob, "bob/rel", "corp/rel").await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), Code::Denied);
    assert!(refused.public().contains("rights:manage"), "{refused}");
    // What has ended says nothing.
    let Object::Namespace(place) = home else {
        panic!("no namespace")
    };
    hub.binding_remove(&corp.bob, place, given).await.unwrap();
    corp.rename(&corp.bob, "bob/rel", "corp/rel").await.unwrap();
    // Whoever gives rights in both places takes them along.
    corp.give(reader("user:carl", "corp/rel")).await;
    corp.rename(&corp.ann, "corp/rel", "ann/rel").await.unwrap();
    corp.rename(&corp.ann, "ann/rel", "corp/rel").await.unwrap();
}

#[tokio::test]
async fn nobody_brings_an_owner_with_a_group() {
    let corp = Corp::new().await;
    let hub = &corp.house.hub;
    let home = corp.house.home("bob").await;
    let group = hub.group_create(&corp.bob, home, "box").await.unwrap();
    let object = Object::Namespace(group);
    let give = owner("user:carl");
    let given = hub.binding_give(&corp.bob, &object, give).await.unwrap();
    let moved = hub.namespace_move(&corp.bob, group, "corp/box").await;
    assert_eq!(code(moved), Code::Denied);
    hub.binding_remove(&corp.bob, group, given).await.unwrap();
    hub.namespace_move(&corp.bob, group, "corp/box")
        .await
        .unwrap();
    // Rights are given there, but not these: nobody gives what they have not.
    corp.role(
        "desk",
        &[Action::RightsManage, Action::NamespaceCreateGroup],
    )
    .await;
    let dora = corp.house.user("dora").await;
    corp.give(Give {
        role: "desk".to_owned(),
        ..owner("user:dora")
    })
    .await;
    let home = corp.house.home("dora").await;
    let group = hub.group_create(&dora, home, "mine").await.unwrap();
    let object = Object::Namespace(group);
    let give = owner("user:dora");
    hub.binding_give(&dora, &object, give).await.unwrap();
    let moved = hub.namespace_move(&dora, group, "corp/mine").await;
    assert_eq!(code(moved), Code::Denied);
}

#[tokio::test]
async fn a_right_of_one_group_is_not_brought_into_another() {
    let corp = Corp::new().await;
    let hub = &corp.house.hub;
    let one = hub.group_create(&corp.ann, corp.home, "one").await.unwrap();
    hub.group_create(&corp.ann, corp.home, "two").await.unwrap();
    corp.house.repo("corp/one/api").await;
    let object = Object::Namespace(one);
    hub.binding_give(&corp.ann, &object, owner("user:bob"))
        .await
        .unwrap();
    let give = reader("user:carl", "corp/one/api");
    hub.binding_give(&corp.bob, &object, give).await.unwrap();
    for to in ["corp/two/api", "corp/api"] {
        let moved = corp.rename(&corp.bob, "corp/one/api", to).await;
        assert_eq!(code(moved), Code::Denied, "{to}");
    }
    corp.rename(&corp.bob, "corp/one/api", "corp/one/web")
        .await
        .unwrap();
    corp.rename(&corp.ann, "corp/one/web", "corp/two/web")
        .await
        .unwrap();
    // What was said of it further out is said there still, whoever moves it.
    corp.house.repo("corp/one/out").await;
    corp.give(reader("user:carl", "corp/one/out")).await;
    corp.rename(&corp.bob, "corp/one/out", "corp/two/out")
        .await
        .unwrap();
}

#[tokio::test]
async fn a_denial_is_not_taken_to_where_somebody_else_takes_it_back() {
    let corp = Corp::new().await;
    let hub = &corp.house.hub;
    let web = hub.group_create(&corp.ann, corp.home, "web").await.unwrap();
    let object = Object::Namespace(web);
    hub.binding_give(&corp.ann, &object, deny("user:carl", "developer"))
        .await
        .unwrap();
    corp.give(Give {
        deny: true,
        ..reader("user:carl", "corp/rel")
    })
    .await;
    let moved = corp.rename(&corp.bob, "corp/rel", "bob/rel").await;
    assert_eq!(code(moved), Code::Denied);
    let moved = hub.namespace_move(&corp.bob, web, "bob/web").await;
    assert_eq!(code(moved), Code::Denied);
    corp.rename(&corp.bob, "corp/rel", "corp/rel2")
        .await
        .unwrap();
    corp.rename(&corp.ann, "corp/rel2", "ann/rel")
        .await
        .unwrap();
    hub.namespace_move(&corp.ann, web, "ann/web").await.unwrap();
}

#[tokio::test]
async fn what_one_owner_calls_a_role_says_nothing_at_another_s() {
    let corp = Corp::new().await;
    let hub = &corp.house.hub;
    corp.role("puller", &[Action::RepositoryPull]).await;
    corp.give(Give {
        role: "puller".to_owned(),
        ..reader("user:carl", "corp/rel")
    })
    .await;
    let web = hub.group_create(&corp.ann, corp.home, "web").await.unwrap();
    let object = Object::Namespace(web);
    let give = Give {
        role: "puller".to_owned(),
        ..owner("user:carl")
    };
    hub.binding_give(&corp.ann, &object, give).await.unwrap();
    for by in [&corp.ann, &operator()] {
        let moved = corp.rename(by, "corp/rel", "ann/rel").await.unwrap_err();
        assert_eq!(moved.code(), Code::ConditionFailed);
        assert!(moved.public().contains("`puller`"), "{moved}");
        let moved = hub.namespace_move(by, web, "ann/web").await;
        assert_eq!(code(moved), Code::ConditionFailed);
    }
    corp.rename(&corp.ann, "corp/rel", "corp/web/rel")
        .await
        .unwrap();
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_is_asked_about_where_it_is() {
    let corp = Corp::new().await;
    corp.house.repo("corp/app").await;
    let dora = corp.house.user("dora").await;
    corp.rename(&operator(), "corp/app", "dora/app")
        .await
        .unwrap();
    // `corp/app` leads to `dora/app`, which is dora's; and `corp` is not.
    let moved = corp.rename(&dora, "dora/app", "corp/app").await;
    assert_eq!(code(moved), Code::Denied);
    let hub = &corp.house.hub;
    let web = hub.group_create(&corp.ann, corp.home, "web").await.unwrap();
    hub.namespace_move(&operator(), web, "dora/web")
        .await
        .unwrap();
    corp.house.repo("dora/new").await;
    let moved = corp.rename(&dora, "dora/new", "corp/web/new").await;
    assert_eq!(code(moved), Code::Denied);
    let moved = corp.rename(&operator(), "dora/new", "corp/web/new").await;
    assert_eq!(
        code(moved),
        Code::ConditionFailed,
        "it leads to `dora/web/new`"
    );
    corp.rename(&operator(), "dora/app", "corp/app")
        .await
        .unwrap();
}
