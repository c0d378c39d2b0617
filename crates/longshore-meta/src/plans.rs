//! How SQLite means to run each statement of this crate: by an index, and by the right one, so that no cost grows with what is stored.
//!
//! The statements are taken from the sources, so that a new one is looked at without being listed here.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rusqlite::Connection;

use crate::migrate;

/// Statements that go through something from end to end, and why that does not grow.
const SCANS: &[(&str, &str)] = &[
    (
        "namespaces::AROUND",
        "goes through one row that is in no table",
    ),
    ("uploads::OPEN_IN", "a subquery of bounded length"),
    ("uploads::OPEN_BY", "a subquery of bounded length"),
    (
        "uploads::OPEN_ALL",
        "the index of open sessions, once at a start",
    ),
    (
        "uploads::ABANDONED",
        "the index of open sessions, of which each caller may have few",
    ),
    (
        "graves::SUM",
        "what waits for the end of its quarantine, once a run",
    ),
    ("history::PUT", "one row, which says the last time of a tag"),
    ("news::PUT", "a table of a few rows: who reads news"),
    ("news::PUT_TAGS", "the same"),
    ("news::SLOWEST", "the same"),
    ("news::LAST", "one row, the last"),
    ("news::FOLLOW", "one row, the last"),
    ("finds::MATCH", "of the full-text index what is asked for"),
    ("found::NAMES", "of the full-text index what is asked for"),
    ("finds::ALSO", "the same, in one row"),
    ("finds::UNINDEX", "one row of the full-text index"),
    ("finds::FORGET", "a part from the beginning, to remove it"),
    ("finds::FORGET_WORDS", "the same"),
    ("finds::FORGET_NEAR", "the same"),
    (
        "trash::COUNT",
        "an index of what is in the trash, once a run",
    ),
    ("signing_keys::LIST", "a handful of keys, once a minute"),
    ("signing_keys::ERASE", "a handful of keys, once a minute"),
    ("rests::ANY", "one row"),
    ("outbox::NEXT", "an index, to its first row"),
    (
        "devices::COUNT",
        "logins of command lines that wait, of which there are ten thousand at most",
    ),
    ("devices::OLDEST", "the first few of an index"),
    (
        "profiles::NARROWED",
        "an index of the few repositories that are not as their namespace is",
    ),
];

/// Plans that must be these, where an engine without statistics might have chosen worse.
const PLANS: &[(&str, &[&str])] = &[
    (
        "tags::LIST",
        &["SEARCH tag USING PRIMARY KEY (repo=? AND name>?)"],
    ),
    (
        "repos::LIST",
        &["SEARCH repository USING INDEX repository_listed (name>?)"],
    ),
    (
        "repos::RANGE",
        &["SEARCH repository USING INDEX repository_listed (name>? AND name<?)"],
    ),
    (
        "repos::KNOWN",
        &["SEARCH repository USING COVERING INDEX sqlite_autoindex_repository_2 (name>?)"],
    ),
    (
        "repos::KNOWN_RANGE",
        &[
            "SEARCH repository USING COVERING INDEX sqlite_autoindex_repository_2 (name>? AND name<?)",
        ],
    ),
    (
        "blobs::HOLDERS",
        &[
            "MERGE (UNION ALL)",
            "LEFT",
            "SEARCH b USING PRIMARY KEY (digest=?)",
            "SEARCH h USING PRIMARY KEY (repo=? AND digest=?)",
            "SEARCH r USING INDEX sqlite_autoindex_repository_1 (id=?)",
            "RIGHT",
            "SEARCH l USING COVERING INDEX link_shared (digest=? AND repo>?)",
            "SEARCH r USING INDEX sqlite_autoindex_repository_1 (id=?)",
        ],
    ),
    (
        "blobs::ANYWHERE",
        &[
            "SEARCH b USING PRIMARY KEY (digest=?)",
            "CORRELATED SCALAR SUBQUERY 1",
            "SEARCH h USING PRIMARY KEY (repo=? AND digest=?)",
            "CORRELATED SCALAR SUBQUERY 2",
            "SEARCH l USING COVERING INDEX link_shared (digest=?)",
        ],
    ),
    (
        "candidates::HOLDERS",
        &[
            "COMPOUND QUERY",
            "LEFT-MOST SUBQUERY",
            "SEARCH b USING PRIMARY KEY (digest=?)",
            "SEARCH h USING PRIMARY KEY (repo=? AND digest=?)",
            "SEARCH r USING INDEX sqlite_autoindex_repository_1 (id=?)",
            "UNION ALL",
            "SEARCH l USING COVERING INDEX link_shared (digest=?)",
            "SEARCH r USING INDEX sqlite_autoindex_repository_1 (id=?)",
        ],
    ),
    (
        "finds::HAVE_BLOB",
        &[
            "MERGE (UNION ALL)",
            "LEFT",
            "SEARCH b USING PRIMARY KEY (digest>? AND digest<?)",
            "SEARCH h USING PRIMARY KEY (repo=? AND digest=?)",
            "RIGHT",
            "SEARCH link USING COVERING INDEX link_shared (digest>? AND digest<?)",
        ],
    ),
    (
        "referrers::ALL",
        &[
            "SEARCH manifest USING PRIMARY KEY (repo=? AND digest=?)",
            "LIST SUBQUERY 1",
            "SEARCH manifest USING COVERING INDEX manifest_subject (repo=? AND subject=? AND digest>?)",
        ],
    ),
    (
        "referrers::OF_TYPE",
        &[
            "SEARCH manifest USING PRIMARY KEY (repo=? AND digest=?)",
            "LIST SUBQUERY 1",
            "SEARCH manifest USING COVERING INDEX manifest_subject_type (repo=? AND subject=? AND artifact_type=? AND digest>?)",
        ],
    ),
    (
        "blobs::STAGED",
        &["SEARCH blob USING INDEX blob_unsettled (state=? AND digest>?)"],
    ),
    (
        "uploads::FORGET",
        &["SEARCH upload USING INDEX upload_touched (touched>?)"],
    ),
    (
        "uploads::FINISHED",
        &["SEARCH upload USING INDEX upload_touched (touched<?)"],
    ),
    (
        "uploads::OPEN_IN",
        &[
            "CO-ROUTINE open",
            "SEARCH upload USING INDEX upload_repo (repo=?)",
            "SCAN open",
        ],
    ),
    (
        "uploads::OPEN_BY",
        &[
            "CO-ROUTINE open",
            "SEARCH upload USING INDEX upload_actor (actor=?)",
            "SCAN open",
        ],
    ),
    (
        "blobs::NEEDED",
        &[
            "SEARCH e USING PRIMARY KEY (repo=? AND parent=?)",
            "SEARCH b USING PRIMARY KEY (digest=?)",
            "SEARCH l USING PRIMARY KEY (repo=? AND digest=?)",
        ],
    ),
    (
        "bindings::IN_PLACES",
        &[
            "SEARCH b USING INDEX binding_subject (subject=? AND namespace=? AND repo=?)",
            "SEARCH r USING INDEX sqlite_autoindex_role_1 (id=?)",
        ],
    ),
    (
        "bindings::ON_REPO",
        &[
            "SEARCH b USING INDEX binding_repo (repo=? AND subject=?)",
            "SEARCH r USING INDEX sqlite_autoindex_role_1 (id=?)",
        ],
    ),
    (
        "members::OF",
        &[
            "SEARCH m USING COVERING INDEX member_principal (principal=?)",
            "SEARCH p USING INDEX sqlite_autoindex_principal_1 (id=?)",
            "SEARCH o USING INDEX sqlite_autoindex_principal_1 (id=?) LEFT-JOIN",
        ],
    ),
    (
        "candidates::DUE",
        &["SEARCH candidate USING PRIMARY KEY ((due,repo,digest)>(?,?,?) AND due<?)"],
    ),
    (
        "candidates::NEEDED",
        &["SEARCH edge USING COVERING INDEX edge_child (repo=? AND child=? AND kind=?)"],
    ),
    (
        "candidates::PINNED",
        &["SEARCH edge USING COVERING INDEX edge_pinned (child=?)"],
    ),
    (
        "untagged::LISTED",
        &["SEARCH edge USING COVERING INDEX edge_child (repo=? AND child=? AND kind=?)"],
    ),
    (
        "untagged::DUE",
        &["SEARCH untagged USING COVERING INDEX untagged_due (why=? AND since<?)"],
    ),
    (
        "trash::EXPIRED",
        &[
            "SEARCH trash USING COVERING INDEX trash_expires ((expires,repo,digest)>(?,?,?) AND expires<?)",
        ],
    ),
    (
        "manifests::NEEDED_BY",
        &["SEARCH edge USING COVERING INDEX edge_child (repo=? AND child=? AND kind=?)"],
    ),
];

/// `module::NAME` of each statement, and its text.
fn statements() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(sources).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "rs") {
            continue;
        }
        let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if module == "plans" {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for part in text.split("\nconst ").skip(1) {
            let Some((name, rest)) = part.split_once(": &str =") else {
                continue;
            };
            let literal = rest.trim_start().strip_prefix('"').unwrap();
            let (sql, _) = literal.split_once("\";").unwrap();
            let mut lines = sql.split("\\\n");
            let mut sql = lines.next().unwrap_or_default().to_owned();
            for line in lines {
                sql.push_str(line.trim_start());
            }
            found.insert(format!("{module}::{name}"), sql);
        }
    }
    found.retain(|_, sql| !sql.starts_with("CREATE"));
    found
}

fn plan(conn: &Connection, sql: &str) -> Vec<String> {
    let mut explained = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let parameters = vec![rusqlite::types::Null; explained.parameter_count()];
    explained
        .query_map(rusqlite::params_from_iter(parameters), |row| row.get(3))
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

fn schema() -> Connection {
    let mut conn = Connection::open_in_memory().unwrap();
    migrate::up(&mut conn).unwrap();
    conn.execute_batch(crate::finds::OPEN).unwrap();
    conn
}

#[test]
fn no_statement_goes_through_a_table_or_sorts() {
    let conn = schema();
    let all = statements();
    assert!(all.len() > 30, "the statements are not found: {all:?}");
    for (name, sql) in all {
        let scans = SCANS.iter().any(|(known, _)| *known == name);
        for step in plan(&conn, &sql) {
            assert!(!step.contains("TEMP B-TREE"), "{name}: {step}");
            assert!(scans || !step.starts_with("SCAN"), "{name}: {step}");
            // Without an index even those would go through all that is stored.
            assert!(
                !step.starts_with("SCAN upload")
                    || step.contains("USING INDEX")
                    || step.contains("USING COVERING INDEX"),
                "{name}: {step}"
            );
        }
    }
}

#[test]
fn lists_and_counts_use_the_index_that_is_made_for_them() {
    let conn = schema();
    let all = statements();
    for (name, wanted) in PLANS {
        assert_eq!(plan(&conn, &all[*name]), *wanted, "{name}");
    }
}
