//! Bytes out of the store.

use std::fs;
use std::os::unix::fs::symlink;

use futures_util::TryStreamExt as _;
use longshore_blob::{BlobStore as _, Location, Stored};
use longshore_core::Code;

use crate::{Home, closed, collect, content};

#[tokio::test]
async fn every_range_of_small_and_large_blobs_is_what_was_pushed() {
    let home = Home::new();
    for len in [1, 65_536, 65_537, 9_000_000] {
        let all = content(len);
        let stored = home.push(&all).await;
        let end = len as u64;
        for range in [
            0..end,
            0..1,
            end - 1..end,
            end / 3..end / 2,
            end..end,
            4_194_303.min(end)..4_194_305.min(end),
        ] {
            let body = home
                .files
                .read(&stored.location, stored.size, range.clone())
                .await
                .unwrap();
            let (from, to) = (
                usize::try_from(range.start).unwrap(),
                usize::try_from(range.end).unwrap(),
            );
            assert!(collect(body).await == all[from..to], "{range:?} of {len}");
        }
        let error = home
            .files
            .read(&stored.location, stored.size, 0..end + 1)
            .await
            .err()
            .unwrap();
        assert_eq!(error.code(), Code::RangeUnsatisfiable);
    }
}

#[tokio::test]
async fn a_large_blob_comes_as_parts_of_its_file_in_bounded_frames() {
    let home = Home::new();
    let all = content(9_000_000);
    let stored = home.push(&all).await;
    let body = home
        .files
        .read(&stored.location, stored.size, 100..9_000_000)
        .await
        .unwrap();
    let frames: Vec<_> = body.try_collect().await.unwrap();
    let mut at = 100;
    for frame in &frames {
        assert!(frame.len() <= 4 << 20);
        let part = longshore_region::find(frame).expect("a mapped part");
        assert_eq!((part.offset, part.len), (at, frame.len()));
        at += frame.len() as u64;
    }
    assert_eq!((at, frames.len()), (9_000_000, 3));
}

/// However often it is asked for: to keep it in memory takes what it takes, and saves nothing.
#[tokio::test]
async fn a_blob_above_16_kib_leaves_as_its_file_and_a_smaller_one_from_memory() {
    let home = Home::new();
    for (len, is_file) in [(16 << 10, false), ((16 << 10) + 1, true), (64 << 10, true)] {
        let stored = home.push(&content(len)).await;
        for _ in 0..3 {
            let body = home
                .files
                .read(&stored.location, stored.size, 0..stored.size);
            let frames: Vec<_> = body.await.unwrap().try_collect().await.unwrap();
            let [frame] = &frames[..] else {
                panic!("{} frames", frames.len());
            };
            assert_eq!(longshore_region::find(frame).is_some(), is_file, "{len}");
        }
    }
}

#[tokio::test]
async fn a_file_that_is_shorter_or_longer_than_its_row_is_an_error_and_no_body() {
    let home = Home::new();
    for len in [1000, 100_000] {
        for (found, warm) in [(len - 1, false), (len + 1, false), (0, false), (len, true)] {
            let stored = home.push(&content(len)).await;
            if warm {
                home.get(&stored).await;
            } else {
                fs::write(home.path(&stored.location), content(found)).unwrap();
            }
            let expected = if warm { stored.size + 1 } else { stored.size };
            let error = home
                .files
                .read(&stored.location, expected, 0..1)
                .await
                .err()
                .unwrap();
            assert_eq!(error.code(), Code::Internal, "{found} bytes of {len}");
        }
    }
}

#[tokio::test]
async fn what_is_removed_is_gone_for_new_readers_and_whole_for_those_who_read_it() {
    let home = Home::new();
    for len in [1000, 3_000_000] {
        let all = content(len);
        let stored = home.push(&all).await;
        home.get(&stored).await;
        let body = home
            .files
            .read(&stored.location, stored.size, 0..stored.size)
            .await
            .unwrap();
        home.files.remove(&stored.location).await.unwrap();
        home.files.remove(&stored.location).await.unwrap();
        assert_eq!(home.files.size(&stored.location).await.unwrap(), None);
        let error = home
            .files
            .read(&stored.location, stored.size, 0..1)
            .await
            .err()
            .unwrap();
        assert_eq!(
            error.code(),
            Code::Internal,
            "a row without bytes is no absence"
        );
        assert!(collect(body).await == all);
        closed(stored.location.as_str()).await;
    }
}

#[tokio::test]
async fn no_location_leads_out_of_the_store() {
    let home = Home::new();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    symlink(outside.path(), home.dir.path().join("blobs/link")).unwrap();
    symlink(
        outside.path().join("secret"),
        home.dir.path().join("blobs/file"),
    )
    .unwrap();
    for place in ["blobs/link/secret", "blobs/file"] {
        let at: Location = place.parse().unwrap();
        assert_eq!(
            home.files.size(&at).await.unwrap_err().code(),
            Code::Unavailable,
            "{place}"
        );
        assert!(home.files.read(&at, 6, 0..6).await.is_err(), "{place}");
        assert!(home.files.sync(&at).await.is_err(), "{place}");
    }
    let through: Location = "blobs/link/secret".parse().unwrap();
    home.files.remove(&through).await.unwrap_err();
    assert!(outside.path().join("secret").exists());
    assert_eq!(home.files.walk(None, 10).await.unwrap(), []);
}

#[tokio::test]
async fn content_that_another_registry_wrote_is_read_where_it_lies() {
    let home = Home::new();
    let place = "docker/registry/v2/blobs/sha256/ab/abcdef/data";
    let path = home.dir.path().join(place);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "theirs").unwrap();
    let taken = Stored {
        location: place.parse().unwrap(),
        size: 6,
    };
    assert_eq!(home.files.size(&taken.location).await.unwrap(), Some(6));
    assert_eq!(home.get(&taken).await, b"theirs");
    home.files.sync(&taken.location).await.unwrap();
    home.files.remove(&taken.location).await.unwrap();
    assert_eq!(home.files.size(&taken.location).await.unwrap(), None);
}

#[tokio::test]
async fn what_another_registry_wrote_is_read_where_it_lies_and_removed_alone() {
    let home = Home::new();
    for len in [5_000, 200_000] {
        let all = content(len);
        let at = format!("docker/registry/v2/blobs/sha256/ab/{len}/data");
        let at: Location = at.parse().unwrap();
        let path = home.path(&at);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &all).unwrap();
        let size = len as u64;
        assert_eq!(home.files.size(&at).await.unwrap(), Some(size));
        let body = home.files.read(&at, size, 0..size).await.unwrap();
        if len > 65_536 {
            let frames: Vec<_> = body.try_collect().await.unwrap();
            assert!(
                frames
                    .iter()
                    .all(|part| longshore_region::find(part).is_some()),
                "it leaves as a file"
            );
        } else {
            assert!(collect(body).await == all);
        }
        home.files.remove(&at).await.unwrap();
        home.files.remove(&at).await.unwrap();
        assert_eq!(home.files.size(&at).await.unwrap(), None);
        assert!(path.parent().unwrap().is_dir(), "the tree around it stays");
    }
}
