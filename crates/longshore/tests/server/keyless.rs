//! A running server whose robots log in with the tokens of a CI.

use longshore_testkit::provider::Provider;
use longshore_testkit::wire::Ask;

use super::harness::Start;
use super::index::{basic, done, fails, json, status, token};

const MAIN: &str = "repo:acme/app:ref:refs/heads/main";

#[expect(
    clippy::disallowed_methods,
    reason = "the server's clock is the machine's"
)]
fn now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.unwrap().as_secs()
}

#[tokio::test]
async fn a_job_of_a_ci_pushes_with_its_own_token_as_long_as_a_rule_trusts_it() {
    let provider = Provider::start();
    let data = tempfile::tempdir().unwrap();
    let dir = data.path();
    let server = Start::over(dir)
        .set("index.enabled", "true")
        .set("index.service", "reg.example")
        .set("index.outbound_allowed", &provider.url)
        .run();
    done(
        dir,
        &[
            "robot",
            "create",
            "robot+ci",
            "--grant",
            "developer:library",
        ],
        "",
    );
    let issuer = provider.url.as_str();
    let rule = ["trust", "create", "robot+ci", "--issuer", issuer];
    for (more, words) in [
        (&["--claim", "sub=**"][..], "trusts everybody"),
        (&["--claim", "sub"], "is not CLAIM=PATTERN"),
        (&["--claim", "sub=a", "--claim", "sub=b"], "there twice"),
    ] {
        fails(dir, &[&rule[..], more].concat(), "", words);
    }
    fails(
        dir,
        &[
            "trust",
            "create",
            "robot+ci",
            "--issuer",
            "http://169.254.169.254",
            "--claim",
            "sub=a",
        ],
        "",
        "it is not `https`",
    );
    let main = ["--claim", "sub=repo:acme/*:ref:refs/heads/main"];
    let made = json(dir, &[&rule[..], &main].concat(), "");
    let id = made["id"].as_i64().unwrap().to_string();

    let push = || Ask::new("POST", "/v2/library/app/blobs/uploads/");
    let mut claims = provider.claims("reg.example", MAIN, now());
    claims["more"] = "x".repeat(2500).into();
    let jwt = provider.token(&claims);
    for user in ["robot+ci", "keyless"] {
        let who = basic(user, &jwt);
        assert_eq!(status(&server, push(), &who).await, 202, "by Basic");
        let bearer = token(&server, &who, "repository:library/app:pull,push").await;
        assert_eq!(status(&server, push(), &bearer).await, 202, "by a token");
    }
    let branch = provider.claims("reg.example", "repo:acme/app:ref:refs/heads/x", now());
    let branch = basic("robot+ci", &provider.token(&branch));
    assert_eq!(status(&server, push(), &branch).await, 401);
    let listed = json(dir, &["trust", "list", "robot+ci"], "");
    assert_eq!(
        listed[0]["claims"]["sub"],
        "repo:acme/*:ref:refs/heads/main"
    );
    assert!(listed[0]["used"].is_i64());

    let bearer = token(
        &server,
        &basic("keyless", &jwt),
        "repository:library/app:pull,push",
    )
    .await;
    done(dir, &["trust", "delete", "robot+ci", &id], "");
    assert_eq!(status(&server, push(), &basic("keyless", &jwt)).await, 401);
    assert_eq!(
        status(&server, push(), &bearer).await,
        401,
        "what was issued by it"
    );
    assert!(!server.log().contains(&jwt), "no token is logged");
}
