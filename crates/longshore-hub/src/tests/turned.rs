use longshore_core::Origin;
use serde_json::{Value, json};

use super::*;
use crate::Turned;

fn turned(name: &str, repo: &str) -> Turned {
    Turned {
        name: name.into(),
        origin: Origin {
            way: Via::Password.way(0),
            address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        },
        action: Action::RepositoryPush,
        repo: repo.parse().unwrap(),
        what: None,
        request: (7, now()),
    }
}

/// Who was turned away from what, and how often.
async fn told(house: &House, from: usize) -> Vec<(String, String, String, Value)> {
    let rows = house.rows().await.into_iter().skip(from);
    rows.map(|row| {
        let it = row.entry;
        assert_eq!(it.result, "denied");
        let detail = serde_json::from_str(&it.detail).unwrap();
        (it.actor_name, it.origin, it.object, detail)
    })
    .collect()
}

#[tokio::test]
async fn nobody_fills_the_log_by_being_turned_away_from_pushes() {
    let house = House::new().await;
    house.user("bob").await;
    house.user("carol").await;
    let from = house.rows().await.len();
    let away = house.hub.turned_away();
    for nth in 0..5000 {
        away.note(turned("bob", &format!("alice/app{:03}", nth % 500)));
    }
    for _ in 0..3 {
        away.note(turned("carol", "alice/app"));
    }
    house.hub.turned_write(now()).await.unwrap();
    let all = told(&house, from).await;
    assert_eq!(all.len(), 22);
    let first = &all[0];
    assert_eq!(
        (first.0.as_str(), first.2.as_str()),
        ("bob", "alice/app000")
    );
    assert_eq!(first.3, json!({ "times": 10 }));
    let carol = all.iter().find(|row| row.0 == "carol").unwrap();
    assert_eq!(carol.3, json!({ "times": 3 }));
    let rest = all.last().unwrap();
    assert_eq!(rest.2, "several");
    assert_eq!(rest.3, json!({ "times": 4800 }));
    house.hub.turned_write(now()).await.unwrap();
    assert_eq!(told(&house, from).await.len(), 22, "each is told once");
}

#[tokio::test]
async fn failed_logins_have_few_rows_which_name_accounts_and_nothing_else_that_was_typed() {
    let house = House::new().await;
    house.user("bob").await;
    let from = house.rows().await.len();
    let fail = async |name: &str, last: u8| {
        let peer = IpAddr::V4(Ipv4Addr::new(192, 0, 2, last));
        // A token by its looks, so that no slow hash is made.
        let secret = format!("lsp_{name}").into_bytes().into();
        let index = house.hub.index();
        index.login(name, secret, peer, now()).await.unwrap_err();
    };
    for _ in 0..3 {
        fail("bob", 250).await;
    }
    for last in 0..60 {
        fail("my-secret-password", last).await;
        fail("another-password", last).await;
    }
    house.hub.turned_write(now()).await.unwrap();
    let all = told(&house, from).await;
    assert_eq!(all.len(), 21);
    let bob = (String::new(), "192.0.2.250".to_owned(), "bob".to_owned());
    let bob = (bob.0, bob.1, bob.2, json!({ "wrong": 3, "held_off": 0 }));
    assert_eq!(all[0], bob, "accounts come first");
    assert_eq!(all[1].2, "unknown name");
    assert_eq!(all[1].3, json!({ "wrong": 2, "held_off": 0, "names": 2 }));
    assert_eq!(all[20].2, "several");
    assert_eq!(all[20].3, json!({ "times": 82 }));
    assert!(!format!("{all:?}").contains("password"));
}
