//! What must be true of a store at any moment, seen from outside: by SQL and by its files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use longshore_meta::{Db, Tx};
use longshore_spec::digest::Digest;

use super::bench::Bench;

/// All files below `dir`.
pub(super) fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// What is needed and is not there.
const LOST: &str = "SELECT e.repo, e.child FROM edge e LEFT JOIN blob b ON b.digest = e.child AND b.state < 2 \
                    LEFT JOIN link l ON l.repo = e.repo AND l.digest = e.child \
                    WHERE (e.kind = 0 AND (b.digest IS NULL OR l.digest IS NULL)) OR (e.kind = 2 AND b.digest IS NULL)";
/// Links that nothing needs and that nobody will look at.
const FORGOTTEN: &str = "SELECT l.repo, l.digest FROM link l WHERE NOT EXISTS \
                         (SELECT 1 FROM edge e WHERE e.repo = l.repo AND e.child = l.digest AND e.kind IN (0, 2)) \
                         AND NOT EXISTS (SELECT 1 FROM candidate c WHERE c.repo = l.repo AND c.digest = l.digest)";
/// Links that whoever asks who holds the blob does not find.
const HIDDEN: &str = "SELECT l.repo, l.digest FROM link l LEFT JOIN blob b ON b.digest = l.digest \
                      WHERE l.shared = 0 AND b.home IS NOT l.repo";
/// Blobs that nobody has and that nobody will look at.
const STRAY: &str = "SELECT 0, b.digest FROM blob b WHERE b.state <> 2 \
                     AND NOT EXISTS (SELECT 1 FROM link l WHERE l.digest = b.digest) \
                     AND NOT EXISTS (SELECT 1 FROM edge e WHERE e.child = b.digest AND e.kind = 2) \
                     AND NOT EXISTS (SELECT 1 FROM candidate c WHERE c.digest = b.digest)";
/// Blobs that are being collected by nobody.
const UNBURIED: &str = "SELECT 0, b.digest FROM blob b WHERE b.state = 2 \
                        AND NOT EXISTS (SELECT 1 FROM grave g WHERE g.digest = b.digest AND g.generation = b.generation)";
/// Bytes of manifests that nobody has, and manifests without bytes.
const BODIES: &str = "SELECT 0, b.digest FROM manifest_body b WHERE NOT EXISTS (SELECT 1 FROM manifest m WHERE m.digest = b.digest) \
                      AND NOT EXISTS (SELECT 1 FROM trash t WHERE t.digest = b.digest) \
                      UNION ALL SELECT m.repo, m.digest FROM manifest m WHERE NOT EXISTS (SELECT 1 FROM manifest_body b WHERE b.digest = m.digest) \
                      UNION ALL SELECT t.repo, t.digest FROM trash t WHERE NOT EXISTS (SELECT 1 FROM manifest_body b WHERE b.digest = t.digest)";
/// Edges of no manifest.
const EDGES: &str = "SELECT e.repo, e.parent FROM edge e WHERE (e.kind < 2 AND NOT EXISTS \
                     (SELECT 1 FROM manifest m WHERE m.repo = e.repo AND m.digest = e.parent)) OR (e.kind >= 2 AND NOT EXISTS \
                     (SELECT 1 FROM trash t WHERE t.repo = e.repo AND t.digest = e.parent))";
/// Tags of nothing, and wrong counts.
const TAGS: &str = "SELECT t.repo, t.digest FROM tag t WHERE NOT EXISTS \
                    (SELECT 1 FROM manifest m WHERE m.repo = t.repo AND m.digest = t.digest) UNION ALL \
                    SELECT r.id, NULL FROM repository r WHERE r.manifests <> (SELECT count(*) FROM manifest m WHERE m.repo = r.id) \
                    OR r.tags <> (SELECT count(*) FROM tag t WHERE t.repo = r.id)";
/// Small bodies of no blob.
const ROWS: &str = "SELECT x.id, x.digest FROM blob_body x WHERE NOT EXISTS \
                    (SELECT 1 FROM blob b WHERE b.digest = x.digest AND b.location = ':' || x.id)";
/// Small blobs without a body.
const BODILESS: &str = "SELECT 0, b.digest FROM blob b WHERE b.state < 2 AND b.location LIKE ':%' AND NOT EXISTS \
                        (SELECT 1 FROM blob_body x WHERE ':' || x.id = b.location AND x.digest = b.digest)";
const LOCATIONS: &str = "SELECT location, digest, state FROM blob WHERE location NOT LIKE ':%'";
const GRAVES: &str = "SELECT location FROM grave";
const LEFT: &str = "SELECT (SELECT count(*) FROM blob) + (SELECT count(*) FROM link) + (SELECT count(*) FROM candidate) \
                    + (SELECT count(*) FROM grave) + (SELECT count(*) FROM edge) + (SELECT count(*) FROM manifest_body) \
                    + (SELECT count(*) FROM blob_body) + (SELECT count(*) FROM trash) + (SELECT count(*) FROM untagged)";

async fn rows(db: &Db, sql: &'static str) -> Vec<(i64, Option<Digest>)> {
    db.read(&sql, |tx: &mut Tx<'_>, sql| Box::pin(tx.all(sql, &[])))
        .await
        .unwrap()
}

/// Checks everything.
pub(super) async fn check(bench: &Bench) {
    let db = &bench.db;
    for (what, sql) in [
        ("needed and not there", LOST),
        ("needed by nobody, and in no queue", FORGOTTEN),
        ("held without the blob knowing", HIDDEN),
        ("a blob of nobody, in no queue", STRAY),
        ("being collected, and without a grave", UNBURIED),
        ("a manifest without bytes, or bytes without one", BODIES),
        ("an edge of nothing", EDGES),
        ("a tag of nothing, or a wrong count", TAGS),
        ("a body of no blob", ROWS),
        ("a small blob without its body", BODILESS),
    ] {
        assert_eq!(rows(db, sql).await, [], "{what}");
    }
    let blobs: Vec<(String, Digest, i64)> = db
        .read(&(), |tx, ()| Box::pin(tx.all(LOCATIONS, &[])))
        .await
        .unwrap();
    let mut known = BTreeSet::new();
    for (location, digest, state) in blobs {
        if state < 2 {
            let bytes = std::fs::read(bench.root.path().join(&location));
            let bytes = bytes.unwrap_or_else(|error| panic!("{location}: {error}"));
            assert_eq!(Digest::of(digest.algorithm(), &bytes), digest, "{location}");
        }
        known.insert(bench.root.path().join(location));
    }
    let graves: Vec<(String,)> = db
        .read(&(), |tx, ()| Box::pin(tx.all(GRAVES, &[])))
        .await
        .unwrap();
    known.extend(graves.into_iter().map(|(at,)| bench.root.path().join(at)));
    for file in files(&bench.root.path().join("blobs")) {
        assert!(known.contains(&file), "{} is nobody's", file.display());
    }
}

/// Checks that nothing at all is left.
pub(super) async fn check_empty(bench: &Bench) {
    check(bench).await;
    let left: Option<(i64,)> = bench
        .db
        .read(&(), |tx, ()| Box::pin(tx.one(LEFT, &[])))
        .await
        .unwrap();
    assert_eq!(left, Some((0,)), "rows are left behind");
    assert_eq!(bench.files(), 0, "files are left behind");
}
