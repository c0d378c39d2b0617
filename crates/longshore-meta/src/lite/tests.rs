use std::sync::Arc;

use super::*;
use crate::db::Db;
use crate::{settings, values};

fn open() -> (tempfile::TempDir, Db) {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open_file(&dir.path().join("meta.db")).unwrap();
    (dir, db)
}

async fn put(db: &Db, name: &'static str, value: &'static str) -> Result<()> {
    db.write(Durability::Power, (name, value), |tx, (name, value)| {
        Box::pin(async move { settings::setting_put(tx, name, value).await })
    })
    .await
}

async fn get(db: &Db, name: &'static str) -> Option<String> {
    db.read(&name, |tx, name| {
        Box::pin(async move { settings::setting_get(tx, name).await })
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_opening_again() {
    let (dir, db) = open();
    put(&db, "a", "1").await.unwrap();
    db.close().await.unwrap();
    drop(db);
    let again = Db::open_file(&dir.path().join("meta.db")).unwrap();
    assert_eq!(get(&again, "a").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn a_transaction_that_fails_leaves_nothing_and_its_neighbours_stand() {
    let (_dir, db) = open();
    let db = Arc::new(db);
    let bad = |n: i64| {
        let db = db.clone();
        async move {
            db.write(Durability::Power, n, |tx, n| {
                Box::pin(async move {
                    tx.exec(
                        "INSERT INTO counter (name, value) VALUES ('bad', ?1)",
                        &values![*n],
                    )
                    .await?;
                    Err::<(), _>(Error::new(Code::Denied, "no"))
                })
            })
            .await
        }
    };
    let good = |n: i64| {
        let db = db.clone();
        async move {
            db.write(Durability::Power, n, |tx, n| {
                Box::pin(async move {
                    let name = format!("good{n}");
                    tx.exec(
                        "INSERT INTO counter (name, value) VALUES (?1, 1)",
                        &values![name.as_str()],
                    )
                    .await
                })
            })
            .await
        }
    };
    let mut all = Vec::new();
    for n in 0..50 {
        let (bad, good) = (bad(n), good(n));
        all.push(tokio::spawn(async move { (bad.await, good.await) }));
    }
    for task in all {
        let (bad, good) = task.await.unwrap();
        assert_eq!(bad.unwrap_err().code(), Code::Denied);
        assert_eq!(good.unwrap(), 1);
    }
    let count: i64 = db
        .read(&(), |tx, ()| {
            Box::pin(async move { tx.one::<(i64,)>("SELECT count(*) FROM counter", &[]).await })
        })
        .await
        .unwrap()
        .unwrap()
        .0;
    assert_eq!(count, 50);
}

#[tokio::test]
async fn a_transaction_runs_again_only_when_it_has_written_and_then_failed() {
    static RUNS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let (_dir, db) = open();
    for (writes, runs) in [(false, 1), (true, 2)] {
        RUNS.store(0, std::sync::atomic::Ordering::SeqCst);
        let refused = db
            .write(Durability::Process, writes, |tx, writes| {
                Box::pin(async move {
                    RUNS.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    if *writes {
                        settings::setting_put(tx, "a", "1").await?;
                    }
                    Err::<(), _>(Error::new(Code::Denied, "no"))
                })
            })
            .await;
        assert_eq!(refused.unwrap_err().code(), Code::Denied);
        assert_eq!(RUNS.load(std::sync::atomic::Ordering::SeqCst), runs);
        assert_eq!(get(&db, "a").await, None);
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_says_what_to_do() {
    let (dir, db) = open();
    db.close().await.unwrap();
    drop(db);
    let path = dir.path().join("meta.db");
    Connection::open(&path)
        .unwrap()
        .execute("INSERT INTO schema_step VALUES (999, 0)", [])
        .unwrap();
    let error = Db::open_file(&path).unwrap_err();
    assert!(error.to_string().contains("newer Longshore"), "{error}");
    assert!(error.to_string().contains("backup"), "{error}");
}

#[tokio::test]
async fn its_files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (dir, db) = open();
    put(&db, "a", "1").await.unwrap();
    for name in ["meta.db", "meta.db-wal"] {
        let mode = std::fs::metadata(dir.path().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_write_after_the_end_is_refused_and_does_not_hang() {
    let (_dir, db) = open();
    db.close().await.unwrap();
    let error = put(&db, "a", "1").await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
}

#[tokio::test]
async fn an_orderly_stop_leaves_no_log_for_the_next_start_to_read() {
    let (dir, db) = open();
    put(&db, "a", "1").await.unwrap();
    db.close().await.unwrap();
    let log = std::fs::metadata(dir.path().join("meta.db-wal"));
    assert_eq!(log.map_or(0, |log| log.len()), 0);
}

#[tokio::test]
async fn the_log_does_not_grow_without_end_while_writes_go_on() {
    let (dir, db) = open();
    let big = "x".repeat(100_000);
    for n in 0..1200_i64 {
        db.write(Durability::Process, (n, big.clone()), |tx, (n, big)| {
            Box::pin(async move { settings::setting_put(tx, &format!("k{}", n % 10), big).await })
        })
        .await
        .unwrap();
    }
    let wal = std::fs::metadata(dir.path().join("meta.db-wal"))
        .unwrap()
        .len();
    assert!(
        wal < 100 << 20,
        "120 MB were written and the log has {wal} bytes"
    );
}

#[tokio::test]
async fn a_reader_sees_one_moment_however_many_statements_it_runs() {
    let (_dir, db) = open();
    put(&db, "a", "0").await.unwrap();
    put(&db, "b", "0").await.unwrap();
    let writer = {
        let db = db.clone();
        tokio::task::spawn_blocking(move || {
            tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap()
                .block_on(async move {
                    for n in 1..300_i64 {
                        db.write(Durability::Process, n.to_string(), |tx, n| {
                            Box::pin(async move {
                                settings::setting_put(tx, "a", n).await?;
                                settings::setting_put(tx, "b", n).await
                            })
                        })
                        .await
                        .unwrap();
                    }
                });
        })
    };
    while !writer.is_finished() {
        let (a, b) = db
            .read(&(), |tx, ()| {
                Box::pin(async move {
                    let a = settings::setting_get(tx, "a").await?;
                    std::thread::sleep(std::time::Duration::from_micros(50));
                    Ok((a, settings::setting_get(tx, "b").await?))
                })
            })
            .await
            .unwrap();
        assert_eq!(a, b);
    }
    writer.await.unwrap();
}

#[tokio::test]
async fn nothing_is_acknowledged_into_a_log_that_was_removed() {
    let (dir, db) = open();
    put(&db, "a", "1").await.unwrap();
    std::fs::remove_file(dir.path().join("meta.db-wal")).unwrap();
    for _ in 0..2 {
        let error = put(&db, "a", "2").await.unwrap_err();
        assert_eq!(error.code(), Code::Unavailable);
        assert!(error.public().contains("restarted"), "{error}");
    }
}

#[tokio::test]
async fn a_failure_that_many_share_says_its_cause_once() {
    let (_dir, db) = open();
    let error = db
        .write(Durability::Power, (), |tx, ()| {
            Box::pin(async move { tx.exec("COMMIT", &[]).await.map(drop) })
        })
        .await
        .unwrap_err();
    let chain = longshore_core::error::Chain(&error).to_string();
    assert_eq!(chain.matches(error.public()).count(), 1, "{chain}");
}

#[test]
fn a_file_that_is_no_database_is_refused_and_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("meta.db");
    std::fs::write(&path, "something else altogether, and long enough").unwrap();
    let error = Db::open_file(&path).unwrap_err();
    assert!(error.to_string().contains("backup"), "{error}");
}

#[test]
fn a_large_batch_opens_no_file_but_those_of_the_database() {
    let dir = tempfile::tempdir().unwrap();
    let conn = connect(
        &dir.path().join("meta.db"),
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
    )
    .unwrap();
    let files = || {
        std::fs::read_dir("/proc/self/fd")
            .unwrap()
            .filter_map(|fd| {
                let name = std::fs::read_link(fd.unwrap().path()).ok()?;
                let name = name.to_str()?.to_owned();
                name.starts_with("/var/tmp/").then_some(name)
            })
            .collect::<Vec<_>>()
    };
    conn.execute_batch("CREATE TABLE t (a); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO t SELECT zeroblob(1000) FROM n").unwrap();
    conn.execute_batch("BEGIN; SAVEPOINT job; UPDATE t SET a = zeroblob(999)")
        .unwrap();
    assert_eq!(files(), Vec::<String>::new());
}

#[test]
fn a_statement_is_planned_once_whatever_values_are_bound() {
    let (dir, _db) = open();
    let conn = connect(
        &dir.path().join("meta.db"),
        OpenFlags::SQLITE_OPEN_READ_ONLY,
    )
    .unwrap();
    let sql = "SELECT name FROM tag WHERE repo = ?1 AND name > ?2 ORDER BY name LIMIT ?3";
    for round in 0..5 {
        let mut kept = conn.prepare_cached(sql).unwrap();
        kept.query((round, format!("v{round}"), 10))
            .unwrap()
            .next()
            .unwrap();
        assert_eq!(
            kept.get_status(rusqlite::StatementStatus::RePrepare),
            0,
            "parsed anew in round {round}"
        );
    }
}
