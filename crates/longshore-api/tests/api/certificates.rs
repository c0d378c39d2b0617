//! Whose certificate makes its bearer an account.

use serde_json::json;

use super::house::House;

#[tokio::test]
async fn a_rule_of_a_user_is_made_shown_and_taken_back_by_whoever_manages_users() {
    let house = House::new().await;
    let rules = "/users/reader/certificate-rules";
    let wanted = json!({
        "subject": "dns:CI.Acme.example", "actions": ["pull"], "repositories": ["acme/*"],
        "description": "builds", "expires": "2100-01-01T00:00:00Z",
    });
    let wanted = wanted.to_string();
    // Not even by its owner: a name in a certificate may be anybody's.
    for (who, status) in [
        ("", 401),
        ("reader", 403),
        ("owner", 403),
        ("auditor", 403),
        ("nobody", 403),
    ] {
        assert_eq!(house.get(who, rules).await.status, status, "{who}");
        let said = house.ask(who, "POST", rules, &wanted).await;
        assert_eq!(said.status, status, "{who}");
    }
    let said = house.ask("ada", "POST", rules, &wanted).await;
    let id = said.json()["id"].clone();
    let one = format!("{rules}/{id}");
    assert_eq!(
        (said.status, said.header("location")),
        (201, format!("/api/v1{one}").as_str()),
        "{said:?}"
    );
    let shown = house.get("ada", rules).await.json();
    let rule = &shown["items"][0];
    assert_eq!(
        (
            &rule["subject"],
            &rule["repositories"],
            &rule["description"]
        ),
        (
            &json!("dns:ci.acme.example"),
            &json!(["acme/*"]),
            &json!("builds")
        )
    );
    assert_eq!(
        rule["actions"],
        json!(["repository:list", "repository:pull"])
    );
    let twice = house.ask("ada", "POST", rules, &wanted).await;
    assert_eq!(twice.status, 409, "{twice:?}");
    for (field, value) in [
        ("subject", json!("dns:*.example")),
        ("subject", json!("ci.example")),
        ("expires", json!("soon")),
        ("actions", json!(["fly"])),
        ("account", json!("ada")),
    ] {
        let mut body = json!({ "subject": "dns:x.example" });
        body[field] = value;
        let said = house.ask("ada", "POST", rules, &body.to_string()).await;
        assert_eq!(said.status, 400, "{body}");
    }
    let elsewhere = one.replace("reader", "owner");
    assert_eq!(house.ask("ada", "DELETE", &elsewhere, "").await.status, 404);
    assert_eq!(house.ask("nobody", "DELETE", &one, "").await.status, 403);
    assert_eq!(house.ask("ada", "DELETE", &one, "").await.status, 204);
    assert_eq!(house.ask("ada", "DELETE", &one, "").await.status, 404);
}

#[tokio::test]
async fn a_rule_of_a_robot_is_for_whoever_gives_rights_everywhere() {
    let house = House::new().await;
    let clerk = r#"{"actions":["user:list","user:manage"],"description":"clerks"}"#;
    house.ask("ada", "PUT", "/roles/clerk", clerk).await;
    let binding = r#"{"subject":"user:nobody","role":"clerk"}"#;
    house.ask("ada", "POST", "/bindings", binding).await;
    let body = r#"{"subject":"uri:spiffe://acme/ci"}"#;
    for (who, robots) in [("ada", "/robots"), ("owner", "/organisations/acme/robots")] {
        let made = house.ask(who, "POST", robots, r#"{"name":"ci"}"#).await;
        assert_eq!(made.status, 201, "{made:?}");
        let rules = format!("{robots}/ci/certificate-rules");
        for who in ["owner", "reader", "auditor", "nobody"] {
            let said = house.ask(who, "POST", &rules, body).await;
            assert_eq!(said.status, 403, "{who} {rules}");
            assert_eq!(house.get(who, &rules).await.status, 403, "{who} {rules}");
        }
        let said = house.ask("ada", "POST", &rules, body).await;
        assert_eq!(said.status, 201, "{said:?}");
        let one = said.header("location").strip_prefix("/api/v1").unwrap();
        assert_eq!(one, format!("{rules}/{}", said.json()["id"]));
        assert_eq!(house.ask("ada", "DELETE", one, "").await.status, 204);
    }
    // Nor does whoever manages users make one for somebody with more rights.
    let of = |name: &str| format!("/users/{name}/certificate-rules");
    let said = house.ask("nobody", "POST", &of("ada"), body).await;
    assert_eq!(said.status, 403, "{said:?}");
    let said = house.ask("nobody", "POST", &of("reader"), body).await;
    assert_eq!(said.status, 201, "{said:?}");
}

#[tokio::test]
async fn a_password_is_set_by_whoever_manages_users_and_given_with_a_new_account() {
    let house = House::new().await;
    let bob = r#"{"name":"bob","password":"correct horse","administrator":true}"#;
    let said = house.ask("ada", "POST", "/users", bob).await;
    assert_eq!(said.status, 201, "{said:?}");
    let login = |password: &str| super::house::basic("bob", password);
    assert_eq!(
        house.get(&login("correct horse"), "/users").await.status,
        200
    );
    let path = "/users/bob/password";
    let body = r#"{"password":"another horse"}"#;
    for (who, status) in [("", 401), ("owner", 403), ("auditor", 403), ("nobody", 403)] {
        assert_eq!(
            house.ask(who, "PUT", path, body).await.status,
            status,
            "{who}"
        );
    }
    let weak = r#"{"password":"bob"}"#;
    assert_eq!(house.ask("ada", "PUT", path, weak).await.status, 400);
    assert_eq!(house.ask("ada", "PUT", path, body).await.status, 204);
    assert_eq!(
        house.get(&login("correct horse"), "/users").await.status,
        401
    );
    assert_eq!(
        house.get(&login("another horse"), "/users").await.status,
        200
    );
    // Whoever manages users makes nobody with more rights than their own.
    let clerk = r#"{"actions":["user:list","user:manage"],"description":"clerks"}"#;
    house.ask("ada", "PUT", "/roles/clerk", clerk).await;
    let binding = r#"{"subject":"user:nobody","role":"clerk"}"#;
    house.ask("ada", "POST", "/bindings", binding).await;
    let eve = r#"{"name":"eve","administrator":true}"#;
    let said = house.ask("nobody", "POST", "/users", eve).await;
    assert_eq!(said.status, 403, "{said:?}");
    let said = house
        .ask("nobody", "PUT", "/users/ada/password", body)
        .await;
    assert_eq!(said.status, 403, "{said:?}");
}
