//! Sessions of browsers: seen and ended by their owner with a password, and by whoever manages users.

use std::net::{IpAddr, Ipv4Addr};

use longshore_hub::{Caller, NewPassword};

use super::house::{House, basic, now};

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one_and_all_at_once() {
    let house = House::new().await;
    let index = house.hub.index();
    let bearer = format!("Bearer {}", house.secret("reader", None).await);
    let known = index.by_any_header([bearer.as_bytes()], PEER, now()).await;
    let known = known.unwrap().unwrap();
    let mut sessions = Vec::new();
    for agent in ["one", "two", "three"] {
        let session = index.session_begin(&known, agent, now()).await.unwrap();
        sessions.push(session.as_str().to_owned());
    }
    let holds = async |at: usize| {
        let session = sessions[at].as_bytes();
        index.by_session(session, PEER, now()).await.is_ok()
    };
    let list = house
        .get("ada", "/users/reader/sessions?limit=2")
        .await
        .json();
    let items = list["items"].as_array().unwrap();
    assert_eq!((items.len(), items[0]["agent"].as_str()), (2, Some("one")));
    let next = format!(
        "/users/reader/sessions?cursor={}",
        list["next"].as_str().unwrap()
    );
    let rest = house.get("ada", &next).await.json();
    assert_eq!(rest["items"][0]["agent"], "three");
    assert!(rest["next"].is_null());
    let shown = list.to_string() + &rest.to_string();
    assert!(!shown.contains("lss_"), "the secret is shown to nobody");
    let first = format!("/users/reader/sessions/{}", items[0]["id"]);
    // A token of their own is not enough, nor is anybody else's.
    for who in ["reader", "owner", "auditor", "nobody"] {
        assert_eq!(
            house.ask(who, "DELETE", &first, "").await.status,
            403,
            "{who}"
        );
        assert_eq!(
            house.get(who, "/users/reader/sessions").await.status,
            403,
            "{who}"
        );
    }
    let other = first.replace("reader", "owner");
    assert_eq!(
        house.ask("ada", "DELETE", &other, "").await.status,
        404,
        "it is not theirs"
    );
    assert!(holds(0).await);
    assert_eq!(house.ask("ada", "DELETE", &first, "").await.status, 204);
    assert_eq!(house.ask("ada", "DELETE", &first, "").await.status, 404);
    assert!(!holds(0).await && holds(1).await);
    let all = "/users/reader/sessions";
    assert_eq!(house.ask("ada", "DELETE", all, "").await.status, 204);
    assert!(!holds(1).await && !holds(2).await);
}

#[tokio::test]
async fn a_user_is_shown_with_when_they_last_logged_in_by_password() {
    let house = House::new().await;
    let password = NewPassword::plain("correct horse");
    let by = Caller::operator(1, now());
    house
        .hub
        .password_set(&by, "reader", password)
        .await
        .unwrap();
    let seen = async || {
        house.hub.index().seen_write().await;
        house.get("ada", "/users/reader").await.json()["seen"].clone()
    };
    let wrong = house.get(&basic("reader", "wrong"), "/session").await;
    assert_eq!((wrong.status, seen().await), (401, serde_json::Value::Null));
    let right = basic("reader", "correct horse");
    assert_eq!(house.get(&right, "/session").await.status, 200);
    assert_eq!(seen().await, "2027-01-15T08:00:00Z");
}

#[tokio::test]
async fn people_change_their_name_and_leave_with_their_password() {
    let house = House::new().await;
    let by = Caller::operator(1, now());
    for name in ["ada", "reader"] {
        let password = NewPassword::plain("correct horse");
        house.hub.password_set(&by, name, password).await.unwrap();
    }
    let reader = &basic("reader", "correct horse");
    let name = r#"{"full_name":"R. Eader"}"#;
    for (who, body, status) in [
        ("", name, 401),
        ("reader", name, 403),
        (reader, "{}", 400),
        (reader, r#"{"full_name":"x","mail":"x@example.org"}"#, 400),
        (reader, name, 204),
    ] {
        let said = house.ask(who, "PATCH", "/session", body).await;
        assert_eq!(said.status, status, "{who} {body} {said:?}");
    }
    let shown = house.get("ada", "/users/reader").await.json();
    assert_eq!(shown["full_name"], "R. Eader");

    let leave = "/session/deactivate";
    let right = r#"{"password":"correct horse"}"#;
    let ada = &basic("ada", "correct horse");
    for (who, body, status) in [
        ("", right, 401),
        ("reader", right, 403),
        (reader, r#"{"password":"wrong horse"}"#, 401),
        (ada, right, 409),
        (reader, right, 204),
        (reader, right, 401),
    ] {
        let said = house.ask(who, "POST", leave, body).await;
        assert_eq!(said.status, status, "{who} {body} {said:?}");
    }
    assert_eq!(house.get("reader", "/session").await.status, 401);
    let shown = house.get("ada", "/users/reader").await.json();
    assert_eq!(shown["state"], "disabled");
}
