//! What the tokens of an index open at the registry beside it, and for how long.

use longshore_auth::rights::role;
use longshore_meta::principals::State;
use longshore_meta::secrets::Kind;

use super::index::{PASSWORD, SERVICE, Village, basic, claims, pass, with_clock};

const BLOB: &str =
    "/v2/acme/app/blobs/sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const UPLOADS: &str = "/v2/acme/app/blobs/uploads/";

async fn bearer(village: &Village, scope: &str) -> String {
    format!(
        "Bearer {}",
        village.token(&basic("alice", PASSWORD), scope).await
    )
}

#[tokio::test]
async fn a_stranger_is_sent_to_the_token_service_of_the_host_it_asked() {
    let village = Village::new().await;
    let said = village.ask("GET", "/v2/", "").await;
    assert_eq!(said.status, 401);
    assert_eq!(
        said.header("www-authenticate"),
        format!("Bearer realm=\"http://registry.example/token\",service=\"{SERVICE}\"")
    );
    let said = village.ask("POST", UPLOADS, "").await;
    assert_eq!(
        said.header("www-authenticate"),
        format!(
            "Bearer realm=\"http://registry.example/token\",service=\"{SERVICE}\",scope=\"repository:acme/app:pull,push\""
        )
    );
    let public = longshore_http::edge::EdgeOptions {
        public_url: Some("https://reg.example".parse().unwrap()),
        ..with_clock()
    };
    let village = Village::with(|_| {}, public, None).await;
    let said = village.ask("GET", "/v2/", "").await;
    assert!(
        said.header("www-authenticate")
            .starts_with("Bearer realm=\"https://reg.example/token\"")
    );
}

#[tokio::test]
async fn a_login_without_scope_passes_the_ping_and_opens_nothing() {
    let village = Village::new().await;
    let token = bearer(&village, "").await;
    assert_eq!(village.ask("GET", "/v2/", &token).await.status, 200);
    let said = village.ask("GET", BLOB, &token).await;
    assert_eq!(said.status, 401);
    assert!(
        said.header("www-authenticate")
            .contains("error=\"insufficient_scope\",error_description=\"this token does not allow")
    );
}

#[tokio::test]
async fn a_token_opens_what_it_names_and_nothing_else() {
    let village = Village::new().await;
    let token = bearer(&village, "repository:acme/app:pull,push").await;
    assert_eq!(village.ask("POST", UPLOADS, &token).await.status, 202);
    assert_eq!(village.ask("GET", BLOB, &token).await.status, 404);
    for target in [
        BLOB.replace("acme/app", "acme/other"),
        BLOB.replace("acme/app", "acme/app/x"),
    ] {
        assert_eq!(village.ask("GET", &target, &token).await.status, 401);
    }
    assert_eq!(village.ask("DELETE", BLOB, &token).await.status, 401);
}

#[tokio::test]
async fn passwords_and_secrets_open_the_registry_directly_each_with_its_own_rights() {
    let village = Village::new().await;
    let scope = r#"{"actions":["repository:pull"]}"#;
    let reads = village
        .secret(Kind::Personal, "alice", Some(scope), 600)
        .await;
    let all = village.secret(Kind::Personal, "alice", None, 600).await;
    for (password, push) in [(PASSWORD, 202), (&all, 202), (&reads, 403)] {
        let who = basic("alice", password);
        assert_eq!(village.ask("GET", "/v2/", &who).await.status, 200);
        assert_eq!(
            village.ask("GET", BLOB, &who).await.status,
            404,
            "it may read"
        );
        assert_eq!(
            village.ask("POST", UPLOADS, &who).await.status,
            push,
            "h43: it may not write"
        );
        // What is not theirs is refused alike, whether it is there or not.
        for elsewhere in ["secret/app", "nowhere/app"] {
            let target = BLOB.replace("acme/app", elsewhere);
            assert_eq!(village.ask("GET", &target, &who).await.status, 403);
        }
    }
    // H43: a token for a narrowed secret is as narrow, by whatever way.
    let token = village
        .token(&basic("alice", &reads), "repository:acme/app:pull,push")
        .await;
    let said = village
        .ask("POST", UPLOADS, &format!("Bearer {token}"))
        .await;
    assert_eq!(said.status, 401);
    let said = village
        .ask("POST", UPLOADS, &format!("Bearer {reads}"))
        .await;
    assert_eq!(said.status, 401, "a secret is no token");
}

#[tokio::test]
async fn strangers_read_what_is_public_without_any_token() {
    let village = Village::new().await;
    let open = BLOB.replace("acme/app", "open/app");
    assert_eq!(village.ask("GET", &open, "").await.status, 404);
    assert_eq!(village.ask("GET", BLOB, "").await.status, 401);
    assert_eq!(
        village
            .ask("POST", "/v2/open/app/blobs/uploads/", "")
            .await
            .status,
        401
    );
    let inside = BLOB.replace("acme/app", "inside/app");
    assert_eq!(village.ask("GET", &inside, "").await.status, 401);
    assert_eq!(
        village
            .ask("GET", &inside, &basic("carol", PASSWORD))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn h42_a_disabled_user_is_out_within_five_seconds_and_at_once_where_writes_are_strict() {
    for strict in [false, true] {
        let village =
            Village::with(|told| told.strict_revocation = strict, with_clock(), None).await;
        let token = bearer(&village, "repository:acme/app:pull,push").await;
        assert_eq!(village.ask("POST", UPLOADS, &token).await.status, 202);
        village.switch("alice", State::Disabled).await;
        let push = village.ask("POST", UPLOADS, &token).await.status;
        assert_eq!(push, if strict { 401 } else { 202 });
        pass(6);
        let said = village.ask("GET", BLOB, &token).await;
        assert_eq!(said.status, 401);
        assert!(
            said.header("www-authenticate")
                .ends_with("error=\"invalid_token\"")
        );
        assert_eq!(village.ask("POST", UPLOADS, &token).await.status, 401);
        assert_eq!(
            village
                .ask("GET", BLOB, &basic("alice", PASSWORD))
                .await
                .status,
            401
        );
        // What was issued before stays void when the account is back.
        village.switch("alice", State::Active).await;
        pass(6);
        assert_eq!(village.ask("GET", BLOB, &token).await.status, 401);
        let fresh = bearer(&village, "repository:acme/app:pull").await;
        assert!(claims(fresh.trim_start_matches("Bearer "))["ver"].as_i64() > Some(1));
        assert_eq!(village.ask("GET", BLOB, &fresh).await.status, 404);
    }
}

#[tokio::test]
async fn a_token_that_ends_in_mid_push_is_asked_for_again_with_the_whole_scope() {
    let village = Village::new().await;
    let token = bearer(&village, "repository:acme/app:pull,push").await;
    let begun = village.ask("POST", UPLOADS, &token).await;
    let session = begun.header("location").to_owned();
    let session = session.trim_start_matches("http://registry.example");
    pass(361);
    let said = village
        .send("PATCH", session, &[("authorization", &token)], "hello")
        .await;
    assert_eq!(said.status, 401);
    assert!(
        said.header("www-authenticate")
            .contains("scope=\"repository:acme/app:pull,push\"")
    );
    let token = bearer(&village, "repository:acme/app:pull,push").await;
    let said = village
        .send("PATCH", session, &[("authorization", &token)], "hello")
        .await;
    assert_eq!(said.status, 202, "the session waits for the new token");
}

#[tokio::test]
async fn keys_may_change_while_tokens_are_in_use_and_one_that_leaked_opens_nothing_at_once() {
    let village = Village::new().await;
    let issuer = village.index.issuer();
    let old = bearer(&village, "repository:acme/app:pull").await;
    assert_eq!(village.ask("GET", BLOB, &old).await.status, 404);
    issuer.rotate(false, super::house::now()).await.unwrap();
    // The new key has begun to sign, and what the old one signed just before is good.
    pass(599);
    let old = bearer(&village, "repository:acme/app:pull").await;
    pass(2);
    let new = bearer(&village, "repository:acme/app:pull").await;
    let key = |token: &str| token.split('.').next().unwrap().to_owned();
    assert_ne!(key(&old), key(&new));
    for token in [&old, &new] {
        assert_eq!(village.ask("GET", BLOB, token).await.status, 404);
    }
    issuer.rotate(true, (with_clock().now)()).await.unwrap();
    let fresh = bearer(&village, "repository:acme/app:pull").await;
    for (token, expected) in [(&old, 401), (&new, 401), (&fresh, 404)] {
        let said = village.ask("GET", BLOB, token).await;
        assert_eq!(said.status, expected);
    }
}

#[tokio::test]
async fn the_catalog_shows_each_reader_what_it_may_see() {
    let village = Village::new().await;
    for scheme in ["token", "basic"] {
        let who = if scheme == "token" {
            bearer(&village, "registry:catalog:*").await
        } else {
            basic("alice", PASSWORD)
        };
        let said = village.ask("GET", "/v2/_catalog", &who).await;
        assert_eq!(said.status, 200, "{scheme}");
        assert_eq!(said.json()["repositories"], serde_json::json!([]));
    }
}

#[tokio::test]
async fn a_right_on_some_tags_sets_those_and_no_others() {
    let village = Village::new().await;
    let carol = village.id("carol");
    village
        .bind(carol, role::DEVELOPER_ID, "acme", Some("dev-*"))
        .await;
    let token = village
        .token(&basic("carol", PASSWORD), "repository:acme/app:pull,push")
        .await;
    for who in [format!("Bearer {token}"), basic("carol", PASSWORD)] {
        let put = async |tag: &str| {
            let target = format!("/v2/acme/app/manifests/{tag}");
            let kind = "application/vnd.oci.image.manifest.v1+json";
            let headers = [("authorization", who.as_str()), ("content-type", kind)];
            village.send("PUT", &target, &headers, "{}").await.status
        };
        assert_eq!(put("dev-1").await, 400, "it may, and this is no manifest");
        assert!(matches!(put("latest").await, 401 | 403));
    }
}
