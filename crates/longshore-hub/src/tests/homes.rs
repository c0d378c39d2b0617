//! Repositories that come to an index without a namespace get one that is nobody's to take.

use longshore_auth::rights::role::LIBRARY;
use longshore_meta::namespaces::namespace_at;
use longshore_spec::RepoName;

use super::*;
use crate::homes::Homes;

fn name(text: &str) -> RepoName {
    text.parse().unwrap()
}

async fn owner(house: &House, path: &'static str) -> Option<(PrincipalId, Visibility)> {
    let read = house
        .hub
        .db
        .read(&path, |tx, path| Box::pin(namespace_at(tx, path)));
    let found = read.await.unwrap();
    found.map(|it| (it.owner, it.visibility))
}

const SYSTEM: Option<(PrincipalId, Visibility)> = Some((PrincipalId(0), Visibility::Private));

#[tokio::test]
async fn what_was_here_before_gets_private_namespaces_of_the_system_and_what_cannot_is_told() {
    let house = House::new().await;
    let alice = house.user("alice").await;
    for repo in [
        "acme/a",
        "acme/web/b",
        "acme0/c",
        "alice/own",
        "solo",
        "token/x",
        "zeta/d",
    ] {
        house.repo(repo).await;
    }
    house
        .hub
        .account_delete(&operator(), None, "alice")
        .await
        .unwrap_err();
    let long = format!("{}/x", "a".repeat(65));
    house.repo(&long).await;
    let awaited = [name("beta/app"), name("solo2")];
    let homes = house.hub.homes(&awaited, None, now()).await.unwrap();
    assert_eq!(homes.made, ["acme", "acme0", "beta", "zeta"]);
    let homeless: Vec<_> = homes.homeless.iter().map(|(top, _)| top.as_str()).collect();
    assert_eq!(homeless, [long.trim_end_matches("/x"), "token"]);
    for path in ["acme", "acme0", "beta", "zeta"] {
        assert_eq!(owner(&house, path).await, SYSTEM, "{path}");
    }
    assert!(house.may(&alice, Action::RepositoryPull, "alice/own").await);
    for repo in ["acme/a", "solo", "token/x"] {
        assert!(
            !house.may(&alice, Action::RepositoryPull, repo).await,
            "{repo}"
        );
        assert!(
            house.may(&operator(), Action::RepositoryPull, repo).await,
            "{repo}"
        );
    }
    assert!(owner(&house, LIBRARY).await.is_some());
    let again = house.hub.homes(&awaited, None, now()).await.unwrap();
    let expected = Homes {
        homeless: homes.homeless,
        ..Homes::default()
    };
    assert_eq!(again, expected);
}

#[tokio::test]
async fn nobody_gets_the_systems_namespace_by_its_name_but_an_organisation_by_who_may_do_everything()
 {
    let house = House::new().await;
    let bob = house.user("bob").await;
    for repo in ["acme/a", "acme/web/b"] {
        house.repo(repo).await;
    }
    house.hub.homes(&[], None, now()).await.unwrap();
    let home = house.home("acme").await;
    house
        .hub
        .group_create(&operator(), home, "web")
        .await
        .unwrap();
    let user = house.hub.user_create(&operator(), account("acme")).await;
    assert_eq!(code(user), Code::ConditionFailed);
    // Who may make organisations and not everything.
    let everywhere = NamespaceId::EVERYWHERE;
    let makes = ActionSet::of(&[Action::OrganisationCreate]);
    let role = house
        .hub
        .role_set(&operator(), everywhere, "makes", makes, "")
        .await;
    let may = binding(bob.who.id(), role.unwrap(), everywhere);
    house.hub.binding_add(&operator(), may).await.unwrap();
    let made = house.hub.organisation_create(&bob, account("acme")).await;
    assert_eq!(code(made), Code::ConditionFailed);
    house
        .hub
        .organisation_create(&bob, account("other"))
        .await
        .unwrap();
    let own = NewAccount {
        owner: "bob".to_owned(),
        ..account("acme")
    };
    let acme = house
        .hub
        .organisation_create(&operator(), own)
        .await
        .unwrap();
    for path in ["acme", "acme/web"] {
        assert_eq!(
            owner(&house, path).await,
            Some((acme, Visibility::Private)),
            "{path}"
        );
    }
    assert_eq!(house.home("acme").await, home);
    assert!(house.may(&bob, Action::RepositoryPull, "acme/web/b").await);
}

#[tokio::test]
async fn a_push_where_there_is_no_namespace_makes_one_of_the_system() {
    let house = House::new().await;
    house.user("ada").await;
    for (repo, home) in [("fresh/app", SYSTEM), ("solo", None), ("token/app", None)] {
        let new = name(repo);
        let write = house.hub.db.write(Durability::Process, new, |tx, name| {
            Box::pin(async move {
                let id = repo_open(tx, name, NOW).await?;
                crate::beginning::born(tx, (id, name), &by("ada")).await
            })
        });
        write.await.unwrap();
        let top = repo.split('/').next().unwrap();
        assert_eq!(owner(&house, top).await, home, "{repo}");
    }
    let rows = house.rows().await;
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.entry.action.as_str(), row.entry.object.as_str()))
        .collect();
    assert!(told.contains(&("namespace:create", "fresh")), "{told:?}");
    assert_eq!(
        code(house.hub.user_create(&operator(), account("fresh")).await),
        Code::ConditionFailed
    );
}
