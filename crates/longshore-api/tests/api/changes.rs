//! Changes: made once, on the condition that nothing else was, and shown as they were made.

use serde_json::json;

use super::house::House;

#[tokio::test]
async fn what_was_made_is_shown_and_lies_where_the_answer_says() {
    let house = House::new().await;
    for (path, body, location) in [
        (
            "/users",
            r#"{"name":"zoe","mail":"zoe@example.org"}"#,
            "/api/v1/users/zoe",
        ),
        (
            "/organisations",
            r#"{"name":"nova"}"#,
            "/api/v1/organisations/nova",
        ),
        (
            "/organisations/nova/teams",
            r#"{"name":"web"}"#,
            "/api/v1/organisations/nova/teams/web",
        ),
        (
            "/namespaces",
            r#"{"path":"tools"}"#,
            "/api/v1/namespaces/tools",
        ),
        (
            "/namespaces",
            r#"{"path":"nova/web"}"#,
            "/api/v1/namespaces/nova/web",
        ),
    ] {
        let said = house.ask("ada", "POST", path, body).await;
        assert_eq!(
            (said.status, said.header("location")),
            (201, location),
            "{said:?}"
        );
        let shown = house
            .get("ada", location.trim_start_matches("/api/v1"))
            .await;
        assert_eq!(shown.json(), said.json(), "{path}");
        let again = house.ask("ada", "POST", path, body).await;
        assert_eq!((again.status, again.code().as_str()), (409, "conflict"));
    }
    let binding = r#"{"subject":"user:zoe","role":"reader","repositories":["web/*"],"tags":["v*"],
        "networks":["10.0.0.0/8"],"hours":[{"days":["mon"],"from":"08:00","to":"18:00"}],"expires":"2100-01-01T00:00:00Z"}"#;
    let said = house
        .ask("ada", "POST", "/namespaces/nova/-/bindings", binding)
        .await;
    assert_eq!(said.status, 201, "{said:?}");
    let shown = house
        .get("ada", said.header("location").trim_start_matches("/api/v1"))
        .await;
    assert_eq!(shown.json(), said.json());
    assert_eq!(shown.json()["subject"], "user:zoe");
    assert_eq!(shown.json()["expires"], "2100-01-01T00:00:00Z");
    let by_zone = |zone: &str| {
        let hours = json!([{ "days": ["mon"], "from": "08:00", "to": "18:00", "zone": zone }]);
        json!({ "subject": "user:zoe", "role": "reader", "hours": hours }).to_string()
    };
    let path = "/namespaces/nova/-/bindings";
    let berlin = by_zone("Europe/Berlin");
    let good = house.ask("ada", "POST", path, &berlin).await.json();
    assert_eq!(good["hours"][0]["zone"], "Europe/Berlin");
    let bad = house.ask("ada", "POST", path, &by_zone("Berlin")).await;
    let detail = bad.json()["detail"].to_string();
    assert_eq!((bad.status, bad.code().as_str()), (400, "invalid"));
    assert!(detail.contains("no time zone `Berlin`"), "{detail}");
}

#[tokio::test]
async fn a_change_is_made_only_if_nobody_else_made_one_since() {
    let house = House::new().await;
    for (path, one, other) in [
        (
            "/users/reader",
            r#"{"description":"a"}"#,
            r#"{"description":"b"}"#,
        ),
        (
            "/organisations/acme",
            r#"{"description":"a"}"#,
            r#"{"description":"b"}"#,
        ),
        (
            "/namespaces/acme",
            r#"{"description":"a"}"#,
            r#"{"visibility":"internal"}"#,
        ),
        (
            "/repositories/acme/app",
            r#"{"description":"a"}"#,
            r#"{"visibility":"private"}"#,
        ),
        (
            "/settings",
            r#"{"sign_up":"open"}"#,
            r#"{"sign_up":"closed"}"#,
        ),
    ] {
        let seen = house.get("ada", path).await;
        let mark = seen.header("etag").to_owned();
        assert!(mark.starts_with('"') && mark.ends_with('"'), "{path}");
        let known = [("if-none-match", mark.as_str())];
        let same = house.send("ada", "GET", path, &known, "").await;
        assert_eq!((same.status, same.body.len()), (304, 0), "{path}");
        let held = [("if-match", mark.as_str())];
        let done = house.send("ada", "PATCH", path, &held, one).await;
        assert!(matches!(done.status, 200 | 204), "{path} {done:?}");
        let late = house.send("ada", "PATCH", path, &held, other).await;
        assert_eq!(
            (late.status, late.code().as_str()),
            (412, "changed"),
            "{path}"
        );
        let now = house.get("ada", path).await;
        assert_ne!(now.header("etag"), mark, "{path}");
        let any = [("if-match", "*")];
        let done = house.send("ada", "PATCH", path, &any, other).await;
        assert!(matches!(done.status, 200 | 204), "{path}");
        for bad in ["x", "W/\"x\"", ""] {
            let held = [("if-match", bad)];
            if !bad.is_empty() {
                let said = house.send("ada", "PATCH", path, &held, other).await;
                assert_eq!(said.status, 400, "{path} {bad}");
            }
        }
    }
}

#[tokio::test]
async fn whoever_may_not_change_something_learns_nothing_of_its_mark() {
    let house = House::new().await;
    let mark = house.get("ada", "/users/reader").await;
    let mark = mark.header("etag");
    // What one says of oneself has none, and to hold it against one is refused rather than ignored.
    let (held, said) = ([("if-match", mark)], r#"{"full_name":"Rea Der"}"#);
    let refused = house.send("reader", "PATCH", "/session", &held, said).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    for held in [mark, "\"00000000000000000000000000000000\""] {
        let held = [("if-match", held)];
        let said = house
            .send("nobody", "PATCH", "/users/reader", &held, r#"{"mail":"x"}"#)
            .await;
        assert_eq!(said.status, 403);
    }
}

#[tokio::test]
async fn asking_again_with_a_key_does_not_do_it_again() {
    let house = House::new().await;
    let key = [("idempotency-key", "6f1c")];
    let new = r#"{"name":"zoe"}"#;
    let first = house.send("ada", "POST", "/users", &key, new).await;
    assert_eq!(first.status, 201);
    let rows = house.rows().await;
    let again = house.send("ada", "POST", "/users", &key, new).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(house.rows().await, rows, "nothing was done");
    let other = house
        .send("ada", "POST", "/users", &key, r#"{"name":"yan"}"#)
        .await;
    assert_eq!((other.status, other.code().as_str()), (422, "key-reused"));
    let elsewhere = house.send("ada", "POST", "/organisations", &key, new).await;
    assert_eq!(elsewhere.status, 422);
    // A key is its asker's own.
    let groups = "/organisations/acme/teams";
    let theirs = house
        .send("owner", "POST", groups, &key, r#"{"name":"web"}"#)
        .await;
    assert_eq!(theirs.status, 201);
    // What was refused may be asked for again.
    let late = [("idempotency-key", "late")];
    let said = house.send("nobody", "POST", "/users", &late, new).await;
    assert_eq!(said.status, 403);
    for bad in ["", "x\u{e9}"] {
        let bad = [("idempotency-key", bad)];
        if !bad[0].1.is_empty() {
            let said = house.send("ada", "POST", "/users", &bad, new).await;
            assert_eq!(said.status, 400);
        }
    }
}

#[tokio::test]
async fn what_was_done_and_not_answered_is_said_to_be_done() {
    let house = House::new().await;
    let key = [("idempotency-key", "k")];
    let first = house
        .send("ada", "POST", "/users", &key, r#"{"name":"zoe"}"#)
        .await;
    assert_eq!(first.status, 201);
    // As if the server had ended between the change and its answer.
    house
        .db
        .write(
            longshore_meta::Durability::Process,
            house.id("ada"),
            |tx, who| Box::pin(longshore_meta::deeds::deed_answer(tx, *who, "k", "")),
        )
        .await
        .unwrap();
    let again = house
        .send("ada", "POST", "/users", &key, r#"{"name":"zoe"}"#)
        .await;
    assert_eq!((again.status, again.code().as_str()), (409, "done-before"));
}

#[tokio::test]
async fn a_large_namespace_is_emptied_once_for_a_key_and_goes_on_where_it_was_broken_off() {
    let house = House::new().await;
    let fill = async || {
        for at in 0..250 {
            house.repo(&format!("acme/many-{at:03}")).await;
        }
        house.repo("acme/zoo").await;
    };
    let send = async |key| {
        let (key, path) = ([("idempotency-key", key)], "/namespaces/acme/-/purge");
        house.send("owner", "POST", path, &key, "").await
    };
    fill().await;
    let first = send("first").await;
    assert_eq!(first.status, 200, "{first:?}");
    assert!(first.json()["repositories"].as_u64().unwrap() > 250);
    let rows = house.rows().await;
    let again = send("first").await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(house.rows().await, rows, "nothing was done");

    // What comes after the first two hundred cannot be deleted.
    fill().await;
    let zoo = "/repositories/acme/zoo";
    let set = async |read_only: bool| {
        let set = format!(r#"{{"read_only":{read_only}}}"#);
        assert_eq!(house.ask("owner", "PATCH", zoo, &set).await.status, 204);
    };
    set(true).await;
    assert_eq!(send("second").await.status, 403);
    let gone = house.get("owner", "/repositories/acme/many-000").await;
    assert_eq!(gone.status, 404);
    assert_eq!(house.get("owner", zoo).await.status, 200);
    set(false).await;
    let rest = send("second").await;
    assert_eq!(
        (rest.status, rest.json()["repositories"].as_u64()),
        (200, Some(51))
    );
    let again = send("second").await;
    assert_eq!((again.status, &again.body), (200, &rest.body));
    assert_eq!(again.header("idempotency-replayed"), "true");
}

#[tokio::test]
async fn people_are_switched_off_and_deleted_and_never_by_themselves() {
    let house = House::new().await;
    let off = r#"{"enabled":false}"#;
    let said = house.ask("ada", "PATCH", "/users/reader", off).await;
    assert_eq!(
        (said.status, said.json()["state"].as_str()),
        (200, Some("disabled"))
    );
    assert_eq!(house.get("reader", "/session").await.status, 401);
    let own = house.ask("ada", "PATCH", "/users/ada", off).await;
    assert_eq!(own.status, 409);
    assert_eq!(
        house.ask("ada", "DELETE", "/users/reader", "").await.status,
        204
    );
    assert_eq!(house.get("ada", "/users/reader").await.status, 404);
    // A user is no organisation.
    assert_eq!(
        house.ask("ada", "DELETE", "/users/other", "").await.status,
        404
    );
    assert_eq!(
        house
            .ask("ada", "DELETE", "/organisations/nobody", "")
            .await
            .status,
        404
    );
    let left = house.ask("ada", "DELETE", "/organisations/acme", "").await;
    assert_eq!(left.status, 409, "something lies in it");
}

#[tokio::test]
async fn a_repository_says_of_itself_what_was_written_and_keeps_the_rest() {
    let house = House::new().await;
    let path = "/repositories/acme/app";
    let said = r##"{"description":"d","readme":"# R","links":["https://example.org/"],"labels":{"team":"web"}}"##;
    assert_eq!(
        house.ask("developer", "PATCH", path, said).await.status,
        204
    );
    let shown = house.get("reader", path).await.json();
    assert_eq!(shown["readme"], "# R");
    assert_eq!(shown["labels"]["team"], "web");
    assert_eq!(
        house
            .ask("developer", "PATCH", path, r#"{"description":""}"#)
            .await
            .status,
        204
    );
    let shown = house.get("reader", path).await.json();
    assert_eq!(
        (shown["description"].as_str(), shown["readme"].as_str()),
        (Some(""), Some("# R"))
    );
    for bad in [
        r#"{"links":["javascript:alert(1)"]}"#,
        r#"{"labels":{"":"x"}}"#,
        r#"{"labels":{"a":1}}"#,
        r#"{"description":"x","read_only":true}"#,
        "{\"description\":\"\\u001b[2J\"}",
    ] {
        assert_eq!(
            house.ask("developer", "PATCH", path, bad).await.status,
            400,
            "{bad}"
        );
    }
    assert_eq!(
        house
            .ask("developer", "PATCH", path, r#"{"read_only":true}"#)
            .await
            .status,
        403
    );
    let void = r#"{"visibility":"internal"}"#;
    let refused = house.ask("maintainer", "PATCH", path, void).await;
    assert_eq!(refused.status, 409, "it would not count");
    let set = r#"{"visibility":"private","read_only":true}"#;
    assert_eq!(
        house.ask("maintainer", "PATCH", path, set).await.status,
        204
    );
    let unset = r#"{"visibility":null}"#;
    assert_eq!(
        house.ask("maintainer", "PATCH", path, unset).await.status,
        204
    );
    let shown = house.get("reader", path).await.json();
    assert_eq!(
        (shown["visibility"].as_str(), shown["read_only"].as_bool()),
        (None, Some(true))
    );
    assert_eq!(
        house
            .ask("maintainer", "PATCH", path, r#"{"read_only":false}"#)
            .await
            .status,
        204
    );
    let give = r#"{"subject":"user:reader","role":"guest","repositories":["a*"]}"#;
    let bindings = "/namespaces/acme/-/bindings";
    let given = house.ask("owner", "POST", bindings, give).await;
    assert_eq!(given.status, 201);
    let to = r#"{"name":"acme/renamed"}"#;
    let rename = format!("{path}/-/rename");
    let said = house.ask("maintainer", "POST", &rename, to).await;
    assert_eq!(said.status, 200);
    let said = said.json();
    assert_eq!(said["name"], "acme/renamed");
    assert_eq!(said["bindings_lost"][0]["id"], given.json()["id"]);
    assert_eq!(said["bindings_found"].as_array().unwrap().len(), 0);
    assert_eq!(
        house.get("reader", path).await.json()["name"],
        "acme/renamed",
        "the old name leads there"
    );
    let star = "/repositories/acme/renamed/-/star";
    assert_eq!(house.ask("reader", "PUT", star, "").await.status, 204);
    let shown = house
        .get("reader", "/repositories/acme%2Frenamed")
        .await
        .json();
    assert_eq!(
        (shown["stars"].as_u64(), shown["starred"].as_bool()),
        (Some(1), Some(true))
    );
    assert_eq!(house.ask("reader", "DELETE", star, "").await.status, 204);
}
