//! Tokens and lines that chance makes.

use proptest::prelude::*;

use super::support::*;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

proptest! {
    #[test]
    fn h41_random_bytes_never_pass_and_never_panic(
        bytes in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..300),
            "[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,90}".prop_map(String::into_bytes),
            "\\{\"alg\":\"(ES256|none|RS256)\",\"kid\":\"[a-z]{0,9}\"[,}\\]:]{0,2}".prop_map(|header| {
                format!("{}.{}.{}", base64url(header), base64url(claims(&[])), base64url([1; 64])).into_bytes()
            }),
        ]
    ) {
        crate::fuzzing::tokens(&bytes);
        crate::fuzzing::keys(&bytes);
        let passed = block_on(async {
            let (_files, tokens) = trusting(&[&Signer::ed25519()]).await;
            tokens.identify(&bytes, at(0)).await.is_ok()
        });
        prop_assert!(!passed);
    }

    #[test]
    fn a_good_token_with_any_one_character_changed_never_passes(place in any::<prop::sample::Index>(), letter in "[A-Za-z0-9_-]") {
        let signer = Signer::ed25519();
        let good = signer.good();
        let index = place.index(good.len());
        let mut changed = good.clone();
        changed.replace_range(index..=index, &letter);
        prop_assume!(changed != good);
        let (passed, good, again) = block_on(async {
            let (_files, tokens) = trusting(&[&signer]).await;
            let passed = tokens.identify(changed.as_bytes(), at(0)).await.is_ok();
            let good = tokens.identify(good.as_bytes(), at(0)).await.is_ok();
            // Now the good one is remembered.
            (passed, good, tokens.identify(changed.as_bytes(), at(0)).await.is_ok())
        });
        prop_assert!(!passed && good && !again);
    }

    #[test]
    fn random_htpasswd_lines_never_panic(line in "(\\$2[aby]\\$|\\$argon2id\\$|[a-z]*:)?[ -~\u{e9}]{0,80}") {
        crate::fuzzing::htpasswd(line.as_bytes());
        crate::fuzzing::htpasswd(format!("alice:{line}").as_bytes());
    }
}
