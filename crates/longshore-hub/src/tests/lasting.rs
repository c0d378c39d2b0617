//! What one has for a time, from somewhere, or not on everything one gives on no further.

use super::carried::{Corp, deny, name};
use super::*;

/// When the tests are, in microseconds.
fn later(hours: u64) -> Option<i64> {
    let then = now() + Duration::from_hours(hours);
    let since = then.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_micros()).ok()
}

fn to(subject: &str, role: &str) -> Give {
    Give {
        subject: subject.to_owned(),
        role: role.to_owned(),
        ..Give::default()
    }
}

async fn gives(corp: &Corp, by: &Caller, give: Give) -> Result<i64> {
    let home = Object::Namespace(corp.home);
    corp.house.hub.binding_give(by, &home, give).await
}

const EVER: &str = r#"[{"days":["mon","tue","wed","thu","fri","sat","sun"],"from":"00:00","to":"24:00","offset":"+00:00"}]"#;

#[tokio::test]
async fn nobody_gives_for_longer_or_from_more_places_than_they_have_it() {
    let corp = Corp::new().await;
    let dora = corp.house.user("dora").await;
    let networks = || Some("127.0.0.0/8".to_owned());
    let hours = || Some(EVER.to_owned());
    // What dora has, what she may not give, and what she may.
    let until = Give {
        expires: later(10),
        ..to("user:dora", "owner")
    };
    let longer = Give {
        expires: later(11),
        ..to("user:dora", "owner")
    };
    let shorter = Give {
        expires: later(9),
        ..to("user:carl", "owner")
    };
    let near = Give {
        networks: networks(),
        ..to("user:dora", "owner")
    };
    let nearer = Give {
        expires: later(1),
        ..near.clone()
    };
    let wide = Give {
        networks: Some("0.0.0.0/0".to_owned()),
        ..to("user:dora", "owner")
    };
    let awake = Give {
        hours: hours(),
        ..to("user:dora", "owner")
    };
    let both = Give {
        networks: networks(),
        ..awake.clone()
    };
    for (has, no, yes) in [
        (&until, &longer, &shorter),
        (&near, &wide, &nearer),
        (&awake, &near, &both),
    ] {
        let id = corp.give(has.clone()).await;
        for give in [no, &to("user:dora", "owner"), &to("user:carl", "reader")] {
            let given = gives(&corp, &dora, give.clone()).await.unwrap_err();
            assert_eq!(given.code(), Code::Denied, "{has:?} {give:?}");
            assert!(given.public().contains("for a time"), "{given}");
        }
        let role = ActionSet::of(&[Action::RepositoryPull]);
        let hub = &corp.house.hub;
        let made = hub.role_set(&dora, corp.home, "mine", role, "").await;
        assert_eq!(code(made), Code::Denied);
        let given = gives(&corp, &dora, yes.clone()).await.unwrap();
        corp.take(given).await;
        corp.take(id).await;
    }
    // Somebody who has it always as well gives it always.
    corp.give(until).await;
    corp.give(to("user:dora", "owner")).await;
    gives(&corp, &dora, to("user:carl", "owner")).await.unwrap();
}

#[tokio::test]
async fn nobody_gives_on_all_what_is_denied_them_on_some() {
    let corp = Corp::new().await;
    let hub = &corp.house.hub;
    let (carl, web) = (&corp.carl, "corp/web/api");
    let group = hub.group_create(&corp.ann, corp.home, "web").await.unwrap();
    corp.house.repo(web).await;
    corp.give(to("user:carl", "owner")).await;
    let system = Object::System;
    let home = Object::Namespace(corp.home);
    let denied = || deny("user:carl", "developer");
    let denials = [
        (&Object::Namespace(group), denied()),
        (
            &home,
            Give {
                repository: Some(name(web)),
                ..denied()
            },
        ),
        (
            &home,
            Give {
                repositories: Some("web/*".to_owned()),
                ..denied()
            },
        ),
        (
            &home,
            Give {
                tags: Some("v*".to_owned()),
                ..denied()
            },
        ),
        (
            &home,
            Give {
                networks: Some("203.0.113.0/24".to_owned()),
                ..denied()
            },
        ),
        (
            &system,
            Give {
                repositories: Some("corp/web/**".to_owned()),
                ..denied()
            },
        ),
        (
            &system,
            Give {
                repositories: Some("co**".to_owned()),
                ..denied()
            },
        ),
        (
            &system,
            Give {
                repositories: Some("**/api".to_owned()),
                ..denied()
            },
        ),
    ];
    let teller = ActionSet::of(&[Action::MemberManage]);
    hub.role_set(&operator(), corp.home, "teller", teller, "")
        .await
        .unwrap();
    for (at, denial) in denials {
        let id = hub.binding_give(&operator(), at, denial.clone()).await;
        let given = gives(&corp, carl, to("user:bob", "reader")).await;
        assert_eq!(code(given), Code::Denied, "{at:?} {denial:?}");
        // What is not denied is given.
        let given = gives(&corp, carl, to("user:bob", "teller")).await.unwrap();
        corp.take(given).await;
        let place = crate::bindings::home_of(at);
        hub.binding_remove(&operator(), place, id.unwrap())
            .await
            .unwrap();
    }
    // What is denied elsewhere, and what is denied everybody, also whoever is given it, is no matter.
    let elsewhere = [
        (
            &system,
            Give {
                repositories: Some("corporation/**".to_owned()),
                ..denied()
            },
        ),
        (
            &system,
            Give {
                repositories: Some("corp".to_owned()),
                ..denied()
            },
        ),
        (
            &home,
            Give {
                repositories: Some("web/*".to_owned()),
                ..deny("everybody", "developer")
            },
        ),
    ];
    for (at, denial) in elsewhere {
        hub.binding_give(&operator(), at, denial).await.unwrap();
    }
    gives(&corp, carl, to("user:bob", "reader")).await.unwrap();
}
