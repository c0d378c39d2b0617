//! What is refused, how, and what cannot be learnt from it.

use longshore_api::{Endpoint, Gives, Needs, On, Way, endpoints};

use super::house::{House, PEOPLE};
use super::keeping::Keeping;

/// The path of an endpoint about `acme` or about what stands in its place.
fn path(template: &str, place: &str) -> String {
    template
        .replace("{namespace}", place)
        .replace("{organisation}", place)
        .replace("{repository}", &format!("{place}/app"))
        .replace("{user}", "reader")
        .replace("{team}", "web")
        .replace("{role}", "special")
        .replace("{robot}", "ci")
        .replace("{source}", "ldap:corp")
        .replace("{tag}", "v1")
        .replace("{path}", "given-up")
        .replace("{id}", "1")
        .replace(
            "{digest}",
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        )
}

/// A body that the endpoint takes.
fn body(id: &str) -> &'static str {
    match id {
        "user-create"
        | "organisation-create"
        | "team-create"
        | "namespace-rename"
        | "user-rename"
        | "organisation-rename"
        | "identity-put"
        | "robot-create"
        | "organisation-robot-create"
        | "user-robot-create" => r#"{"name":"new"}"#,
        "token-create" => r#"{"label":"new"}"#,
        "robot-edit" | "organisation-robot-edit" | "user-robot-edit" => r#"{"enabled":false}"#,
        "robot-trust-create" | "organisation-robot-trust-create" | "user-robot-trust-create" => {
            r#"{"issuer":"https://ci.example","claims":{"repository":"acme/app"}}"#
        }
        "user-edit" | "organisation-edit" | "namespace-edit" | "repository-edit" => {
            r#"{"description":"x"}"#
        }
        "namespace-create" => r#"{"path":"new"}"#,
        "repository-rename" | "repository-create" => r#"{"name":"acme/new"}"#,
        "binding-create" | "namespace-binding-create" => {
            r#"{"subject":"user:nobody","role":"reader"}"#
        }
        "role-put" | "namespace-role-put" => r#"{"actions":["repository:pull"]}"#,
        "settings-edit" => r#"{"read_only":false}"#,
        "explain" | "what-if" => {
            r#"{"subject":"user:nobody","action":"repository:pull","object":"acme/app"}"#
        }
        "mail-test" => r#"{"address":"x@example.org"}"#,
        "user-password-put" => r#"{"password":"correct horse"}"#,
        "user-certificate-create"
        | "robot-certificate-create"
        | "organisation-robot-certificate-create"
        | "user-robot-certificate-create" => r#"{"subject":"dns:ci.example"}"#,
        _ => "{}",
    }
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_theirs_is_answered_with_the_same_bytes() {
    let house = House::new().await;
    for endpoint in endpoints() {
        let Needs::Right(_, on) = endpoint.needs else {
            continue;
        };
        if on == On::System {
            continue;
        }
        let body = endpoint.body.map_or("", |_| body(endpoint.id));
        // Whose home is asked about: a user's, where it is not an organisation's.
        let (there, at) = match on {
            On::User => ("ada", "{user}"),
            _ => ("other", ""),
        };
        let about = |place: &str| match at {
            "" => path(endpoint.path, place),
            at => path(&endpoint.path.replace(at, place), place),
        };
        for who in ["", "nobody", "reader"] {
            let method = endpoint.method.as_str();
            let theirs = house.ask(who, method, &about(there), body).await;
            let absent = house.ask(who, method, &about("absent"), body).await;
            let expected = if who.is_empty() { 401 } else { 404 };
            assert_eq!(theirs.status, expected, "{who} {} {theirs:?}", endpoint.id);
            assert_eq!(
                (theirs.status, &theirs.headers, &theirs.body),
                (absent.status, &absent.headers, &absent.body),
                "{who} {}",
                endpoint.id
            );
        }
    }
}

#[tokio::test]
async fn whoever_may_know_that_it_is_there_is_told_which_right_is_missing() {
    let house = House::new().await;
    let said = house
        .ask(
            "reader",
            "PATCH",
            "/namespaces/acme",
            r#"{"read_only":true}"#,
        )
        .await;
    assert_eq!((said.status, said.code().as_str()), (403, "denied"));
    let detail = said.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("`namespace:settings`"), "{detail}");
    assert_eq!(said.header("content-type"), "application/problem+json");
    assert_eq!(said.json()["request"], format!("{:032x}", 7));
}

#[tokio::test]
async fn a_refused_request_changes_nothing_but_the_log() {
    let house = House::new().await;
    house.get("nobody", "/session").await;
    // What people change of their own account is refused by what is in it, and not by a right.
    let by_right = |it: &&Endpoint| it.changes() && it.needs != Needs::Login;
    for endpoint in endpoints().filter(by_right) {
        let body = endpoint.body.map_or("", |_| body(endpoint.id));
        let before = house.get("ada", "/users/nobody").await.body;
        for place in ["acme", "other"] {
            // Several endpoints need the same right, and what is refused again is only counted.
            house.hub.refusals_tell(0, true).await.unwrap();
            let rows = house.rows().await;
            let said = house
                .ask(
                    "nobody",
                    endpoint.method.as_str(),
                    &path(endpoint.path, place),
                    body,
                )
                .await;
            assert!(matches!(said.status, 403 | 404), "{} {said:?}", endpoint.id);
            assert_eq!(house.rows().await, rows + 1, "{} is noted", endpoint.id);
        }
        assert_eq!(house.get("ada", "/users/nobody").await.body, before);
    }
}

#[tokio::test]
async fn a_system_endpoint_says_no_to_all_but_those_whose_role_has_its_action() {
    let place = Keeping::new().await;
    let house = &place.house;
    for endpoint in endpoints() {
        let Needs::Right(action, On::System) = endpoint.needs else {
            continue;
        };
        if endpoint.method != Way::Get || matches!(endpoint.gives, Gives::Document) {
            continue;
        }
        for who in PEOPLE {
            let role = match who {
                "ada" => "administrator",
                who => who,
            };
            let has = longshore_auth::rights::role::builtin(role)
                .is_some_and(|role| role.actions.has(action));
            let has = has && matches!(who, "ada" | "auditor");
            let said = house.get(who, &path(endpoint.path, "acme")).await;
            // Of what is there by number, the first is somebody else's.
            let expected = if has { said.status } else { 403 };
            assert_eq!(said.status, expected, "{who} {}", endpoint.id);
            assert!(
                !has || matches!(said.status, 200 | 404),
                "{who} {}",
                endpoint.id
            );
        }
    }
}

#[tokio::test]
async fn every_answer_is_for_its_asker_alone_and_nothing_of_it_runs() {
    let house = House::new().await;
    for (who, path) in [
        ("", "/session"),
        ("ada", "/users"),
        ("", "/users"),
        ("", "/x"),
    ] {
        let said = house.get(who, path).await;
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            (
                "content-security-policy",
                "default-src 'none'; frame-ancestors 'none'",
            ),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(said.header(name), value, "{path}");
        }
        assert!(said.headers.get("access-control-allow-origin").is_none());
        assert!(said.headers.get("set-cookie").is_none());
    }
}

#[tokio::test]
async fn a_stranger_is_asked_to_log_in_before_a_body_is_read() {
    let house = House::new().await;
    let said = house.ask("", "POST", "/users", "not json").await;
    assert_eq!(
        (said.status, said.code().as_str()),
        (401, "unauthenticated")
    );
    assert!(said.header("www-authenticate").starts_with("Basic "));
    for wrong in [
        "Bearer lsp_wrong",
        "Bearer a.b.c",
        "Basic bm9ib2R5OndyeW9uZw==",
        "Digest x",
    ] {
        let said = house.get(wrong, "/session").await;
        assert_eq!(said.status, 401, "{wrong}");
    }
}

#[tokio::test]
async fn what_is_not_understood_is_refused_and_never_guessed() {
    let house = House::new().await;
    for (method, path, body, status) in [
        ("GET", "/users?page=2", "", 400),
        ("GET", "/users?limit=0", "", 400),
        ("GET", "/users?limit=5&limit=6", "", 400),
        ("GET", "/users?cursor=zz", "", 400),
        ("GET", "/users/Alice", "", 400),
        ("GET", "/users", "{}", 400),
        ("POST", "/users", r#"{"name":"x","ada":true}"#, 400),
        ("POST", "/users", r#"{"name":"x","name":"y"}"#, 400),
        ("POST", "/users", r#"{"name":1}"#, 400),
        ("POST", "/users", r#"{"name":"Upper"}"#, 400),
        ("POST", "/users", r#"{"name":"token"}"#, 400),
        ("POST", "/users", "[]", 400),
        ("PUT", "/users", "{}", 405),
        ("GET", "/nothing", "", 404),
        ("GET", "/repositories/Acme/app", "", 400),
        ("GET", "/bindings/0", "", 400),
        ("GET", "/bindings/x", "", 400),
        ("GET", "/search", "", 400),
    ] {
        let said = house.ask("ada", method, path, body).await;
        assert_eq!(said.status, status, "{method} {path} {body} {said:?}");
        assert!(!said.json()["next"].as_str().unwrap().is_empty());
    }
    let said = house.ask("ada", "PUT", "/users", "{}").await;
    assert_eq!(said.header("allow"), "GET, POST, HEAD");
    let long = format!(r#"{{"name":"x","description":"{}"}}"#, "x".repeat(300_000));
    assert_eq!(house.ask("ada", "POST", "/users", &long).await.status, 413);
    let plain = [("content-type", "text/plain")];
    let said = house.send("ada", "POST", "/users", &plain, "").await;
    assert_eq!(said.status, 415);
    let xml = [("accept", "text/xml")];
    let said = house.send("ada", "GET", "/users", &xml, "").await;
    assert_eq!(said.status, 406);
}
