//! What counts by a name, and what by what has it; names at the top, and names at rest.

use longshore_auth::index::Known;
use longshore_auth::rights::Narrow;
use longshore_spec::RepoName;
use zeroize::Zeroizing;

use super::*;
use crate::robots::NewRobot;
use crate::tokens::NewToken;

fn name(text: &str) -> RepoName {
    text.parse().unwrap()
}

fn reads(repositories: &str) -> Give {
    Give {
        subject: "user:eve".to_owned(),
        role: "reader".to_owned(),
        repositories: Some(repositories.to_owned()),
        ..Give::default()
    }
}

async fn login(house: &House, user: &str, secret: &str) -> Option<Known> {
    let secret = Zeroizing::new(secret.as_bytes().to_vec());
    let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let known = house.hub.index().login(user, secret, peer, now()).await;
    known.ok()
}

#[tokio::test]
async fn a_name_that_a_repository_has_is_bound_as_that_and_nothing_of_it_is_its_successors() {
    let house = House::new().await;
    let (ann, eve) = (house.user("ann").await, house.user("eve").await);
    let home = house.home("ann").await;
    let (hub, place) = (&house.hub, Object::Namespace(home));
    let web = hub.group_create(&ann, home, "web").await.unwrap();
    for name in ["ann/app", "ann/web/api"] {
        house.repo(name).await;
    }
    let mut made = Vec::new();
    for word in ["app", "web/api", "late", "a*"] {
        let id = hub.binding_give(&ann, &place, reads(word)).await.unwrap();
        let seen = hub.binding_row(id).await.unwrap();
        let repository = seen.repository.map(|name| name.to_string());
        made.push((repository, seen.row.repos));
    }
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        made,
        [
            (some("ann/app"), None),
            (some("ann/web/api"), None),
            (None, some("late")),
            (None, some("a*")),
        ]
    );
    let both = hub.binding_give(&ann, &place, reads("app late")).await;
    assert_eq!(code(both), Code::QueryInvalid);
    let pulls = async |repo: &str| {
        let (action, repo) = (Action::RepositoryPull, repo.to_owned());
        house.may(&eve, action, &repo).await
    };
    // It goes with it, by its old name too, and a pattern does not.
    hub.repository_rename(&ann, &name("ann/app"), &name("ann/tool"))
        .await
        .unwrap();
    hub.namespace_rename(&ann, web, "site").await.unwrap();
    assert!(pulls("ann/tool").await && pulls("ann/app").await);
    assert!(pulls("ann/site/api").await);
    let shown = hub.bindings_on(&ann, &place, 0, 10).await.unwrap().items;
    let shown: Vec<_> = shown.into_iter().filter_map(|it| it.repository).collect();
    assert_eq!(shown, [name("ann/tool"), name("ann/site/api")]);
    // Whatever gets its name has nothing of it, and what was said of a name that nothing had is said of what gets it.
    hub.repository_remove(&ann, &name("ann/tool"))
        .await
        .unwrap();
    for repo in ["ann/tool", "ann/late"] {
        hub.repository_create(&ann, &name(repo)).await.unwrap();
    }
    assert!(!pulls("ann/tool").await && pulls("ann/late").await);
}

#[tokio::test]
async fn nobody_hears_by_giving_a_right_or_making_a_token_what_is_there_that_they_may_not_see() {
    let house = House::new().await;
    let (ann, eve) = (house.user("ann").await, house.user("eve").await);
    house.repo("ann/app").await;
    let hub = &house.hub;
    let narrow = Narrow::of_words(&["ann/app", "ann/none"], ["pull"]).unwrap();
    let new = NewToken {
        narrow,
        ..NewToken::default()
    };
    let made = hub.token_create(&eve, "eve", new.clone()).await.unwrap();
    assert_eq!(made.by_name, ["ann/app", "ann/none"]);
    let made = hub.token_create(&ann, "ann", new).await.unwrap();
    assert_eq!(made.by_name, ["ann/none"]);
    let tokens = hub.token_list(&ann, "ann", 0, 10).await.unwrap().items;
    let scope = tokens[0].scope.as_deref();
    let left = hub.limits(&ann, scope).await.unwrap().unwrap();
    let repositories = left.repositories.unwrap();
    assert_eq!(repositories, ["ann/app", "ann/none"]);
    let left = hub.limits(&eve, scope).await.unwrap().unwrap();
    assert!(left.repositories.unwrap()[0].starts_with('#'));
}

#[tokio::test]
async fn a_token_for_a_repository_opens_that_whatever_it_is_called_and_not_what_has_its_name_now() {
    let house = House::new().await;
    let ann = house.user("ann").await;
    let hub = &house.hub;
    for repo in ["ann/five", "ann/six"] {
        house.repo(repo).await;
    }
    let new = NewToken {
        narrow: Narrow::of_words(&["ann/five"], ["pull"]).unwrap(),
        ..NewToken::default()
    };
    let made = hub.token_create(&ann, "ann", new).await.unwrap();
    let known = login(&house, "ann", made.secret.as_str()).await.unwrap();
    let by = Caller {
        who: known.who(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        ..ann.clone()
    };
    let opens = async |repo: &str| {
        let (pull, repo) = (Action::RepositoryPull, repo.to_owned());
        house.may(&by, pull, &repo).await
    };
    let lists = async || {
        let pull = Action::RepositoryPull;
        let reach = hub.judge().reach(&by.who, pull, now()).await.unwrap();
        ["ann/five", "ann/six", "ann/seven"].map(|repo| reach.has(repo))
    };
    assert!(opens("ann/five").await && !opens("ann/six").await);
    assert_eq!(lists().await, [true, false, false]);
    hub.repository_rename(&ann, &name("ann/five"), &name("ann/seven"))
        .await
        .unwrap();
    assert!(opens("ann/seven").await && opens("ann/five").await);
    assert_eq!(lists().await, [false, false, true]);
    hub.repository_remove(&ann, &name("ann/seven"))
        .await
        .unwrap();
    for repo in ["ann/five", "ann/seven"] {
        hub.repository_create(&ann, &name(repo)).await.unwrap();
        assert!(!opens(repo).await, "{repo}");
    }
    assert_eq!(lists().await, [false, false, false]);
}

#[tokio::test]
async fn secrets_are_good_by_a_name_that_rests_and_by_nobody_elses() {
    let house = House::new().await;
    let (ann, hub) = (house.user("ann").await, &house.hub);
    for org in ["acme", "other"] {
        let new = NewAccount {
            owner: "ann".to_owned(),
            ..account(org)
        };
        hub.organisation_create(&operator(), new).await.unwrap();
    }
    let robot = |name: &str| NewRobot {
        name: name.to_owned(),
        ..NewRobot::default()
    };
    let made = hub.robot_create(&ann, robot("acme+mv")).await.unwrap();
    let token = hub.token_create(&ann, "ann", NewToken::default()).await;
    let (secret, token) = (made.secret.as_str(), token.unwrap());
    for (old, new) in [("acme", "acme2"), ("ann", "anna"), ("other", "other2")] {
        hub.account_rename(&operator(), None, old, new)
            .await
            .unwrap();
    }
    for good in ["acme+mv", "acme2+mv"] {
        let known = login(&house, good, secret).await.unwrap();
        assert_eq!(&*known.name, "acme2+mv", "{good}");
    }
    for good in ["ann", "anna"] {
        assert!(login(&house, good, token.secret.as_str()).await.is_some());
    }
    for bad in ["other+mv", "acme+other", "acme", "ann+mv", "nobody+mv"] {
        assert!(login(&house, bad, secret).await.is_none(), "{bad}");
    }
    for bad in ["acme", "other", "other2", "ann+mv"] {
        let known = login(&house, bad, token.secret.as_str()).await;
        assert!(known.is_none(), "{bad}");
    }
    // Once it is free, it is somebody else's.
    hub.name_free(&operator(), "acme").await.unwrap();
    assert!(login(&house, "acme+mv", secret).await.is_none());
    assert!(login(&house, "acme2+mv", secret).await.is_some());
}

#[tokio::test]
async fn a_namespace_of_the_system_is_renamed_by_who_could_make_one() {
    let house = House::new().await;
    let (ann, hub) = (house.user("ann").await, &house.hub);
    let free = hub.namespace_create(&operator(), "free").await.unwrap();
    let id = house.repo("free/app").await;
    hub.binding_add(&operator(), binding(ann.who.id(), OWNER_ID, free))
        .await
        .unwrap();
    assert_eq!(
        code(hub.namespace_rename(&ann, free, "mine").await),
        Code::Denied
    );
    for taken in ["ann", "library", "token", "a/b"] {
        let renamed = hub.namespace_rename(&operator(), free, taken).await;
        assert!(renamed.is_err(), "{taken}");
    }
    hub.namespace_rename(&operator(), free, "open")
        .await
        .unwrap();
    hub.namespace_move(&operator(), free, "opened")
        .await
        .unwrap();
    let read = hub.db.read(&(), |tx, ()| {
        Box::pin(async move {
            let name = name("free/app");
            longshore_meta::names::name_resolve(tx, &name, NOW).await
        })
    });
    let found = read.await.unwrap();
    assert_eq!((found.repo, found.name.as_str()), (Some(id), "opened/app"));
    assert_eq!(
        code(hub.user_create(&operator(), account("free")).await),
        Code::ConditionFailed
    );
    // Back to what it was, and others stay where they are.
    hub.namespace_rename(&operator(), free, "free")
        .await
        .unwrap();
    for path in ["library", "ann"] {
        let id = house.home(path).await;
        let renamed = hub.namespace_rename(&operator(), id, "elsewhere").await;
        assert_eq!(code(renamed), Code::ConditionFailed, "{path}");
    }
}

#[tokio::test]
async fn a_word_about_who_sees_something_is_refused_where_it_would_not_count() {
    let house = House::new().await;
    let (ann, hub) = (house.user("ann").await, &house.hub);
    let home = house.home("ann").await;
    let web = hub.group_create(&ann, home, "web").await.unwrap();
    house.repo("ann/web/api").await;
    let repo = name("ann/web/api");
    let internal = Some(Visibility::Internal);
    for to in [internal, Some(Visibility::Public)] {
        let set = hub.repository_set(&ann, &repo, Some(to), None).await;
        let said = set.unwrap_err();
        assert_eq!(said.code(), Code::ConditionFailed);
        assert!(said.public().contains("`ann` is private"), "{said}");
        let set = hub.namespace_settings(&ann, web, to, None).await;
        assert_eq!(code(set), Code::ConditionFailed);
    }
    for place in [home, web] {
        hub.namespace_settings(&ann, place, internal, None)
            .await
            .unwrap();
    }
    hub.repository_set(&ann, &repo, Some(internal), None)
        .await
        .unwrap();
    // What counted when it was said may be said again.
    hub.namespace_settings(&ann, home, Some(Visibility::Private), None)
        .await
        .unwrap();
    hub.repository_set(&ann, &repo, None, Some(true))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_name_at_rest_says_so_to_who_could_have_it_and_is_freed_by_an_administrator() {
    let house = House::new().await;
    let (ann, hub) = (house.user("ann").await, &house.hub);
    house.user("bob").await;
    let home = house.home("ann").await;
    hub.account_delete(&operator(), None, "bob").await.unwrap();
    let again = hub.user_create(&operator(), account("bob")).await;
    let said = again.unwrap_err().public().to_owned();
    assert!(
        said.contains("rests until 20") && said.contains("name free bob"),
        "{said}"
    );
    let group = hub.group_create(&ann, home, "web").await.unwrap();
    hub.namespace_remove(&ann, group).await.unwrap();
    let again = hub.group_create(&ann, home, "web").await.unwrap_err();
    assert!(again.public().contains("rests until"), "{again}");

    let seen = hub.names_at_rest(&operator(), "", 10).await.unwrap().items;
    let seen: Vec<_> = seen.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(seen, ["ann/web", "bob"]);
    assert_eq!(code(hub.names_at_rest(&ann, "", 10).await), Code::Denied);
    for name in ["bob", "ann/web"] {
        assert_eq!(code(hub.name_free(&ann, name).await), Code::Denied);
    }
    let nothing = hub.name_free(&operator(), "nobody").await;
    assert_eq!(code(nothing), Code::NameUnknown);
    for name in ["bob", "ann/web"] {
        hub.name_free(&operator(), name).await.unwrap();
    }
    let rows = house.rows().await;
    assert!(rows.last().unwrap().entry.detail.contains("freed"));
    house.user("bob").await;
    hub.group_create(&ann, home, "web").await.unwrap();
}
