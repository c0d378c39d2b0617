//! Nobody gets around what is kept from them by another name for it, and nobody gets more than they had.

use longshore_spec::RepoName;

use super::*;

pub(super) fn name(text: &str) -> RepoName {
    text.parse().unwrap()
}

/// The organisation `corp` of ann's, with `corp/rel` in it, where bob and carl are maintainers.
pub(super) struct Corp {
    pub(super) house: House,
    pub(super) home: NamespaceId,
    pub(super) ann: Caller,
    pub(super) bob: Caller,
    pub(super) carl: Caller,
}

impl Corp {
    pub(super) async fn new() -> Self {
        let house = House::new().await;
        let (ann, bob) = (house.user("ann").await, house.user("bob").await);
        let carl = house.user("carl").await;
        let new = NewAccount {
            owner: "ann".to_owned(),
            ..account("corp")
        };
        let hub = &house.hub;
        hub.organisation_create(&operator(), new).await.unwrap();
        let home = house.home("corp").await;
        let corp = Self {
            house,
            home,
            ann,
            bob,
            carl,
        };
        corp.house.repo("corp/rel").await;
        for who in ["bob", "carl"] {
            corp.give(Give {
                subject: format!("user:{who}"),
                role: "maintainer".to_owned(),
                ..Give::default()
            })
            .await;
        }
        corp
    }

    pub(super) async fn give(&self, give: Give) -> i64 {
        let (by, object) = (operator(), Object::Namespace(self.home));
        let given = self.house.hub.binding_give(&by, &object, give).await;
        given.unwrap()
    }

    pub(super) async fn take(&self, id: i64) {
        let hub = &self.house.hub;
        hub.binding_remove(&operator(), self.home, id)
            .await
            .unwrap();
    }

    pub(super) async fn role(&self, name: &str, actions: &[Action]) {
        let actions = ActionSet::of(actions);
        let hub = &self.house.hub;
        hub.role_set(&operator(), self.home, name, actions, "")
            .await
            .unwrap();
    }

    pub(super) async fn rename(&self, by: &Caller, from: &str, to: &str) -> Result<()> {
        let hub = &self.house.hub;
        let moved = hub.repository_rename(by, &name(from), &name(to)).await;
        moved.map(drop)
    }
}

pub(super) fn deny(subject: &str, role: &str) -> Give {
    Give {
        subject: subject.to_owned(),
        role: role.to_owned(),
        deny: true,
        ..Give::default()
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "it is what the fields of a binding take"
)]
fn some(words: &str) -> Option<String> {
    Some(words.to_owned())
}

#[tokio::test]
async fn what_is_denied_on_a_name_is_not_got_around_by_another_name() {
    let corp = Corp::new().await;
    let denials = [
        Give {
            repositories: some("rel"),
            tags: some("v*"),
            ..deny("user:bob", "developer")
        },
        Give {
            repositories: some("re*"),
            tags: some("v*"),
            ..deny("user:bob", "developer")
        },
        Give {
            tags: some("v*"),
            ..deny("user:bob", "maintainer")
        },
        Give {
            tags: some("v*"),
            ..deny("everybody", "maintainer")
        },
        deny("user:bob", "developer"),
        // At other hours and from elsewhere.
        Give {
            repositories: some("rel"),
            networks: some("203.0.113.0/24"),
            ..deny("user:bob", "developer")
        },
    ];
    for denial in denials {
        let id = corp.give(denial.clone()).await;
        for to in ["corp/rel-moved", "corp/other", "bob/rel"] {
            let refused = corp.rename(&corp.bob, "corp/rel", to).await;
            assert_eq!(code(refused), Code::Denied, "{denial:?} {to}");
        }
        corp.take(id).await;
    }
    let refused = corp.rename(&corp.bob, "corp/rel", "ann/rel").await;
    assert_eq!(code(refused), Code::Denied);
    corp.rename(&corp.bob, "corp/rel", "corp/moved")
        .await
        .unwrap();
    corp.rename(&corp.bob, "corp/moved", "bob/rel")
        .await
        .unwrap();
}

#[tokio::test]
async fn nobody_frees_another_of_a_denial_who_could_not_take_it_back() {
    let corp = Corp::new().await;
    corp.give(Give {
        repositories: some("rel*"),
        ..deny("user:bob", "developer")
    })
    .await;
    for to in ["corp/moved", "carl/rel"] {
        let refused = corp.rename(&corp.carl, "corp/rel", to).await.unwrap_err();
        assert_eq!(refused.code(), Code::Denied, "{to}");
        assert!(refused.public().contains("take that denial back"), "{to}");
    }
    corp.house.repo("corp/free").await;
    corp.rename(&corp.carl, "corp/free", "corp/free2")
        .await
        .unwrap();
    // Who says who may do what there may do this, and so may whoever administers the system.
    corp.rename(&corp.ann, "corp/rel", "corp/moved")
        .await
        .unwrap();
    corp.rename(&corp.ann, "corp/moved", "corp/rel")
        .await
        .unwrap();
    corp.rename(&operator(), "corp/rel", "corp/moved")
        .await
        .unwrap();
}

#[tokio::test]
async fn nothing_comes_by_a_name_to_where_it_could_not_be_pushed() {
    let corp = Corp::new().await;
    corp.house.repo("bob/mine").await;
    let id = corp
        .give(Give {
            repositories: some("prod prod-*"),
            tags: some("v*"),
            ..deny("user:bob", "developer")
        })
        .await;
    for from in ["corp/rel", "bob/mine"] {
        let refused = corp.rename(&corp.bob, from, "corp/prod-1").await;
        assert_eq!(code(refused), Code::Denied, "{from}");
    }
    corp.take(id).await;
    corp.rename(&corp.bob, "bob/mine", "corp/prod-1")
        .await
        .unwrap();
}

#[tokio::test]
async fn nobody_gets_a_right_by_moving_something_and_nobody_takes_out_what_they_may_not_delete() {
    let corp = Corp::new().await;
    corp.role(
        "namer",
        &[
            Action::RepositoryList,
            Action::RepositoryRename,
            Action::RepositoryRemove,
            Action::NamespaceCreateRepository,
        ],
    )
    .await;
    corp.role(
        "keeper",
        &[
            Action::RepositoryList,
            Action::RepositoryPull,
            Action::RepositoryPush,
            Action::RepositoryDelete,
            Action::RepositoryUpdate,
            Action::RepositorySettings,
            Action::RepositoryRename,
            Action::TagCreate,
            Action::TagDelete,
            Action::ScanRead,
            Action::ScanStart,
            Action::NamespaceCreateRepository,
        ],
    )
    .await;
    let dora = corp.house.user("dora").await;
    let as_role = async |role: &str, repositories: Option<String>| {
        let give = Give {
            subject: "user:dora".to_owned(),
            role: role.to_owned(),
            repositories,
            ..Give::default()
        };
        corp.give(give).await
    };
    let namer = as_role("namer", None).await;
    let reader = as_role("reader", some("open-*")).await;
    for to in ["dora/rel", "corp/open-rel"] {
        let refused = corp.rename(&dora, "corp/rel", to).await.unwrap_err();
        assert_eq!(refused.code(), Code::Denied, "{to}");
        assert!(refused.public().contains("would have it there"), "{to}");
    }
    corp.rename(&dora, "corp/rel", "corp/rel2").await.unwrap();
    corp.take(namer).await;
    corp.take(reader).await;
    as_role("keeper", None).await;
    let refused = corp.rename(&dora, "corp/rel2", "dora/rel").await;
    let said = refused.unwrap_err().public().to_owned();
    assert!(said.contains("repository:remove"), "{said}");
    corp.rename(&dora, "corp/rel2", "corp/rel").await.unwrap();
}

#[tokio::test]
async fn groups_and_whole_namespaces_are_kept_like_repositories() {
    let corp = Corp::new().await;
    let hub = &corp.house.hub;
    let web = hub.group_create(&corp.ann, corp.home, "web").await.unwrap();
    corp.house.repo("corp/web/deep/api").await;
    let owner = Give {
        subject: "user:bob".to_owned(),
        role: "owner".to_owned(),
        ..Give::default()
    };
    hub.binding_give(&operator(), &Object::Namespace(web), owner)
        .await
        .unwrap();
    for subject in ["user:bob", "user:carl"] {
        let id = corp
            .give(Give {
                repositories: some("web/**"),
                tags: some("v*"),
                ..deny(subject, "developer")
            })
            .await;
        let renamed = hub.namespace_rename(&corp.bob, web, "site").await;
        assert_eq!(code(renamed), Code::Denied, "{subject}");
        for to in ["bob/web", "corp/site"] {
            let moved = hub.namespace_move(&corp.bob, web, to).await;
            assert_eq!(code(moved), Code::Denied, "{subject} {to}");
        }
        corp.take(id).await;
    }
    // Who may rename a group and not delete it leaves it where it is.
    corp.role("namer", &[Action::NamespaceRename, Action::NamespaceRead])
        .await;
    let dora = corp.house.user("dora").await;
    corp.give(Give {
        subject: "user:dora".to_owned(),
        role: "namer".to_owned(),
        ..Give::default()
    })
    .await;
    let moved = hub.namespace_move(&dora, web, "dora/web").await;
    assert_eq!(code(moved), Code::Denied);
    hub.namespace_rename(&dora, web, "site").await.unwrap();
    hub.namespace_move(&corp.bob, web, "bob/site")
        .await
        .unwrap();
    // Who manages people and not rights does not free anybody by an organisation's name.
    let all = Object::System;
    let manager = ActionSet::of(&[Action::UserManage, Action::UserList]);
    hub.role_set(&operator(), NamespaceId::EVERYWHERE, "people", manager, "")
        .await
        .unwrap();
    let people = Give {
        subject: "user:dora".to_owned(),
        role: "people".to_owned(),
        ..Give::default()
    };
    hub.binding_give(&operator(), &all, people).await.unwrap();
    let denial = Give {
        repositories: some("corp/**"),
        ..deny("user:carl", "developer")
    };
    let id = hub.binding_give(&operator(), &all, denial).await.unwrap();
    let renamed = hub.account_rename(&dora, None, "corp", "corp2").await;
    assert_eq!(code(renamed), Code::Denied);
    hub.binding_remove(&operator(), NamespaceId::EVERYWHERE, id)
        .await
        .unwrap();
    hub.account_rename(&dora, None, "corp", "corp2")
        .await
        .unwrap();
}

#[tokio::test]
async fn what_was_hidden_stays_hidden_where_it_goes() {
    let corp = Corp::new().await;
    let hub = &corp.house.hub;
    let open = corp.house.home("ann").await;
    hub.namespace_settings(&corp.ann, open, Some(Visibility::Public), None)
        .await
        .unwrap();
    let web = hub.group_create(&corp.ann, corp.home, "web").await.unwrap();
    corp.house.repo("corp/web/api").await;
    corp.rename(&corp.ann, "corp/rel", "ann/rel").await.unwrap();
    hub.namespace_move(&corp.ann, web, "ann/web").await.unwrap();
    let sees = async |repo: &str| {
        let pull = Action::RepositoryPull;
        let (bob, repo) = (&corp.bob, repo.to_owned());
        corp.house.may(bob, pull, &repo).await
    };
    assert!(!sees("ann/rel").await && !sees("ann/web/api").await);
    hub.repository_set(&corp.ann, &name("ann/rel"), Some(None), None)
        .await
        .unwrap();
    assert!(sees("ann/rel").await);
    corp.rename(&corp.ann, "ann/rel", "ann/rel2").await.unwrap();
    assert!(sees("ann/rel2").await, "a name is all that changed");
}

#[tokio::test]
async fn a_right_on_one_repository_goes_with_it_wherever_it_goes() {
    let corp = Corp::new().await;
    let hub = &corp.house.hub;
    let web = hub.group_create(&corp.ann, corp.home, "web").await.unwrap();
    corp.house.repo("corp/web/api").await;
    let dora = corp.house.user("dora").await;
    let give = Give {
        subject: "user:dora".to_owned(),
        role: "reader".to_owned(),
        repository: Some(name("corp/web/api")),
        ..Give::default()
    };
    corp.give(give).await;
    let pulls = async |repo: &str| {
        let (action, repo) = (Action::RepositoryPull, repo.to_owned());
        corp.house.may(&dora, action, &repo).await
    };
    assert!(pulls("corp/web/api").await);
    corp.rename(&corp.ann, "corp/web/api", "corp/web/api2")
        .await
        .unwrap();
    hub.namespace_move(&corp.ann, web, "ann/site")
        .await
        .unwrap();
    assert!(pulls("ann/site/api2").await);
    corp.rename(&corp.ann, "ann/site/api2", "corp/api")
        .await
        .unwrap();
    assert!(pulls("corp/api").await && pulls("corp/web/api").await);
}
