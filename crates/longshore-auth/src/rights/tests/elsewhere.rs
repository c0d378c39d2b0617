//! Rights on what lies at a registry elsewhere, of which no row says whether it is there.

use longshore_core::{On, Verb};
use longshore_meta::namespaces::Visibility;
use longshore_meta::principals::PrincipalId;
use longshore_meta::roles::{Role, role_put};

use super::world::{World, at, binding, now, stranger, who};
use crate::rights::role::{DEVELOPER_ID, MAINTAINER_ID, READER_ID};
use crate::rights::{Sight, Who};

/// What is granted of everything that can be asked for, as letters.
async fn all(world: &World, who: &Who, repo: &str) -> String {
    let asked = [format!("repository:{repo}:pull,push,delete")
        .parse()
        .unwrap()];
    let grants = world
        .judge
        .grant(who, &asked, Sight::Elsewhere, now())
        .await
        .unwrap()
        .grants;
    let mut letters = String::new();
    for grant in grants {
        assert_eq!(grant.on, On::Repo(repo.parse().unwrap()));
        for (verb, letter) in [(Verb::Pull, 'r'), (Verb::Push, 'w'), (Verb::Delete, 'd')] {
            if grant.verbs.has(verb) {
                letters.push(letter);
            }
        }
    }
    letters
}

#[tokio::test]
async fn what_has_no_row_is_granted_as_if_it_were_there_and_pushed_to_by_who_could_make_it() {
    let world = World::new().await;
    let [ann, ben, cem, dan] = ["ann", "ben", "cem", "dan"];
    let users = [
        who(world.user(ann).await),
        who(world.user(ben).await),
        who(world.user(cem).await),
        who(world.user(dan).await),
    ];
    let [reader, developer, maintainer, other] = &users;
    let home = world.namespace("acme", Visibility::Private, false).await;
    world.bind(binding(reader.id(), READER_ID, home)).await;
    world
        .bind(binding(developer.id(), DEVELOPER_ID, home))
        .await;
    world
        .bind(binding(maintainer.id(), MAINTAINER_ID, home))
        .await;
    let mut pusher = binding(other.id(), DEVELOPER_ID, home);
    pusher.repo = Some(world.repo("acme/app", None, false).await);
    world.bind(pusher).await;
    for (who, new, old) in [
        (reader, "r", "r"),
        (developer, "rw", "rw"),
        (maintainer, "rwd", "rwd"),
        (other, "", "rw"),
        (&stranger(), "", ""),
    ] {
        assert_eq!(all(&world, who, "acme/new").await, new, "{who:?}");
        assert_eq!(all(&world, who, "acme/app").await, old, "{who:?}");
        // A registry that is seen has nothing of that name, and says so only to who could make it.
        let seen = world.grant(who, "repository:acme/new:pull").await;
        assert_eq!(seen.is_empty(), !new.contains('w'), "{who:?}");
    }
}

#[tokio::test]
async fn a_right_to_push_that_does_not_make_repositories_pushes_to_none_that_has_no_row() {
    let world = World::new().await;
    let user = who(world.user("ann").await);
    let home = world.namespace("acme", Visibility::Private, false).await;
    world.repo("acme/app", None, false).await;
    let role = Role {
        id: 100,
        owner: PrincipalId(0),
        name: "renewer".to_owned(),
        actions: "repository:pull repository:push repository:delete".to_owned(),
        builtin: false,
        description: String::new(),
        changed: at(0),
    };
    world
        .write(role, |tx, role| Box::pin(role_put(tx, role)))
        .await;
    world.bind(binding(user.id(), 100, home)).await;
    assert_eq!(all(&world, &user, "acme/new").await, "rd");
    assert_eq!(all(&world, &user, "acme/app").await, "rwd");
}

#[tokio::test]
async fn who_sees_what_has_no_row_is_said_by_the_namespaces_around_and_by_the_repository_where_it_has_one()
 {
    let world = World::new().await;
    let user = who(world.user("ann").await);
    world
        .repo("acme/hidden", Some(Visibility::Private), false)
        .await;
    for (visibility, stranger_may, user_may) in [
        (Visibility::Private, "", ""),
        (Visibility::Internal, "", "r"),
        (Visibility::Public, "r", "r"),
    ] {
        world.namespace("acme", visibility, false).await;
        assert_eq!(all(&world, &stranger(), "acme/new").await, stranger_may);
        assert_eq!(all(&world, &user, "acme/new").await, user_may);
        for who in [&stranger(), &user] {
            assert_eq!(all(&world, who, "acme/hidden").await, "");
            assert_eq!(all(&world, who, "nowhere/new").await, "");
            assert!(
                world
                    .grant(who, "repository:acme/new:pull")
                    .await
                    .is_empty()
            );
        }
    }
}
