//! A server's signing keys, and the nodes that have them or only trust them.

use std::cell::Cell;
use std::time::Duration;

use longshore_testkit::wire::Ask;

use super::harness::{Start, binary, expect};
use super::index::{PASSWORD, basic, done, fails, index, json, status, token};

/// The header of a token, which names its key.
fn key_of(bearer: &str) -> String {
    bearer.split('.').next().unwrap().to_owned()
}

#[tokio::test]
async fn keys_rotate_under_load_and_no_pull_fails() {
    let data = tempfile::tempdir().unwrap();
    let server = Start::over(data.path())
        .set("index.enabled", "true")
        .set("index.rotate_lead", "3s")
        .run();
    let dir = data.path();
    done(dir, &["user", "create", "alice"], &format!("{PASSWORD}\n"));
    // A registry that holds nothing but images, and learns the keys by asking for them.
    let images = tempfile::tempdir().unwrap();
    let registry = Start::over(images.path())
        .set("auth.token.index", &format!("http://{}", server.address))
        .set("auth.token.issuer", "longshore")
        .set("auth.token.service", "longshore")
        .set("auth.token.jwks_refresh", "1s")
        .run();
    let who = basic("alice", PASSWORD);
    let scope = "repository:alice/app:pull,push";
    let first = token(&server, &who, scope).await;
    let push = Ask::new(
        "POST",
        "/v2/alice/app/blobs/uploads/?digest=sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    );
    let stored = status(&registry, push.sized("hello"), &first).await;
    assert_eq!(stored, 201);
    let pull = || {
        Ask::new(
            "GET",
            "/v2/alice/app/blobs/sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        )
    };
    let (over, pulls) = (Cell::new(false), Cell::new(0_u32));
    // Some fetch a token for each pull, some go on with the one they have: all of them always get what they ask for.
    let load = async |keeps: bool| {
        while !over.get() {
            let fresh = token(&server, &who, scope).await;
            let bearer = if keeps { &first } else { &fresh };
            assert_eq!(status(&registry, pull(), bearer).await, 200);
            assert_eq!(status(&server, pull(), bearer).await, 404);
            pulls.set(pulls.get() + 1);
        }
    };
    let rotate = async {
        let mut signed = std::collections::BTreeSet::new();
        for _ in 0..3 {
            let dir = dir.to_owned();
            let rotated = tokio::task::spawn_blocking(move || json(&dir, &["keys", "rotate"], ""));
            rotated.await.unwrap();
            // Until the new key signs, and a while after.
            tokio::time::sleep(Duration::from_secs(4)).await;
            signed.insert(key_of(&token(&server, &who, scope).await));
        }
        over.set(true);
        signed.len()
    };
    let ((), (), (), signed) = tokio::join!(load(true), load(false), load(false), rotate);
    assert_eq!(signed, 3, "three keys signed, one after the other");
    println!("{} pulls while three keys came and went", pulls.get());
    let keys = json(dir, &["keys", "list"], "");
    let signs = keys
        .as_array()
        .unwrap()
        .iter()
        .filter(|key| key["signs"] == true);
    assert_eq!(signs.count(), 1);
    assert_eq!(keys.as_array().unwrap().len(), 4);
    // What must go at once goes at once, and the registry asks for the key that it does not know.
    done(dir, &["keys", "rotate", "--now"], "");
    let fresh = token(&server, &who, scope).await;
    for _ in 0..100 {
        if status(&registry, pull(), &fresh).await == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!(
        "the registry never learned the new key:\n{}",
        registry.log()
    );
}

#[tokio::test]
async fn a_node_that_is_the_index_alone_has_no_images_and_one_without_accounts_no_tokens() {
    let data = tempfile::tempdir().unwrap();
    let server = Start::over(data.path())
        .set("index.enabled", "true")
        .set("index.roles", "index")
        .run();
    let mut client = server.client();
    for (method, path) in [("GET", "tags/list"), ("POST", "blobs/uploads/")] {
        let answer = Ask::new(method, format!("/v2/a/{path}"));
        let answer = expect(&mut client, answer, 404).await;
        let said = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(said.contains("keeps accounts and no images"), "{said}");
    }
    // Whoever logs in here is known; what there is, is answered here too.
    expect(&mut client, Ask::new("GET", "/v2/"), 401).await;
    assert!(
        server
            .banner
            .contains("images    at the registries that trust it"),
        "{}",
        server.banner
    );
    expect(&mut client, Ask::new("GET", "/token/jwks.json"), 200).await;
    expect(&mut client, Ask::new("GET", "/token"), 200).await;
    let images = tempfile::tempdir().unwrap();
    let registry = Start::over(images.path()).run();
    expect(&mut registry.client(), Ask::new("GET", "/token"), 404).await;
    fails(images.path(), &["user", "list"], "", "keeps no accounts");
}

#[tokio::test]
async fn without_its_key_an_index_does_not_start_and_says_what_is_missing() {
    let data = tempfile::tempdir().unwrap();
    assert_eq!(index(data.path()).stop(), Some(0));
    std::fs::remove_file(data.path().join("index.key")).unwrap();
    let mut command = binary();
    let out = command
        .args(["serve", "--index", "--listen", "127.0.0.1:0", "--data"])
        .arg(data.path())
        .env("LONGSHORE__METRICS__ENABLED", "false")
        .env("LONGSHORE__STORAGE__UNSAFE_STORAGE", "true")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(!out.status.success());
    assert!(
        said.contains("index.key") && said.contains("put it back"),
        "{said}"
    );
}

#[tokio::test]
async fn a_key_that_leaked_opens_nothing_and_costs_other_registries_seconds_with_the_usual_settings()
 {
    let data = tempfile::tempdir().unwrap();
    let server = index(data.path());
    let dir = data.path();
    done(dir, &["user", "create", "alice"], &format!("{PASSWORD}\n"));
    let images = tempfile::tempdir().unwrap();
    let registry = Start::over(images.path())
        .set("auth.token.index", &format!("http://{}", server.address))
        .set("auth.token.issuer", "longshore")
        .set("auth.token.service", "longshore")
        .run();
    let who = basic("alice", PASSWORD);
    let scope = "repository:alice/app:pull,push";
    let push = || Ask::new("POST", "/v2/alice/app/blobs/uploads/");
    let leaked = token(&server, &who, scope).await;
    for place in [&server, &registry] {
        assert_eq!(status(place, push(), &leaked).await, 202);
    }
    // One more is shown already, and waits for its time.
    done(dir, &["keys", "rotate"], "");
    let keys = json(dir, &["keys", "rotate", "--now"], "");
    let keys = keys.as_array().unwrap();
    assert_eq!(keys.len(), 1, "nothing else is trusted: {keys:?}");
    assert_eq!(
        (&keys[0]["signs"], &keys[0]["until"]),
        (&true.into(), &serde_json::Value::Null)
    );
    assert_eq!(status(&server, push(), &leaked).await, 401);
    let fresh = token(&server, &who, scope).await;
    assert_eq!(status(&server, push(), &fresh).await, 202);
    // Half of the minute after which it would have asked anyway.
    let mut tenths = 0;
    while status(&registry, push(), &fresh).await != 202 {
        assert!(tenths < 300, "{}", registry.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
        tenths += 1;
    }
    println!("the registry knew the new key after {tenths} tenths of a second");
    assert_eq!(status(&registry, push(), &leaked).await, 401);
}
