//! What was, and having it again; what is removed for good.

use longshore_hub::gives::Give;
use serde_json::{Value, json};

use super::keeping::{Keeping, at};

const APP: &str = "/repositories/acme/app/-";

fn items(said: &Value) -> Vec<Value> {
    said["items"].as_array().unwrap().clone()
}

/// Somebody who may push what some tags name, and nothing else.
async fn limited(place: &Keeping) {
    let give = Give {
        subject: "user:nobody".to_owned(),
        role: "developer".to_owned(),
        tags: Some("v*".to_owned()),
        ..Give::default()
    };
    place.house.give("acme", give).await;
}

#[tokio::test]
async fn a_tag_points_again_to_where_it_was_and_its_history_says_who_did_that() {
    let place = Keeping::new().await;
    let house = &place.house;
    let first = place.push("acme/app", &["v1"], "first").await;
    let second = place.push("acme/app", &["v1"], "second").await;
    assert_eq!(place.points("acme/app", "v1").await, Some(second));
    let history = format!("{APP}/tags/v1/history");
    let restore = format!("{APP}/tags/v1/restore");
    // Who sees a repository and pulls nothing sees no history; who pulls changes none.
    for (who, sees, changes) in [
        ("", 401, 401),
        ("nobody", 404, 404),
        ("guest", 403, 403),
        ("auditor", 403, 403),
        ("reader", 200, 403),
    ] {
        assert_eq!(house.get(who, &history).await.status, sees, "{who}");
        let said = house.ask(who, "POST", &restore, "{}").await;
        assert_eq!(said.status, changes, "{who}: {said:?}");
    }
    let shown = items(&house.get("reader", &history).await.json());
    assert_eq!(shown.len(), 2);
    assert_eq!(
        (&shown[0]["old"], &shown[0]["actor"], &shown[0]["cause"]),
        (&json!(first.to_string()), &json!("alice"), &json!("push"))
    );
    assert!(at(&shown[0]["at"]) > at(&shown[1]["at"]));

    let key = [("idempotency-key", "one")];
    let said = house.send("developer", "POST", &restore, &key, "{}").await;
    let done = json!({ "to": first.to_string(), "from": second.to_string(), "manifests": 0 });
    assert_eq!((said.status, said.json()), (200, done.clone()), "{said:?}");
    assert_eq!(place.points("acme/app", "v1").await, Some(first));
    // Asked again it is not done again, which would point the tag back.
    let again = house.send("developer", "POST", &restore, &key, "{}").await;
    assert_eq!((again.status, again.json()), (200, done));
    assert_eq!(place.points("acme/app", "v1").await, Some(first));
    let shown = items(
        &house
            .get("developer", &format!("{history}?limit=1"))
            .await
            .json(),
    );
    assert_eq!(
        (&shown[0]["actor"], &shown[0]["cause"], &shown[0]["new"]),
        (
            &json!("developer"),
            &json!("restored"),
            &json!(first.to_string())
        )
    );
    let log = house.get("ada", "/audit?limit=1").await.json();
    let row = &items(&log)[0];
    assert_eq!(
        (
            &row["actor_name"],
            &row["action"],
            &row["object"],
            &row["result"]
        ),
        (
            &json!("developer"),
            &json!("repository:push"),
            &json!("acme/app:v1"),
            &json!("done")
        )
    );
    let to = json!({ "to": second.to_string() }).to_string();
    let said = house.ask("developer", "POST", &restore, &to).await;
    assert_eq!(said.status, 200, "{said:?}");
    assert_eq!(place.points("acme/app", "v1").await, Some(second));
    for (path, body, status) in [
        (
            &restore,
            json!({ "to": format!("sha256:{}", "0".repeat(64)) }),
            404,
        ),
        (&restore, json!({ "to": "x" }), 400),
        (&restore, json!({ "from": "x" }), 400),
        (&format!("{APP}/tags/never/restore"), json!({}), 404),
    ] {
        let said = house
            .ask("developer", "POST", path, &body.to_string())
            .await;
        assert_eq!(said.status, status, "{path} {body} {said:?}");
    }
}

#[tokio::test]
async fn a_history_in_parts_is_the_whole_one_and_strangers_are_told_no_names() {
    let place = Keeping::new().await;
    let house = &place.house;
    for (tag, what) in [("b", "1"), ("a", "2"), ("b", "3"), ("a", "4"), ("a", "5")] {
        place.push("acme/app", &[tag], what).await;
    }
    for (path, expected) in [
        (format!("{APP}/history"), vec!["a", "a", "a", "b", "b"]),
        (format!("{APP}/tags/a/history"), vec!["a", "a", "a"]),
    ] {
        let whole = items(&house.get("reader", &path).await.json());
        let (mut parts, mut next) = (Vec::new(), format!("{path}?limit=2"));
        loop {
            let said = house.get("reader", &next).await.json();
            parts.extend(items(&said));
            let Some(cursor) = said["next"].as_str() else {
                break;
            };
            next = format!("{path}?limit=2&cursor={cursor}");
        }
        assert_eq!(whole, parts);
        let tags: Vec<_> = whole.iter().map(|it| it["tag"].as_str().unwrap()).collect();
        assert_eq!(tags, expected);
    }
    let public = r#"{"visibility":"public"}"#;
    let said = house
        .ask("owner", "PATCH", "/namespaces/acme", public)
        .await;
    assert_eq!(said.status, 200, "{said:?}");
    let shown = items(&house.get("", &format!("{APP}/history")).await.json());
    assert!(shown.len() == 5 && shown.iter().all(|it| it["actor"].is_null()));
}

#[tokio::test]
async fn what_was_deleted_comes_back_with_its_tags_and_to_nobody_who_may_not_push() {
    let place = Keeping::new().await;
    let house = &place.house;
    let digest = place.push("acme/app", &["v1", "v2"], "first").await;
    place.delete("acme/app", &digest).await;
    assert_eq!(place.points("acme/app", "v1").await, None);
    place.push("acme/app", &["v2"], "second").await;
    let trash = format!("{APP}/trash");
    let restore = format!("{trash}/{digest}/restore");
    for (who, sees, changes) in [
        ("", 401, 401),
        ("nobody", 404, 404),
        ("guest", 403, 403),
        ("reader", 200, 403),
    ] {
        assert_eq!(house.get(who, &trash).await.status, sees, "{who}");
        let said = house.ask(who, "POST", &restore, "").await;
        assert_eq!(said.status, changes, "{who}");
    }
    let shown = items(&house.get("reader", &trash).await.json());
    assert_eq!(
        (
            &shown[0]["digest"],
            &shown[0]["tags"],
            &shown[0]["deleted_by"]
        ),
        (
            &json!(digest.to_string()),
            &json!(["v1", "v2"]),
            &json!("alice")
        )
    );
    assert!(
        shown[0]["outlook"].is_null(),
        "who else has its blobs is not theirs to know"
    );
    let all = house.get("auditor", "/trash").await.json();
    let row = &items(&all)[0];
    assert_eq!(row["repository"], "acme/app");
    assert!(row["outlook"].is_object());
    for who in ["owner", "reader", "nobody"] {
        assert_eq!(house.get(who, "/trash").await.status, 403, "{who}");
    }
    let said = house.ask("developer", "POST", &restore, "").await;
    assert_eq!(
        (said.status, said.json()),
        (
            200,
            json!({ "manifests": 1, "tags": ["v1"], "taken": ["v2"] })
        ),
        "{said:?}"
    );
    assert_eq!(place.points("acme/app", "v1").await, Some(digest));
    let history = format!("{APP}/tags/v1/history?limit=1");
    let shown = items(&house.get("reader", &history).await.json());
    assert_eq!(shown[0]["actor"], "developer");
    let again = house.ask("developer", "POST", &restore, "").await;
    assert_eq!(again.status, 404, "{again:?}");
}

#[tokio::test]
async fn whoever_is_limited_to_some_tags_sees_and_undoes_what_is_theirs_and_nothing_else() {
    let place = Keeping::new().await;
    let house = &place.house;
    limited(&place).await;
    let hidden = place.push("acme/app", &["main"], "hidden").await;
    let own = place.push("acme/app", &["v1"], "own").await;
    place.push("acme/app", &["v1"], "later").await;
    let both = place.push("acme/app", &["v2", "other"], "both").await;
    let lost = place.push("acme/app", &["main"], "lost").await;
    place.delete("acme/app", &both).await;
    place.delete("acme/app", &lost).await;
    let seen = |said: &Value, name: &str| {
        let mut all: Vec<_> = items(said).iter().map(|it| it[name].clone()).collect();
        all.dedup();
        all
    };
    let history = house.get("nobody", &format!("{APP}/history")).await.json();
    assert_eq!(seen(&history, "tag"), [json!("v1"), json!("v2")]);
    let main = house
        .get("nobody", &format!("{APP}/tags/main/history"))
        .await;
    assert_eq!(
        main.status, 404,
        "it is theirs not even to know of: {main:?}"
    );
    let trash = house.get("nobody", &format!("{APP}/trash")).await.json();
    assert_eq!(seen(&trash, "digest"), [json!(both.to_string())]);
    assert_eq!(seen(&trash, "tags"), [json!(["v2"])]);

    let restore = format!("{APP}/tags/v1/restore");
    let say = |to: &dyn std::fmt::Display| json!({ "to": to.to_string() }).to_string();
    // What another tag names would be theirs to pull then.
    let said = house.ask("nobody", "POST", &restore, &say(&hidden)).await;
    assert_eq!(said.status, 404, "{said:?}");
    let said = house.ask("nobody", "POST", &restore, &say(&own)).await;
    assert_eq!(said.status, 200, "{said:?}");
    let said = house
        .ask("developer", "POST", &restore, &say(&hidden))
        .await;
    assert_eq!(said.status, 200, "{said:?}");
    let main = format!("{APP}/tags/main/restore");
    assert_eq!(house.ask("nobody", "POST", &main, "{}").await.status, 404);
    for digest in [both, lost] {
        let path = format!("{APP}/trash/{digest}/restore");
        let said = house.ask("nobody", "POST", &path, "").await;
        assert_eq!(
            said.status, 404,
            "it lost a tag that is not theirs: {said:?}"
        );
    }
}

#[tokio::test]
async fn emptying_the_trash_takes_the_right_to_remove_the_repository_and_is_not_waited_for() {
    let place = Keeping::new().await;
    let house = &place.house;
    let one = place.push("acme/app", &["1"], "one").await;
    let two = place.push("acme/app", &["2"], "two").await;
    let other = place.push("other/app", &["1"], "other").await;
    for (repo, digest) in [("acme/app", one), ("acme/app", two), ("other/app", other)] {
        place.delete(repo, &digest).await;
    }
    let collection = place.collection.clone();
    tokio::spawn(async move { collection.tend(std::future::pending()).await });
    let trash = format!("{APP}/trash");
    let single = format!("{trash}/{one}");
    for (who, status) in [
        ("", 401),
        ("nobody", 404),
        ("reader", 403),
        ("developer", 403),
    ] {
        for path in [&trash, &single] {
            let said = house.ask(who, "DELETE", path, "").await;
            assert_eq!(said.status, status, "{who} {path}");
        }
    }
    let left = async |place: &Keeping| {
        let all = place.house.get("ada", "/trash").await.json();
        let mut all: Vec<_> = items(&all).iter().map(|it| it["digest"].clone()).collect();
        all.sort_by_key(ToString::to_string);
        all
    };
    let mut expected = [json!(two.to_string()), json!(other.to_string())];
    expected.sort_by_key(ToString::to_string);
    let said = house.ask("owner", "DELETE", &single, "").await;
    assert_eq!(
        (said.status, said.json()),
        (202, json!({ "state": "begun" }))
    );
    let runs = place.runs().await;
    assert_eq!(
        (&runs[0]["state"], &runs[0]["by"], &runs[0]["empties"]),
        (&json!("done"), &json!("owner"), &json!("acme/app"))
    );
    assert_eq!(left(&place).await, expected);
    assert_eq!(house.ask("owner", "DELETE", &single, "").await.status, 404);
    let restore = format!("{single}/restore");
    assert_eq!(house.ask("owner", "POST", &restore, "").await.status, 404);
    assert_eq!(house.ask("owner", "DELETE", &trash, "").await.status, 202);
    place.runs().await;
    assert_eq!(left(&place).await, [json!(other.to_string())]);
    let said = house.ask("owner", "DELETE", &trash, "").await;
    assert_eq!(
        (said.status, said.json()),
        (202, json!({ "state": "nothing" }))
    );
    for (who, status) in [("owner", 403), ("auditor", 403), ("ada", 202)] {
        assert_eq!(
            house.ask(who, "DELETE", "/trash", "").await.status,
            status,
            "{who}"
        );
    }
    place.runs().await;
    assert_eq!(left(&place).await, Vec::<Value>::new());
}

#[tokio::test]
async fn collection_is_asked_for_by_whoever_operates_the_system_and_tells_how_it_went() {
    let place = Keeping::new().await;
    let house = &place.house;
    for (who, sees, runs) in [("", 401, 401), ("owner", 403, 403), ("auditor", 200, 403)] {
        assert_eq!(house.get(who, "/gc").await.status, sees, "{who}");
        let said = house.ask(who, "POST", "/gc", "{}").await;
        assert_eq!(said.status, runs, "{who}");
    }
    // Nobody works yet: those who ask are told how many may wait.
    let dry = r#"{"dry_run":true}"#;
    let mut heard = Vec::new();
    for _ in 0..11 {
        let said = house.ask("ada", "POST", "/gc", dry).await;
        heard.push((said.status, said.json()["state"].clone()));
    }
    assert_eq!(heard[9], (202, json!("waiting")));
    assert_eq!(heard[10].0, 429);
    let collection = place.collection.clone();
    tokio::spawn(async move { collection.tend(std::future::pending()).await });
    let runs = place.runs().await;
    assert_eq!(runs.len(), 10);
    assert!(
        runs.iter()
            .all(|run| run["state"] == "done" && run["dry_run"] == true)
    );
    let said = house.ask("ada", "POST", "/gc", r#"{"hurry":true}"#).await;
    assert_eq!((said.status, said.json()["id"].clone()), (202, json!(11)));
    let runs = place.runs().await;
    assert_eq!(
        (&runs[0]["id"], &runs[0]["state"], &runs[0]["by"]),
        (&json!(11), &json!("done"), &json!("ada"))
    );
    let gc = house.get("auditor", "/gc").await.json();
    assert_eq!((&gc["completed"], &gc["broken"]), (&json!(1), &json!(0)));
    let log = house.get("ada", "/audit?limit=1").await.json();
    assert_eq!(items(&log)[0]["action"], "system:operate");
}
