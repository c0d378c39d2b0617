//! Who may know that an account is there: the rule of docs/index.md, asked of every endpoint that is told a name.

use longshore_api::{Needs, On, Way, endpoints};
use longshore_hub::{Caller, NewPassword};

use super::house::{House, Said, account, basic, now};

/// All of an answer that could tell one name from another.
fn told(said: &Said) -> (u16, http::HeaderMap, String) {
    let body = String::from_utf8(said.body.to_vec()).unwrap();
    (said.status, said.headers.clone(), body)
}

/// A body that an endpoint about a user takes, whoever it is.
fn body(id: &str) -> &'static str {
    match id {
        "user-edit" | "user-robot-edit" => r#"{"enabled":false}"#,
        "user-rename" | "identity-put" | "user-robot-create" => r#"{"name":"new"}"#,
        "user-password-put" => r#"{"password":"correct horse"}"#,
        "token-create" => r#"{"label":"new"}"#,
        "user-certificate-create" | "user-robot-certificate-create" => {
            r#"{"subject":"dns:ci.example"}"#
        }
        "user-robot-trust-create" => {
            r#"{"issuer":"https://ci.example","claims":{"repository":"acme/app"}}"#
        }
        _ => "{}",
    }
}

#[tokio::test]
async fn who_lacks_the_right_is_answered_alike_about_a_user_who_is_there_and_one_who_is_not() {
    let house = House::new().await;
    let mut asked = 0;
    for endpoint in endpoints().filter(|it| it.path.contains("{user}")) {
        let body = endpoint.body.map_or("", |_| body(endpoint.id));
        let at = |user: &str| {
            let path = endpoint.path.replace("{user}", user);
            let path = path.replace("{organisation}", "acme");
            let path = path.replace("{team}", "web").replace("{id}", "1");
            let path = path.replace("{robot}", "ci");
            path.replace("{source}", "ldap:corp")
        };
        // What is in a user's namespace is not there for who may not know of that.
        let inside = matches!(endpoint.needs, Needs::Right(_, On::User));
        // Who owns an organisation takes people in by their names.
        let owner = (!endpoint.path.contains("{organisation}")).then_some("owner");
        // Who sees all namespaces is told which are there.
        let auditor = (endpoint.method != Way::Get && !inside).then_some("auditor");
        for who in ["", "nobody", "reader", "developer"]
            .into_iter()
            .chain(owner)
            .chain(auditor)
        {
            let ask = async |user: &str| {
                let method = endpoint.method.as_str();
                told(&house.ask(who, method, &at(user), body).await)
            };
            let there = ask("ada").await;
            assert_eq!(there, ask("absent").await, "{who} {}", endpoint.id);
            let expected = if who.is_empty() { 401 } else { 403 };
            let hidden = endpoint.path.contains("{organisation}") && who == "nobody";
            let hidden = hidden || (inside && !who.is_empty());
            let expected = if hidden { 404 } else { expected };
            assert_eq!(there.0, expected, "{who} {}", endpoint.id);
            asked += 1;
        }
    }
    assert!(asked > 100, "{asked}");
}

#[tokio::test]
async fn a_name_in_a_body_is_looked_at_only_for_who_has_the_right() {
    let house = House::new().await;
    let binding = r#"{"subject":"user:NAME","role":"reader"}"#;
    let why = r#"{"subject":"user:NAME","action":"repository:pull","object":"acme/app"}"#;
    let organisation = r#"{"name":"new","owner":"NAME"}"#;
    let invitation = r#"{"mail":"x@example.org","name":"NAME"}"#;
    for (path, body) in [
        ("/bindings", binding),
        ("/namespaces/acme/-/bindings", binding),
        ("/explain", why),
        ("/what-if", why),
        ("/organisations", organisation),
        ("/invitations", invitation),
        ("/organisations/acme/invitations", invitation),
    ] {
        for who in ["", "nobody", "reader", "developer"] {
            let ask = async |name: &str| {
                let body = body.replace("NAME", name);
                told(&house.ask(who, "POST", path, &body).await)
            };
            let there = ask("ada").await;
            assert_eq!(there, ask("absent").await, "{who} {path}");
            assert!(matches!(there.0, 400..=404), "{who} {path} {}", there.0);
        }
    }
}

#[tokio::test]
async fn strangers_learn_nothing_by_logging_in_or_by_asking_for_letters() {
    let house = House::new().await;
    let by = Caller::operator(1, now());
    let password = NewPassword::plain("correct horse");
    house.hub.password_set(&by, "ada", password).await.unwrap();
    let login = async |name: &str| told(&house.get(&basic(name, "wrong horse"), "/session").await);
    assert_eq!(login("ada").await, login("absent").await);
    let reset = async |name: &str| {
        let body = format!(r#"{{"account":"{name}"}}"#);
        told(&house.ask("", "POST", "/password-resets", &body).await)
    };
    assert_eq!(reset("ada").await, reset("absent").await);
    let sign_up = async |name: &str| {
        let body = format!(r#"{{"name":"{name}","mail":"x@example.org"}}"#);
        told(&house.ask("", "POST", "/sign-up", &body).await)
    };
    assert_eq!(
        sign_up("ada").await,
        sign_up("absent").await,
        "it is closed"
    );
}

#[tokio::test]
async fn who_is_logged_in_may_know_a_name_and_no_more_than_that_of_it() {
    let house = House::new().await;
    let path = "/namespaces/nobody/-/bindings";
    let give = async |subject: &str| {
        let body = format!(r#"{{"subject":"{subject}","role":"reader"}}"#);
        house.ask("nobody", "POST", path, &body).await
    };
    let made = give("user:ada").await;
    assert_eq!(
        (made.status, made.json()["subject"].as_str()),
        (201, Some("user:ada"))
    );
    assert_eq!(give("user:absent").await.status, 404);
    assert_eq!(house.get("nobody", "/users/ada").await.status, 403);
    assert_eq!(house.get("nobody", "/users?limit=1").await.status, 403);
}

#[tokio::test]
async fn teams_and_robots_are_known_to_members_and_to_those_who_see_them() {
    let house = House::new().await;
    let by = Caller::operator(1, now());
    let home = house.hub.namespace_id("other").await.unwrap();
    let team = house.hub.team_create(&by, home, account("crew")).await;
    team.unwrap();
    let robot = r#"{"name":"ci"}"#;
    let made = house.ask("ada", "POST", "/organisations/other/robots", robot);
    assert_eq!(made.await.status, 201);
    let give = async |who: &str, subject: &str| {
        let body = format!(r#"{{"subject":"{subject}","role":"reader"}}"#);
        let path = format!("/namespaces/{who}/-/bindings");
        house.ask(who, "POST", &path, &body).await
    };
    let generic = |said: &Said, name: &str| {
        let (status, headers, body) = told(said);
        (status, headers, body.replace(name, "NAME"))
    };
    for (word, name, absent) in [
        ("team", "other/crew", "other/none"),
        ("team", "other/crew", "absent/crew"),
        ("robot", "other+ci", "other+none"),
        ("robot", "other+ci", "absent+ci"),
    ] {
        let there = give("nobody", &format!("{word}:{name}")).await;
        let not = give("nobody", &format!("{word}:{absent}")).await;
        assert_eq!(there.status, 404, "{word}");
        assert_eq!(
            generic(&there, name),
            generic(&not, absent),
            "{word} {absent}"
        );
    }
    // An administrator sees them, and a member knows them.
    for subject in ["team:other/crew", "robot:other+ci"] {
        assert_eq!(give("ada", subject).await.status, 201, "{subject}");
    }
    let member = house.ask("ada", "PUT", "/organisations/other/members/nobody", "");
    assert_eq!(member.await.status, 204);
    for subject in ["team:other/crew", "robot:other+ci"] {
        assert_eq!(give("nobody", subject).await.status, 201, "{subject}");
    }
}
