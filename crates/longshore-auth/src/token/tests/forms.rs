//! What is accepted: every algorithm, every name of a key, and what is remembered of it.

use longshore_core::{Actor, Verb};

use super::super::*;
use super::support::*;

#[tokio::test]
async fn a_good_token_of_each_algorithm_is_its_subject_with_its_rights() {
    for signer in [
        Signer::es256(),
        Signer::es384(),
        Signer::ed25519(),
        Signer::rsa(),
    ] {
        let (_files, tokens) = trusting(&[&signer]).await;
        let identity = tokens
            .identify(signer.good().as_bytes(), at(0))
            .await
            .unwrap();
        assert_eq!(
            (identity.actor, identity.kind),
            (Actor::Named("alice".into()), IdentityKind::Token)
        );
        let repo = "acme/app".parse().unwrap();
        assert!(identity.rights.allow(Some(&repo), Verb::Push));
        assert!(!identity.rights.allow(Some(&repo), Verb::Delete));
    }
}

#[tokio::test]
async fn a_key_answers_to_its_libtrust_identifier_its_thumbprint_and_its_name_in_the_set() {
    for signer in [
        Signer::es256(),
        Signer::es384(),
        Signer::ed25519(),
        Signer::rsa(),
    ] {
        let files = Files::new();
        let set = format!(r#"{{"keys":[{}]}}"#, signer.jwk("key-1"));
        let jwks_file = Some(files.write("jwks.json", &set));
        let tokens = Tokens::open(
            &TokenOptions {
                jwks_file,
                ..options()
            },
            at(0),
        )
        .await
        .unwrap();
        for kid in ["key-1", &signer.key.libtrust, &signer.key.thumbprint] {
            let header = format!(r#"{{"typ":"JWT","alg":"{}","kid":"{kid}"}}"#, signer.alg());
            assert_eq!(
                why(&tokens, signer.token(&header, &claims(&[])), at(0)).await,
                "",
                "{} {kid}",
                signer.alg()
            );
        }
    }
}

#[tokio::test]
async fn a_token_without_a_subject_is_anonymous_with_what_the_token_gives() {
    let signer = Signer::es256();
    let (_files, tokens) = trusting(&[&signer]).await;
    for sub in [r#""""#, ""] {
        let token = signer.token(&signer.header(), &claims(&[("sub", sub)]));
        let identity = tokens.identify(token.as_bytes(), at(0)).await.unwrap();
        assert_eq!(identity.actor, Actor::Anonymous);
        assert!(
            identity
                .rights
                .allow(Some(&"acme/app".parse().unwrap()), Verb::Pull)
        );
    }
}

#[tokio::test]
async fn what_servers_leave_out_or_add_does_not_refuse_a_token() {
    let signer = Signer::es256();
    let (_files, tokens) = trusting(&[&signer]).await;
    let (alg, kid) = (signer.alg(), signer.kid());
    for edits in [
        vec![("nbf", ""), ("iat", ""), ("jti", "")],
        vec![("access", "null")],
        vec![("access", "")],
        vec![(
            "jti",
            r#""x","name":"Alice","groups":["a"],"nested":{"a":[1.5,-1,true,null]}"#,
        )],
    ] {
        assert_eq!(
            why(
                &tokens,
                signer.token(&signer.header(), &claims(&edits)),
                at(0)
            )
            .await,
            "",
            "{edits:?}"
        );
    }
    for header in [
        format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#),
        format!(r#"{{"typ":"jwt","alg":"{alg}","kid":"{kid}","x5t":"abc"}}"#),
    ] {
        assert_eq!(
            why(&tokens, signer.token(&header, &claims(&[])), at(0)).await,
            "",
            "{header}"
        );
    }
}

#[tokio::test]
async fn a_token_is_checked_once_and_its_times_each_time() {
    let signer = Signer::es256();
    let (_files, tokens) = trusting(&[&signer]).await;
    let token = signer.good();
    for second in 0..100 {
        assert_eq!(why(&tokens, &token, at(second)).await, "");
    }
    assert_eq!(tokens.checked(), 1);
    assert_eq!(why(&tokens, &token, at(359)).await, "", "within the leeway");
    assert_eq!(why(&tokens, &token, at(360)).await, "the token is expired");
    assert_eq!(tokens.checked(), 1);
    let early = SystemTime::UNIX_EPOCH;
    assert_eq!(
        why(&tokens, &token, early).await,
        "the token is not valid yet"
    );
}

#[tokio::test]
async fn a_refused_token_is_not_remembered_as_anything() {
    let (trusted, stranger) = (Signer::es256(), Signer::es256());
    let (_files, tokens) = trusting(&[&trusted]).await;
    let header = format!(r#"{{"alg":"ES256","kid":"{}"}}"#, trusted.kid());
    let forged = stranger.token(&header, &claims(&[]));
    for _ in 0..3 {
        assert_eq!(why(&tokens, &forged, at(0)).await, "the signature is wrong");
    }
    assert_eq!(tokens.checked(), 3);
    assert_eq!(why(&tokens, trusted.good(), at(0)).await, "");
}
