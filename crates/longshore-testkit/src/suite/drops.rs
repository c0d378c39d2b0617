//! What holds when nobody waits for the end of a call.
//!
//! Each case drops the same call after one poll, two polls, three..., until it gets through. Which poll stands where
//! in an implementation is its own affair; that the promise holds after each of them is not.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures_util::StreamExt;
use longshore_core::{Chunk, Code, Expect, Parents, Registry};
use longshore_spec::digest::Algorithm;
use longshore_spec::name::RepoName;
use longshore_spec::upload::UploadId;

use super::bench::{
    alice, by_tag, chunk, has_blob, has_manifest, push_as, put_blob, put_image, put_manifest, read,
    repo, tags_of,
};
use crate::content::{Dress, Maker, Piece};
use crate::faults;

/// After this many polls a call either got through or is waiting for something that takes real time.
const MOST_POLLS: usize = 40;

/// Polls a call at most so often, gives everything else a turn in between, and drops it.
async fn cut<T>(polls: usize, call: impl Future<Output = T>) -> Option<T> {
    let mut call = pin!(call);
    for _ in 0..polls {
        if let Poll::Ready(answer) = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await {
            return Some(answer);
        }
        tokio::task::yield_now().await;
    }
    None
}

/// What a client does after a broken request: it asks how far the upload is and sends the rest, until that is done.
/// What was dropped may still be ending on its own, so it may have to ask again.
async fn go_on(r: &dyn Registry, at: &RepoName, id: &UploadId, blob: &Piece) {
    for _ in 0..200 {
        let held = match r.stat_upload(&alice(), at, id).await {
            Ok(state) => usize::try_from(state.offset).unwrap(),
            Err(error) => {
                assert_eq!(error.code(), Code::BlobUploadUnknown, "{error:?}");
                blob.bytes.len()
            }
        };
        let rest = chunk(held, &blob.bytes.slice(held..));
        match r.finish_upload(&alice(), at, id, rest, &blob.digest).await {
            Ok(info) => return assert_eq!((info.digest, info.size), (blob.digest, blob.size())),
            Err(error) if matches!(error.code(), Code::UploadBusy | Code::ChunkOutOfOrder) => {}
            Err(error) => panic!("neither published nor open: {error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the upload stays busy after its writer is gone");
}

pub(super) async fn a_dropped_push_of_a_blob_shows_nothing(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    for polls in 0..MOST_POLLS {
        let blob = maker.blob(1000);
        let want = Expect {
            digest: blob.digest,
            size: Some(1000),
        };
        let stalled = faults::stalls_after(blob.bytes.clone());
        assert!(
            cut(polls, r.put_blob(&alice(), &app, &want, stalled))
                .await
                .is_none(),
            "its body never ends"
        );
        assert!(
            !has_blob(r, &app, &blob.digest).await,
            "dropped after {polls} polls"
        );
        put_blob(r, &app, &blob).await;
        assert_eq!(read(r, &app, &blob.digest, None).await, blob.bytes);
    }
}

pub(super) async fn a_dropped_chunk_leaves_an_upload_that_goes_on(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    for polls in 0..MOST_POLLS {
        let blob = maker.blob(1000);
        let upload = r
            .start_upload(&alice(), &app, Algorithm::Sha256)
            .await
            .unwrap();
        let body = faults::stalls_after(blob.bytes.slice(..600));
        let stalled = Chunk {
            at: Some(0),
            size: Some(1000),
            body,
        };
        assert!(
            cut(polls, r.append_upload(&alice(), &app, &upload.id, stalled))
                .await
                .is_none()
        );
        let held = r
            .stat_upload(&alice(), &app, &upload.id)
            .await
            .expect("it is still open")
            .offset;
        assert!(held <= 600, "{held} bytes held");
        go_on(r, &app, &upload.id, &blob).await;
        assert_eq!(read(r, &app, &blob.digest, None).await, blob.bytes);
    }
}

pub(super) async fn a_dropped_end_leaves_a_blob_or_an_upload_that_goes_on(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    for polls in 0..MOST_POLLS {
        let blob = maker.blob(1000);
        let upload = r
            .start_upload(&alice(), &app, Algorithm::Sha256)
            .await
            .unwrap();
        let first = chunk(0, &blob.bytes.slice(..600));
        r.append_upload(&alice(), &app, &upload.id, first)
            .await
            .unwrap();
        let last = chunk(600, &blob.bytes.slice(600..));
        let done = cut(
            polls,
            r.finish_upload(&alice(), &app, &upload.id, last, &blob.digest),
        )
        .await;
        if let Some(answer) = done {
            answer.expect("the end of an upload");
        } else {
            go_on(r, &app, &upload.id, &blob).await;
        }
        assert_eq!(read(r, &app, &blob.digest, None).await, blob.bytes);
    }
}

pub(super) async fn a_dropped_push_of_a_manifest_is_whole_or_absent(r: &dyn Registry) {
    let (app, maker) = (repo("acme/app"), Maker::new(1));
    let subject = put_image(r, &app, 2, &[]).await;
    for polls in 0..MOST_POLLS {
        let name = format!("t{polls}");
        let annotations = vec![("n".to_owned(), name.clone())];
        let index = maker.index(
            &[],
            &Dress {
                annotations,
                ..Dress::about(&subject)
            },
        );
        let push = push_as(&index, &[&name, &format!("{name}-too")]);
        if let Some(answer) = cut(polls, r.put_manifest(&alice(), &app, &push)).await {
            answer.expect("a manifest pushed");
        }
        // It may still be on its way; but nobody may ever see half of it.
        let tagged = has_manifest(r, &app, by_tag(&format!("{name}-too"))).await;
        if tagged {
            assert!(has_manifest(r, &app, index.digest).await);
            assert!(has_manifest(r, &app, by_tag(&name)).await);
        }
        put_manifest(r, &app, &index, &[&name]).await;
        let shown = super::bench::referrers_of(r, &app, &subject.digest, None).await;
        assert!(shown.contains(&index.digest));
    }
}

pub(super) async fn a_dropped_delete_is_whole_or_absent(r: &dyn Registry) {
    let app = repo("acme/app");
    for polls in 0..MOST_POLLS {
        let image = put_image(r, &app, 1, &["a", "b"]).await;
        let cx = alice();
        let call = r.delete_manifest(&cx, &app, &image.digest, Parents::MustBeGone);
        if let Some(answer) = cut(polls, call).await {
            // The call that was dropped before may have ended on its own just now.
            assert!(answer.is_ok() || !has_manifest(r, &app, image.digest).await);
        }
        let tags = tags_of(r, &app).await;
        assert!(
            tags.is_empty() || tags == ["a", "b"],
            "dropped after {polls} polls: {tags:?}"
        );
    }
}

pub(super) async fn a_dropped_download_harms_nobody(r: &dyn Registry) {
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(300_000));
    put_blob(r, &app, &blob).await;
    for polls in 0..MOST_POLLS {
        let cx = alice();
        if let Some(answer) = cut(polls, r.get_blob(&cx, &app, &blob.digest, None)).await {
            let mut body = answer.expect("a blob").body;
            cut(polls, body.next()).await;
        }
        assert_eq!(read(r, &app, &blob.digest, None).await, blob.bytes);
    }
}
