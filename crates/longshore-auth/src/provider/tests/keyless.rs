//! Machines with tokens of an issuer that the test is.

use std::collections::BTreeMap;

use super::server::Server;
use crate::provider::keyless::{Keyless, TrustRule};
use crate::provider::{Pattern, Web};
use crate::token::tests::support::{Signer, at};

const AUDIENCE: &str = "registry.example";

pub(super) fn rule(issuer: &str, robot: i64, claims: &[(&str, &str)]) -> TrustRule {
    TrustRule {
        id: robot,
        robot,
        issuer: issuer.to_owned(),
        audience: AUDIENCE.to_owned(),
        claims: claims
            .iter()
            .map(|(claim, pattern)| ((*claim).to_owned(), Pattern::new(*pattern).unwrap()))
            .collect::<BTreeMap<_, _>>(),
    }
}

/// The claims of a CI's token.
pub(super) fn claims(issuer: &str, subject: &str) -> String {
    format!(
        r#"{{"iss":"{issuer}","aud":"{AUDIENCE}","sub":"{subject}","iat":1899999990,"nbf":1899999990,"exp":1900000300,
            "repository":"acme/app","runner":"hosted","groups":["ci","web"]}}"#
    )
}

pub(super) async fn issuer(signer: &Signer) -> (Server, Keyless) {
    let server = Server::start().await;
    server.describe("", &[signer.jwk("k1")]);
    let web = Web::new(std::slice::from_ref(&server.url), None).unwrap();
    (server, Keyless::new(web))
}

pub(super) fn header(signer: &Signer, kid: &str) -> String {
    format!(r#"{{"typ":"JWT","alg":"{}","kid":"{kid}"}}"#, signer.alg())
}

const MAIN: &str = "repo:acme/app:ref:refs/heads/main";

#[tokio::test]
async fn a_token_makes_its_bearer_the_robots_of_the_rules_it_fits() {
    for signer in [
        Signer::es256(),
        Signer::rsa(),
        Signer::ed25519(),
        Signer::es384(),
    ] {
        let (server, keyless) = issuer(&signer).await;
        let token = signer.token(&header(&signer, "k1"), &claims(&server.url, MAIN));
        assert_eq!(
            Keyless::issuer_of(token.as_bytes()).as_deref(),
            Some(server.url.as_str())
        );
        let rules = [
            rule(
                &server.url,
                1,
                &[("sub", "repo:acme/*:ref:refs/heads/main")],
            ),
            rule(
                &server.url,
                2,
                &[("sub", "repo:acme/*:ref:refs/heads/release")],
            ),
            rule(
                &server.url,
                3,
                &[("repository", "acme/app"), ("groups", "web")],
            ),
            rule(
                &server.url,
                4,
                &[("repository", "acme/app"), ("missing", "**")],
            ),
            rule(&server.url, 1, &[("runner", "hosted")]),
            TrustRule {
                audience: "other.example".to_owned(),
                ..rule(&server.url, 5, &[("sub", MAIN)])
            },
            rule("https://id.example", 6, &[("sub", MAIN)]),
        ];
        let robots = keyless.check(token.as_bytes(), &rules, at(0)).await;
        let robots: Vec<i64> = robots.unwrap().iter().map(|rule| rule.robot).collect();
        assert_eq!(robots, [1, 3, 1], "{}", signer.alg());
        for _ in 0..20 {
            keyless
                .check(token.as_bytes(), &rules, at(1))
                .await
                .unwrap();
        }
        assert_eq!(server.asked("/keys").len(), 1, "keys are remembered");
        let refused = keyless
            .check(token.as_bytes(), &rules[1..2], at(0))
            .await
            .unwrap_err();
        assert_eq!(refused.why, "no rule trusts what its claims say");
        let refused = keyless
            .check(token.as_bytes(), &[], at(0))
            .await
            .unwrap_err();
        assert_eq!(refused.why, "no rule trusts its issuer");
    }
}

#[tokio::test]
async fn an_issuer_that_no_rule_names_is_never_asked() {
    let signer = Signer::es256();
    let (server, keyless) = issuer(&signer).await;
    let token = signer.token(&header(&signer, "k1"), &claims(&server.url, MAIN));
    let other = [rule("https://id.example", 1, &[("sub", MAIN)])];
    assert!(
        keyless
            .check(token.as_bytes(), &other, at(0))
            .await
            .is_err()
    );
    let slash = [rule(&format!("{}/", server.url), 1, &[("sub", MAIN)])];
    assert!(
        keyless
            .check(token.as_bytes(), &slash, at(0))
            .await
            .is_err()
    );
    assert!(server.asked("/.well-known/openid-configuration").is_empty());
}

#[tokio::test]
async fn a_rule_that_trusts_everybody_at_an_issuer_is_no_rule() {
    let signer = Signer::es256();
    let (server, keyless) = issuer(&signer).await;
    let web = Web::new(std::slice::from_ref(&server.url), None).unwrap();
    let token = signer.token(&header(&signer, "k1"), &claims(&server.url, MAIN));
    for claims in [
        &[][..],
        &[("sub", "**")],
        &[("sub", "*")],
        &[("iss", "http*"), ("aud", "registry.example")],
    ] {
        let rule = rule(&server.url, 1, claims);
        assert!(rule.check(&web).is_err(), "{claims:?}");
        assert!(
            keyless
                .check(token.as_bytes(), &[rule], at(0))
                .await
                .is_err(),
            "{claims:?}"
        );
    }
    let inside = rule("https://169.254.169.254", 1, &[("sub", "x")]);
    assert!(inside.check(&web).is_err());
    assert!(rule(&server.url, 1, &[("sub", MAIN)]).check(&web).is_ok());
}

#[tokio::test]
async fn keys_that_were_taken_back_count_no_more_and_new_ones_are_found() {
    let (old, new) = (Signer::es256(), Signer::es256());
    let (server, keyless) = issuer(&old).await;
    let rules = [rule(&server.url, 1, &[("sub", MAIN)])];
    let long = claims(&server.url, MAIN).replace("1900000300", "1900009999");
    let (first, second) = (
        old.token(&header(&old, "k1"), &long),
        new.token(&header(&new, "k2"), &long),
    );
    let check =
        async |token: &str, seconds| keyless.check(token.as_bytes(), &rules, at(seconds)).await;
    assert!(check(&first, 0).await.is_ok());
    assert!(check(&second, 1).await.is_err());
    server.describe("", &[new.jwk("k2")]);
    assert!(
        check(&second, 61).await.is_ok(),
        "an unknown key is looked for"
    );
    assert!(check(&first, 62).await.is_err(), "and the old one is gone");
    // A key under a known name that is another key.
    let forged = old.token(&header(&old, "k2"), &long);
    assert_eq!(
        check(&forged, 63).await.unwrap_err().why,
        "the signature is wrong"
    );
}

#[tokio::test]
async fn an_issuer_that_is_gone_or_lies_about_its_name_is_trusted_no_more() {
    let signer = Signer::es256();
    let (server, keyless) = issuer(&signer).await;
    let rules = [rule(&server.url, 1, &[("sub", MAIN)])];
    let long = claims(&server.url, MAIN).replace("1900000300", "1900009999");
    let token = signer.token(&header(&signer, "k1"), &long);
    let check = async |seconds| {
        // Keys that are still good are used while they are fetched, so what was fetched counts at the next check.
        drop(keyless.check(token.as_bytes(), &rules, at(seconds)).await);
        keyless
            .check(token.as_bytes(), &rules, at(seconds))
            .await
            .map(|fitting| fitting.iter().map(|rule| rule.robot).collect::<Vec<_>>())
            .map_err(|refusal| refusal.why)
    };
    let good = |server: &Server| server.describe("", &[signer.jwk("k1")]);
    assert_eq!(check(0).await, Ok(vec![1]));
    let gone = Err("the issuer's keys cannot be had");
    let path = "/.well-known/openid-configuration";
    let describe =
        |issuer: &str, keys: &str| format!(r#"{{"issuer":"{issuer}","jwks_uri":"{keys}"}}"#);
    let url = server.url.clone();
    let lies: Vec<(&str, u16, String)> = vec![
        ("down", 503, String::new()),
        ("a redirect", 302, String::new()),
        (
            "another's name",
            200,
            describe("https://other.example", &format!("{url}/keys")),
        ),
        (
            "a slash more",
            200,
            describe(&format!("{url}/"), &format!("{url}/keys")),
        ),
        ("no name", 200, format!(r#"{{"jwks_uri":"{url}/keys"}}"#)),
        (
            "two names",
            200,
            format!(r#"{{"issuer":"x","issuer":"{url}","jwks_uri":"{url}/keys"}}"#),
        ),
        (
            "keys inside",
            200,
            describe(&url, "http://169.254.169.254/keys"),
        ),
        (
            "keys on another port",
            200,
            describe(&url, "http://127.0.0.1:1/keys"),
        ),
        ("keys in a file", 200, describe(&url, "file:///etc/passwd")),
        ("no keys", 200, format!(r#"{{"issuer":"{url}"}}"#)),
        ("10 MiB", 200, " ".repeat(10 << 20)),
        ("no JSON", 200, "<html>".to_owned()),
    ];
    let mut now = 0;
    for (what, status, body) in lies {
        server.answer(path, status, body);
        now += 400;
        assert_eq!(check(now).await, gone, "{what}");
        good(&server);
        now += 400;
        assert_eq!(check(now).await, Ok(vec![1]), "after {what}");
    }
    server.answer("/keys", 200, r#"{"keys":[]}"#);
    assert_eq!(check(now + 400).await, gone, "an empty set");
}
