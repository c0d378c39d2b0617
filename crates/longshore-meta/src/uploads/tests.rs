use super::*;
use crate::{Db, Durability};

const HOUR: i64 = 3_600_000_000;
const NOW: i64 = 1_000 * HOUR;
const REPO: i64 = 1;

fn at(id: u128) -> UploadKey {
    UploadKey {
        repo: REPO,
        id: UploadId::from_u128(id),
        actor: "user:alice".to_owned(),
    }
}

/// Opens a session at `created`, and writes to it from `touched` on; finishes it where it is told to.
async fn session(db: &Db, id: u128, created: i64, touched: i64, finish: bool) {
    db.write(
        Durability::Process,
        (at(id), created, touched, finish),
        |tx, (at, created, touched, finish)| {
            Box::pin(async move {
                upload_insert(tx, at, b"stage", 0, *created).await?;
                let lease = touched + HOUR / 60;
                let fence = upload_take(tx, at, lease, *touched).await?.unwrap();
                if *finish {
                    let digest =
                        Digest::of(longshore_spec::digest::Algorithm::Sha256, b"what it became");
                    upload_finish(tx, &at.id, fence, &digest, 14, *touched).await?;
                }
                Ok(())
            })
        },
    )
    .await
    .unwrap();
}

async fn stale(db: &Db, limit: usize) -> Vec<u128> {
    let mut ids: Vec<_> = db
        .read(&limit, |tx, limit| {
            Box::pin(upload_stale(
                tx,
                NOW - 24 * HOUR,
                NOW - 168 * HOUR,
                NOW - HOUR,
                NOW,
                *limit,
            ))
        })
        .await
        .unwrap()
        .into_iter()
        .map(|(id, ..)| u128::from_be_bytes(id.try_into().unwrap()))
        .collect();
    ids.sort_unstable();
    ids
}

fn open() -> (tempfile::TempDir, Db) {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open_file(&dir.path().join("meta.db")).unwrap();
    (dir, db)
}

#[tokio::test]
async fn sessions_are_stale_when_idle_or_old_or_finished_a_while_ago() {
    let (_dir, db) = open();
    session(&db, 1, NOW - 30 * HOUR, NOW - 25 * HOUR, false).await;
    session(&db, 2, NOW - 30 * HOUR, NOW - 23 * HOUR, false).await;
    session(&db, 3, NOW - 170 * HOUR, NOW - 2 * HOUR, false).await;
    session(&db, 4, NOW - 170 * HOUR, NOW, false).await; // somebody writes to it
    session(&db, 5, NOW - 3 * HOUR, NOW - 2 * HOUR, true).await;
    session(&db, 6, NOW - 3 * HOUR, NOW - HOUR / 2, true).await;
    assert_eq!(stale(&db, 100).await, [1, 3, 5]);
    assert_eq!(stale(&db, 2).await.len(), 2);
}

#[tokio::test]
async fn after_a_start_every_session_can_be_taken() {
    let (_dir, db) = open();
    session(&db, 1, NOW - HOUR, NOW, false).await;
    session(&db, 2, NOW - 2 * HOUR, NOW - HOUR, false).await;
    let take = async |id| {
        db.write(Durability::Process, at(id), |tx, at| {
            Box::pin(upload_take(tx, at, NOW + 1, NOW))
        })
        .await
        .unwrap()
    };
    assert_eq!(take(1).await, None);
    db.write(Durability::Process, NOW - HOUR / 60, |tx, since| {
        Box::pin(upload_forget_writers(tx, *since))
    })
    .await
    .unwrap();
    assert!(take(1).await.is_some());
    assert!(take(2).await.is_some());
}

#[tokio::test]
async fn finished_sessions_are_not_counted_as_open() {
    let (_dir, db) = open();
    session(&db, 1, NOW, NOW, true).await;
    session(&db, 2, NOW, NOW, false).await;
    let counts = db
        .read(&(), |tx, ()| {
            Box::pin(async move {
                let in_repo = upload_count(tx, REPO, 10).await?;
                Ok((in_repo, upload_count_of(tx, "user:alice", 10).await?))
            })
        })
        .await
        .unwrap();
    assert_eq!(counts, (1, 1));
}
