//! The token service: what is asked, what is answered (bad-input H, the rows about the issuer).

use std::sync::{Arc, Mutex};

use longshore_auth::rights::role;
use longshore_http::edge::Observer;

use super::index::{OTHER, PASSWORD, SERVICE, Village, access, basic, claims, with_clock};

const ALL: &str = "repository:acme/app:pull,push,delete";

#[tokio::test]
async fn a_token_says_what_was_asked_and_is_allowed_and_how_long() {
    let village = Village::new().await;
    let target = format!("/token?account=alice&client_id=docker&service={SERVICE}&scope={ALL}");
    let said = village.ask("GET", &target, &basic("alice", PASSWORD)).await;
    let token = said.token();
    let json = said.json();
    assert_eq!(json["access_token"], json["token"]);
    assert_eq!(json["expires_in"], 240);
    assert_eq!(json["issued_at"], "2030-03-17T17:46:40Z");
    assert!(json.get("refresh_token").is_none());
    assert_eq!(said.header("cache-control"), "no-store");
    assert_eq!(access(&token), ["repository:acme/app:pull,push"]);
    let claims = claims(&token);
    for (name, value) in [
        ("iss", "https://index.example"),
        ("sub", "alice"),
        ("aud", SERVICE),
    ] {
        assert_eq!(claims[name], value);
    }
    assert_eq!(
        claims["exp"].as_u64(),
        claims["iat"].as_u64().map(|at| at + 240)
    );
    assert_eq!(claims["nbf"], claims["iat"]);
    assert_eq!(claims["jti"].as_str().unwrap().len(), 32);
    assert_eq!(claims["pid"], village.id("alice").0);
    assert_eq!(claims["ver"], 1);
}

#[tokio::test]
async fn strangers_get_tokens_for_what_is_public_and_those_who_log_in_for_what_is_internal() {
    let village = Village::new().await;
    let scopes =
        "repository:open/a:pull,push&scope=repository:inside/a:pull&scope=repository:secret/a:pull";
    let stranger = village.token("", scopes).await;
    assert_eq!(access(&stranger), ["repository:open/a:pull"]);
    assert_eq!(claims(&stranger)["sub"], "");
    assert!(claims(&stranger).get("pid").is_none());
    let alice = village.token(&basic("alice", PASSWORD), scopes).await;
    assert_eq!(
        access(&alice),
        ["repository:inside/a:pull", "repository:open/a:pull"]
    );
    // An engine that searches for nobody sends empty credentials.
    let empty = village.token("Basic Og==", scopes).await;
    assert_eq!(access(&empty), ["repository:open/a:pull"]);
}

#[tokio::test]
async fn h02_a_service_that_is_none_of_ours_is_refused_and_another_that_trusts_us_is_not() {
    let village = Village::new().await;
    let said = village
        .ask(
            "GET",
            &format!("/token?service=evil.example&scope={ALL}"),
            &basic("alice", PASSWORD),
        )
        .await;
    assert_eq!((said.status, said.code().as_str()), (400, "UNSUPPORTED"));
    let target = format!("/token?service={OTHER}&scope={ALL}");
    let token = village
        .ask("GET", &target, &basic("alice", PASSWORD))
        .await
        .token();
    assert_eq!(claims(&token)["aud"], OTHER);
    let none = village.ask("GET", "/token", "").await.token();
    assert_eq!(
        claims(&none)["aud"],
        SERVICE,
        "no service is the one beside the index"
    );
}

#[tokio::test]
async fn h03_h04_a_wrong_password_and_an_unknown_user_get_the_same_answer_and_are_asked_again() {
    let village = Village::new().await;
    let mut bodies = Vec::new();
    for user in ["alice", "nobody", "bob", "ci", "robot+ci"] {
        let said = village
            .ask(
                "GET",
                &format!("/token?service={SERVICE}"),
                &basic(user, "wrong horse"),
            )
            .await;
        assert_eq!((said.status, said.code().as_str()), (401, "UNAUTHORIZED"));
        assert_eq!(
            said.header("www-authenticate"),
            format!("Basic realm=\"{SERVICE}\",charset=\"UTF-8\"")
        );
        bodies.push(said.json()["errors"][0]["message"].clone());
    }
    // A disabled account is not told that its password was right.
    let bob = village.ask("GET", "/token", &basic("bob", PASSWORD)).await;
    bodies.push(bob.json()["errors"][0]["message"].clone());
    bodies.dedup();
    assert_eq!(bodies.len(), 1);
}

#[tokio::test]
async fn a_password_that_was_brought_from_elsewhere_is_accepted_and_kept_in_our_way() {
    let village = Village::new().await;
    village
        .ask("GET", "/token", &basic("carol", PASSWORD))
        .await
        .token();
    let id = village.id("carol").0;
    let login = village
        .db
        .read(&id, |tx, id| {
            Box::pin(longshore_meta::logins::login_by_id(tx, *id))
        })
        .await
        .unwrap();
    let (hash, changed) = login.unwrap().password.unwrap();
    assert!(
        hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{hash}"
    );
    assert_eq!(changed, 1, "it is the same password");
    village
        .ask("GET", "/token", &basic("carol", PASSWORD))
        .await
        .token();
}

#[tokio::test]
async fn h06_h07_long_passwords_are_compared_whole_or_not_at_all() {
    let village = Village::new().await;
    for password in [
        "p".repeat(100),
        "p".repeat(1024),
        "p".repeat(1025),
        "p".repeat(20_000),
    ] {
        let said = village
            .ask("GET", "/token", &basic("alice", &password))
            .await;
        assert_eq!(said.status, 401, "{}", password.len());
    }
}

#[tokio::test]
async fn h08_what_is_not_allowed_is_left_out_and_is_no_error() {
    let village = Village::new().await;
    let token = village
        .token(&basic("alice", PASSWORD), "repository:secret/app:pull,push")
        .await;
    assert!(access(&token).is_empty());
    // The same bytes for what is not there at all.
    let absent = village
        .token(&basic("alice", PASSWORD), "repository:nowhere/app:pull")
        .await;
    assert!(access(&absent).is_empty());
}

#[tokio::test]
async fn h10_malformed_scopes_are_refused_in_the_words_of_each_method() {
    let village = Village::new().await;
    for scope in [
        "repository",
        ":",
        "repository:a",
        "a:b:c:d:e",
        "repository:A:pull",
        "repository:a:pull:",
    ] {
        let said = village
            .ask(
                "GET",
                &format!("/token?service={SERVICE}&scope={scope}"),
                "",
            )
            .await;
        assert_eq!(
            (said.status, said.code().as_str()),
            (400, "UNSUPPORTED"),
            "{scope}"
        );
        let said = village
            .post(&format!(
                "grant_type=password&username=alice&password=x&scope={scope}"
            ))
            .await;
        assert_eq!(said.status, 400);
        assert_eq!(said.json()["error"], "invalid_scope", "{scope}");
    }
}

#[tokio::test]
async fn h11_h12_hosts_before_names_and_classes_after_types_are_understood() {
    let village = Village::new().await;
    let alice = basic("alice", PASSWORD);
    for scope in [
        "repository:h:5000/acme/app:pull",
        "repository(plugin):acme/app:pull",
        "repository:acme/app:pull,pull",
    ] {
        let token = village.token(&alice, scope).await;
        assert_eq!(access(&token), ["repository:acme/app:pull"], "{scope}");
    }
}

#[tokio::test]
async fn h14_the_catalog_is_granted_for_this_registry_only_and_shows_what_its_reader_sees() {
    let village = Village::new().await;
    let scope = "registry:catalog:*";
    let own = village.token(&basic("alice", PASSWORD), scope).await;
    assert_eq!(access(&own), ["registry:catalog:*"]);
    let target = format!("/token?service={OTHER}&scope={scope}");
    let other = village
        .ask("GET", &target, &basic("alice", PASSWORD))
        .await
        .token();
    assert!(
        access(&other).is_empty(),
        "another registry would show everything"
    );
}

#[tokio::test]
async fn h15_h16_scopes_are_counted_joined_and_may_be_empty() {
    let village = Village::new().await;
    let scopes = |count: usize| {
        let each = (0..count).map(|n| format!("&scope=repository:a{n}:pull"));
        format!("/token?service={SERVICE}{}", each.collect::<String>())
    };
    assert_eq!(village.ask("GET", &scopes(50), "").await.status, 200);
    let said = village.ask("GET", &scopes(51), "").await;
    assert_eq!((said.status, said.code().as_str()), (400, "UNSUPPORTED"));
    let twice = "repository:acme/app:pull&scope=repository:acme/app:push&scope=";
    let token = village.token(&basic("alice", PASSWORD), twice).await;
    assert_eq!(access(&token), ["repository:acme/app:pull,push"]);
    let form = format!("grant_type=password&scope={}", "a".repeat(64 * 1024));
    assert_eq!(village.post(&form).await.status, 413);
}

#[tokio::test]
async fn h23_credentials_in_a_query_are_not_read_and_not_logged() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = seen.clone();
    let observer = Observer::new(move |observed| {
        keep.lock().unwrap().push((
            observed.route,
            observed.target.to_string(),
            observed.actor.to_string(),
        ));
    });
    let village = Village::with(|_| {}, with_clock(), Some(observer)).await;
    let target = format!("/token?service={SERVICE}&username=alice&password=hunter22&scope={ALL}");
    let token = village.ask("GET", &target, "").await.token();
    assert!(access(&token).is_empty());
    assert_eq!(claims(&token)["sub"], "");
    village
        .ask("GET", "/token", &basic("alice", PASSWORD))
        .await
        .token();
    let seen = seen.lock().unwrap();
    assert_eq!(
        seen[0],
        (
            "token",
            format!("/token?service={SERVICE}&scope={ALL}"),
            "-".to_owned()
        )
    );
    assert_eq!(seen[1].2, "alice");
}

#[tokio::test]
async fn rights_on_some_tags_are_written_for_our_registry_and_not_given_for_others() {
    let village = Village::new().await;
    let carol = village.id("carol");
    village.bind(carol, role::READER_ID, "acme", None).await;
    village
        .bind(carol, role::DEVELOPER_ID, "acme", Some("dev-*"))
        .await;
    let token = village
        .token(&basic("carol", PASSWORD), "repository:acme/app:pull,push")
        .await;
    let entries = claims(&token)["access"].clone();
    let entries = entries.as_array().unwrap();
    let limited: Vec<_> = entries
        .iter()
        .filter(|entry| entry.get("tags").is_some())
        .collect();
    assert_eq!(limited.len(), 1, "{entries:?}");
    assert_eq!(limited[0]["tags"], serde_json::json!(["dev-*"]));
    assert_eq!(limited[0]["actions"], serde_json::json!(["push"]));
    let target = format!("/token?service={OTHER}&scope=repository:acme/app:pull,push");
    let other = village
        .ask("GET", &target, &basic("carol", PASSWORD))
        .await
        .token();
    assert_eq!(access(&other), ["repository:acme/app:pull"]);
}

#[tokio::test]
async fn keys_are_shown_to_everybody_and_other_methods_are_told_what_works() {
    let village = Village::new().await;
    for path in ["/token/jwks.json", "/.well-known/jwks.json"] {
        let said = village.ask("GET", path, "").await;
        assert_eq!(said.status, 200);
        assert_eq!(said.header("cache-control"), "max-age=60");
        let keys = said.json()["keys"].as_array().unwrap().clone();
        assert!(
            keys.iter()
                .all(|key| key.get("d").is_none() && key["use"] == "sig")
        );
        assert_eq!(village.ask("HEAD", path, "").await.body.len(), 0);
    }
    let said = village.ask("GET", "/token/certificates.pem", "").await;
    assert_eq!(
        said.body
            .windows(17)
            .filter(|part| part == b"BEGIN CERTIFICATE")
            .count(),
        2
    );
    for (method, path, allow) in [
        ("PUT", "/token", "GET, POST"),
        ("DELETE", "/token", "GET, POST"),
        ("POST", "/token/jwks.json", "GET, HEAD"),
    ] {
        let said = village.ask(method, path, "").await;
        assert_eq!((said.status, said.header("allow")), (405, allow));
    }
    let bearer = village.ask("GET", "/token", "Bearer x.y.z").await;
    assert_eq!(bearer.status, 401, "a token gets no token");
}
