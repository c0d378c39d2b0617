//! The hostile tokens, each with the identifier it has in the list of bad input.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};

use super::support::*;

#[tokio::test]
async fn h26_to_h38_no_header_chooses_how_its_token_is_checked() {
    let (signer, attacker, rsa) = (Signer::es256(), Signer::es256(), Signer::rsa());
    let (_files, tokens) = trusting(&[&signer, &rsa]).await;
    let kid = signer.kid();
    let (not_alg, refused) = (
        "the header's `alg` is not one that is accepted",
        "the header has a member that is refused",
    );
    let not_kid = "the header's `kid` is not a text of acceptable length";
    let untrusted = "the token's key is not trusted";
    let huge = "k".repeat(4096);
    let rows: Vec<(&str, String, &str)> = vec![
        ("H26", format!(r#"{{"alg":"none","kid":"{kid}"}}"#), not_alg),
        ("H26", format!(r#"{{"alg":"NoNe","kid":"{kid}"}}"#), not_alg),
        ("H26", format!(r#"{{"alg":"","kid":"{kid}"}}"#), not_alg),
        ("H26", format!(r#"{{"alg":null,"kid":"{kid}"}}"#), not_alg),
        (
            "H26",
            format!(r#"{{"alg":["ES256"],"kid":"{kid}"}}"#),
            not_alg,
        ),
        ("H26", format!(r#"{{"kid":"{kid}"}}"#), not_alg),
        (
            "H27",
            format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#),
            not_alg,
        ),
        (
            "H27",
            format!(r#"{{"alg":"EdDSA","kid":"{kid}"}}"#),
            "the header's `alg` is not the one of the key",
        ),
        (
            "H27",
            format!(r#"{{"alg":"ES256","kid":"{}"}}"#, rsa.kid()),
            "the header's `alg` is not the one of the key",
        ),
        (
            "H27",
            format!(r#"{{"alg":"PS256","kid":"{}"}}"#, rsa.kid()),
            not_alg,
        ),
        (
            "H28",
            format!(
                r#"{{"alg":"ES256","kid":"{kid}","jwk":{}}}"#,
                attacker.jwk("x")
            ),
            refused,
        ),
        (
            "H28",
            format!(r#"{{"alg":"ES256","jwk":{}}}"#, attacker.jwk(kid)),
            refused,
        ),
        (
            "H28",
            format!(r#"{{"alg":"ES256","kid":"{kid}","jku":"https://evil.example/"}}"#),
            refused,
        ),
        (
            "H28",
            format!(r#"{{"alg":"ES256","kid":"{kid}","x5u":"https://evil.example/"}}"#),
            refused,
        ),
        (
            "H30",
            r#"{"alg":"ES256","kid":"../../etc/passwd"}"#.to_owned(),
            untrusted,
        ),
        (
            "H30",
            r#"{"alg":"ES256","kid":"' OR 1=1 --"}"#.to_owned(),
            untrusted,
        ),
        ("H30", r#"{"alg":"ES256","kid":""}"#.to_owned(), not_kid),
        (
            "H30",
            format!(r#"{{"alg":"ES256","kid":"{huge}"}}"#),
            not_kid,
        ),
        ("H30", r#"{"alg":"ES256","kid":7}"#.to_owned(), not_kid),
        (
            "H30",
            format!(r#"{{"alg":"ES256","kid":["{kid}"]}}"#),
            not_kid,
        ),
        (
            "H30",
            r#"{"alg":"ES256"}"#.to_owned(),
            "the header names no key",
        ),
        (
            "H38",
            format!(r#"{{"alg":"ES256","kid":"{kid}","crit":["exp"]}}"#),
            refused,
        ),
        (
            "H38",
            format!(r#"{{"alg":"ES256","kid":"{kid}","zip":"DEF"}}"#),
            refused,
        ),
        (
            "H38",
            format!(r#"{{"alg":"ES256","kid":"{kid}","b64":false}}"#),
            refused,
        ),
        (
            "H38",
            format!(r#"{{"alg":"ES256","enc":"A256GCM","kid":"{kid}"}}"#),
            refused,
        ),
        (
            "H38",
            format!(r#"{{"alg":"ES256","typ":"JWE","kid":"{kid}"}}"#),
            "the header's `typ` is not `JWT`",
        ),
        (
            "H39",
            format!(r#"{{"alg":"ES256","alg":"none","kid":"{kid}"}}"#),
            "the header is not an object of strict JSON",
        ),
    ];
    for (id, header, expected) in rows {
        // Signed by the trusted key, so that nothing but the header can be what refuses it.
        let token = signer.token(&header, &claims(&[]));
        assert_eq!(why(&tokens, token, at(0)).await, expected, "{id} {header}");
    }
    assert_eq!(why(&tokens, signer.good(), at(0)).await, "");
}

#[tokio::test]
async fn h26_and_h27_a_signature_that_is_missing_or_made_with_the_public_key_is_refused() {
    let (signer, rsa) = (Signer::es256(), Signer::rsa());
    let (_files, tokens) = trusting(&[&signer, &rsa]).await;
    for header in [r#"{"alg":"none"}"#.to_owned(), signer.header()] {
        let unsigned = format!("{}.{}.", base64url(&header), base64url(claims(&[])));
        assert_ne!(why(&tokens, unsigned, at(0)).await, "", "H26 {header}");
    }
    for (secret, alg) in [
        (rsa.spki.clone(), "HS256"),
        (rsa.pem().into_bytes(), "HS256"),
        (rsa.spki.clone(), "RS256"),
    ] {
        let header = format!(r#"{{"alg":"{alg}","kid":"{}"}}"#, rsa.kid());
        let signed = format!("{}.{}", base64url(header), base64url(claims(&[])));
        let tag = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, &secret),
            signed.as_bytes(),
        );
        assert_ne!(
            why(&tokens, format!("{signed}.{}", base64url(tag)), at(0)).await,
            "",
            "H27 {alg}"
        );
    }
}

#[tokio::test]
async fn h31_to_h39_claims_of_another_type_time_or_reader_are_refused() {
    let signer = Signer::es256();
    let (_files, tokens) = trusting(&[&signer]).await;
    let service = format!("{SERVICE:?}");
    let nested = format!("[[{service}]]");
    let with_number = format!("[{service},1]");
    let twice_aud = format!(r#""other","aud":{service}"#);
    let twice_access = r#"[],"access":[{"type":"repository","name":"a","actions":["*"]}]"#;
    let future = "1900000061";
    let not_time = "a claim that should be a time is not a whole number from 0";
    let (not_json, not_text) = (
        "the claims are not an object of strict JSON",
        "a claim that should be text is not",
    );
    let (no_service, no_aud) = (
        "`aud` does not have this registry",
        "`aud` is missing or neither text nor list",
    );
    let not_issuer = "`iss` is not the issuer";
    let rows: Vec<(&str, &str, &str, &str)> = vec![
        ("H31", "exp", r#""9999999999""#, not_time),
        ("H31", "exp", "", "`exp` is missing"),
        ("H31", "exp", "null", not_time),
        ("H31", "exp", "9999999999.5", not_time),
        ("H31", "exp", "9e9", not_time),
        ("H31", "exp", "1e400", not_json),
        ("H31", "exp", "-1", not_time),
        ("H31", "exp", "[9999999999]", not_time),
        ("H31", "exp", "true", not_time),
        ("H31", "exp", "18446744073709551616", not_time),
        ("H31", "exp", "0", "the token is expired"),
        ("H32", "nbf", r#""1""#, not_time),
        ("H32", "nbf", future, "the token is not valid yet"),
        (
            "H32",
            "nbf",
            "18446744073709551615",
            "the token is not valid yet",
        ),
        ("H32", "nbf", "null", not_time),
        ("H32", "iat", future, "the token is not valid yet"),
        ("H32", "iat", r#""now""#, not_time),
        ("H34", "aud", &nested, "`aud` has a member that is not text"),
        (
            "H34",
            "aud",
            &with_number,
            "`aud` has a member that is not text",
        ),
        ("H34", "aud", "[]", no_service),
        ("H34", "aud", r#"["other"]"#, no_service),
        ("H34", "aud", r#""registry.example ""#, no_service),
        ("H34", "aud", r#""Registry.example""#, no_service),
        ("H34", "aud", r#""registry.example,other""#, no_service),
        ("H34", "aud", r#""""#, no_service),
        ("H34", "aud", "", no_aud),
        ("H34", "aud", "null", no_aud),
        ("H34", "aud", r#"{"registry.example":1}"#, no_aud),
        ("H35", "iss", r#""https://other.example""#, not_issuer),
        ("H35", "iss", r#""https://auth.example/""#, not_issuer),
        ("H35", "iss", r#""https://\u0430uth.example""#, not_issuer),
        ("H35", "iss", r#"["https://auth.example"]"#, not_text),
        ("H35", "iss", "", not_issuer),
        ("H39", "aud", &twice_aud, not_json),
        ("H39", "access", twice_access, not_json),
        (
            "H39",
            "access",
            r#"[{"type":"repository","name":"a","name":"b","actions":[]}]"#,
            not_json,
        ),
        ("-", "sub", "1", not_text),
        (
            "-",
            "sub",
            r#""a\nb""#,
            "`sub` is too long or has control characters",
        ),
        ("-", "jti", "1", not_text),
    ];
    for (id, name, raw, expected) in rows {
        let token = signer.token(&signer.header(), &claims(&[(name, raw)]));
        assert_eq!(
            why(&tokens, token, at(0)).await,
            expected,
            "{id} {name}={raw}"
        );
    }
    let ours = format!(r#"["other",{service}]"#);
    for (name, raw) in [
        ("aud", ours.as_str()),
        ("nbf", "1900000060"),
        ("iat", "1900000060"),
    ] {
        let token = signer.token(&signer.header(), &claims(&[(name, raw)]));
        assert_eq!(why(&tokens, token, at(0)).await, "", "{name}={raw}");
    }
    for payload in ["", "[]", "null", "\"x\"", "{}{}"] {
        assert_eq!(
            why(&tokens, signer.token(&signer.header(), payload), at(0)).await,
            not_json,
            "{payload}"
        );
    }
}

#[tokio::test]
async fn h36_signatures_of_zeros_of_another_length_or_form_are_refused_and_high_s_is_not() {
    let signer = Signer::es256();
    let (_files, tokens) = trusting(&[&signer]).await;
    let signed = format!("{}.{}", base64url(signer.header()), base64url(claims(&[])));
    let raw = signer.sign(signed.as_bytes());
    let asn1 = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &signer.pkcs8()).unwrap();
    let der = asn1
        .sign(&SystemRandom::new(), signed.as_bytes())
        .unwrap()
        .as_ref()
        .to_vec();
    let zero_s = [&raw[..32], &[0; 32]].concat();
    let order_s = [&raw[..32], &P256_ORDER].concat();
    let rows = [
        ("r=s=0", vec![0; 64]),
        ("s=0", zero_s),
        ("s=n", order_s),
        ("empty", Vec::new()),
        ("short", raw[..63].to_vec()),
        ("long", [&raw[..], &[0]].concat()),
        ("DER", der),
        ("all ones", vec![0xff; 64]),
    ];
    for (what, signature) in rows {
        let token = format!("{signed}.{}", base64url(signature));
        assert_eq!(
            why(&tokens, token, at(0)).await,
            "the signature is wrong",
            "{what}"
        );
    }
    let other_s = [&raw[..32], &minus(&P256_ORDER, &raw[32..])].concat();
    for signature in [raw, other_s] {
        assert_eq!(
            why(&tokens, format!("{signed}.{}", base64url(signature)), at(0)).await,
            ""
        );
    }
}

/// The order of the base point of P-256.
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
    0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// `a - b` of two numbers of the same length, big-endian.
fn minus(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut digits: Vec<u8> = a
        .iter()
        .zip(b)
        .rev()
        .map(|(a, b)| {
            let digit = i16::from(*a) - i16::from(*b) - borrow;
            borrow = i16::from(digit < 0);
            u8::try_from(digit.rem_euclid(256)).unwrap()
        })
        .collect();
    digits.reverse();
    digits
}

#[tokio::test]
async fn h38_what_is_no_compact_jws_is_refused_before_it_is_decoded() {
    let signer = Signer::es256();
    let (_files, tokens) = trusting(&[&signer]).await;
    let good = signer.good();
    let parts: Vec<&str> = good.split('.').collect();
    let json = format!(
        r#"{{"protected":"{}","payload":"{}","signature":"{}"}}"#,
        parts[0], parts[1], parts[2]
    );
    let (dots, long) = (
        "the token does not have exactly two dots",
        "the token is too long",
    );
    let rows = [
        ("no dots", parts.concat(), dots),
        ("one dot", format!("{}.{}", parts[0], parts[1]), dots),
        ("three dots", format!("{good}."), dots),
        ("a JWE", format!("{good}.{}.{}", parts[1], parts[2]), dots),
        ("JSON", json, dots),
        ("100,000 dots", ".".repeat(100_000), long),
        ("10,000 dots", ".".repeat(10_000), dots),
        ("1 MiB", "a".repeat(1 << 20), long),
        (
            "padding",
            format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
            "the header is not base64url",
        ),
        (
            "white space",
            format!(" {good}"),
            "the header is not base64url",
        ),
        (
            "standard base64",
            format!("{}+/.{}.{}", parts[0], parts[1], parts[2]),
            "the header is not base64url",
        ),
        (
            "nothing but dots",
            "..".to_owned(),
            "the header is not an object of strict JSON",
        ),
    ];
    for (what, token, expected) in rows {
        assert_eq!(why(&tokens, token, at(0)).await, expected, "{what}");
    }
}
