//! What an operator may set, at the border of each.

use super::super::*;
use super::support::*;
use crate::options::Limits;

/// Tokens of `signer` within other bounds than the published ones.
async fn within(signer: &Signer, change: impl FnOnce(&mut TokenOptions)) -> (Files, Tokens) {
    let files = Files::new();
    let mut options = TokenOptions {
        root_bundle: Some(files.write("bundle.pem", &signer.pem())),
        ..options()
    };
    change(&mut options);
    let tokens = Tokens::open(&options, at(0)).await.unwrap();
    (files, tokens)
}

/// A token with an access list of this many entries.
fn listing(signer: &Signer, entries: usize) -> String {
    let entry = r#"{"type":"repository","name":"a","actions":["pull"]}"#;
    let access = format!("[{}]", vec![entry; entries].join(","));
    signer.token(&signer.header(), &claims(&[("access", &access)]))
}

#[tokio::test]
async fn a_token_is_as_long_as_the_limit_and_not_a_byte_longer() {
    let signer = Signer::es256();
    let token = signer.good();
    for (bytes, expected) in [
        (token.len(), ""),
        (token.len() - 1, "the token is too long"),
    ] {
        let (_files, tokens) = within(&signer, |options| options.limits.token_bytes = bytes).await;
        assert_eq!(why(&tokens, &token, at(0)).await, expected, "{bytes}");
    }
    assert_eq!(Limits::default().token_bytes, 16_384);
}

#[tokio::test]
async fn an_access_list_has_as_many_entries_as_the_limit_and_not_one_more() {
    let signer = Signer::es256();
    let (_files, published) = within(&signer, |_| {}).await;
    let (_more, lowered) = within(&signer, |options| options.limits.token_access = 2).await;
    let too_many = "`access` has too many entries";
    for (tokens, entries, expected) in [
        (&published, 200, ""),
        (&published, 201, too_many),
        (&lowered, 2, ""),
        (&lowered, 3, too_many),
    ] {
        let token = listing(&signer, entries);
        // The claims are what is asked about, not the length of the whole.
        assert!(token.len() < Limits::default().token_bytes);
        assert_eq!(why(tokens, token, at(0)).await, expected, "{entries}");
    }
}

#[tokio::test]
async fn clocks_may_differ_by_the_leeway_and_not_a_second_more_also_for_a_remembered_token() {
    let signer = Signer::es256();
    for leeway in [0, 5, 60] {
        let (_files, tokens) = within(&signer, |options| {
            options.leeway = Duration::from_secs(leeway);
        })
        .await;
        // It ends 300 seconds after the tests' moment.
        let token = signer.good();
        assert_eq!(why(&tokens, &token, at(300 + leeway - 1)).await, "");
        let late = at(300 + leeway);
        assert_eq!(why(&tokens, &token, late).await, "the token is expired");

        let early = |ahead: u64| (1_900_000_000 + ahead).to_string();
        let issued = |ahead| signer.token(&signer.header(), &claims(&[("nbf", &early(ahead))]));
        assert_eq!(why(&tokens, issued(leeway), at(0)).await, "");
        assert_eq!(
            why(&tokens, issued(leeway + 1), at(0)).await,
            "the token is not valid yet"
        );
    }
}

#[tokio::test]
async fn a_token_is_for_the_audience_where_one_is_set_and_else_for_the_service() {
    let signer = Signer::es256();
    let (_files, other) = within(&signer, |options| {
        options.audience = Some("https://reg.example".to_owned());
    })
    .await;
    let elsewhere = "`aud` does not have this registry";
    assert_eq!(why(&other, signer.good(), at(0)).await, elsewhere);
    let token = signer.token(
        &signer.header(),
        &claims(&[("aud", r#"["x","https://reg.example"]"#)]),
    );
    assert_eq!(why(&other, &token, at(0)).await, "");
    assert_eq!(other.service, SERVICE, "what clients ask a token for");
    let (_files, usual) = within(&signer, |_| {}).await;
    assert_eq!(why(&usual, &token, at(0)).await, elsewhere);
}
