//! Who is logged in, who has which right, and why.

use super::house::House;

#[tokio::test]
async fn a_session_says_who_is_logged_in_and_what_is_left_of_their_rights() {
    let house = House::new().await;
    let none = house.get("", "/session").await.json();
    assert_eq!(
        (none["user"].as_str(), none["via"].as_str()),
        (None, Some("nothing"))
    );
    let full = house.get("reader", "/session").await.json();
    assert_eq!(
        (full["user"].as_str(), full["via"].as_str()),
        (Some("reader"), Some("token"))
    );
    assert!(full["actions"].is_null());
    let scope = r#"{"actions":["repository:pull"],"repositories":["acme/**"]}"#;
    let narrow = house.secret("ada", Some(scope)).await;
    let narrow = format!("Bearer {narrow}");
    let said = house.get(&narrow, "/session").await.json();
    assert_eq!(said["actions"][0], "repository:pull");
    assert_eq!(said["repositories"][0], "acme/**");
    // What the owner may and the credential may not.
    assert_eq!(house.get(&narrow, "/users").await.status, 403);
    assert_eq!(
        house.get(&narrow, "/repositories/acme/app").await.status,
        404
    );
}

#[tokio::test]
async fn everybody_may_see_themselves_and_some_may_see_all() {
    let house = House::new().await;
    assert_eq!(house.get("nobody", "/users/nobody").await.status, 200);
    assert_eq!(house.get("nobody", "/users/reader").await.status, 403);
    // Whether there is such a user is not to be learnt.
    let absent = house.get("nobody", "/users/absent").await;
    assert_eq!(absent.body, house.get("nobody", "/users/reader").await.body);
    assert_eq!(house.get("auditor", "/users/reader").await.status, 200);
    assert_eq!(house.get("auditor", "/users/acme").await.status, 404);
}

#[tokio::test]
async fn why_is_answered_to_whoever_may_know() {
    let house = House::new().await;
    let ask = async |who: &str, body: &str| house.ask(who, "POST", "/explain", body).await;
    let own = r#"{"action":"repository:push","object":"acme/app"}"#;
    let said = ask("reader", own).await;
    assert_eq!(
        (said.status, said.json()["allowed"].as_bool()),
        (200, Some(false))
    );
    assert_eq!(ask("developer", own).await.json()["allowed"], true);
    assert_eq!(ask("nobody", own).await.status, 404);
    let absent = own.replace("acme/app", "absent/app");
    assert_eq!(
        ask("nobody", &absent).await.body,
        ask("nobody", own).await.body
    );
    let about = r#"{"subject":"user:reader","action":"repository:push","object":"acme/app"}"#;
    assert_eq!(ask("developer", about).await.status, 403);
    assert_eq!(ask("nobody", about).await.status, 404);
    assert_eq!(ask("maintainer", about).await.json()["allowed"], false);
    let nobody = about.replace("user:reader", "user:absent");
    assert_eq!(ask("maintainer", &nobody).await.status, 404);
    let stranger = about.replace("user:reader", "anonymous");
    assert_eq!(ask("owner", &stranger).await.json()["allowed"], false);
    for bad in ["fly", "", "repository:"] {
        let body = own.replace("repository:push", bad);
        assert_eq!(ask("reader", &body).await.status, 400);
    }
    for bad in ["", "/", "A/b", "a:b:c"] {
        let body = own.replace("acme/app", bad);
        assert_eq!(ask("reader", &body).await.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn what_would_be_is_answered_and_nothing_is_changed() {
    let house = House::new().await;
    let rows = house.rows().await;
    let body = r#"{"subject":"user:nobody","action":"repository:pull","object":"acme/app",
        "with":{"subject":"user:nobody","role":"reader"},"at":"acme/"}"#;
    let said = house.ask("owner", "POST", "/what-if", body).await;
    assert_eq!(
        (said.status, said.json()["allowed"].as_bool()),
        (200, Some(true))
    );
    assert_eq!(house.rows().await, rows);
    assert_eq!(
        house.get("nobody", "/repositories/acme/app").await.status,
        404
    );
    let list = house
        .get("owner", "/namespaces/acme/-/bindings?limit=100")
        .await
        .json();
    let items = list["items"].as_array().unwrap();
    let of = |subject: &str| {
        let found = items.iter().find(|it| it["subject"] == subject).unwrap();
        found["id"].as_i64().unwrap()
    };
    let body = format!(
        r#"{{"subject":"user:reader","action":"repository:pull","object":"acme/app","without":[{}]}}"#,
        of("user:reader")
    );
    let said = house.ask("owner", "POST", "/what-if", &body).await;
    assert_eq!(said.json()["allowed"], false);
    let alone = r#"{"action":"repository:pull","object":"acme/app","at":"acme/"}"#;
    assert_eq!(
        house.ask("owner", "POST", "/what-if", alone).await.status,
        400
    );
    assert_eq!(
        house.ask("reader", "POST", "/what-if", &body).await.status,
        403
    );
}

#[tokio::test]
async fn a_binding_gives_a_right_until_it_is_taken_back_and_nobody_gives_more_than_they_have() {
    let house = House::new().await;
    let at = "/namespaces/acme/-/bindings";
    let give = r#"{"subject":"user:nobody","role":"developer"}"#;
    let said = house.ask("owner", "POST", at, give).await;
    assert_eq!(said.status, 201, "{said:?}");
    assert_eq!(
        house.get("nobody", "/repositories/acme/app").await.status,
        200
    );
    let id = said.json()["id"].as_i64().unwrap();
    // Where it is not, it is not found.
    assert_eq!(
        house.get("ada", &format!("/bindings/{id}")).await.status,
        404
    );
    assert_eq!(
        house
            .ask("ada", "DELETE", &format!("/bindings/{id}"), "")
            .await
            .status,
        404
    );
    assert_eq!(
        house
            .ask("owner", "DELETE", &format!("{at}/{id}"), "")
            .await
            .status,
        204
    );
    assert_eq!(
        house.get("nobody", "/repositories/acme/app").await.status,
        404
    );
    let more = r#"{"subject":"user:owner","role":"administrator"}"#;
    assert_eq!(house.ask("owner", "POST", at, more).await.status, 403);
    for (bad, status) in [
        (r#"{"subject":"user:absent","role":"reader"}"#, 404),
        (r#"{"subject":"nobody","role":"reader"}"#, 400),
        (r#"{"subject":"user:nobody","role":"absent"}"#, 404),
        (
            r#"{"subject":"user:nobody","role":"reader","tags":[]}"#,
            400,
        ),
        (
            r#"{"subject":"user:nobody","role":"reader","tags":["a b"]}"#,
            400,
        ),
        (
            r#"{"subject":"user:nobody","role":"reader","networks":["x"]}"#,
            400,
        ),
        (
            r#"{"subject":"user:nobody","role":"reader","expires":"soon"}"#,
            400,
        ),
    ] {
        assert_eq!(
            house.ask("owner", "POST", at, bad).await.status,
            status,
            "{bad}"
        );
    }
    // Who may not give rights does not learn who there is.
    for subject in ["user:absent", "user:reader"] {
        let body = format!(r#"{{"subject":"{subject}","role":"reader"}}"#);
        assert_eq!(house.ask("maintainer", "POST", at, &body).await.status, 403);
    }
}

#[tokio::test]
async fn roles_are_made_changed_and_deleted_and_the_built_in_ones_stay() {
    let house = House::new().await;
    let path = "/namespaces/acme/-/roles/puller";
    let role = r#"{"actions":["repository:list","repository:pull"],"description":"pulls"}"#;
    assert_eq!(house.ask("owner", "PUT", path, role).await.status, 204);
    let shown = house.get("maintainer", path).await.json();
    assert_eq!(shown["actions"][1], "repository:pull");
    let give = r#"{"subject":"user:nobody","role":"puller"}"#;
    let said = house
        .ask("owner", "POST", "/namespaces/acme/-/bindings", give)
        .await;
    assert_eq!(said.json()["role"], "puller");
    assert_eq!(
        house.ask("owner", "DELETE", path, "").await.status,
        409,
        "somebody has it"
    );
    assert_eq!(
        house.ask("ada", "PUT", "/roles/reader", role).await.status,
        409
    );
    assert_eq!(
        house.ask("ada", "DELETE", "/roles/reader", "").await.status,
        404
    );
    let mark = house.get("owner", path).await.header("etag").to_owned();
    for status in [204, 412] {
        let held = [("if-match", mark.as_str())];
        let body = r#"{"actions":["repository:list"]}"#;
        let said = house.send("owner", "PUT", path, &held, body).await;
        assert_eq!(said.status, status, "{said:?}");
    }
    let bad = r#"{"actions":["fly"]}"#;
    assert_eq!(house.ask("owner", "PUT", path, bad).await.status, 400);
}

#[tokio::test]
async fn members_of_a_team_have_what_the_team_has() {
    let house = House::new().await;
    let team = "/organisations/acme/teams";
    assert_eq!(
        house
            .ask("owner", "POST", team, r#"{"name":"web"}"#)
            .await
            .status,
        201
    );
    let give = r#"{"subject":"team:acme/web","role":"reader"}"#;
    let said = house
        .ask("owner", "POST", "/namespaces/acme/-/bindings", give)
        .await;
    assert_eq!(
        (said.status, said.json()["subject"].as_str()),
        (201, Some("team:acme/web"))
    );
    let member = "/organisations/acme/teams/web/members/nobody";
    assert_eq!(house.ask("owner", "PUT", member, "").await.status, 204);
    assert_eq!(
        house
            .get("developer", "/organisations/acme/teams/web/members")
            .await
            .names(),
        ["nobody"]
    );
    assert_eq!(
        house
            .get("developer", "/organisations/acme/members")
            .await
            .names(),
        ["nobody"]
    );
    assert_eq!(
        house.get("nobody", "/repositories/acme/app").await.status,
        200
    );
    assert_eq!(
        house
            .ask("owner", "DELETE", "/organisations/acme/teams/web", "")
            .await
            .status,
        204
    );
    assert_eq!(
        house.get("nobody", "/repositories/acme/app").await.status,
        404
    );
    assert_eq!(
        house
            .get("owner", "/organisations/acme/teams")
            .await
            .names(),
        Vec::<String>::new()
    );
}
