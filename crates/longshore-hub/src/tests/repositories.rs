use super::*;

#[tokio::test]
async fn a_renamed_repository_and_group_are_found_by_their_old_names() {
    let house = House::new().await;
    let alice = house.user("alice").await;
    let home = house.home("alice").await;
    let group = house.hub.group_create(&alice, home, "web").await.unwrap();
    let (app, deep) = (
        house.repo("alice/app").await,
        house.repo("alice/web/deep/api").await,
    );
    let name = |text: &str| text.parse::<longshore_spec::RepoName>().unwrap();
    house
        .hub
        .repository_rename(&alice, &name("alice/app"), &name("alice/web/app"))
        .await
        .unwrap();
    house
        .hub
        .namespace_rename(&alice, group, "site")
        .await
        .unwrap();
    let found = async |text: &str| {
        let name = name(text);
        let read = house.hub.db.read(&name, |tx, name| {
            Box::pin(longshore_meta::names::name_resolve(tx, name, NOW))
        });
        let found = read.await.unwrap();
        (found.repo, found.name.to_string())
    };
    for (old, id, new) in [
        ("alice/app", app, "alice/site/app"),
        ("alice/web/app", app, "alice/site/app"),
        ("alice/web/deep/api", deep, "alice/site/deep/api"),
    ] {
        assert_eq!(found(old).await, (Some(id), new.to_owned()), "{old}");
        assert!(house.may(&alice, Action::RepositoryPull, old).await);
    }
    // Nobody takes a name that rests, and nobody moves where they may make nothing.
    let taken = house
        .hub
        .repository_rename(&alice, &name("alice/site/deep/api"), &name("alice/app"))
        .await;
    assert_eq!(code(taken), Code::ConditionFailed);
    house.user("bob").await;
    let moved = house
        .hub
        .repository_rename(&alice, &name("alice/site/app"), &name("bob/app"))
        .await;
    assert_eq!(code(moved), Code::Denied);
    assert_eq!(
        code(house.hub.namespace_remove(&alice, group).await),
        Code::ConditionFailed
    );
}

#[tokio::test]
async fn what_is_said_of_a_repository_is_bounded_and_read_only_mode_holds() {
    let house = House::new().await;
    let alice = house.user("alice").await;
    house.repo("alice/app").await;
    let name = "alice/app".parse().unwrap();
    let said = |readme: usize| Said {
        readme: Some("x".repeat(readme)),
        ..Said::default()
    };
    house
        .hub
        .repository_describe(&alice, &name, said(1 << 20))
        .await
        .unwrap();
    assert_eq!(
        code(
            house
                .hub
                .repository_describe(&alice, &name, said((1 << 20) + 1))
                .await
        ),
        Code::TooLarge
    );
    house.hub.star(&alice, &name, true).await.unwrap();
    house
        .hub
        .repository_settings(&alice, &name, Some(Visibility::Private), true)
        .await
        .unwrap();
    assert_eq!(
        code(house.hub.repository_describe(&alice, &name, said(1)).await),
        Code::Denied
    );
    house
        .hub
        .repository_settings(&alice, &name, None, false)
        .await
        .unwrap();
    house
        .hub
        .repository_describe(&alice, &name, said(1))
        .await
        .unwrap();
    house.hub.read_only_set(&operator(), true).await.unwrap();
    assert_eq!(
        code(house.hub.repository_describe(&alice, &name, said(1)).await),
        Code::Denied
    );
    assert_eq!(
        code(house.hub.read_only_set(&alice, false).await),
        Code::Denied
    );
    house.hub.read_only_set(&operator(), false).await.unwrap();
    house
        .hub
        .sign_up_set(&operator(), crate::settings::SignUp::Open)
        .await
        .unwrap();
    assert_eq!(
        house.hub.sign_up().await.unwrap(),
        crate::settings::SignUp::Open
    );
}
