//! Any way of cutting a body into requests and frames gives the same blob.

use longshore_blob::{BlobStore as _, Stage};
use longshore_spec::{Algorithm, Digest};
use proptest::collection::vec;
use proptest::prelude::{
    ProptestConfig, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use proptest::strategy::{Just, Strategy};

use crate::{Home, content, frames, now, torn};

/// Lengths about which the code decides something, and others.
fn length() -> impl Strategy<Value = usize> {
    prop_oneof![
        Just(0),
        1..300_usize,
        prop::sample::select(vec![
            131_071, 131_072, 131_073, 1_048_575, 1_048_576, 1_048_577
        ]),
        0..3_000_000_usize,
    ]
}

/// One request: how many bytes it sends, in frames of which size, whether it says so, whether it breaks off at its end, and
/// whether the stage goes through the database before it.
type Request = (usize, usize, bool, bool, bool);

fn request() -> impl Strategy<Value = Request> {
    (
        length(),
        prop_oneof![1..200_usize, 200..500_000_usize],
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_split_of_a_body_into_requests_and_frames_gives_the_same_blob(requests in vec(request(), 0..6), sha512: bool) {
        let algorithm = if sha512 { Algorithm::Sha512 } else { Algorithm::Sha256 };
        // Tiny frames of a large body only take long.
        let requests: Vec<_> = requests.into_iter().map(|(len, frame, a, b, c)| (len.min(frame * 5000), frame, a, b, c)).collect();
        let all = content(requests.iter().map(|(len, ..)| len).sum());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let home = Home::new();
            let mut stage = home.files.stage(algorithm, now()).await.unwrap();
            let mut at = 0;
            for (len, frame, announced, breaks, stored) in requests {
                if stored {
                    stage = Stage::decode(&stage.encode()).unwrap();
                }
                let part = &all[at..at + len];
                let size = announced.then_some(len as u64 + u64::from(breaks));
                let body = if breaks { torn(part) } else { frames(part.chunks(frame)) };
                let outcome = home.files.extend(&mut stage, body, size, len as u64 + 1).await;
                prop_assert_eq!(outcome.is_ok(), !breaks);
                at += len;
                prop_assert_eq!(stage.offset(), at as u64);
            }
            let stored = home.files.publish(&stage, &Digest::of(algorithm, &all)).await.unwrap();
            prop_assert_eq!(stored.size, at as u64);
            prop_assert!(home.get(&stored).await == all);
            Ok(())
        })?;
    }
}
