use longshore_meta::bindings::Subject;
use longshore_meta::namespaces::{NamespaceId, Visibility};
use longshore_meta::principals::{Kind, PrincipalId, State};

use super::world::{World, binding, now, stranger, who};
use crate::rights::role::{ADMINISTRATOR_ID, DEVELOPER_ID, OWNER_ID, READER_ID};
use crate::rights::{Action, Facts, Object, Supposed, Who};

const PULL: Action = Action::RepositoryPull;
const PUSH: Action = Action::RepositoryPush;

#[tokio::test]
async fn nothing_is_allowed_until_something_allows_it() {
    let world = World::new().await;
    let alice = who(world.user("alice").await);
    let acme = world.namespace("acme", Visibility::Private, false).await;
    world.repo("acme/app", None, false).await;
    for action in Action::ALL {
        for object in ["", "acme/app", "acme/none", "app", "nowhere/app"] {
            assert!(
                !world.may(&alice, *action, object).await,
                "{action} {object}"
            );
            assert!(!world.may(&stranger(), *action, object).await);
            assert!(world.may(&Who::operator(), *action, object).await);
        }
    }
    let gone = Object::Namespace(NamespaceId(99));
    assert!(
        !world
            .judge
            .allows(&Who::operator(), PULL, &gone, now())
            .await
            .unwrap()
    );
    world.bind(binding(alice.id(), READER_ID, acme)).await;
    assert!(world.may(&alice, PULL, "acme/app").await);
    assert!(!world.may(&alice, PUSH, "acme/app").await);
    assert!(!world.may(&alice, PULL, "acme2/app").await);
}

#[tokio::test]
async fn rights_come_by_team_by_organisation_and_from_the_namespaces_around() {
    let world = World::new().await;
    let nobody = PrincipalId(0);
    let acme = world
        .principal(Kind::Organisation, "acme", nobody, nobody)
        .await;
    let devs = world.principal(Kind::Team, "devs", acme, nobody).await;
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    world.member(devs, alice).await;
    world.member(acme, bob).await;
    let home = world.namespace("acme", Visibility::Private, false).await;
    let inner = world
        .namespace("acme/web", Visibility::Private, false)
        .await;
    world.bind(binding(acme, READER_ID, home)).await;
    world.bind(binding(devs, DEVELOPER_ID, inner)).await;
    let (alice, bob) = (who(alice), who(bob));
    assert!(
        world.may(&alice, PULL, "acme/app").await,
        "whoever is in a team is in its organisation"
    );
    assert!(world.may(&bob, PULL, "acme/web/deep/app").await);
    assert!(world.may(&alice, PUSH, "acme/web/app").await);
    assert!(!world.may(&alice, PUSH, "acme/app").await);
    assert!(!world.may(&bob, PUSH, "acme/web/app").await);
    world.state(devs, State::Deleted).await;
    assert!(!world.may(&alice, PUSH, "acme/web/app").await);
    let why = world.why(&bob, PULL, "acme/web/app").await;
    assert!(
        why.reason
            .contains("organisation `acme` has the role `reader` on `acme`"),
        "{}",
        why.reason
    );
}

#[tokio::test]
async fn what_is_denied_anywhere_is_denied_and_an_explanation_says_by_what() {
    let world = World::new().await;
    let alice = world.user("alice").await;
    let home = world.namespace("acme", Visibility::Public, false).await;
    let app = world.repo("acme/app", None, false).await;
    world.bind(binding(alice, OWNER_ID, home)).await;
    world
        .bind(binding(alice, ADMINISTRATOR_ID, NamespaceId(0)))
        .await;
    let mut deny = binding(Subject::EVERYBODY, READER_ID, home);
    deny.deny = true;
    deny.repo = Some(app);
    let id = world.bind(deny).await;
    let alice = who(alice);
    assert!(!world.may(&alice, PULL, "acme/app").await);
    assert!(world.may(&alice, PUSH, "acme/app").await);
    let why = world.why(&alice, PULL, "acme/app").await;
    assert!(!why.allowed && !why.may_know);
    assert_eq!(
        why.reason,
        "everybody is denied the role `reader` on this repository, and what is denied anywhere is denied"
    );
    assert!(why.bindings.iter().any(|it| it.binding == Some(id)));
    // What would be without it, and without the others.
    let object = Object::Repository("acme/app".parse().unwrap());
    let args = (alice, object, id);
    let without = world
        .db
        .read(&args, |tx, (who, object, id)| {
            Box::pin(async move {
                let supposed = Supposed {
                    without: vec![*id],
                    ..Supposed::default()
                };
                let facts = Facts::supposing(tx, who, object, now(), &supposed).await?;
                crate::rights::Explanation::of(tx, &facts, None, who, (PULL, object), now()).await
            })
        })
        .await
        .unwrap();
    assert!(without.allowed && without.may_know, "{}", without.reason);
}

#[tokio::test]
async fn a_denial_for_everybody_leaves_what_takes_it_back() {
    let world = World::new().await;
    let alice = world.user("alice").await;
    world
        .bind(binding(alice, ADMINISTRATOR_ID, NamespaceId(0)))
        .await;
    let mut deny = binding(Subject::LOGGED_IN, ADMINISTRATOR_ID, NamespaceId(0));
    deny.deny = true;
    world.bind(deny).await;
    let alice = who(alice);
    for action in Action::ALL {
        let left = matches!(action, Action::RightsManage | Action::RightsRead);
        assert_eq!(world.may(&alice, *action, "").await, left, "{action}");
    }
}

#[tokio::test]
async fn what_is_public_is_read_by_all_and_what_is_internal_by_whoever_has_logged_in() {
    let world = World::new().await;
    let alice = who(world.user("alice").await);
    world.namespace("open", Visibility::Public, false).await;
    world
        .namespace("open/inner", Visibility::Internal, false)
        .await;
    world.namespace("house", Visibility::Internal, false).await;
    world
        .namespace("house/wide", Visibility::Public, false)
        .await;
    for name in ["open/a", "open/inner/a", "house/a", "house/wide/a"] {
        world.repo(name, None, false).await;
    }
    world
        .repo("open/secret", Some(Visibility::Private), false)
        .await;
    world
        .repo("house/loud", Some(Visibility::Public), false)
        .await;
    for (name, all, some) in [
        ("open/a", true, true),
        ("open/inner/a", false, true),
        ("open/secret", false, false),
        ("open/absent", false, false),
        ("house/a", false, true),
        ("house/wide/a", false, true),
        ("house/loud", false, true),
    ] {
        assert_eq!(world.may(&stranger(), PULL, name).await, all, "{name}");
        assert_eq!(world.may(&alice, PULL, name).await, some, "{name}");
        assert!(!world.may(&alice, PUSH, name).await);
    }
}

#[tokio::test]
async fn names_of_one_component_are_the_librarys_and_names_in_no_namespace_the_systems() {
    let world = World::new().await;
    let (alice, admin) = (world.user("alice").await, world.user("admin").await);
    let library = world.namespace("library", Visibility::Public, false).await;
    world.bind(binding(alice, DEVELOPER_ID, library)).await;
    world
        .bind(binding(admin, ADMINISTRATOR_ID, NamespaceId(0)))
        .await;
    for name in ["alpine", "stray/app"] {
        world.repo(name, None, false).await;
    }
    let (alice, admin) = (who(alice), who(admin));
    for name in ["alpine", "library/alpine"] {
        assert!(
            world.may(&stranger(), PULL, name).await,
            "{name} is the same repository"
        );
        assert!(world.may(&alice, PUSH, name).await);
    }
    assert!(!world.may(&alice, PULL, "stray/app").await);
    assert!(world.may(&admin, PULL, "stray/app").await);
    let reach = world.reach(&stranger(), PULL).await;
    assert!(reach.has("alpine") && !reach.has("stray/app"));
}
