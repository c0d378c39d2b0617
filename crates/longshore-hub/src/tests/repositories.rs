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

/// Writes down what it is told.
#[derive(Debug, Default)]
struct Told(std::sync::Mutex<Vec<String>>);

impl crate::moving::Follower for Told {
    fn names_changed(&self, names: &[longshore_spec::RepoName]) {
        let mut told = self.0.lock().unwrap();
        told.extend(names.iter().map(ToString::to_string));
    }
}

#[tokio::test]
async fn a_group_goes_to_another_owner_with_all_that_is_in_it_and_everybody_hears_of_it() {
    let mut house = House::new().await;
    let told = Arc::new(Told::default());
    house.hub = house.hub.followed_by(told.clone());
    let (alice, bob) = (house.user("alice").await, house.user("bob").await);
    let reader = house.user("reader").await;
    let (here, there) = (house.home("alice").await, house.home("bob").await);
    let hub = &house.hub;
    let web = hub.group_create(&alice, here, "web").await.unwrap();
    let inner = hub.group_create(&alice, web, "deep").await.unwrap();
    let row = binding(reader.who.id(), READER_ID, here);
    hub.binding_add(&alice, row).await.unwrap();
    let id = house.repo("alice/web/deep/app").await;
    let follows = hub.db.write(Durability::Process, (), |tx, ()| {
        Box::pin(async move {
            longshore_meta::news::news_follow(tx, "test")
                .await
                .map(drop)
        })
    });
    follows.await.unwrap();
    // Where one may make no groups, absent or not, nothing goes.
    for to in ["bob/web", "nobody/web"] {
        let moved = hub.namespace_move(&alice, web, to).await;
        assert_eq!(code(moved), Code::Denied, "{to}");
    }
    let inside = hub.namespace_move(&alice, web, "alice/web/web").await;
    assert_eq!(code(inside), Code::ConditionFailed);
    hub.binding_add(&bob, binding(alice.who.id(), MAINTAINER_ID, there))
        .await
        .unwrap();
    let version = async || {
        let id = reader.who.id();
        let read = hub.db.read(&id, |tx, id| {
            Box::pin(longshore_meta::principals::principal_get(tx, *id))
        });
        read.await.unwrap().unwrap().version
    };
    let before = version().await;
    hub.namespace_move(&alice, web, "bob/site").await.unwrap();
    assert!(
        version().await > before,
        "what the reader was given is void"
    );
    assert!(
        !house
            .may(&reader, Action::RepositoryPull, "bob/site/deep/app")
            .await
    );
    assert!(
        house
            .may(&bob, Action::RepositoryPull, "bob/site/deep/app")
            .await
    );
    let deep = hub.namespace_get(&bob, &Object::Namespace(inner)).await;
    let deep = deep.unwrap();
    assert_eq!(
        (deep.path.as_str(), deep.owner),
        ("bob/site/deep", bob.who.id())
    );
    assert_eq!(
        *told.0.lock().unwrap(),
        ["alice/web/deep/app", "bob/site/deep/app"]
    );
    let read = hub.db.read(&(), |tx, ()| {
        Box::pin(longshore_meta::news::news_list(tx, 0, 10))
    });
    let news = read.await.unwrap();
    let renamed = news
        .iter()
        .find(|it| it.kind == longshore_meta::news::Kind::Renamed)
        .unwrap();
    assert_eq!(
        (
            renamed.repo,
            renamed.name.as_deref(),
            renamed.actor.as_str()
        ),
        (id, Some("alice/web/deep/app"), "alice")
    );
    // And back by its own old name.
    hub.binding_add(&alice, binding(bob.who.id(), OWNER_ID, here))
        .await
        .unwrap();
    hub.namespace_move(&bob, web, "alice/web").await.unwrap();
    assert!(
        house
            .may(&reader, Action::RepositoryPull, "alice/web/deep/app")
            .await
    );
}

#[tokio::test]
async fn what_is_seen_is_what_may_be_seen() {
    let house = House::new().await;
    let (alice, bob) = (house.user("alice").await, house.user("bob").await);
    let hub = &house.hub;
    let home = house.home("alice").await;
    hub.group_create(&alice, home, "web").await.unwrap();
    for name in ["alice/app", "alice/web/api", "bob/app"] {
        house.repo(name).await;
    }
    let paths = async |by: &Caller| -> Vec<String> {
        let found = hub.namespace_list(by, None, "", 10).await.unwrap();
        found.items.into_iter().map(|it| it.path).collect()
    };
    assert_eq!(paths(&alice).await, ["alice", "alice/web"]);
    assert_eq!(paths(&bob).await, ["bob"]);
    assert_eq!(
        paths(&operator()).await,
        ["alice", "alice/web", "bob", "library"]
    );
    let seen = hub.repository_names(&bob, "", "", 10).await.unwrap();
    assert_eq!((seen.items.len(), seen.next), (1, None));
    assert_eq!(seen.items, ["bob/app"]);
    let seen = hub.repository_names(&alice, "alice", "", 1).await.unwrap();
    assert_eq!(seen.items, ["alice/app"]);
    assert_eq!(seen.next.as_deref(), Some("alice/app"));
    let seen = hub.repository_names(&alice, "alice", "alice/app", 9).await;
    assert_eq!(seen.unwrap().items, ["alice/web/api"]);
    let name = "alice/app".parse().unwrap();
    hub.repository_get(&alice, &name).await.unwrap();
    assert_eq!(
        code(hub.repository_get(&bob, &name).await),
        Code::NameUnknown
    );
    let place = Object::Namespace(home);
    let (hidden, absent) = (
        hub.namespace_get(&bob, &place).await.unwrap_err(),
        hub.namespace_id("nobody").await.unwrap_err(),
    );
    assert_eq!(hidden.public(), absent.public());
    let (all, first) = (Object::System, Part::After(0));
    let log = hub.audit_list(&bob, &all, first, 9).await;
    assert_eq!(code(log), Code::Denied);
    let log = hub.audit_list(&operator(), &all, first, 9).await;
    assert_eq!(log.unwrap().items.len(), 3);
    let own = hub.audit_list(&alice, &place, first, 9).await.unwrap();
    assert_eq!(own.items.len(), 0, "a group's rows are the group's");
}

#[tokio::test]
async fn rights_are_given_and_shown_by_names() {
    let house = House::new().await;
    let hub = &house.hub;
    let owner = house.user("owner").await;
    let stranger = house.user("stranger").await;
    let new = NewAccount {
        owner: "owner".to_owned(),
        ..account("acme")
    };
    hub.organisation_create(&operator(), new).await.unwrap();
    let home = house.home("acme").await;
    hub.team_create(&owner, home, account("devs"))
        .await
        .unwrap();
    let robot = crate::robots::NewRobot {
        name: "acme+ci".to_owned(),
        ..Default::default()
    };
    hub.robot_create(&owner, robot).await.unwrap();
    let give = |subject: &str| Give {
        subject: subject.to_owned(),
        role: "reader".to_owned(),
        ..Give::default()
    };
    let place = Object::Namespace(home);
    let subjects = [
        "team:acme/devs",
        "robot:acme+ci",
        "everybody",
        "logged-in",
        "user:stranger",
    ];
    for subject in subjects {
        hub.binding_give(&owner, &place, give(subject))
            .await
            .unwrap();
    }
    let page = hub.bindings_on(&owner, &place, 0, 10).await.unwrap();
    let told: Vec<_> = page.items.iter().map(|it| it.subject.as_str()).collect();
    assert_eq!(told[0], "user:owner");
    assert_eq!(told[1..], subjects);
    for nobody in [
        "team:acme/none",
        "robot:acme+none",
        "account:none",
        "team:none/devs",
        "organisation:stranger",
    ] {
        let given = hub.binding_give(&owner, &place, give(nobody)).await;
        assert_eq!(code(given), Code::NameUnknown, "{nobody}");
    }
    let late = Give {
        expires: Some(1),
        ..give("everybody")
    };
    let given = hub.binding_give(&owner, &place, late).await;
    assert_eq!(code(given), Code::QueryInvalid);
    // Whether somebody is there is nothing that a stranger finds out by trying to give rights.
    for subject in ["account:owner", "account:nobody"] {
        let given = hub.binding_give(&stranger, &place, give(subject)).await;
        assert_eq!(code(given), Code::Denied, "{subject}");
    }
    hub.team_delete(&owner, &Object::Namespace(home), "devs")
        .await
        .unwrap();
    let page = hub.bindings_on(&owner, &place, 0, 10).await.unwrap();
    assert_eq!(page.items.len(), 5, "a team's rights go with it");
    let teams = hub.team_list(&owner, &place, "", 10).await.unwrap();
    assert_eq!(teams.items.len(), 0);
}
