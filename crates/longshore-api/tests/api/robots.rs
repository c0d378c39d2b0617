//! Robots of users, what of a robot is changed, and who stands behind it.

use serde_json::json;

use super::house::{House, basic};

const OWN: &str = "/users/reader/robots";

#[tokio::test]
async fn a_user_has_robots_for_their_own_namespace() {
    let house = House::new().await;
    house.repo("reader/app").await;
    let wanted = r#"{"name":"ci","grants":[{"role":"developer","namespace":"reader"}]}"#;
    // Not even whoever may see all robots makes one.
    for (who, status) in [("auditor", 403), ("owner", 404), ("nobody", 404), ("", 401)] {
        let said = house.ask(who, "POST", OWN, wanted).await;
        assert_eq!(said.status, status, "{who}: {said:?}");
    }
    for grant in [("reader", "acme"), ("reader", "**"), ("reader", "ada")] {
        let body = json!({ "name": "x", "grants": [{ "role": grant.0, "namespace": grant.1 }] });
        let said = house.ask("reader", "POST", OWN, &body.to_string()).await;
        assert_eq!(said.status, 403, "{grant:?}: {said:?}");
    }
    let said = house.ask("reader", "POST", OWN, wanted).await;
    assert_eq!(
        (said.status, said.header("location")),
        (201, "/api/v1/users/reader/robots/ci"),
        "{said:?}"
    );
    let secret = said.json()["secret"].as_str().unwrap().to_owned();
    assert_eq!(said.json()["user"], "reader+ci");
    let robot = basic("reader+ci", &secret);
    assert_eq!(
        house.get(&robot, "/session").await.json()["user"],
        "reader+ci"
    );
    assert_eq!(house.get("auditor", OWN).await.names(), ["reader+ci"]);
    for (repo, status) in [("reader/app", 200), ("acme/app", 404)] {
        let said = house.get(&robot, &format!("/repositories/{repo}")).await;
        assert_eq!(said.status, status, "{repo}");
    }
    let why = json!({ "subject": "robot:reader+ci", "action": "repository:push", "object": "reader/app" });
    let said = house
        .ask("reader", "POST", "/explain", &why.to_string())
        .await;
    assert_eq!(said.json()["allowed"], true, "{said:?}");
    let give = r#"{"subject":"robot:reader+ci","role":"guest"}"#;
    let bindings = "/namespaces/acme/-/bindings";
    let said = house.ask("owner", "POST", bindings, give).await;
    assert_eq!(said.status, 404, "{said:?}");
    let said = house.ask("ada", "POST", bindings, give).await;
    assert_eq!(said.json()["subject"], "robot:reader+ci", "{said:?}");

    let one = format!("{OWN}/ci");
    let rotate = format!("{one}/rotate");
    let said = house.ask("reader", "POST", &rotate, "{}").await;
    assert_eq!(said.status, 200, "{said:?}");
    let id = said.json()["id"].clone();
    let old = format!("{one}/secrets/{id}");
    assert_eq!(house.ask("nobody", "DELETE", &old, "").await.status, 404);
    assert_eq!(house.ask("reader", "DELETE", &old, "").await.status, 204);
    for (rules, who, body) in [
        (
            "trust-rules",
            "reader",
            r#"{"issuer":"https://ci.example","claims":{"repository":"acme/app"}}"#,
        ),
        // A name in a certificate may be anybody's.
        (
            "certificate-rules",
            "ada",
            r#"{"subject":"dns:ci.example"}"#,
        ),
    ] {
        let rules = format!("{one}/{rules}");
        let said = house.ask(who, "POST", &rules, body).await;
        assert_eq!(said.status, 201, "{rules}: {said:?}");
        assert!(
            said.header("location")
                .starts_with(&format!("/api/v1{rules}/"))
        );
        let id = said.json()["id"].clone();
        assert_eq!(house.get(who, &rules).await.json()["items"][0]["id"], id);
        let rule = format!("{rules}/{id}");
        assert_eq!(house.ask(who, "DELETE", &rule, "").await.status, 204);
    }
    let rules = format!("{one}/certificate-rules");
    let rule = r#"{"subject":"dns:x"}"#;
    let certified = house.ask("reader", "POST", &rules, rule).await;
    assert_eq!(certified.status, 403);
    assert_eq!(house.ask("reader", "DELETE", &one, "").await.status, 204);
    assert_eq!(house.get(&robot, "/session").await.status, 401);
}

#[tokio::test]
async fn a_user_is_no_organisation_and_an_organisation_no_user() {
    let house = House::new().await;
    for (who, there, absent) in [
        ("ada", "/users/acme/robots", "/users/absent/robots"),
        ("owner", "/users/acme/robots", "/users/absent/robots"),
        (
            "reader",
            "/organisations/reader/robots",
            "/organisations/absent/robots",
        ),
    ] {
        for (method, rest, body) in [
            ("GET", "", ""),
            ("POST", "", r#"{"name":"ci"}"#),
            ("GET", "/ci", ""),
            ("DELETE", "/ci", ""),
            ("GET", "/ci/trust-rules", ""),
        ] {
            let heard = house
                .ask(who, method, &format!("{there}{rest}"), body)
                .await;
            let nothing = house
                .ask(who, method, &format!("{absent}{rest}"), body)
                .await;
            assert_eq!(heard.status, 404, "{who} {method} {there}{rest}");
            assert_eq!(
                (&heard.headers, &heard.body),
                (&nothing.headers, &nothing.body)
            );
        }
    }
    let made = house.ask("reader", "POST", OWN, r#"{"name":"ci"}"#).await;
    assert_eq!(made.status, 201);
    let rules = "/organisations/reader/robots/ci/certificate-rules";
    assert_eq!(house.get("ada", rules).await.status, 404);
    assert_eq!(
        house
            .get("ada", &rules.replace("organisations", "users"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn parts_of_a_robot_are_changed_if_nobody_else_did() {
    let house = House::new().await;
    let robots = "/organisations/acme/robots";
    let made = house.ask("owner", "POST", robots, r#"{"name":"ci"}"#).await;
    assert_eq!(made.status, 201, "{made:?}");
    let one = format!("{robots}/ci");
    for bad in [
        "{}",
        r#"{"name":"x"}"#,
        r#"{"enabled":null}"#,
        r#"{"description":null}"#,
        r#"{"enabled":"yes"}"#,
        r#"{"expires":"soon"}"#,
        r#"{"expires":"2001-01-01T00:00:00Z"}"#,
        r#"{"description":"x","role":"owner"}"#,
    ] {
        let said = house.ask("owner", "PATCH", &one, bad).await;
        assert_eq!(said.status, 400, "{bad}: {said:?}");
    }
    let mut mark = house.get("owner", &one).await.header("etag").to_owned();
    for (body, field, value) in [
        (
            r#"{"description":"builds"}"#,
            "description",
            json!("builds"),
        ),
        (
            r#"{"expires":"2100-01-01T00:00:00Z"}"#,
            "expires",
            json!("2100-01-01T00:00:00Z"),
        ),
        (r#"{"expires":null}"#, "expires", json!(null)),
        (r#"{"enabled":false}"#, "state", json!("disabled")),
        (
            r#"{"enabled":true,"description":"all"}"#,
            "description",
            json!("all"),
        ),
    ] {
        let held = [("if-match", mark.as_str())];
        let said = house.send("owner", "PATCH", &one, &held, body).await;
        assert_eq!((said.status, &said.json()[field]), (200, &value), "{body}");
        let late = house.send("owner", "PATCH", &one, &held, body).await;
        assert_eq!((late.status, late.code().as_str()), (412, "changed"));
        let shown = house.get("owner", &one).await;
        assert_eq!(
            (shown.json(), shown.header("etag")),
            (said.json(), said.header("etag"))
        );
        mark = said.header("etag").to_owned();
    }
    // What is shown is what was seen: a secret more is another robot to look at.
    let known = [("if-none-match", mark.as_str())];
    assert_eq!(
        house.send("owner", "GET", &one, &known, "").await.status,
        304
    );
    let rotated = house
        .ask("owner", "POST", &format!("{one}/rotate"), "{}")
        .await;
    assert_eq!(rotated.status, 200);
    assert_eq!(
        house.send("owner", "GET", &one, &known, "").await.status,
        200
    );
    let held = [("if-match", mark.as_str())];
    assert_eq!(
        house.send("owner", "DELETE", &one, &held, "").await.status,
        412
    );
    assert_eq!(
        house
            .ask("reader", "PATCH", &one, r#"{"enabled":false}"#)
            .await
            .status,
        403
    );
}

#[tokio::test]
async fn a_robot_says_who_stands_behind_it_and_another_takes_it_over() {
    let house = House::new().await;
    let robots = "/organisations/acme/robots";
    let wanted = r#"{"name":"ci","grants":[{"role":"developer","namespace":"acme"}]}"#;
    let made = house.ask("maintainer", "POST", robots, wanted).await;
    assert_eq!(made.status, 201, "{made:?}");
    let secret = made.json()["secret"].as_str().unwrap().to_owned();
    let robot = basic("acme+ci", &secret);
    let more = r#"{"name":"boss","grants":[{"role":"owner","namespace":"acme"}]}"#;
    assert_eq!(house.ask("owner", "POST", robots, more).await.status, 201);
    let one = format!("{robots}/ci");
    let shown = house.get("owner", &one).await.json();
    let by = json!({ "subject": "user:maintainer", "state": "active", "counts": true });
    assert_eq!(shown["maker"], by);
    let sees = async || house.get(&robot, "/repositories/acme/app").await.status;
    assert_eq!(sees().await, 200);

    let off = r#"{"enabled":false}"#;
    let said = house.ask("ada", "PATCH", "/users/maintainer", off).await;
    assert_eq!(said.status, 200);
    assert_eq!(sees().await, 404);
    let shown = house.get("auditor", &one).await.json();
    let by = json!({ "subject": "user:maintainer", "state": "disabled", "counts": false });
    assert_eq!((&shown["maker"], &shown["state"]), (&by, &json!("active")));
    let take = format!("{one}/take-over");
    for (who, status) in [
        ("developer", 403),
        ("nobody", 404),
        ("auditor", 403),
        ("", 401),
    ] {
        let said = house.ask(who, "POST", &take, "").await;
        assert_eq!(said.status, status, "{who}: {said:?}");
    }
    let said = house.ask("owner", "POST", &take, "").await;
    assert_eq!(
        (said.status, &said.json()["maker"]["subject"]),
        (200, &json!("user:owner"))
    );
    assert_eq!(sees().await, 200);
    // What one has not, one does not take.
    let on = r#"{"enabled":true}"#;
    assert_eq!(
        house
            .ask("ada", "PATCH", "/users/maintainer", on)
            .await
            .status,
        200
    );
    let boss = format!("{robots}/boss/take-over");
    let said = house.ask("maintainer", "POST", &boss, "").await;
    let detail = said.json()["detail"].as_str().unwrap().to_owned();
    assert_eq!(said.status, 403);
    assert!(detail.contains("the role `owner` on `acme`"), "{detail}");
    let absent = format!("{robots}/absent/take-over");
    assert_eq!(house.ask("owner", "POST", &absent, "").await.status, 404);
}

#[tokio::test]
async fn a_token_that_is_narrowed_gets_no_secret_of_a_robot() {
    let house = House::new().await;
    let robots = "/organisations/acme/robots";
    let wanted = r#"{"name":"ci","grants":[{"role":"owner","namespace":"acme"}]}"#;
    assert_eq!(house.ask("owner", "POST", robots, wanted).await.status, 201);
    let scope = r#"{"actions":["namespace:read","robot:list","robot:manage","rights:manage"]}"#;
    let narrow = format!("Bearer {}", house.secret("owner", Some(scope)).await);
    let one = format!("{robots}/ci");
    assert_eq!(house.get(&narrow, &one).await.status, 200);
    let trust = r#"{"issuer":"https://ci.example","claims":{"repository":"acme/app"}}"#;
    for (path, body) in [
        (robots.to_owned(), r#"{"name":"new"}"#),
        (format!("{one}/rotate"), "{}"),
        (format!("{one}/take-over"), ""),
        (format!("{one}/trust-rules"), trust),
    ] {
        let said = house.ask(&narrow, "POST", &path, body).await;
        assert_eq!(said.status, 403, "{path}: {said:?}");
        assert!(said.json()["detail"].as_str().unwrap().contains("narrowed"));
        let said = house.ask("owner", "POST", &path, body).await;
        assert!(said.status < 300, "{path}: {said:?}");
    }
    let off = r#"{"enabled":false}"#;
    assert_eq!(house.ask(&narrow, "PATCH", &one, off).await.status, 200);
}
