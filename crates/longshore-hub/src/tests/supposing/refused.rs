//! What cannot be supposed, since it cannot be made.

use super::*;

#[tokio::test]
async fn what_cannot_be_made_is_not_supposed() {
    let town = Town::new().await;
    let (hub, acme) = (&town.house.hub, Object::Namespace(town.acme));
    let web = hub
        .group_create(&operator(), town.acme, "web")
        .await
        .unwrap();
    let (web, app) = (Object::Namespace(web), town.at("acme/app").await);
    let tag = Object::Tag("acme/app".parse().unwrap(), "v1".parse().unwrap());
    let role = |at: &Object, name: &str| RoleSaid {
        at: at.clone(),
        name: name.to_owned(),
        actions: ActionSet::of(&[Action::RepositoryPull]),
    };
    let with = |at: &Object, change: fn(&mut Give)| {
        let mut give = give("user:nobody", "reader");
        change(&mut give);
        Suppositions {
            with: vec![(at.clone(), give)],
            ..plain()
        }
    };
    let seen = |list: &[(&Object, Option<Visibility>)]| Suppositions {
        visibility: list
            .iter()
            .map(|(at, word)| (Object::clone(at), *word))
            .collect(),
        ..plain()
    };
    let (public, private) = (Some(Visibility::Public), Some(Visibility::Private));
    for (changes, code, words) in [
        (
            seen(&[(&web, public)]),
            Code::ConditionFailed,
            "`acme` is private",
        ),
        (
            seen(&[(&app, public)]),
            Code::ConditionFailed,
            "`acme` is private",
        ),
        (
            seen(&[(&acme, None)]),
            Code::QueryInvalid,
            "as its namespace says",
        ),
        (
            seen(&[(&Object::System, public)]),
            Code::QueryInvalid,
            "none of these",
        ),
        (
            seen(&[(&tag, public)]),
            Code::QueryInvalid,
            "name the repository",
        ),
        (
            seen(&[(&acme, public), (&acme, private)]),
            Code::QueryInvalid,
            "twice",
        ),
        (
            Suppositions {
                read_only: vec![(app.clone(), true), (app.clone(), false)],
                ..plain()
            },
            Code::QueryInvalid,
            "twice",
        ),
        (
            Suppositions {
                roles: vec![role(&Object::System, "reader")],
                ..plain()
            },
            Code::ConditionFailed,
            "is built in",
        ),
        (
            Suppositions {
                roles: vec![role(&app, "x")],
                ..plain()
            },
            Code::QueryInvalid,
            "at a namespace",
        ),
        (with(&app, |_| ()), Code::QueryInvalid, "at a namespace"),
        (
            with(&acme, |give| give.tags = Some("a b/".to_owned())),
            Code::NameInvalid,
            "",
        ),
        (
            with(&acme, |give| give.networks = Some("x".to_owned())),
            Code::NameInvalid,
            "network",
        ),
        (
            with(&acme, |give| give.expires = Some(NOW - 1)),
            Code::QueryInvalid,
            "ended",
        ),
        (
            with(&acme, |give| give.subject = "user:gone".to_owned()),
            Code::NameUnknown,
            "user `gone`",
        ),
        (
            with(&acme, |give| give.role = "gone".to_owned()),
            Code::NameUnknown,
            "role `gone`",
        ),
        (
            Suppositions {
                joins: vec!["acme/devs".to_owned()],
                ..plain()
            },
            Code::QueryInvalid,
            "is written",
        ),
        (
            Suppositions {
                leaves: vec!["user:eve".to_owned()],
                ..plain()
            },
            Code::QueryInvalid,
            "is written",
        ),
    ] {
        let found = town.said("operator", &changes).await;
        assert_eq!(found.0, code, "{changes:?}");
        assert!(found.1.contains(words), "{}", found.1);
    }
    // A repository elsewhere is none there, whoever it is of.
    let mut alone = give("user:nobody", "reader");
    alone.repository = Some("other/app".parse().unwrap());
    let found = Suppositions {
        with: vec![(acme.clone(), alone)],
        ..plain()
    };
    assert_eq!(
        town.said("operator", &found).await.1,
        "there is no such repository"
    );
    assert!(
        town.house
            .rows()
            .await
            .iter()
            .all(|row| !row.entry.detail.contains("suppose"))
    );
}
