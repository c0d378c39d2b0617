//! Robots of users on the running program: they log in, push and stop as their owner says.

use longshore_testkit::wire::Ask;
use serde_json::Value;

use super::harness::expect;
use super::index::{PASSWORD, basic, done, fails, index, json, status, token};
use super::names::push;

fn secret(made: &Value) -> &str {
    made["secret"].as_str().unwrap()
}

#[tokio::test]
async fn a_users_robot_logs_in_pushes_where_its_owner_may_and_stops_with_them() {
    let data = tempfile::tempdir().unwrap();
    let server = index(data.path());
    let data = data.path();
    done(data, &["user", "create", "ann"], PASSWORD);
    done(data, &["org", "create", "acme", "--owner", "ann"], "");
    // She makes it herself, and it may nothing in `acme`, although she may.
    let ann = basic("ann", PASSWORD);
    let ask = |grants: &str| {
        Ask::new("POST", "/api/v1/users/ann/robots")
            .header("content-type", "application/json")
            .header("authorization", &ann)
            .sized(format!(r#"{{"name":"ci","grants":[{grants}]}}"#))
    };
    let outside = ask(r#"{"role":"developer","namespace":"acme"}"#);
    expect(&mut server.client(), outside, 403).await;
    let own = ask(r#"{"role":"developer","namespace":"ann"}"#);
    let made = expect(&mut server.client(), own, 201).await;
    let made: Value = serde_json::from_slice(&made.body).unwrap();
    assert_eq!(made["user"], "ann+ci");
    let robot = basic("ann+ci", secret(&made));
    let both = "repository:ann/app:pull,push&scope=repository:acme/app:pull,push";
    let bearer = token(&server, &robot, both).await;
    // The token says nothing of `acme`, so another is asked for.
    for (who, refused) in [(&robot, 403), (&bearer, 401)] {
        assert_eq!(push(&server, "ann/app:1", who).await, 201);
        assert_eq!(push(&server, "acme/app:1", who).await, refused);
    }
    let why = done(data, &["explain", "ann+ci", "push", "ann/app"], "");
    assert!(why.starts_with("yes"), "{why}");
    let why = ["explain", "ann+ci", "push", "acme/app"];
    fails(data, &why, "", "");
    done(data, &["binding", "grant", "ann+ci", "reader", "acme"], "");
    let given = done(data, &["binding", "list", "acme"], "");
    assert!(given.contains("robot:ann+ci"), "{given}");
    let told = done(data, &["audit", "list"], "");
    assert!(told.contains("ann+ci"), "{told}");

    done(data, &["user", "disable", "ann"], "");
    for who in [&robot, &bearer] {
        assert_eq!(push(&server, "ann/app:2", who).await, 401, "at once");
    }
    done(data, &["user", "enable", "ann"], "");
    assert_eq!(push(&server, "ann/app:2", &robot).await, 201);
    assert_eq!(push(&server, "ann/app:2", &bearer).await, 401);
    done(data, &["user", "rename", "ann", "anna"], "");
    for name in ["ann+ci", "anna+ci"] {
        let who = basic(name, secret(&made));
        assert_eq!(push(&server, "anna/app:3", &who).await, 201, "{name}");
        let bearer = token(&server, &who, "repository:anna/app:pull,push").await;
        assert_eq!(push(&server, "anna/app:4", &bearer).await, 201, "{name}");
    }
    server.stop();
}

#[tokio::test]
async fn the_operator_changes_takes_over_and_deletes_robots() {
    let data = tempfile::tempdir().unwrap();
    let server = index(data.path());
    let data = data.path();
    for user in ["ann", "bob"] {
        done(data, &["user", "create", user], PASSWORD);
    }
    let create = ["robot", "create", "ann+ci", "--grant", "developer:ann"];
    json(data, &create, "");
    let rotated = json(data, &["robot", "rotate", "ann+ci"], "");
    let shown = json(data, &["robot", "show", "ann+ci"], "");
    assert_eq!(
        (&shown["name"], &shown["maker"]),
        (&"ann+ci".into(), &Value::Null)
    );
    assert_eq!(shown["secrets"].as_array().unwrap().len(), 2);
    let edit = ["robot", "edit", "ann+ci", "--description", "builds"];
    let said = done(data, &edit, "");
    assert!(said.contains("ann+ci  active  builds"), "{said}");
    let edited = json(data, &["robot", "edit", "ann+ci", "--expires", "30d"], "");
    assert!(edited["expires"].is_i64() && edited["description"] == "builds");
    let edited = json(data, &["robot", "edit", "ann+ci", "--expires", "never"], "");
    assert_eq!(edited["expires"], Value::Null);
    fails(data, &["robot", "edit", "ann+ci"], "", "required");
    // What is too long to be told is neither never nor a panic.
    for (command, said) in [
        ("robot create ann+late --expires 99999999999d", "9999"),
        ("robot edit ann+ci --expires 99999999999d", "9999"),
        ("token create ann --expires 99999999999d", "9999"),
        (
            "binding grant ann reader library --expires 99999999999d",
            "9999",
        ),
        (
            "trust create ann+ci --issuer https://ci.example --claim sub=x --expires 99999999999d",
            "9999",
        ),
        (
            "certificate create ann+ci --dns ci.example --expires 99999999999d",
            "9999",
        ),
        (
            "robot edit ann+ci --expires 999999999999999d",
            "longer one than can be told",
        ),
        (
            "user invite --mail zoe@example.com --days 999999999999999999",
            "1..=30",
        ),
    ] {
        let words: Vec<_> = command.split(' ').collect();
        fails(data, &words, "", said);
    }
    let kept = json(data, &["robot", "show", "ann+ci"], "");
    assert_eq!(kept["expires"], Value::Null);
    for of in ["--of", "--organisation"] {
        let listed = json(data, &["robot", "list", of, "ann"], "");
        assert_eq!(listed[0]["name"], "ann+ci");
    }

    // Bob makes one in her namespace, and goes.
    done(data, &["binding", "grant", "bob", "maintainer", "ann"], "");
    let ask = Ask::new("POST", "/api/v1/users/ann/robots")
        .header("content-type", "application/json")
        .header("authorization", basic("bob", PASSWORD))
        .sized(r#"{"name":"his","grants":[{"role":"developer","namespace":"ann"}]}"#);
    let made = expect(&mut server.client(), ask, 201).await;
    let made: Value = serde_json::from_slice(&made.body).unwrap();
    let his = basic("ann+his", secret(&made));
    assert_eq!(push(&server, "ann/app:1", &his).await, 201);
    done(data, &["user", "delete", "bob"], "");
    assert_eq!(push(&server, "ann/app:2", &his).await, 403);
    let shown = done(data, &["robot", "show", "ann+his"], "");
    assert!(shown.contains("user:bob (deleted)"), "{shown}");
    let take = Ask::new("POST", "/api/v1/users/ann/robots/his/take-over")
        .header("authorization", basic("ann", PASSWORD));
    expect(&mut server.client(), take, 200).await;
    assert_eq!(push(&server, "ann/app:2", &his).await, 201);
    let taken = done(data, &["robot", "take-over", "ann+his"], "");
    assert!(taken.contains("the operator"), "{taken}");
    done(data, &["robot", "delete", "ann+his"], "");
    assert_eq!(push(&server, "ann/app:3", &his).await, 401);

    let ci = basic("ann+ci", secret(&rotated));
    assert_eq!(push(&server, "ann/app:4", &ci).await, 201);
    let deleted = Ask::new("GET", "/v2/");
    done(data, &["user", "disable", "ann+ci"], "");
    assert_eq!(status(&server, deleted, &ci).await, 401);
    server.stop();
}
