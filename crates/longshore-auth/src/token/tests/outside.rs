//! Tokens that other programs have signed, and identifiers that they have made. `outside/make.py` makes the files.

use longshore_core::{Actor, Verb};

use super::super::*;
use super::support::*;

async fn assert_accepted(tokens: &Tokens, name: &str, token: &str) {
    let identity = tokens.identify(token.as_bytes(), at(0)).await;
    let identity = identity.unwrap_or_else(|refusal| panic!("{name}: {refusal:?}"));
    assert_eq!(identity.actor, Actor::Named("alice".into()), "{name}");
    assert!(
        identity
            .rights
            .allow(Some(&"acme/app".parse().unwrap()), Verb::Push),
        "{name}"
    );
}

#[tokio::test]
async fn an_rsa_certificate_as_guides_make_it_works_by_libtrust_identifier_and_by_chain() {
    let files = Files::new();
    let tokens = with_bundle(&files.write("bundle.pem", include_str!("outside/bundle.pem"))).await;
    assert_accepted(&tokens, "libtrust", include_str!("outside/libtrust.jwt")).await;
    assert_accepted(&tokens, "x5c", include_str!("outside/x5c.jwt")).await;
}

#[tokio::test]
async fn keys_of_a_set_work_by_thumbprint_and_by_name() {
    let files = Files::new();
    let jwks_file = Some(files.write("jwks.json", include_str!("outside/jwks.json")));
    let tokens = Tokens::open(
        &TokenOptions {
            jwks_file,
            ..options()
        },
        at(0),
    )
    .await
    .unwrap();
    assert_accepted(&tokens, "ES256", include_str!("outside/ES256.jwt")).await;
    assert_accepted(&tokens, "ES384", include_str!("outside/ES384.jwt")).await;
    assert_accepted(&tokens, "EdDSA", include_str!("outside/EdDSA.jwt")).await;
}
