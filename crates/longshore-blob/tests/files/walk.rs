//! All that lies in a store.

use std::fs;
use std::time::Duration;

use longshore_blob::BlobStore as _;
use longshore_spec::Algorithm;

use crate::{Home, now, sha256, whole};

#[tokio::test]
async fn a_walk_in_steps_of_any_size_finds_everything_once_and_in_order() {
    let home = Home::new();
    let mut expected = Vec::new();
    for hour in [0, 0, 1, 5, 30, 30, 24 * 40] {
        let at = now() + Duration::from_hours(hour);
        let mut stage = home.files.stage(Algorithm::Sha256, at).await.unwrap();
        let content = vec![1; expected.len() * 10];
        home.files
            .extend(&mut stage, whole(&content), None, u64::MAX)
            .await
            .unwrap();
        let published = expected.len() % 3 > 0;
        let location = if published {
            home.files
                .publish(&stage, &sha256(&content))
                .await
                .unwrap()
                .location
        } else {
            stage.key().clone()
        };
        assert_eq!(location.digest().is_some(), published);
        expected.push((location, content.len() as u64));
    }
    // What is none of ours has a place in the order as well.
    for (name, size) in [
        ("blobs/2026-11-21", 0),
        ("blobs/2026-11-21-x", 3),
        ("blobs/zzz", 4),
        ("blobs/2026-11-21/10-", 5),
    ] {
        if size > 0 {
            fs::write(home.dir.path().join(name), vec![0; size]).unwrap();
            expected.push((name.parse().unwrap(), size as u64));
        }
    }
    expected.sort();
    for limit in [1, 2, 3, 100] {
        let mut found = Vec::new();
        loop {
            let step = home
                .files
                .walk(found.last().map(|(at, _)| at), limit)
                .await
                .unwrap();
            assert!(step.len() <= limit);
            if step.is_empty() {
                break;
            }
            found.extend(step);
        }
        assert_eq!(found, expected, "in steps of {limit}");
    }
}
