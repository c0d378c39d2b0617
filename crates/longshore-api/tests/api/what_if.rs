//! What would be allowed after changes that nobody has made.

use serde_json::{Value, json};

use super::house::House;

/// A question about somebody's pull of `acme/app`, with more.
fn about(subject: &str, more: Value) -> String {
    let mut body = json!({"subject": subject, "action": "repository:pull", "object": "acme/app"});
    if let Value::Object(more) = more {
        body.as_object_mut().unwrap().extend(more);
    }
    body.to_string()
}

async fn ask(house: &House, who: &str, body: &str) -> (u16, Value) {
    let said = house.ask(who, "POST", "/what-if", body).await;
    (said.status, said.json())
}

#[tokio::test]
async fn each_change_that_can_alter_an_answer_is_supposed_and_nothing_is_changed() {
    let house = House::new().await;
    let team = house.ask(
        "owner",
        "POST",
        "/organisations/acme/teams",
        r#"{"name":"web"}"#,
    );
    assert_eq!(team.await.status, 201);
    let give = r#"{"subject":"team:acme/web","role":"reader"}"#;
    let bindings = "/namespaces/acme/-/bindings";
    assert_eq!(house.ask("owner", "POST", bindings, give).await.status, 201);
    let role = r#"{"actions":["repository:list"]}"#;
    let path = "/namespaces/acme/-/roles/lister";
    assert_eq!(house.ask("owner", "PUT", path, role).await.status, 204);
    let give = r#"{"subject":"user:guest","role":"lister"}"#;
    assert_eq!(house.ask("owner", "POST", bindings, give).await.status, 201);
    let rows = house.rows().await;
    let push = "repository:push";
    for (subject, more, allowed) in [
        ("nobody", json!({}), false),
        ("nobody", json!({"joins": ["team:acme/web"]}), true),
        ("nobody", json!({"joins": ["organisation:acme"]}), false),
        (
            "nobody",
            json!({"joins": ["team:acme/web"], "leaves": ["team:acme/web"]}),
            true,
        ),
        ("guest", json!({}), false),
        (
            "guest",
            json!({"roles": [{"at": "acme/", "role": "lister", "actions": ["repository:pull"]}]}),
            true,
        ),
        (
            "user:nobody",
            json!({
                "roles": [{"at": "acme/", "role": "new", "actions": ["repository:pull"]}],
                "bindings": [{"at": "acme/", "binding": {"subject": "logged-in", "role": "new"}}],
            }),
            true,
        ),
        (
            "nobody",
            json!({"visibility": [{"at": "acme/", "visibility": "internal"}]}),
            true,
        ),
        (
            "anonymous",
            json!({"visibility": [{"at": "acme/", "visibility": "internal"}]}),
            false,
        ),
        (
            "anonymous",
            json!({"visibility": [
                {"at": "acme/", "visibility": "public"},
                {"at": "acme/app", "visibility": null},
            ]}),
            true,
        ),
        (
            "anonymous",
            json!({"visibility": [
                {"at": "acme/", "visibility": "public"},
                {"at": "acme/app", "visibility": "private"},
            ]}),
            false,
        ),
        ("developer", json!({"action": push}), true),
        (
            "developer",
            json!({"action": push, "read_only": [{"at": "acme/", "read_only": true}]}),
            false,
        ),
        (
            "reader",
            json!({
                "with": {"subject": "user:reader", "role": "reader", "deny": true},
                "at": "acme/",
                "bindings": [{"at": "acme/", "binding": {"subject": "everybody", "role": "owner"}}],
            }),
            false,
        ),
    ] {
        let (status, said) = ask(&house, "owner", &about(subject, more.clone())).await;
        assert_eq!(status, 200, "{more} {said}");
        assert_eq!(said["allowed"], allowed, "{subject} {more} {said}");
    }
    // Everything is somebody else's to suppose about.
    let all = json!({"action": push, "read_only": [{"at": "system", "read_only": true}]});
    let said = ask(&house, "ada", &about("developer", all.clone())).await;
    assert_eq!(said.1["allowed"], false, "{said:?}");
    assert_eq!(ask(&house, "owner", &about("developer", all)).await.0, 403);
    assert_eq!(house.rows().await, rows);
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_before_anything_is_looked_at() {
    let house = House::new().await;
    let actions = json!(["repository:pull"]);
    for more in [
        json!({"at": "acme/"}),
        json!({"with": {"subject": "user:nobody", "role": "reader"}}),
        json!({"with": {"subject": "user:nobody", "role": "reader"}, "at": "acme/app"}),
        json!({"bindings": [{"at": "acme/"}]}),
        json!({"bindings": [{"subject": "user:nobody", "role": "reader", "at": "acme/"}]}),
        json!({"roles": [{"at": "acme/", "role": "reader", "actions": []}]}),
        json!({"roles": [{"at": "acme/", "role": "reader", "actions": ["fly"]}]}),
        json!({"roles": [{"at": "acme/app", "role": "x", "actions": actions}]}),
        json!({"roles": [{"role": "x", "actions": actions}]}),
        json!({"joins": ["web"]}),
        json!({"joins": "team:acme/web"}),
        json!({"visibility": [{"at": "acme/"}]}),
        json!({"visibility": [{"at": "acme/", "visibility": "open"}]}),
        json!({"visibility": [{"at": "acme/", "visibility": null}]}),
        json!({"visibility": [{"at": "acme/app:v1", "visibility": "private"}]}),
        json!({"visibility": [{"at": "system", "visibility": "private"}]}),
        json!({"read_only": [{"at": "acme/"}]}),
        json!({"read_only": [{"at": "/", "read_only": true}]}),
        json!({"without": [0.5]}),
        json!({"more": []}),
    ] {
        let (status, said) = ask(&house, "ada", &about("nobody", more.clone())).await;
        assert_eq!((status, &said["code"]), (400, &"invalid".into()), "{more}");
    }
    let many = |entry: Value| Value::Array(vec![entry; 101]);
    let binding = json!({"subject": "user:nobody", "role": "reader"});
    for (name, entry) in [
        ("bindings", json!({"at": "acme/", "binding": binding})),
        ("without", json!(1)),
        (
            "roles",
            json!({"at": "acme/", "role": "x", "actions": actions}),
        ),
        ("joins", json!("team:acme/web")),
        ("leaves", json!("team:acme/web")),
        ("visibility", json!({"at": "acme/", "visibility": "public"})),
        ("read_only", json!({"at": "acme/", "read_only": true})),
    ] {
        let (status, said) = ask(&house, "ada", &about("nobody", json!({name: many(entry)}))).await;
        assert_eq!(status, 400, "{name}");
        let detail =
            "at most 100 changes are supposed at a time, of all sorts together; these are 101";
        assert_eq!(said["detail"], detail);
    }
    let some = |count: usize| vec![json!(1); count];
    let reader = json!({"subject": "user:nobody", "role": "reader"});
    for (who, left, status) in [("ada", 60, 400), ("ada", 59, 404), ("nobody", 60, 400)] {
        let more = json!({
            "with": reader, "at": "acme/", "without": some(40), "joins": vec!["team:acme/no"; left],
        });
        let (found, said) = ask(&house, who, &about("nobody", more)).await;
        assert_eq!(found, status, "{who} {left}: {said}");
    }
    // Whoever may not ask is told that, and nothing of what they supposed is looked up.
    for more in [
        json!({"bindings": [{"at": "acme/app", "binding": reader}]}),
        json!({"roles": [{"at": "acme/app", "role": "x", "actions": actions}]}),
        json!({"roles": [{"at": "acme/", "role": "x", "actions": ["fly"]}]}),
        json!({"visibility": [{"at": "acme/"}]}),
        json!({"read_only": [{"at": "/", "read_only": true}]}),
    ] {
        for (who, status) in [("nobody", 404), ("reader", 403), ("ada", 400)] {
            for whom in ["nobody", who] {
                let found = ask(&house, who, &about(whom, more.clone())).await;
                assert_eq!(found.0, status, "{who} {more} {}", found.1);
            }
        }
    }
    let builtin = json!({"roles": [{"at": "system", "role": "reader", "actions": actions}]});
    assert_eq!(ask(&house, "ada", &about("nobody", builtin)).await.0, 409);
}

#[tokio::test]
async fn what_is_not_theirs_to_see_is_supposed_with_the_bytes_of_what_is_not_there() {
    let house = House::new().await;
    let team = house.ask(
        "ada",
        "POST",
        "/organisations/other/teams",
        r#"{"name":"web"}"#,
    );
    assert_eq!(team.await.status, 201);
    let role = r#"{"actions":["repository:pull"]}"#;
    let path = "/namespaces/other/-/roles/special";
    assert_eq!(house.ask("ada", "PUT", path, role).await.status, 204);
    let reader = json!({"subject": "user:nobody", "role": "reader"});
    let ways = |org: &str, team: &str, role: &str| {
        let (at, app) = (format!("{org}/"), format!("{org}/app"));
        let actions = json!(["repository:pull"]);
        let special = json!({"subject": "user:nobody", "role": role});
        let alone = json!({"subject": "user:nobody", "role": "reader", "repository": app});
        [
            json!({"joins": [format!("team:{org}/{team}")]}),
            json!({"leaves": [format!("team:{org}/{team}")]}),
            json!({"joins": [format!("organisation:{org}")]}),
            json!({"with": reader, "at": at}),
            json!({"with": special, "at": at}),
            json!({"with": alone, "at": "acme/"}),
            json!({"bindings": [{"at": at, "binding": special}]}),
            json!({"roles": [{"at": at, "role": role, "actions": actions}]}),
            json!({"visibility": [{"at": at, "visibility": "public"}]}),
            json!({"visibility": [{"at": app, "visibility": null}]}),
            json!({"read_only": [{"at": at, "read_only": true}]}),
            json!({"read_only": [{"at": app, "read_only": false}]}),
        ]
    };
    let hidden = ways("other", "web", "special");
    let absent = ways("absent", "none", "none");
    for (hidden, absent) in hidden.into_iter().zip(absent) {
        for (who, expected) in [
            ("owner", 404),
            ("maintainer", 404),
            ("developer", 403),
            ("nobody", 404),
        ] {
            for subject in ["nobody", who] {
                let hidden = house
                    .ask(who, "POST", "/what-if", &about(subject, hidden.clone()))
                    .await;
                let absent = house
                    .ask(who, "POST", "/what-if", &about(subject, absent.clone()))
                    .await;
                assert_eq!(hidden.status, expected, "{who} {hidden:?}");
                assert_eq!(hidden.body, absent.body, "{who}");
            }
        }
        let seen = house
            .ask("ada", "POST", "/what-if", &about("nobody", hidden.clone()))
            .await;
        assert!(
            seen.status == 200 || hidden.to_string().contains("acme/"),
            "{hidden} {seen:?}"
        );
    }
}

#[tokio::test]
async fn somebody_is_asked_about_as_they_log_in() {
    let house = House::new().await;
    let robot = r#"{"name":"ci","grants":[{"role":"reader","namespace":"acme"}]}"#;
    let made = house
        .ask("owner", "POST", "/organisations/acme/robots", robot)
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    for path in ["/explain", "/what-if"] {
        for (subject, status) in [
            ("reader", 200),
            ("acme+ci", 200),
            ("acme", 200),
            ("gone", 404),
            ("acme+gone", 404),
            ("robot+ci", 404),
            ("everybody", 400),
            ("fly:x", 400),
        ] {
            let said = house
                .ask("owner", "POST", path, &about(subject, json!({})))
                .await;
            assert_eq!(said.status, status, "{path} {subject} {said:?}");
            if let Some(explicit) = [("reader", "user:reader"), ("acme+ci", "robot:acme+ci")]
                .into_iter()
                .find_map(|(plain, explicit)| (plain == subject).then_some(explicit))
            {
                let again = house
                    .ask("owner", "POST", path, &about(explicit, json!({})))
                    .await;
                assert_eq!(said.body, again.body);
            }
            // Who may not ask about others does not hear who there is.
            let said = house
                .ask("developer", "POST", path, &about(subject, json!({})))
                .await;
            let known = house
                .ask("developer", "POST", path, &about("ada", json!({})))
                .await;
            assert_eq!((said.status, said.body), (403, known.body), "{subject}");
        }
    }
    let renamed = house
        .ask(
            "ada",
            "POST",
            "/users/reader/rename",
            r#"{"name":"writer"}"#,
        )
        .await;
    assert!(renamed.status < 300, "{renamed:?}");
    for (who, told) in [
        ("ada", "is called `writer` now"),
        ("owner", "there is no such account"),
    ] {
        let said = house
            .ask(who, "POST", "/explain", &about("reader", json!({})))
            .await;
        let detail = said.json()["detail"].as_str().unwrap().to_owned();
        assert!(said.status == 404 && detail.contains(told), "{detail}");
    }
}

#[tokio::test]
async fn of_what_is_not_there_administrators_hear_what_a_push_would_be_answered() {
    let house = House::new().await;
    for path in ["/explain", "/what-if"] {
        for (subject, allowed) in [("developer", true), ("reader", false)] {
            let body = about(
                subject,
                json!({"action": "repository:push", "object": "acme/new:v1"}),
            );
            for who in ["ada", "owner", "maintainer"] {
                let said = house.ask(who, "POST", path, &body).await.json();
                assert_eq!(
                    (&said["allowed"], &said["absent"]),
                    (&allowed.into(), &true.into())
                );
            }
            for who in ["auditor", "developer", "nobody"] {
                let said = house.ask(who, "POST", path, &body).await;
                let none = body.replace("acme/new", "absent/new");
                let none = house.ask(who, "POST", path, &none).await;
                assert_eq!((said.status, said.body), (404, none.body), "{who}");
            }
        }
    }
}
