//! What is supposed comes true as it was answered, and nothing is learnt by supposing that could not be seen.

use futures_util::future::BoxFuture;
use longshore_auth::rights::Explanation;
use longshore_core::Error;

use super::*;
use crate::views::RoleSaid;

mod hidden;
mod names;
mod refused;
mod told;

/// `acme` with its owner, a maintainer, a developer and a reader, and the team `devs`; `other` with the team `secret`, which nobody
/// here has to do with but its owner.
struct Town {
    house: House,
    acme: NamespaceId,
    people: Vec<(&'static str, Caller)>,
}

impl Town {
    async fn new() -> Self {
        let house = House::new().await;
        let mut people = Vec::new();
        for name in [
            "owner",
            "maintainer",
            "developer",
            "reader",
            "nobody",
            "eve",
        ] {
            people.push((name, house.user(name).await));
        }
        for (org, team, owner) in [("acme", "devs", "owner"), ("other", "secret", "eve")] {
            let new = NewAccount {
                owner: owner.to_owned(),
                ..account(org)
            };
            house
                .hub
                .organisation_create(&operator(), new)
                .await
                .unwrap();
            let home = house.home(org).await;
            let by = operator();
            let made = house.hub.team_create(&by, home, account(team)).await;
            made.unwrap();
            house.repo(&format!("{org}/app")).await;
        }
        let acme = house.home("acme").await;
        for (subject, role) in [
            ("user:maintainer", "maintainer"),
            ("user:developer", "developer"),
            ("user:reader", "reader"),
            ("team:acme/devs", "developer"),
        ] {
            let place = Object::Namespace(acme);
            let by = operator();
            let given = house.hub.binding_give(&by, &place, give(subject, role));
            given.await.unwrap();
        }
        Self {
            house,
            acme,
            people,
        }
    }

    fn by(&self, name: &str) -> &Caller {
        &self.people.iter().find(|it| it.0 == name).unwrap().1
    }

    async fn asked(
        &self,
        (by, whom): (&str, &str),
        (action, about): (Action, &str),
        changes: &Suppositions,
    ) -> Result<Explanation> {
        let about = self.at(about).await;
        let whom = match whom {
            "" => Whom::Myself,
            "anonymous" => Whom::Stranger,
            whom => Whom::Somebody(whom.to_owned()),
        };
        let operator = operator();
        let by = match by {
            "operator" => &operator,
            by => self.by(by),
        };
        self.house
            .hub
            .supposing(by, &whom, (action, &about), changes)
            .await
    }

    async fn said(&self, by: &str, changes: &Suppositions) -> (Code, String) {
        let pull = (Action::RepositoryPull, "acme/app");
        said(
            &self
                .asked((by, "user:nobody"), pull, changes)
                .await
                .unwrap_err(),
        )
    }

    /// `system`, `acme/` or `acme/app`.
    async fn at(&self, text: &str) -> Object {
        match text.strip_suffix('/') {
            Some(path) => self.house.hub.place(&operator(), path).await.unwrap(),
            None if text == "system" => Object::System,
            None => Object::Repository(text.parse().unwrap()),
        }
    }

    /// What everybody is answered about everything.
    async fn answers(&self, changes: &Suppositions, of: &str) -> Vec<(String, bool, Vec<String>)> {
        let mut answers = Vec::new();
        let subjects = match of {
            // Who comes and goes is who is asked about.
            "" => vec!["nobody", "developer", "reader", "anonymous", "acme+ci"],
            of => vec![of],
        };
        for whom in subjects {
            for about in [
                "acme/",
                "acme/app",
                "acme/web/api",
                "acme/web/new",
                "system",
            ] {
                for action in [
                    Action::RepositoryPull,
                    Action::RepositoryPush,
                    Action::NamespaceRead,
                    Action::RepositoryDelete,
                ] {
                    let found = self
                        .asked(("operator", whom), (action, about), changes)
                        .await;
                    let found = found.unwrap();
                    let about = format!("{whom} {action} {about}");
                    answers.push((about, found.allowed, found.tags));
                }
            }
        }
        answers
    }
}

fn said(error: &Error) -> (Code, String) {
    (error.code(), error.public().to_owned())
}

fn give(subject: &str, role: &str) -> Give {
    Give {
        subject: subject.to_owned(),
        role: role.to_owned(),
        ..Give::default()
    }
}

fn plain() -> Suppositions {
    Suppositions::default()
}

#[tokio::test]
async fn what_is_supposed_comes_true_as_it_was_answered() {
    let town = Town::new().await;
    let (hub, by, acme) = (&town.house.hub, &operator(), town.acme);
    let web = hub.group_create(by, acme, "web").await.unwrap();
    town.house.repo("acme/web/api").await;
    let new = crate::robots::NewRobot {
        name: "acme+ci".to_owned(),
        ..Default::default()
    };
    hub.robot_create(town.by("owner"), new).await.unwrap();
    let (at, in_web) = (Object::Namespace(acme), Object::Namespace(web));
    let pulls = ActionSet::of(&[Action::RepositoryList, Action::RepositoryPull]);
    let pushes = pulls
        .with(Action::RepositoryPush)
        .with(Action::NamespaceCreateRepository);
    let mut all = town.answers(&plain(), "").await;
    let mut turned = 0;
    let mut holds = async |changes: &Suppositions, of: &str, made: BoxFuture<'_, Result<()>>| {
        let then = town.answers(changes, of).await;
        made.await.unwrap();
        assert_eq!(then, town.answers(&plain(), of).await, "{changes:?}");
        let now = town.answers(&plain(), "").await;
        turned += usize::from(now != all);
        all = now;
    };

    let mut tagged = give("robot:acme+ci", "puller");
    tagged.tags = Some("v*".to_owned());
    let changes = Suppositions {
        roles: vec![RoleSaid {
            at: at.clone(),
            name: "puller".to_owned(),
            actions: pulls,
        }],
        with: vec![
            (in_web.clone(), tagged.clone()),
            (at.clone(), give("user:nobody", "puller")),
        ],
        ..plain()
    };
    let made = async {
        hub.role_set(by, acme, "puller", pulls, "").await?;
        hub.binding_give(by, &in_web, tagged.clone()).await?;
        hub.binding_give(by, &at, give("user:nobody", "puller"))
            .await
            .map(drop)
    };
    holds(&changes, "", Box::pin(made)).await;

    let changes = Suppositions {
        roles: vec![RoleSaid {
            at: at.clone(),
            name: "puller".to_owned(),
            actions: pushes,
        }],
        ..plain()
    };
    let made = async { hub.role_set(by, acme, "puller", pushes, "").await.map(drop) };
    holds(&changes, "", Box::pin(made)).await;

    let changes = Suppositions {
        joins: vec!["team:acme/devs".to_owned()],
        ..plain()
    };
    let made = hub.member_set(by, acme, Some("devs"), "nobody", true);
    holds(&changes, "nobody", Box::pin(made)).await;

    let changes = Suppositions {
        leaves: vec!["organisation:acme".to_owned()],
        ..plain()
    };
    let made = hub.member_set(by, acme, None, "nobody", false);
    holds(&changes, "nobody", Box::pin(made)).await;

    let seen = (Some(Visibility::Public), Some(Visibility::Internal));
    let changes = Suppositions {
        // In any order.
        visibility: vec![(in_web.clone(), seen.1), (at.clone(), seen.0)],
        ..plain()
    };
    let made = async {
        hub.namespace_settings(by, acme, seen.0, None).await?;
        hub.namespace_settings(by, web, seen.1, None).await
    };
    holds(&changes, "", Box::pin(made)).await;

    let (app, none) = ("acme/app".parse().unwrap(), Some(Visibility::Private));
    let changes = Suppositions {
        visibility: vec![(Object::Repository("acme/app".parse().unwrap()), none)],
        read_only: vec![(in_web.clone(), true)],
        ..plain()
    };
    let made = async {
        hub.repository_set(by, &app, Some(none), None).await?;
        hub.namespace_settings(by, web, None, Some(true)).await
    };
    holds(&changes, "", Box::pin(made)).await;

    let rows = hub.binding_list(acme, 0, 100).await.unwrap();
    let id = rows
        .iter()
        .find(|row| row.subject == town.by("developer").who.id().into());
    let id = id.unwrap().id;
    let mut denied = give("everybody", "developer");
    denied.deny = true;
    denied.repository = Some("acme/app".parse().unwrap());
    let changes = Suppositions {
        without: vec![id],
        with: vec![(Object::System, denied.clone())],
        read_only: vec![(Object::System, true), (in_web.clone(), false)],
        ..plain()
    };
    let made = async {
        hub.binding_remove(by, acme, id).await?;
        hub.binding_give(by, &Object::System, denied.clone())
            .await?;
        hub.namespace_settings(by, web, None, Some(false)).await?;
        hub.read_only_set(by, true).await
    };
    holds(&changes, "", Box::pin(made)).await;
    assert_eq!(turned, 7, "each of them changes an answer");
}
