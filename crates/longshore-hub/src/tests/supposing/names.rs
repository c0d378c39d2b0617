//! By which names somebody is asked about, and what is not there.

use super::*;

#[tokio::test]
async fn somebody_is_asked_about_as_they_log_in_and_what_became_of_a_name_is_said_to_who_sees_all()
{
    let town = Town::new().await;
    let hub = &town.house.hub;
    for name in ["acme+ci", "robot+ci"] {
        let new = crate::robots::NewRobot {
            name: name.to_owned(),
            ..Default::default()
        };
        hub.robot_create(&operator(), new).await.unwrap();
    }
    let pull = (Action::RepositoryPull, &town.at("acme/app").await);
    let asked = async |by: &Caller, text: &str| {
        let whom = Whom::Somebody(text.to_owned());
        let found = hub.explain(by, &whom, pull).await;
        found.map(|it| it.allowed).map_err(|error| said(&error))
    };
    let (owner, admin) = (town.by("owner"), &operator());
    for (text, allowed) in [
        ("reader", true),
        ("user:reader", true),
        ("acme", false),
        ("acme/devs", true),
        ("acme+ci", false),
        ("robot:acme+ci", false),
        ("robot+ci", false),
    ] {
        assert_eq!(asked(owner, text).await, Ok(allowed), "{text}");
    }
    for text in ["gone", "acme+gone", "gone+ci", "robot+gone", "acme/gone"] {
        let (code, _) = asked(owner, text).await.unwrap_err();
        assert_eq!(code, Code::NameUnknown, "{text}");
        // Nobody hears of it who sees no rights there.
        let (reader, nobody) = (town.by("reader"), town.by("nobody"));
        for by in [reader, nobody] {
            assert_eq!(
                asked(by, text).await,
                asked(by, "user:reader").await,
                "{text}"
            );
        }
    }
    for text in ["everybody", "gone:x", ""] {
        let (code, words) = asked(owner, text).await.unwrap_err();
        let want = if text.is_empty() {
            Code::NameUnknown
        } else {
            Code::QueryInvalid
        };
        assert_eq!(code, want, "{text}: {words}");
    }
    hub.account_rename(admin, None, "reader", "writer")
        .await
        .unwrap();
    hub.account_rename(admin, None, "other", "others")
        .await
        .unwrap();
    hub.account_delete(admin, None, "nobody").await.unwrap();
    for (text, words) in [
        ("reader", "`reader` is called `writer` now"),
        ("user:reader", "`reader` is called `writer` now"),
        ("other+ci", "`other` is called `others` now"),
        ("other/secret", "`other` is called `others` now"),
        ("nobody", "nobody is called `nobody` any more"),
    ] {
        let (code, told) = asked(admin, text).await.unwrap_err();
        assert_eq!(code, Code::NameUnknown);
        assert!(told.contains(words), "{told}");
        let (_, told) = asked(owner, text).await.unwrap_err();
        assert!(told.starts_with("there is no such "), "{told}");
    }
}

#[tokio::test]
async fn of_a_repository_that_is_not_there_others_are_asked_about_by_who_could_make_it() {
    let town = Town::new().await;
    let hub = &town.house.hub;
    let (push, absent) = (Action::RepositoryPush, town.at("acme/absent").await);
    let whom = Whom::Somebody("developer".to_owned());
    let ask = async |by: &Caller, about: &Object| hub.explain(by, &whom, (push, about)).await;
    for by in [&operator(), town.by("owner"), town.by("maintainer")] {
        let found = ask(by, &absent).await.unwrap();
        assert!(found.allowed && found.absent, "{}", found.reason);
        assert!(
            found.reason.ends_with("and a push makes it"),
            "{}",
            found.reason
        );
    }
    // Who sees the rights and could not make it is answered as about one that is hidden.
    let auditor = town.house.user("auditor").await;
    let everywhere = Object::System;
    let sees = give("user:auditor", "auditor");
    hub.binding_give(&operator(), &everywhere, sees)
        .await
        .unwrap();
    let there = town.at("acme/app").await;
    assert!(ask(&auditor, &there).await.is_ok());
    for by in [&auditor, town.by("developer"), town.by("nobody")] {
        let found = ask(by, &absent).await.unwrap_err();
        assert_eq!(said(&found), said(&crate::names::hidden()));
    }
    // What is read-only now is there to be asked about all the same.
    hub.read_only_set(&operator(), true).await.unwrap();
    let found = ask(town.by("owner"), &absent).await.unwrap();
    assert!(
        !found.allowed && found.reason.contains("read-only"),
        "{}",
        found.reason
    );
}
