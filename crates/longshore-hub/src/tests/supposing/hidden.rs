//! What is not learnt by supposing.

use super::*;

/// Each way to name something at `org`, and the team or the role called `name` there.
async fn ways(town: &Town, org: &str, name: &str) -> Vec<Suppositions> {
    let at = town.at(&format!("{org}/")).await;
    let repo = town.at(&format!("{org}/{name}")).await;
    let mut alone = give("user:nobody", "reader");
    alone.repository = Some(format!("{org}/{name}").parse().unwrap());
    let acme = Object::Namespace(town.acme);
    vec![
        Suppositions {
            joins: vec![format!("team:{org}/{name}")],
            ..plain()
        },
        Suppositions {
            leaves: vec![format!("team:{org}/{name}")],
            ..plain()
        },
        Suppositions {
            joins: vec![format!("organisation:{org}")],
            ..plain()
        },
        Suppositions {
            with: vec![(at.clone(), give("user:nobody", name))],
            ..plain()
        },
        Suppositions {
            with: vec![(acme, alone)],
            ..plain()
        },
        Suppositions {
            roles: vec![RoleSaid {
                at: at.clone(),
                name: name.to_owned(),
                actions: ActionSet::NONE,
            }],
            ..plain()
        },
        Suppositions {
            visibility: vec![(at.clone(), Some(Visibility::Public))],
            ..plain()
        },
        Suppositions {
            visibility: vec![(repo.clone(), None)],
            ..plain()
        },
        Suppositions {
            read_only: vec![(at, true)],
            ..plain()
        },
        Suppositions {
            read_only: vec![(repo, true)],
            ..plain()
        },
    ]
}

#[tokio::test]
async fn what_is_hidden_and_what_is_not_there_are_supposed_with_the_same_words() {
    let town = Town::new().await;
    let hub = &town.house.hub;
    let other = town.house.home("other").await;
    for (name, home) in [("secret", other), ("special", town.acme)] {
        let pull = ActionSet::of(&[Action::RepositoryPull]);
        hub.role_set(&operator(), home, name, pull, "")
            .await
            .unwrap();
    }
    town.house.repo("other/secret").await;
    for by in ["owner", "maintainer"] {
        let hidden = ways(&town, "other", "secret").await;
        let absent = ways(&town, "nowhere", "absent").await;
        for (hidden, absent) in hidden.iter().zip(&absent) {
            let found = town.said(by, hidden).await;
            assert_eq!(found, town.said(by, absent).await, "{hidden:?}");
            assert_eq!(found.0, Code::NameUnknown);
        }
    }
    // That there is an organisation is known when its namespace is public; its teams and roles are not.
    hub.namespace_settings(&operator(), other, Some(Visibility::Public), None)
        .await
        .unwrap();
    let hidden = ways(&town, "other", "secret").await;
    let absent = ways(&town, "other", "absent").await;
    for (hidden, absent) in hidden.iter().zip(&absent).take(6) {
        assert_eq!(
            town.said("owner", hidden).await,
            town.said("owner", absent).await,
            "{hidden:?}"
        );
    }
    // A repository that is denied to whoever asks is none, also in a namespace whose rights they see.
    town.house.repo("acme/denied").await;
    let mut denial = give("user:maintainer", "maintainer");
    (denial.deny, denial.repository) = (true, Some("acme/denied".parse().unwrap()));
    let acme = Object::Namespace(town.acme);
    hub.binding_give(&operator(), &acme, denial).await.unwrap();
    let hidden = ways(&town, "acme", "denied").await;
    let absent = ways(&town, "acme", "absent").await;
    for at in [4, 7, 9] {
        assert_eq!(
            town.said("maintainer", &hidden[at]).await,
            town.said("maintainer", &absent[at]).await,
            "{:?}",
            hidden[at]
        );
    }
    // Whoever sees them hears what is wrong.
    let missing = town.said("owner", &absent[0]).await.1;
    assert_eq!(missing, "there is no such team");
    let missing = town.said("owner", &absent[5]).await.1;
    assert_eq!(missing, "there is no such role `absent`");
}

#[tokio::test]
async fn nobody_supposes_themselves_into_what_they_may_not_see() {
    let town = Town::new().await;
    let pull = (Action::RepositoryPull, "acme/app");
    let allowed = async |by: &str, whom: &str, about, changes: &Suppositions| {
        let found = town.asked((by, whom), about, changes).await;
        found.map(|it| it.allowed).map_err(|error| error.code())
    };
    let joins = |name: &str| Suppositions {
        joins: vec![name.to_owned()],
        ..plain()
    };
    // In their own namespace everybody sees the rights, and still not who is in a foreign team and what that has there.
    let own = (Action::RepositoryPull, "eve/app");
    let eves = Object::Namespace(town.house.home("eve").await);
    let eve = town.by("eve");
    town.house.repo("eve/app").await;
    let hub = &town.house.hub;
    let given = give("team:acme/devs", "reader");
    let refused = hub.binding_give(eve, &eves, given.clone()).await;
    assert_eq!(refused.unwrap_err().code(), Code::NameUnknown);
    hub.binding_give(&operator(), &eves, given).await.unwrap();
    assert_eq!(
        allowed("eve", "", own, &joins("team:acme/devs")).await,
        Err(Code::NameUnknown)
    );
    let found = allowed("eve", "user:nobody", own, &joins("team:acme/devs")).await;
    assert_eq!(found, Err(Code::NameUnknown));
    assert_eq!(
        allowed("eve", "user:nobody", own, &joins("team:other/secret")).await,
        Ok(false)
    );
    // Who sees the members and no rights hears nothing either.
    let found = allowed("developer", "", pull, &joins("team:acme/devs")).await;
    assert_eq!(found, Err(Code::Denied));
    assert_eq!(
        allowed("maintainer", "user:nobody", pull, &joins("team:acme/devs")).await,
        Ok(true)
    );
    for whom in ["anonymous", "robot:acme+ci", "team:acme/devs"] {
        let found = allowed("operator", whom, pull, &joins("team:acme/devs")).await;
        let want = if whom.starts_with("robot") {
            Code::NameUnknown
        } else {
            Code::ConditionFailed
        };
        assert_eq!(found, Err(want), "{whom}");
    }
    // That they have less they may suppose of themselves, and more by nothing.
    let rows = hub.binding_list(town.acme, 0, 100).await.unwrap();
    let of = |name: &str| {
        let subject = town.by(name).who.id().into();
        rows.iter().find(|row| row.subject == subject).unwrap().id
    };
    let without = |id| Suppositions {
        without: vec![id],
        ..plain()
    };
    assert_eq!(allowed("reader", "", pull, &plain()).await, Ok(true));
    assert_eq!(
        allowed("reader", "", pull, &without(of("reader"))).await,
        Ok(false)
    );
    assert_eq!(
        allowed("reader", "", pull, &without(of("developer"))).await,
        Ok(true)
    );
    let found = allowed("reader", "user:reader", pull, &without(of("reader"))).await;
    assert_eq!(found, Err(Code::Denied));
    for about in ["acme/app", "acme/absent", "nowhere/app"] {
        let less = without(of("reader"));
        let found = town.asked(("nobody", ""), (pull.0, about), &less);
        assert_eq!(
            said(&found.await.unwrap_err()),
            said(&crate::names::hidden()),
            "{about}"
        );
    }
    // A denial that is supposed away opens nothing to whom it hides the place.
    let mut denial = give("user:reader", "reader");
    denial.deny = true;
    let acme = Object::Namespace(town.acme);
    let id = hub.binding_give(&operator(), &acme, denial).await.unwrap();
    assert_eq!(
        allowed("reader", "", pull, &without(id)).await,
        Err(Code::NameUnknown)
    );
    assert_eq!(
        allowed("owner", "reader", pull, &without(id)).await,
        Ok(true)
    );
}
