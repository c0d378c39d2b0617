//! Tokens of a CI in the place of a password, at the token service and at the registry's own door.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use longshore_auth::index::Sources;
use longshore_auth::provider::Web;
use longshore_auth::rights::role;
use longshore_meta::principals::{PrincipalId, State};
use longshore_meta::trusts::{Trust, trust_delete, trust_put};
use longshore_testkit::provider::Provider;
use serde_json::json;

use super::house::NOW_SECS;
use super::index::{SERVICE, Village, access, basic, claims, pass, with_clock};

const MAIN: &str = "repo:acme/app:ref:refs/heads/main";
const ASKED: &str = "repository:acme/app:pull,push";
const UPLOADS: &str = "/v2/acme/app/blobs/uploads/";

/// A village that may ask this provider, whose robot `ci` pushes to `acme`.
async fn village(provider: &Provider) -> Village {
    let sources = Sources {
        web: Some(Web::new(std::slice::from_ref(&provider.url), None).unwrap()),
        ..Sources::default()
    };
    let village = Village::with_sources(|_| {}, with_clock(), None, sources).await;
    village
        .bind(village.id("ci"), role::DEVELOPER_ID, "acme", None)
        .await;
    village
}

fn rule(provider: &Provider, robot: PrincipalId, subject: &str) -> Trust {
    Trust {
        id: 0,
        principal: robot,
        issuer: provider.url.clone(),
        audience: SERVICE.to_owned(),
        claims: json!({ "sub": subject }).to_string(),
        scope: None,
        description: String::new(),
        expires: None,
        used: None,
        created_by: PrincipalId(0),
        created: 1,
    }
}

impl Village {
    async fn trust(&self, rule: Trust) -> i64 {
        self.write(rule, |tx, rule| Box::pin(trust_put(tx, rule)))
            .await
    }
}

#[tokio::test]
async fn a_token_of_a_trusted_branch_pushes_as_the_robot_of_its_rule() {
    let provider = Provider::start();
    let village = village(&provider).await;
    let ci = village.id("ci");
    village
        .trust(rule(&provider, ci, "repo:acme/*:ref:refs/heads/main"))
        .await;
    // As long as those of real CI systems, and longer than a password may be.
    let mut said = provider.claims(SERVICE, MAIN, NOW_SECS);
    said["job_workflow_ref"] = "x".repeat(2500).into();
    let jwt = provider.token(&said);
    assert!(jwt.len() > 3000);
    for user in ["robot+ci", "keyless"] {
        let token = village.token(&basic(user, &jwt), ASKED).await;
        assert_eq!(access(&token), [ASKED]);
        assert_eq!(claims(&token)["sub"], "robot+ci");
        let pushed = village
            .ask("POST", UPLOADS, &format!("Bearer {token}"))
            .await;
        assert_eq!(pushed.status, 202);
        let direct = village.ask("POST", UPLOADS, &basic(user, &jwt)).await;
        assert_eq!(direct.status, 202, "by Basic at the registry's own door");
    }
    let form = format!(
        "grant_type=password&username=keyless&password={jwt}&service={SERVICE}&access_type=offline&scope={ASKED}"
    );
    let said = village.post(&form).await;
    assert_eq!(access(&said.token()), [ASKED]);
    assert!(
        said.json().get("refresh_token").is_none(),
        "nothing that outlives the build"
    );
    assert_eq!(provider.fetched(), 1, "keys are remembered");
    for user in ["ci", "alice", "robot+other", "Keyless"] {
        assert_eq!(village.login(user, &jwt).await, 401, "{user}");
    }
}

#[tokio::test]
async fn a_rule_trusts_what_it_names_and_nothing_beside_it() {
    let (provider, other) = (Provider::start(), Provider::start());
    let village = village(&provider).await;
    let ci = village.id("ci");
    village
        .trust(rule(&provider, ci, "repo:acme/*:ref:refs/heads/main"))
        .await;
    let good = || provider.claims(SERVICE, MAIN, NOW_SECS);
    let change = |name: &str, value: serde_json::Value| {
        let mut claims = good();
        claims[name] = value;
        provider.token(&claims)
    };
    let whole = provider.token(&good());
    let (head, rest) = whole.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    let none = BASE64.encode(r#"{"alg":"none","typ":"JWT"}"#);
    let none_of_k1 = BASE64.encode(r#"{"alg":"none","kid":"k1"}"#);
    // The public key as the secret of a keyed hash.
    let hmac = provider.signed(&json!({"alg": "HS256", "kid": "k1"}), &good());
    let theirs = {
        let mut claims = good();
        claims["iss"] = provider.url.clone().into();
        other.token(&claims)
    };
    let mut bad = vec![
        ("alg none", format!("{none}.{payload}.")),
        (
            "alg none with a signature",
            format!("{none_of_k1}.{payload}.{signature}"),
        ),
        ("a keyed hash", hmac),
        ("another issuer's key", theirs),
        (
            "an issuer that nobody trusts",
            other.token(&other.claims(SERVICE, MAIN, NOW_SECS)),
        ),
        (
            "another key's name",
            provider.signed(&json!({"alg": "ES256", "kid": "k2"}), &good()),
        ),
        (
            "no key's name",
            provider.signed(&json!({"alg": "ES256"}), &good()),
        ),
        (
            "a key in the header",
            provider.signed(
                &json!({"alg": "ES256", "kid": "k1", "jwk": {"kty": "EC"}}),
                &good(),
            ),
        ),
        (
            "an address of keys",
            provider.signed(
                &json!({"alg": "ES384", "kid": "k1", "jku": other.url}),
                &good(),
            ),
        ),
        ("another audience", change("aud", "other.example".into())),
        ("no audience", change("aud", serde_json::Value::Null)),
        ("expired", change("exp", (NOW_SECS - 61).into())),
        ("no end", change("exp", serde_json::Value::Null)),
        ("not yet", change("nbf", (NOW_SECS + 61).into())),
        (
            "another branch",
            change("sub", "repo:acme/app:ref:refs/heads/evil".into()),
        ),
        (
            "another owner",
            change("sub", "repo:evil/acme/app:ref:refs/heads/main".into()),
        ),
        ("a list of subjects", change("sub", json!([{"x": MAIN}]))),
        ("cut", whole[..whole.len() - 4].to_owned()),
        (
            "another signature",
            format!("{head}.{payload}.{}", BASE64.encode([7; 64])),
        ),
        ("no signature", format!("{head}.{payload}.")),
    ];
    let mut long = good();
    long["x"] = "x".repeat(20_000).into();
    bad.push(("too long", provider.token(&long)));
    for (what, jwt) in bad {
        // A good one each time, so that none is refused for the number of the others.
        assert_eq!(village.login("robot+ci", &whole).await, 200);
        assert_eq!(village.login("robot+ci", &jwt).await, 401, "{what}");
    }
    assert_eq!(other.fetched(), 0, "nobody sends us anywhere");
}

#[tokio::test]
async fn a_token_for_one_rule_is_none_for_another_and_ends_when_it_says() {
    let provider = Provider::start();
    let village = village(&provider).await;
    let ci = village.id("ci");
    village.trust(rule(&provider, ci, MAIN)).await;
    let deploy = Trust {
        audience: "deploy".to_owned(),
        scope: Some(r#"{"actions":["repository:pull"]}"#.to_owned()),
        ..rule(&provider, ci, MAIN)
    };
    village.trust(deploy).await;
    let (push, pull) = (
        provider.token(&provider.claims(SERVICE, MAIN, NOW_SECS)),
        provider.token(&provider.claims("deploy", MAIN, NOW_SECS)),
    );
    for _ in 0..3 {
        let token = village.token(&basic("keyless", &push), ASKED).await;
        assert_eq!(access(&token), [ASKED], "a build logs in more than once");
        let token = village.token(&basic("keyless", &pull), ASKED).await;
        assert_eq!(access(&token), ["repository:acme/app:pull"]);
        assert_eq!(claims(&token)["nar"], 1);
    }
    let refused = village.ask("POST", UPLOADS, &basic("keyless", &pull)).await;
    assert_eq!(refused.status, 403);
    pass(300 + 61);
    assert_eq!(village.login("keyless", &push).await, 401);
}

#[tokio::test]
async fn a_rule_that_is_gone_or_over_and_a_robot_that_is_disabled_let_nobody_in() {
    let provider = Provider::start();
    let village = village(&provider).await;
    let ci = village.id("ci");
    let id = village.trust(rule(&provider, ci, MAIN)).await;
    let jwt = provider.token(&provider.claims(SERVICE, MAIN, NOW_SECS));
    assert_eq!(village.login("robot+ci", &jwt).await, 200);
    village.switch("ci", State::Disabled).await;
    assert_eq!(village.login("robot+ci", &jwt).await, 401);
    village.switch("ci", State::Active).await;
    assert_eq!(village.login("robot+ci", &jwt).await, 200);
    village
        .write(id, |tx, id| Box::pin(trust_delete(tx, *id)))
        .await;
    assert_eq!(village.login("robot+ci", &jwt).await, 401);
    let over = Trust {
        expires: Some(i64::try_from(NOW_SECS).unwrap() * 1_000_000 + 10_000_000),
        ..rule(&provider, ci, MAIN)
    };
    village.trust(over).await;
    assert_eq!(village.login("robot+ci", &jwt).await, 200);
    pass(11);
    assert_eq!(village.login("robot+ci", &jwt).await, 401);
    let person = rule(&provider, village.id("alice"), MAIN);
    village.trust(person).await;
    for user in ["alice", "keyless"] {
        assert_eq!(village.login(user, &jwt).await, 401, "people are no robots");
    }
}

#[tokio::test]
async fn where_several_robots_trust_a_token_it_must_say_which_and_failures_are_counted() {
    let provider = Provider::start();
    let village = village(&provider).await;
    let (ci, other) = (village.id("ci"), village.robot("other").await);
    for robot in [ci, other] {
        village.trust(rule(&provider, robot, MAIN)).await;
    }
    let jwt = provider.token(&provider.claims(SERVICE, MAIN, NOW_SECS));
    let said = village.ask("GET", "/token", &basic("keyless", &jwt)).await;
    assert_eq!(said.status, 401);
    assert!(
        said.json()["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("say which one"),
    );
    for user in ["robot+ci", "robot+other"] {
        assert_eq!(village.login(user, &jwt).await, 200);
    }
    let wrong = provider.token(&provider.claims("other.example", MAIN, NOW_SECS));
    for _ in 0..10 {
        assert_eq!(village.login("robot+ci", &wrong).await, 401);
    }
    assert_eq!(village.login("robot+ci", &jwt).await, 429);
    pass(31);
    assert_eq!(village.login("robot+ci", &jwt).await, 200);
}

#[tokio::test]
async fn a_password_of_any_form_is_no_token_and_a_long_one_is_never_hashed() {
    let provider = Provider::start();
    let village = village(&provider).await;
    let jwt = provider.token(&provider.claims(SERVICE, MAIN, NOW_SECS));
    assert_eq!(
        village.login("alice", &jwt).await,
        401,
        "nobody trusts the issuer: a wrong password"
    );
    assert_eq!(provider.fetched(), 0);
    for long in ["x".repeat(1025), format!("eyJ{}", "x".repeat(2000))] {
        assert_eq!(village.login("alice", &long).await, 401);
    }
    let mut long = provider.claims(SERVICE, MAIN, NOW_SECS);
    long["x"] = "x".repeat(2000).into();
    let jwt = provider.token(&long);
    for _ in 0..8 {
        assert_eq!(village.login("carol", &jwt).await, 401);
    }
    let before = village.login("carol", &jwt).await;
    let after = village.login("carol", &jwt).await;
    assert_eq!((before, after), (401, 401));
    assert_eq!(
        village.login("carol", &jwt).await,
        429,
        "it counts as a failure all the same"
    );
}
