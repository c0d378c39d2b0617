//! What a stage holds after bodies that came whole, broken, too long, or to nobody.

use std::fs;
use std::io;
use std::time::Duration;

use futures_util::stream;
use longshore_blob::{BlobStore as _, Stage};
use longshore_core::{ByteStream, Code, Error};
use longshore_spec::Algorithm;
use tokio::time::timeout;

use crate::{Home, closed, content, now, sha256, stuck, torn, whole};

/// Lengths in each lane and at its edges: a piece is 128 KiB, a body is small up to 1 MiB, a batch is 1 MiB.
const LENGTHS: &[usize] = &[1, 131_071, 1 << 20, (1 << 20) + 1, 5_000_000];

#[tokio::test]
async fn a_body_that_breaks_off_leaves_what_came_and_the_upload_goes_on_from_there() {
    let home = Home::new();
    for &len in LENGTHS {
        let all = content(len);
        let cut = len / 3 * 2;
        for announced in [Some(len as u64), None] {
            let mut stage = home.stage().await;
            let error = home
                .files
                .extend(&mut stage, torn(&all[..cut]), announced, u64::MAX)
                .await
                .unwrap_err();
            assert_eq!(error.code(), Code::BodyLost);
            assert_eq!(
                stage.offset(),
                cut as u64,
                "{len} announced as {announced:?}"
            );

            let mut stage = Stage::decode(&stage.encode()).unwrap();
            home.files
                .extend(&mut stage, whole(&all[cut..]), None, u64::MAX)
                .await
                .unwrap();
            let stored = home.files.publish(&stage, &sha256(&all)).await.unwrap();
            assert_eq!(stored.size, len as u64);
            assert!(home.get(&stored).await == all, "{len}");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_shorter_or_longer_than_announced_is_told_so_and_what_fits_is_kept() {
    let home = Home::new();
    for &len in LENGTHS {
        let all = content(len);
        let mut stage = home.stage().await;
        let error = home
            .files
            .extend(&mut stage, whole(&all), Some(len as u64 + 1), u64::MAX)
            .await
            .unwrap_err();
        assert_eq!(
            (error.code(), stage.offset()),
            (Code::SizeInvalid, len as u64)
        );

        let more = crate::frames([&all[..], b"more"].into_iter());
        let mut stage = home.stage().await;
        let error = home
            .files
            .extend(&mut stage, more, Some(len as u64), u64::MAX)
            .await
            .unwrap_err();
        assert_eq!(
            (error.code(), stage.offset()),
            (Code::SizeInvalid, len as u64)
        );
        home.files.publish(&stage, &sha256(&all)).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_it_is_read_or_when_it_gets_there() {
    let home = Home::new();
    let all = content(3_000_000);
    let mut stage = home.stage().await;
    let error = home
        .files
        .extend(&mut stage, stuck(b""), Some(101), 100)
        .await
        .unwrap_err();
    assert_eq!((error.code(), stage.offset()), (Code::TooLarge, 0));

    let error = home
        .files
        .extend(&mut stage, whole(&all), None, 2_000_000)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::TooLarge);
    assert_eq!(stage.offset(), 1_980_000, "33 frames of 60,000 bytes fit");
    home.files
        .publish(&stage, &sha256(&all[..1_980_000]))
        .await
        .unwrap();
}

#[tokio::test]
async fn an_error_that_an_edge_put_into_the_body_is_told_as_it_is() {
    let home = Home::new();
    let mut stage = home.stage().await;
    let slow = io::Error::other(Error::new(Code::BodySlow, "too slow"));
    let body: ByteStream = Box::pin(stream::iter([Ok("abc".into()), Err(slow)]));
    let error = home
        .files
        .extend(&mut stage, body, Some(9), u64::MAX)
        .await
        .unwrap_err();
    assert_eq!((error.code(), stage.offset()), (Code::BodySlow, 3));
}

#[tokio::test]
async fn a_dropped_request_leaves_the_stage_as_it_was_and_its_tail_is_cut() {
    let home = Home::new();
    let all = content(6_000_000);
    for (first, more) in [(1000, 70_000), (70_000, 4_000_000), (2_000_000, 2_500_000)] {
        let mut stage = home.stage().await;
        home.files
            .extend(&mut stage, whole(&all[..first]), None, u64::MAX)
            .await
            .unwrap();
        let row = stage.encode();
        // Other bytes, so that a tail that stays would be seen.
        let wrong = vec![0xee; more];
        let dropped = home.files.extend(&mut stage, stuck(&wrong), None, u64::MAX);
        timeout(Duration::from_millis(60), dropped)
            .await
            .unwrap_err();

        let mut stage = Stage::decode(&row).unwrap();
        home.files
            .extend(&mut stage, whole(&all[first..]), None, u64::MAX)
            .await
            .unwrap();
        let stored = home.files.publish(&stage, &sha256(&all)).await.unwrap();
        assert!(home.get(&stored).await == all, "{first} and {more}");
    }
}

#[tokio::test]
async fn a_request_dropped_at_any_moment_never_writes_into_the_next_one() {
    let home = Home::new();
    let all = content(3_000_000);
    let wrong = vec![0xee; 8_000_000];
    for micros in (0..40).map(|n| n * 150) {
        let stage = home.stage().await;
        let row = stage.encode();
        let mut doomed = stage;
        let dropped = home
            .files
            .extend(&mut doomed, whole(&wrong), None, u64::MAX);
        let _ = timeout(Duration::from_micros(micros), dropped).await;
        let mut stage = Stage::decode(&row).unwrap();
        home.files
            .extend(&mut stage, whole(&all), Some(all.len() as u64), u64::MAX)
            .await
            .unwrap();
        let stored = home.files.publish(&stage, &sha256(&all)).await.unwrap();
        assert!(home.get(&stored).await == all, "dropped after {micros} us");
    }
}

#[tokio::test]
async fn a_second_request_on_a_stage_is_told_that_it_is_busy_and_changes_nothing() {
    let home = Home::new();
    let mut first = home.stage().await;
    let mut second = first.clone();
    let body = content(2_000_000);
    let never = home.files.extend(&mut first, stuck(&body), None, u64::MAX);
    tokio::pin!(never);
    timeout(Duration::from_millis(20), never.as_mut())
        .await
        .unwrap_err();

    let error = home
        .files
        .extend(&mut second, whole(b"x"), None, u64::MAX)
        .await
        .unwrap_err();
    assert_eq!((error.code(), error.offset()), (Code::UploadBusy, Some(0)));
    assert_eq!(
        home.files
            .publish(&second, &sha256(b""))
            .await
            .unwrap_err()
            .code(),
        Code::UploadBusy
    );
    assert_eq!(
        home.files.discard(&second).await.unwrap_err().code(),
        Code::UploadBusy
    );
}

#[tokio::test]
async fn nothing_stays_open_after_a_dropped_upload_and_the_store_can_be_opened_again() {
    let home = Home::new();
    let mut stage = home.stage().await;
    let stage_key = stage.key().clone();
    let body = content(5_000_000);
    let dropped = home.files.extend(&mut stage, stuck(&body), None, u64::MAX);
    timeout(Duration::from_millis(50), dropped)
        .await
        .unwrap_err();
    closed(stage_key.as_str()).await;
    home.again();
}

#[tokio::test]
async fn a_stage_whose_file_is_gone_or_short_is_unknown() {
    let home = Home::new();
    let mut stage = home.stage().await;
    home.files
        .extend(&mut stage, whole(b"0123456789"), None, u64::MAX)
        .await
        .unwrap();
    fs::write(home.path(stage.key()), b"01234").unwrap();
    let error = home
        .files
        .extend(&mut stage, whole(b"x"), None, u64::MAX)
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), stage.offset()),
        (Code::BlobUploadUnknown, 10)
    );
    assert_eq!(
        home.files
            .publish(&stage, &sha256(b"0123456789"))
            .await
            .unwrap_err()
            .code(),
        Code::BlobUploadUnknown
    );
    for _ in 0..2 {
        home.files.discard(&stage).await.unwrap();
        let error = home
            .files
            .extend(&mut stage, whole(b"x"), None, u64::MAX)
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::BlobUploadUnknown);
    }
}

#[tokio::test]
async fn many_large_uploads_share_the_threads_and_a_sender_that_stands_still_holds_none() {
    let home = Home::new();
    let all = content(2_500_000);
    let mut idle: Vec<_> = Vec::new();
    for _ in 0..64 {
        idle.push(home.files.stage(Algorithm::Sha256, now()).await.unwrap());
    }
    let half = &all[..2_000_000];
    let standing = futures_util::future::join_all(
        idle.iter_mut()
            .map(|stage| home.files.extend(stage, stuck(half), None, u64::MAX)),
    );
    let pushed = async {
        for _ in 0..4 {
            let stored = home.push(&all).await;
            assert_eq!(stored.size, all.len() as u64);
        }
    };
    tokio::select! {
        _ = standing => panic!("they never end"),
        pushed = timeout(Duration::from_secs(30), pushed) => pushed.expect("64 slow senders stop all others"),
    }
}
