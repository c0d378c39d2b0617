use std::sync::Arc;

use longshore_core::{Named, On, Rights, Verb, Verbs};
use longshore_meta::namespaces::Visibility;
use longshore_meta::principals::{PrincipalId, State};
use longshore_meta::rests::{Rest, rest_put};
use longshore_meta::settings::setting_put;

use super::world::{World, at, binding, stranger, who};
use crate::rights::role::{DEVELOPER_ID, MAINTAINER_ID, OWNER_ID, READER_ID};
use crate::rights::{Action, Narrow, Who, ground};

const PULL: Action = Action::RepositoryPull;
const PUSH: Action = Action::RepositoryPush;

/// Gives a binding a condition.
type Change = fn(&mut longshore_meta::bindings::Binding);

#[tokio::test]
async fn a_binding_counts_until_it_ends_and_from_its_networks_and_at_its_hours() {
    let world = World::new().await;
    let home = world.namespace("acme", Visibility::Private, false).await;
    let changes: [(Change, bool, &str); 6] = [
        (|it| it.expires = Some(at(1)), true, ""),
        (|it| it.expires = Some(at(0)), false, "that has ended"),
        (|it| it.networks = Some("192.0.2.0/24".to_owned()), true, ""),
        (
            |it| it.networks = Some("10.0.0.0/8".to_owned()),
            false,
            "other networks",
        ),
        (
            |it| it.hours = Some(r#"[{"days":["fri"],"from":"08:00","to":"09:00"}]"#.to_owned()),
            true,
            "",
        ),
        (
            |it| it.hours = Some(r#"[{"days":["fri"],"from":"09:00","to":"10:00"}]"#.to_owned()),
            false,
            "other hours",
        ),
    ];
    for (at, (change, allowed, words)) in changes.into_iter().enumerate() {
        let user = world.user(&format!("user{at}")).await;
        let mut row = binding(user, READER_ID, home);
        change(&mut row);
        world.bind(row).await;
        let why = world.why(&who(user), PULL, "acme/app").await;
        assert_eq!(why.allowed, allowed, "{at}: {why:?}");
        let looked = why
            .bindings
            .iter()
            .find(|it| it.binding != Some(0))
            .unwrap();
        assert!(looked.text.contains(words), "{}", looked.text);
        assert_eq!(world.reach(&who(user), PULL).await.has("acme/app"), allowed);
    }
}

#[tokio::test]
async fn a_condition_that_cannot_be_read_allows_nothing_and_denies_always() {
    let world = World::new().await;
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let home = world.namespace("acme", Visibility::Private, false).await;
    let mut odd = binding(alice, READER_ID, home);
    odd.hours = Some("on fine days".to_owned());
    world.bind(odd.clone()).await;
    assert!(!world.may(&who(alice), PULL, "acme/app").await);
    world.bind(binding(bob, READER_ID, home)).await;
    odd.subject = bob.into();
    odd.deny = true;
    world.bind(odd).await;
    assert!(!world.may(&who(bob), PULL, "acme/app").await);
}

#[tokio::test]
async fn a_robot_never_may_more_than_its_maker_may_now() {
    let world = World::new().await;
    let home = world.namespace("acme", Visibility::Private, false).await;
    let alice = world.user("alice").await;
    let owner = world.bind(binding(alice, DEVELOPER_ID, home)).await;
    let robot = world.robot("robot+ci", alice).await;
    world.bind(binding(robot, MAINTAINER_ID, home)).await;
    let second = world.robot("robot+second", robot).await;
    world.bind(binding(second, OWNER_ID, home)).await;
    for id in [robot, second] {
        let id = who(id);
        assert!(world.may(&id, PUSH, "acme/app").await);
        assert!(!world.may(&id, Action::RepositoryDelete, "acme/app").await);
        let why = world.why(&id, Action::RepositoryDelete, "acme/app").await;
        assert!(
            why.reason.contains("for user `alice`: nothing allows it"),
            "{}",
            why.reason
        );
    }
    world
        .write(owner, |tx, id| {
            Box::pin(longshore_meta::bindings::binding_delete(tx, *id))
        })
        .await;
    assert!(!world.may(&who(second), PULL, "acme/app").await);
    world.bind(binding(alice, DEVELOPER_ID, home)).await;
    assert!(world.may(&who(second), PULL, "acme/app").await);
    world.state(alice, State::Disabled).await;
    assert!(!world.may(&who(second), PULL, "acme/app").await);
    assert!(!world.reach(&who(second), PULL).await.has("acme/app"));
}

#[tokio::test]
async fn whoever_is_switched_off_may_not_even_what_strangers_may() {
    let world = World::new().await;
    world.namespace("open", Visibility::Public, false).await;
    world.repo("open/app", None, false).await;
    let alice = world.user("alice").await;
    assert!(world.may(&who(alice), PULL, "open/app").await);
    for state in [State::Disabled, State::Waiting, State::Deleted] {
        world.state(alice, state).await;
        assert!(!world.may(&who(alice), PULL, "open/app").await, "{state:?}");
        assert!(world.reach(&who(alice), PULL).await.is_nothing());
    }
    assert!(!world.may(&who(PrincipalId(999)), PULL, "open/app").await);
    let why = world.why(&who(alice), PULL, "open/app").await;
    assert!(!why.may_know && why.reason == "the account was deleted");
}

#[tokio::test]
async fn a_credential_narrows_and_gives_nothing() {
    let world = World::new().await;
    let home = world.namespace("acme", Visibility::Private, false).await;
    let alice = world.user("alice").await;
    world.bind(binding(alice, DEVELOPER_ID, home)).await;
    let narrow = |json: &str| Who {
        narrowed: Some(Arc::new(Narrow::parse(json).unwrap())),
        ..who(alice)
    };
    let pulls = narrow(
        r#"{"actions":["repository:pull","repository:delete"],"repositories":["acme/web/*"]}"#,
    );
    assert!(world.may(&pulls, PULL, "acme/web/app").await);
    assert!(!world.may(&pulls, PULL, "acme/app").await);
    assert!(!world.may(&pulls, PUSH, "acme/web/app").await);
    assert!(
        !world
            .may(&pulls, Action::RepositoryDelete, "acme/web/app")
            .await
    );
    let reach = world.reach(&pulls, PULL).await;
    assert!(reach.has("acme/web/app") && !reach.has("acme/app") && !reach.has("acme/web/a/b"));
    assert!(world.reach(&pulls, PUSH).await.is_nothing());
}

#[tokio::test]
async fn read_only_mode_takes_what_changes_and_leaves_what_ends_it() {
    let world = World::new().await;
    let alice = world.user("alice").await;
    let acme = world.namespace("acme", Visibility::Private, true).await;
    let open = world.namespace("open", Visibility::Private, false).await;
    for home in [acme, open] {
        world.bind(binding(alice, OWNER_ID, home)).await;
    }
    world.repo("open/still", None, true).await;
    let alice = who(alice);
    for (name, writes) in [
        ("acme/app", false),
        ("open/app", true),
        ("open/still", false),
    ] {
        assert_eq!(world.may(&alice, PUSH, name).await, writes, "{name}");
        assert!(world.may(&alice, PULL, name).await);
        assert!(world.may(&alice, Action::NamespaceSettings, name).await);
    }
    let why = world.why(&alice, PUSH, "acme/app").await;
    assert_eq!(
        why.reason,
        "the namespace `acme` is read-only; there is no such repository"
    );
    world
        .write((), |tx, ()| {
            Box::pin(setting_put(tx, ground::READ_ONLY, "true"))
        })
        .await;
    assert!(
        !world.may(&alice, PUSH, "open/app").await && world.may(&alice, PULL, "open/app").await
    );
    assert!(!world.may(&Who::operator(), PUSH, "open/app").await);
    assert!(
        world
            .may(&Who::operator(), Action::SystemSettings, "")
            .await
    );
}

#[tokio::test]
async fn a_grant_is_what_is_asked_for_and_allowed_with_the_tags_it_is_for() {
    let world = World::new().await;
    let alice = world.user("alice").await;
    let home = world.namespace("acme", Visibility::Private, false).await;
    world.repo("acme/app", None, false).await;
    world.bind(binding(alice, READER_ID, home)).await;
    let mut push = binding(alice, MAINTAINER_ID, home);
    push.tags = Some("dev-* v*".to_owned());
    world.bind(push).await;
    let mut deny = binding(alice, MAINTAINER_ID, home);
    deny.tags = Some("v1".to_owned());
    deny.deny = true;
    world.bind(deny).await;
    let alice = who(alice);
    let grants = world
        .grant(&alice, "repository:acme/app:pull,push,delete")
        .await;
    let words = |verb| {
        let grant = grants.iter().find(|grant| grant.verbs.has(verb)).unwrap();
        grant.tags.as_ref().unwrap().words()
    };
    assert_eq!(words(Verb::Push), ["dev-*", "v*", "!v1"]);
    assert_eq!(words(Verb::Delete), ["dev-*", "v*", "!v1"]);
    assert_eq!(words(Verb::Pull), ["!v1"]);
    assert!(
        grants
            .iter()
            .all(|it| it.on == On::Repo("acme/app".parse().unwrap()))
    );
    let rights = Rights::Listed(grants.into());
    let name = "acme/app".parse().unwrap();
    for (tag, push, pull) in [
        ("v2", true, true),
        ("v1", false, false),
        ("latest", false, true),
    ] {
        let tags = [tag.parse().unwrap()];
        let named = Named::Tags(&tags);
        assert_eq!(
            rights.allow_named(Some(&name), Verb::Push, named),
            push,
            "{tag}"
        );
        assert_eq!(
            rights.allow_named(Some(&name), Verb::Pull, named),
            pull,
            "{tag}"
        );
        assert_eq!(
            world.may(&alice, PUSH, &format!("acme/app:{tag}")).await,
            push,
            "{tag}"
        );
        assert_eq!(
            world.may(&alice, PULL, &format!("acme/app:{tag}")).await,
            pull,
            "{tag}"
        );
    }
    assert!(
        !world
            .may(&alice, Action::RepositorySettings, "acme/app")
            .await
    );
    assert!(
        world
            .grant(&alice, "repository:other/app:pull")
            .await
            .is_empty()
    );
    assert!(
        world
            .grant(&stranger(), "repository:acme/app:pull,push")
            .await
            .is_empty()
    );
    let catalog = world.grant(&stranger(), "registry:catalog:*").await;
    assert_eq!(catalog[0].verbs, Verbs::NONE.with(Verb::Catalog));
    assert!(
        world
            .grant(&alice, "registry:catalog:search")
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_push_to_a_new_name_needs_the_right_to_make_a_repository() {
    let world = World::new().await;
    let alice = world.user("alice").await;
    let home = world.namespace("acme", Visibility::Private, false).await;
    world.repo("acme/app", None, false).await;
    world.bind(binding(alice, DEVELOPER_ID, home)).await;
    let only: longshore_meta::roles::Role = longshore_meta::roles::Role {
        id: 1001,
        owner: PrincipalId(0),
        name: "pusher".to_owned(),
        actions: "repository:pull repository:push".to_owned(),
        builtin: false,
        description: String::new(),
        changed: at(0),
    };
    world
        .write(only, |tx, role| {
            Box::pin(longshore_meta::roles::role_put(tx, role))
        })
        .await;
    let bob = world.user("bob").await;
    world.bind(binding(bob, 1001, home)).await;
    let verbs = async |id, name: &str| {
        let grants = world
            .grant(&who(id), &format!("repository:{name}:pull,push"))
            .await;
        grants.iter().fold(Verbs::NONE, |all, it| all.and(it.verbs))
    };
    let pull = Verbs::NONE.with(Verb::Pull);
    assert_eq!(verbs(alice, "acme/new").await, pull.with(Verb::Push));
    assert_eq!(verbs(bob, "acme/app").await, pull.with(Verb::Push));
    // Else he could tell what is not there from what is denied.
    assert_eq!(verbs(bob, "acme/new").await, Verbs::NONE);
}

#[tokio::test]
async fn an_old_name_has_the_rights_of_the_new_one_and_only_for_a_while() {
    let world = World::new().await;
    let alice = world.user("alice").await;
    let home = world.namespace("new", Visibility::Private, false).await;
    let app = world.repo("new/app", None, false).await;
    world.repo("new/lib", None, false).await;
    world.bind(binding(alice, READER_ID, home)).await;
    world
        .write((app, home), |tx, (app, home)| {
            Box::pin(async move {
                rest_put(tx, "acme/old", Rest::Repo(*app), at(10)).await?;
                rest_put(tx, "acme", Rest::Namespace(*home), at(10)).await?;
                rest_put(tx, "past", Rest::Namespace(*home), at(0)).await?;
                rest_put(tx, "bob", Rest::Nobody, at(10)).await
            })
        })
        .await;
    let alice = who(alice);
    for (name, today) in [
        ("acme/old", Some("new/app")),
        ("acme/lib", Some("new/lib")),
        ("past/lib", None),
        ("bob/lib", None),
    ] {
        let why = world.why(&alice, PULL, name).await;
        assert_eq!(why.allowed, today.is_some(), "{name}: {}", why.reason);
        assert_eq!(why.moved_to.as_deref(), today);
    }
}
