//! The first administrator.

use serde_json::json;

use super::house::{House, basic, now};

const PASSWORD: &str = "correct horse battery";

#[tokio::test]
async fn the_first_administrator_is_made_by_the_printed_token_and_by_nothing_else() {
    let house = House::empty().await;
    let token = house.hub.setup_token(now()).await.unwrap().unwrap();
    let wanted = |token: &str| {
        let body = json!({
            "token": token, "name": "ada", "full_name": "Ada", "mail": "ada@example.org", "password": PASSWORD,
        });
        body.to_string()
    };
    let guess = format!("lsi_{}", "0".repeat(token.as_str().len() - 4));
    for wrong in ["", "x", "lsi_", "lsp_x", &guess] {
        let said = house.ask("", "POST", "/setup", &wanted(wrong)).await;
        assert_eq!(said.status, 401, "{wrong}: {said:?}");
    }
    for (field, value) in [
        ("password", json!("short")),
        ("name", json!("Upper")),
        ("administrator", json!(true)),
        ("mail", json!("no address")),
    ] {
        let mut body = json!({ "token": token.as_str(), "name": "ada", "password": PASSWORD });
        body[field] = value;
        let said = house.ask("", "POST", "/setup", &body.to_string()).await;
        assert_eq!(said.status, 400, "{field}: {said:?}");
    }
    let before = house.rows().await;
    let said = house
        .ask("", "POST", "/setup", &wanted(token.as_str()))
        .await;
    assert_eq!(
        (said.status, said.header("location")),
        (201, "/api/v1/users/ada"),
        "{said:?}"
    );
    let made = said.json();
    assert_eq!(
        (&made["name"], &made["full_name"]),
        (&json!("ada"), &json!("Ada"))
    );
    assert!(!String::from_utf8_lossy(&said.body).contains(PASSWORD));
    assert!(house.rows().await > before, "it is in the log");
    let again = house
        .ask("", "POST", "/setup", &wanted(token.as_str()))
        .await;
    assert_eq!(again.status, 401, "it works once");
    let ada = basic("ada", PASSWORD);
    assert_eq!(house.get(&ada, "/audit").await.status, 200);
    let bob = r#"{"name":"bob","password":"another horse"}"#;
    assert_eq!(house.ask(&ada, "POST", "/users", bob).await.status, 201);
}

#[tokio::test]
async fn an_address_tries_set_up_tokens_some_times_within_an_hour() {
    let house = House::empty().await;
    house.hub.setup_token(now()).await.unwrap();
    let body = json!({ "token": "lsi_x", "name": "ada", "password": PASSWORD }).to_string();
    let mut heard = Vec::new();
    for _ in 0..=longshore_hub::desk::ASKS {
        heard.push(house.ask("", "POST", "/setup", &body).await.status);
    }
    assert_eq!((heard.first(), heard.last()), (Some(&401), Some(&429)));
}

#[tokio::test]
async fn letters_that_wait_are_for_whoever_sees_the_system_and_none_is_sent_without_a_server() {
    let house = House::new().await;
    let to = r#"{"address":"x@example.org"}"#;
    for (who, sees, sends) in [
        ("", 401, 401),
        ("owner", 403, 403),
        ("auditor", 200, 403),
        ("ada", 200, 409),
    ] {
        assert_eq!(house.get(who, "/mail").await.status, sees, "{who}");
        let said = house.ask(who, "POST", "/mail/test", to).await;
        assert_eq!(said.status, sends, "{who}: {said:?}");
    }
}

#[tokio::test]
async fn which_passwords_are_taken_is_shown_and_said() {
    let house = House::empty().await;
    let shown = house.get("", "/sign-up").await.json();
    assert_eq!(shown["password_shortest"], 8);
    assert_eq!(shown["password_longest"], 1024);
    assert_eq!(shown["password_refused"], json!(["common", "name"]));

    let house = House::empty_with(|options| {
        options.passwords.min_length = 15;
        options.passwords.refuse_common = false;
    })
    .await;
    let shown = house.get("", "/sign-up").await.json();
    assert_eq!(shown["password_shortest"], 15);
    assert_eq!(shown["password_refused"], json!(["name"]));
    let token = house.hub.setup_token(now()).await.unwrap().unwrap();
    let choose = async |password: &str| {
        let body = json!({ "token": token.as_str(), "name": "ada", "password": password });
        house.ask("", "POST", "/setup", &body.to_string()).await
    };
    let short = choose("correct horse").await;
    assert_eq!(short.status, 400);
    let detail = short.json()["detail"].to_string();
    assert!(detail.contains("15 characters"), "{detail}");
    assert_eq!(choose("ada ada fifteen").await.status, 400);
    assert_eq!(choose(PASSWORD).await.status, 201);
}
