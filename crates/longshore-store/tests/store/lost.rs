//! Metadata that is lost or damaged under a running registry: nobody is told that something is absent.

use std::os::unix::fs::FileExt as _;

use longshore_core::{Code, Expect, Registry, Window, body};
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::reference::Reference;

use super::check::full;
use super::restart::{cx, repo};
use super::*;

/// What is done to the file of the database.
type Harm = (&'static str, fn(&std::fs::File));

const HARMS: &[Harm] = &[
    ("overwritten", |file| {
        let len = file.metadata().unwrap().len();
        let garbage = vec![0xaa; usize::try_from(len - 4096).unwrap()];
        file.write_all_at(&garbage, 4096).unwrap();
    }),
    ("cut", |file| file.set_len(4096).unwrap()),
    ("emptied", |file| file.set_len(0).unwrap()),
];

#[tokio::test]
async fn a_database_that_cannot_be_read_is_an_error_of_ours_and_never_absence() {
    for (what, harm) in HARMS {
        let root = full().await;
        let store = open_with(root.path(), with_rows(), clock()).await;
        let file = std::fs::File::options()
            .write(true)
            .open(root.path().join("meta.db"))
            .unwrap();
        harm(&file);
        let cx = cx("alice");
        let layer = Digest::of(Algorithm::Sha256, &vec![1; 100_000]);
        let tag = Reference::Tag("1".parse().unwrap());
        let want = Expect {
            digest: Digest::of(Algorithm::Sha256, b"new"),
            size: Some(3),
        };
        let codes = [
            store.stat_manifest(&cx, &repo(), &tag).await.map(drop),
            store.get_manifest(&cx, &repo(), &tag).await.map(drop),
            store.stat_blob(&cx, &repo(), &layer).await.map(drop),
            store
                .tags(
                    &cx,
                    &repo(),
                    &Window {
                        after: None,
                        limit: 10,
                    },
                )
                .await
                .map(drop),
            store
                .put_blob(&cx, &repo(), &want, body::once(b"new".as_slice().into()))
                .await
                .map(drop),
            store.delete_tag(&cx, &repo(), &"1".parse().unwrap()).await,
        ];
        for (at, answer) in codes.into_iter().enumerate() {
            let error = answer.expect_err(&format!("{what}: operation {at} was answered"));
            assert_eq!(error.code(), Code::Unavailable, "{what}: operation {at}");
        }
    }
}
