use super::*;

const TINY: Shape = Shape {
    tags: 50,
    repositories: 8,
    manifests: 60,
    referrers: 12,
    blobs: 70,
};

fn filled() -> (tempfile::TempDir, Db) {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), &TINY).unwrap();
    let db = Db::open_file(&dir.path().join("meta.db")).unwrap();
    (dir, db)
}

fn number(db: &Db, sql: &'static str) -> i64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let read = db.read(&sql, |tx, sql| {
        Box::pin(async move { Ok(tx.one::<(i64,)>(sql, &[]).await?.map_or(-1, |(n,)| n)) })
    });
    runtime.block_on(read).unwrap()
}

#[test]
fn a_filled_store_holds_what_it_was_asked_for() {
    let (_dir, db) = filled();
    for (sql, wanted) in [
        ("SELECT count(*) FROM repository", 8),
        ("SELECT count(*) FROM manifest", 60),
        ("SELECT count(*) FROM manifest_body", 60),
        ("SELECT count(*) FROM blob", 71),
        (
            "SELECT count(*) FROM tag t JOIN repository r ON r.id = t.repo WHERE r.name = 'big/tags'",
            50,
        ),
        (
            "SELECT count(*) FROM manifest m JOIN tag t ON t.repo = m.repo AND t.digest = m.subject WHERE t.name = 'subject'",
            12,
        ),
    ] {
        assert_eq!(number(&db, sql), wanted, "{sql}");
    }
}

#[test]
fn rows_of_a_filled_store_fit_each_other() {
    let (_dir, db) = filled();
    for sql in [
        "SELECT count(*) FROM tag t WHERE NOT EXISTS (SELECT 1 FROM manifest m WHERE m.repo = t.repo AND m.digest = t.digest)",
        "SELECT count(*) FROM manifest m WHERE NOT EXISTS (SELECT 1 FROM manifest_body b WHERE b.digest = m.digest)",
        "SELECT count(*) FROM manifest m WHERE (SELECT count(*) FROM edge e WHERE e.repo = m.repo AND e.parent = m.digest) <> 2",
        "SELECT count(*) FROM edge e WHERE NOT EXISTS (SELECT 1 FROM link l WHERE l.repo = e.repo AND l.digest = e.child)",
        "SELECT count(*) FROM link l WHERE NOT EXISTS (SELECT 1 FROM blob b WHERE b.digest = l.digest AND b.state = 1)",
        "SELECT count(*) FROM repository r WHERE r.manifests <> (SELECT count(*) FROM manifest m WHERE m.repo = r.id)",
        "SELECT count(*) FROM repository r WHERE r.tags <> (SELECT count(*) FROM tag t WHERE t.repo = r.id)",
        "SELECT count(*) FROM repository r WHERE r.id > (SELECT value FROM counter WHERE name = 'repository')",
    ] {
        assert_eq!(number(&db, sql), 0, "{sql}");
    }
}

#[test]
fn a_store_that_is_there_is_not_filled_again() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), &TINY).unwrap();
    assert!(fill(dir.path(), &TINY).is_err());
}
