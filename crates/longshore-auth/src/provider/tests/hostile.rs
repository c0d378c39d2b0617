//! The hostile tokens of the list of bad input, section H, brought as passwords.

use super::keyless::{claims, header, issuer, rule};
use crate::provider::keyless::Keyless;
use crate::token::tests::support::{Signer, at, base64url};

const SUBJECT: &str = "repo:acme/app:ref:refs/heads/main";

#[tokio::test]
async fn h26_to_h39_no_hostile_token_is_anybody() {
    let (signer, attacker) = (Signer::es256(), Signer::es256());
    let (server, keyless) = issuer(&signer).await;
    let rules = [rule(&server.url, 1, &[("sub", SUBJECT)])];
    let good = claims(&server.url, SUBJECT);
    let check = async |token: &str| keyless.check(token.as_bytes(), &rules, at(0)).await.is_ok();
    let usual = header(&signer, "k1");
    assert!(
        check(&signer.token(&usual, &good)).await,
        "this is what would be accepted"
    );

    let jwk = attacker.jwk("k1");
    for (id, head) in [
        ("H26", r#"{"alg":"none","kid":"k1"}"#.to_owned()),
        ("H26", r#"{"alg":"NoNe","kid":"k1"}"#.to_owned()),
        ("H26", r#"{"kid":"k1"}"#.to_owned()),
        ("H27", r#"{"alg":"HS256","kid":"k1"}"#.to_owned()),
        ("H27", r#"{"alg":"RS256","kid":"k1"}"#.to_owned()),
        (
            "H28",
            format!(r#"{{"alg":"ES256","kid":"k1","jwk":{jwk}}}"#),
        ),
        (
            "H28",
            r#"{"alg":"ES256","kid":"k1","jku":"https://evil.example"}"#.to_owned(),
        ),
        (
            "H28",
            r#"{"alg":"ES256","kid":"k1","x5u":"https://evil.example"}"#.to_owned(),
        ),
        (
            "H28",
            format!(r#"{{"alg":"ES256","kid":"k1","x5c":["{}"]}}"#, "AAAA"),
        ),
        (
            "H30",
            r#"{"alg":"ES256","kid":"../../etc/passwd"}"#.to_owned(),
        ),
        ("H30", r#"{"alg":"ES256","kid":"' OR 1"}"#.to_owned()),
        (
            "H30",
            format!(r#"{{"alg":"ES256","kid":"{}"}}"#, "k".repeat(4096)),
        ),
        ("H30", r#"{"alg":"ES256","kid":1}"#.to_owned()),
        ("H30", r#"{"alg":"ES256"}"#.to_owned()),
        (
            "H38",
            r#"{"alg":"ES256","kid":"k1","crit":["exp"]}"#.to_owned(),
        ),
        (
            "H38",
            r#"{"alg":"ES256","kid":"k1","zip":"DEF"}"#.to_owned(),
        ),
        (
            "H38",
            r#"{"alg":"ES256","kid":"k1","b64":false}"#.to_owned(),
        ),
        (
            "H38",
            r#"{"alg":"ES256","kid":"k1","enc":"A256GCM"}"#.to_owned(),
        ),
        (
            "H39",
            r#"{"alg":"ES256","alg":"none","kid":"k1"}"#.to_owned(),
        ),
    ] {
        assert!(!check(&signer.token(&head, &good)).await, "{id} {head}");
    }
    assert!(
        !check(&attacker.token(&usual, &good)).await,
        "another's key"
    );
    let unsigned = format!("{}.{}.", base64url(&usual), base64url(&good));
    assert!(!check(&unsigned).await, "no signature");

    let with = |name: &str, raw: &str| {
        let value = match name {
            "exp" => "1900000300".to_owned(),
            "nbf" | "iat" => "1899999990".to_owned(),
            "aud" => r#""registry.example""#.to_owned(),
            "sub" => format!("{SUBJECT:?}"),
            _ => format!("{:?}", server.url),
        };
        let member = format!(r#""{name}":{value}"#);
        assert!(good.contains(&member), "{member}");
        good.replace(&member, &format!(r#""{name}":{raw}"#))
    };
    let ours = format!("{:?}", server.url);
    let slash = format!(r#""{}/""#, server.url);
    let in_list = format!("[{ours}]");
    let twice = format!(r#""x","sub":"{SUBJECT}""#);
    for (id, name, raw) in [
        ("H31", "exp", r#""9999999999""#),
        ("H31", "exp", "null"),
        ("H31", "exp", "9999999999.5"),
        ("H31", "exp", "-1"),
        ("H31", "exp", "[9999999999]"),
        ("H31", "exp", "1e400"),
        ("H31", "exp", "1899999939"),
        ("H32", "nbf", r#""1""#),
        ("H32", "nbf", "1900000061"),
        ("H32", "iat", "1900000061"),
        ("H34", "aud", "[]"),
        ("H34", "aud", r#"[["registry.example"]]"#),
        ("H34", "aud", r#"["registry.example",1]"#),
        ("H34", "aud", r#""other.example""#),
        ("H34", "aud", r#""registry.example ""#),
        ("H34", "aud", "null"),
        ("H35", "iss", slash.as_str()),
        ("H35", "iss", in_list.as_str()),
        ("H35", "iss", "null"),
        ("-", "sub", "null"),
        ("-", "sub", "7"),
        ("-", "sub", r#"{"x":"repo"}"#),
        ("H39", "sub", twice.as_str()),
    ] {
        assert!(
            !check(&signer.token(&usual, &with(name, raw))).await,
            "{id} {name}={raw}"
        );
    }
    for (name, raw) in [
        ("aud", r#"["other","registry.example"]"#),
        ("exp", "1899999941"),
    ] {
        assert!(
            check(&signer.token(&usual, &with(name, raw))).await,
            "{name}={raw}"
        );
    }
}

#[tokio::test]
async fn h38_what_is_no_token_is_told_apart_before_anything_is_decoded() {
    let signer = Signer::es256();
    let (server, keyless) = issuer(&signer).await;
    let rules = [rule(&server.url, 1, &[("sub", SUBJECT)])];
    let token = signer.token(&header(&signer, "k1"), &claims(&server.url, SUBJECT));
    let long = format!(
        "eyJ{}.{}.x",
        "a".repeat(1 << 20),
        base64url(claims(&server.url, SUBJECT))
    );
    let dots = format!("eyJ{}", ".".repeat(10_000));
    for bad in [
        "",
        "hunter2",
        "eyJ",
        "eyJ..",
        "eyJ.e30.",
        "..",
        &dots,
        &long,
        &format!("{token}."),
        &format!(" {token}"),
        &token.replace('.', ""),
    ] {
        assert_eq!(
            Keyless::issuer_of(bad.as_bytes()),
            None,
            "{}",
            &bad[..bad.len().min(20)]
        );
        assert!(keyless.check(bad.as_bytes(), &rules, at(0)).await.is_err());
    }
    assert!(
        server.asked("/keys").is_empty(),
        "nobody was asked for any of that"
    );
}
