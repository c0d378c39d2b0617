//! The JSON API of a server with an index, over the wire.

use longshore_testkit::wire::{Ask, Login, Wire};
use serde_json::Value;

use super::harness::{Server, Start};
use super::index::{PASSWORD, basic, done, index};

/// Asks with these credentials, and reads the answer as JSON.
async fn ask(server: &Server, ask: Ask, authorization: &str) -> (u16, Value) {
    let ask = match authorization {
        "" => ask,
        _ => ask.header("authorization", authorization),
    };
    let mut client = Wire::new(server.address, Login::Nobody);
    let heard = client.ask(&ask).await.unwrap();
    let json = serde_json::from_slice(&heard.body).unwrap_or_default();
    (heard.status, json)
}

#[tokio::test]
async fn the_api_is_served_where_there_is_an_index_and_keeps_what_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let server = index(folder.path());
    done(
        folder.path(),
        &["user", "create", "ann", "--admin"],
        PASSWORD,
    );
    let ann = basic("ann", PASSWORD);
    let (status, json) = ask(&server, Ask::new("GET", "/api/v1/openapi.json"), "").await;
    assert_eq!((status, json["openapi"].as_str()), (200, Some("3.1.0")));
    let (status, json) = ask(&server, Ask::new("GET", "/api/v1/session"), &ann).await;
    assert_eq!((status, json["user"].as_str()), (200, Some("ann")));
    let new = Ask::new("POST", "/api/v1/users")
        .header("content-type", "application/json")
        .sized(r#"{"name":"bob"}"#);
    let (status, _) = ask(&server, new.clone(), "").await;
    assert_eq!(status, 401);
    let (status, json) = ask(&server, new, &ann).await;
    assert_eq!((status, json["name"].as_str()), (201, Some("bob")));
    let (status, json) = ask(&server, Ask::new("GET", "/api/v1/users"), &ann).await;
    assert_eq!(
        (status, json["items"][1]["name"].as_str()),
        (200, Some("bob"))
    );
    let (_, json) = ask(&server, Ask::new("GET", "/api/v1/audit?limit=1"), &ann).await;
    assert_eq!(json["items"][0]["actor_name"], "ann");
    assert_eq!(json["items"][0]["via"], "password");
    let mut client = Wire::new(server.address, Login::Nobody);
    let head = client
        .ask(&Ask::new("HEAD", "/api/v1/roles"))
        .await
        .unwrap();
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[tokio::test]
async fn without_an_index_there_is_no_api() {
    let folder = tempfile::tempdir().unwrap();
    let server = Start::over(folder.path()).run();
    let (status, _) = ask(&server, Ask::new("GET", "/api/v1/session"), "").await;
    assert_eq!(status, 404);
}
