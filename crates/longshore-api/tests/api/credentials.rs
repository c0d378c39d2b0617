//! What people and machines log in with: made, shown once, followed by another, taken back.

use serde_json::json;

use super::house::{House, basic};

#[tokio::test]
async fn a_token_is_shown_once_narrowed_and_taken_back() {
    let house = House::new().await;
    let wanted = json!({
        "label": "laptop", "actions": ["pull"], "repositories": ["acme/**"], "expires": "2100-01-01T00:00:00Z",
    });
    let (path, key) = ("/users/reader/tokens", [("idempotency-key", "one")]);
    let said = house
        .send("ada", "POST", path, &key, &wanted.to_string())
        .await;
    assert_eq!(said.status, 201, "{said:?}");
    let made = said.json();
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert_eq!(made["user"], "reader");
    assert!(secret.starts_with("lsp_"));
    // It is done once, and what was shown is not shown again.
    let again = house
        .send("ada", "POST", path, &key, &wanted.to_string())
        .await;
    assert_eq!((again.status, again.code().as_str()), (409, "done-before"));
    assert!(!String::from_utf8_lossy(&again.body).contains(&secret));
    let bearer = format!("Bearer {secret}");
    let session = house.get(&bearer, "/session").await.json();
    assert_eq!(
        (&session["user"], &session["actions"]),
        (
            &json!("reader"),
            &json!(["repository:list", "repository:pull"])
        )
    );
    let list = house.get("ada", path).await;
    assert!(!String::from_utf8_lossy(&list.body).contains(&secret));
    let items = list.json();
    let row = items["items"].as_array().unwrap();
    let row = row.iter().find(|row| row["label"] == "laptop").unwrap();
    assert_eq!(row["repositories"], json!(["acme/**"]));
    // Neither a token of one's own nor a right elsewhere is enough.
    for who in ["reader", "owner", "auditor", &bearer] {
        let said = house.ask(who, "POST", path, r#"{"label":"x"}"#).await;
        assert_eq!(said.status, 403, "{who}");
    }
    for (body, status) in [
        (r#"{"label":"x","expires":"2001-01-01T00:00:00Z"}"#, 400),
        (r#"{"label":"x","expires":"soon"}"#, 400),
        (r#"{"label":"x","actions":["fly"]}"#, 400),
        (r#"{"label":"x","scope":"all"}"#, 400),
        ("{}", 400),
    ] {
        let said = house.ask("ada", "POST", path, body).await;
        assert_eq!(said.status, status, "{body}");
    }
    let one = format!("{path}/{}", row["id"]);
    let other = one.replace("reader", "owner");
    assert_eq!(house.ask("ada", "DELETE", &other, "").await.status, 404);
    assert_eq!(house.ask("ada", "DELETE", &one, "").await.status, 204);
    assert_eq!(house.get(&bearer, "/session").await.status, 401);
}

#[tokio::test]
async fn a_robot_has_two_secrets_while_one_follows_the_other() {
    let house = House::new().await;
    let robots = "/organisations/acme/robots";
    let wanted =
        r#"{"name":"ci","description":"builds","grants":[{"role":"reader","namespace":"acme"}]}"#;
    for (who, status) in [("reader", 403), ("nobody", 404), ("", 401)] {
        let said = house.ask(who, "POST", robots, wanted).await;
        assert_eq!(said.status, status, "{who}");
    }
    let said = house.ask("owner", "POST", robots, wanted).await;
    assert_eq!(
        (said.status, said.header("location")),
        (201, "/api/v1/organisations/acme/robots/ci"),
        "{said:?}"
    );
    let first = said.json()["secret"].as_str().unwrap().to_owned();
    let knows = async |secret: &str| {
        let said = house.get(&basic("acme+ci", secret), "/session").await;
        said.json()["user"] == "acme+ci"
    };
    assert!(knows(&first).await);
    assert_eq!(house.get("owner", robots).await.names(), ["acme+ci"]);
    let one = format!("{robots}/ci");
    let rotate = format!("{one}/rotate");
    let said = house
        .ask("owner", "POST", &rotate, r#"{"overlap_seconds":3600}"#)
        .await;
    let second = said.json()["secret"].as_str().unwrap().to_owned();
    assert!(first != second && knows(&first).await && knows(&second).await);
    let shown = house.get("owner", &one).await.json();
    let secrets = shown["secrets"].as_array().unwrap();
    assert_eq!(secrets.len(), 2);
    let ends = secrets.iter().find(|it| !it["expires"].is_null()).unwrap();
    let old = format!("{one}/secrets/{}", ends["id"]);
    assert_eq!(house.ask("owner", "DELETE", &old, "").await.status, 204);
    assert!(!knows(&first).await && knows(&second).await);
    for (enabled, is_known) in [(false, false), (true, true)] {
        let body = json!({ "enabled": enabled }).to_string();
        let said = house.ask("owner", "PATCH", &one, &body).await;
        let state = if enabled { "active" } else { "disabled" };
        assert_eq!((said.status, &said.json()["state"]), (200, &json!(state)));
        assert_eq!(knows(&second).await, is_known);
    }
    let too_long = r#"{"overlap_seconds":2592001}"#;
    assert_eq!(
        house.ask("owner", "POST", &rotate, too_long).await.status,
        400
    );
    // Nobody gives what they have not, nor elsewhere than in the organisation.
    for grant in [("administrator", "**"), ("reader", "other")] {
        let body = json!({ "name": "more", "grants": [{ "role": grant.0, "namespace": grant.1 }] });
        let said = house.ask("owner", "POST", robots, &body.to_string()).await;
        assert_eq!(said.status, 403, "{grant:?}: {said:?}");
    }
    assert_eq!(
        house.ask("owner", "POST", "/robots", wanted).await.status,
        403
    );
    assert_eq!(house.ask("owner", "DELETE", &one, "").await.status, 204);
    assert!(!knows(&second).await);
    assert_eq!(house.get("owner", &one).await.status, 404);
}

#[tokio::test]
async fn whose_tokens_make_their_bearer_a_robot_is_said_shown_and_taken_back() {
    let house = House::new().await;
    let made = house
        .ask("ada", "POST", "/robots", r#"{"name":"deploy"}"#)
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    let rules = "/robots/deploy/trust-rules";
    let wanted = json!({
        "issuer": "https://ci.example", "claims": { "repository": "acme/app" },
        "actions": ["pull"], "repositories": ["acme/*"],
    });
    for (who, status) in [("owner", 403), ("auditor", 403), ("", 401)] {
        let said = house.ask(who, "POST", rules, &wanted.to_string()).await;
        assert_eq!(said.status, status, "{who}");
    }
    let said = house.ask("ada", "POST", rules, &wanted.to_string()).await;
    assert_eq!(said.status, 201, "{said:?}");
    let id = said.json()["id"].clone();
    let shown = house.get("auditor", rules).await.json();
    let rule = &shown["items"][0];
    assert_eq!(
        (&rule["id"], &rule["audience"], &rule["claims"]),
        (&id, &json!("registry.example"), &wanted["claims"])
    );
    let open = r#"{"issuer":"https://ci.example","claims":{}}"#;
    assert_eq!(house.ask("ada", "POST", rules, open).await.status, 400);
    let one = format!("{rules}/{id}");
    assert_eq!(house.ask("ada", "DELETE", &one, "").await.status, 204);
    assert_eq!(house.ask("ada", "DELETE", &one, "").await.status, 404);
}

#[tokio::test]
async fn who_manages_users_gets_no_hold_of_those_with_more_rights() {
    let house = House::new().await;
    let role = r#"{"actions":["user:list","user:manage"],"description":"clerks"}"#;
    assert_eq!(
        house.ask("ada", "PUT", "/roles/clerk", role).await.status,
        204
    );
    let binding = r#"{"subject":"user:nobody","role":"clerk"}"#;
    assert_eq!(
        house.ask("ada", "POST", "/bindings", binding).await.status,
        201
    );
    for (method, path, body) in [
        ("PATCH", "/users/ada", r#"{"enabled":false}"#),
        ("PATCH", "/users/ada", r#"{"mail":"nobody@example.org"}"#),
        ("DELETE", "/users/ada", ""),
        ("POST", "/users/ada/rename", r#"{"name":"eve"}"#),
        ("POST", "/users/ada/tokens", r#"{"label":"x"}"#),
        (
            "PUT",
            "/users/ada/identities/ldap:corp",
            r#"{"name":"nobody"}"#,
        ),
        ("DELETE", "/users/ada/second-factor", ""),
    ] {
        let said = house.ask("nobody", method, path, body).await;
        assert_eq!(said.status, 403, "{method} {path}: {said:?}");
        let of_reader = path.replace("ada", "reader");
        if method == "PATCH" || method == "PUT" {
            let said = house.ask("nobody", method, &of_reader, body).await;
            assert!(said.status < 300, "{method} {of_reader}: {said:?}");
        }
    }
    let ids = house.get("ada", "/users/reader/identities").await;
    assert_eq!(ids.json()["items"][0]["source"], "ldap:corp");
    let forget = "/users/reader/identities/ldap:corp";
    assert_eq!(house.ask("nobody", "DELETE", forget, "").await.status, 204);
}

#[tokio::test]
async fn names_change_and_repositories_come_and_go() {
    let house = House::new().await;
    let given = house
        .ask("ada", "POST", "/repositories", r#"{"name":"reader/tool"}"#)
        .await;
    assert_eq!(given.status, 201, "{given:?}");
    let by_name = r#"{"subject":"user:ada","role":"reader","repositories":["reader/*"]}"#;
    let said = house.ask("ada", "POST", "/bindings", by_name).await;
    assert_eq!(said.status, 201, "{said:?}");
    let said = house
        .ask("ada", "POST", "/users/reader/rename", r#"{"name":"rita"}"#)
        .await;
    assert_eq!(said.status, 200, "{said:?}");
    let said = said.json();
    assert_eq!(said["name"], "rita");
    assert_eq!(said["bindings_lost"][0]["repositories"][0], "reader/*");
    assert_eq!(said["bindings_found"].as_array().map(Vec::len), Some(0));
    assert_eq!(house.get("ada", "/users/reader").await.status, 404);
    assert_eq!(house.get("ada", "/users/rita").await.status, 200);
    assert_eq!(house.get("ada", "/namespaces/rita").await.status, 200);
    let to = r#"{"name":"x"}"#;
    for path in ["/users/acme/rename", "/organisations/rita/rename"] {
        assert_eq!(
            house.ask("ada", "POST", path, to).await.status,
            404,
            "{path}"
        );
    }
    let (path, body) = ("/repositories", r#"{"name":"acme/new"}"#);
    for (who, status) in [
        ("reader", 404),
        ("nobody", 404),
        ("owner", 201),
        ("owner", 409),
    ] {
        let said = house.ask(who, "POST", path, body).await;
        assert_eq!(said.status, status, "{who}: {said:?}");
    }
    let nowhere = r#"{"name":"nowhere/app"}"#;
    assert_eq!(house.ask("ada", "POST", path, nowhere).await.status, 404);
    let one = "/repositories/acme/new";
    assert_eq!(house.get("owner", one).await.status, 200);
    assert_eq!(house.ask("reader", "DELETE", one, "").await.status, 403);
    assert_eq!(house.ask("owner", "DELETE", one, "").await.status, 204);
    assert_eq!(house.get("owner", one).await.status, 404);
    let purge = "/namespaces/acme/-/purge";
    assert_eq!(house.ask("reader", "POST", purge, "").await.status, 403);
    let said = house.ask("owner", "POST", purge, "").await;
    assert_eq!(said.json()["repositories"], 2, "{said:?}");
    assert_eq!(
        house.get("owner", "/repositories/acme/app").await.status,
        404
    );
    let keys = house.get("auditor", "/keys").await.json();
    assert_eq!(keys["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        house
            .ask("auditor", "POST", "/keys/rotate", "{}")
            .await
            .status,
        403
    );
    let keys = house.ask("ada", "POST", "/keys/rotate", "{}").await.json();
    assert_eq!(keys["items"].as_array().unwrap().len(), 2);
}
