//! Stores that earlier versions wrote are brought up to date, whatever was in them.
//!
//! `schemas/NNNN.sql` is a small store as the schema of step NNNN has it. Each is upgraded to the newest schema and must
//! then be what a new store is, and hold what it held. A new step needs its own: run these tests with `UPDATE_SCHEMAS=1`,
//! which writes what the step makes of the one before, and add rows for its new tables by hand.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use longshore_core::Code;
use longshore_spec::digest::{Algorithm, Digest};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::{JOURNAL, STEPS, dialect, run, up};
use crate::{Db, blobs, manifests, repos, tags};

fn path_of(version: i64) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("schemas")
        .join(format!("{version:04}.sql"))
}

fn memory() -> Connection {
    Connection::open_in_memory().unwrap()
}

/// A store as the step `version` left it.
fn store_of(version: i64) -> Connection {
    let path = path_of(version);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}; a step needs a store that it wrote: run the tests of longshore-meta with UPDATE_SCHEMAS=1, and \
             add a row to each new table in the file it writes",
            path.display()
        )
    });
    let conn = memory();
    conn.execute_batch(&text).unwrap();
    conn
}

fn texts(conn: &Connection, sql: &str) -> Vec<String> {
    let mut statement = conn.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

fn tables(conn: &Connection) -> Vec<String> {
    texts(
        conn,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
    )
}

/// Names and types of all columns, and what each index covers: what a schema is, whatever words it was made by.
fn shape(conn: &Connection) -> BTreeMap<String, Vec<String>> {
    let mut shape = BTreeMap::new();
    for table in tables(conn) {
        let columns = format!(
            "SELECT name || ' ' || type || ' ' || \"notnull\" || ' ' || pk || ' ' || coalesce(dflt_value, '-') \
             FROM pragma_table_info('{table}') ORDER BY name"
        );
        let mut about = texts(conn, &columns);
        let indexes = format!(
            "SELECT l.name || ' ' || l.\"unique\" || ' ' || l.partial || ' ' || \
             (SELECT group_concat(coalesce(i.name, 'expression'), ',') FROM pragma_index_info(l.name) i) \
             FROM pragma_index_list('{table}') l WHERE l.origin = 'c' ORDER BY l.name"
        );
        about.extend(texts(conn, &indexes));
        shape.insert(table, about);
    }
    shape
}

fn count(conn: &Connection, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    conn.query_row(&sql, [], |row| row.get(0)).unwrap()
}

/// The database as text that makes it again.
fn dump(conn: &Connection) -> String {
    let mut out = String::new();
    let made = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' \
                ORDER BY type = 'index', name";
    for sql in texts(conn, made) {
        writeln!(out, "{sql};").unwrap();
    }
    for table in tables(conn) {
        let columns = texts(
            conn,
            &format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid"),
        );
        let names = columns.join(", ");
        let mut statement = conn
            .prepare(&format!("SELECT {names} FROM {table} ORDER BY 1, 2"))
            .unwrap();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<_> = (0..columns.len())
                .map(|at| match row.get_ref(at).unwrap() {
                    ValueRef::Null => "NULL".to_owned(),
                    ValueRef::Integer(int) => int.to_string(),
                    ValueRef::Real(real) => real.to_string(),
                    ValueRef::Text(text) => {
                        format!("'{}'", str::from_utf8(text).unwrap().replace('\'', "''"))
                    }
                    ValueRef::Blob(bytes) => {
                        let hex: String = bytes.iter().fold(String::new(), |mut hex, byte| {
                            write!(hex, "{byte:02x}").unwrap();
                            hex
                        });
                        format!("x'{hex}'")
                    }
                })
                .collect();
            writeln!(
                out,
                "INSERT INTO {table} ({names}) VALUES ({});",
                values.join(", ")
            )
            .unwrap();
        }
    }
    out
}

/// Writes the stores that are not there yet, each by its step from the one before.
fn write_missing() {
    for (at, (version, sql)) in STEPS.iter().enumerate() {
        if path_of(*version).exists() {
            continue;
        }
        let conn = match at.checked_sub(1) {
            Some(before) => store_of(STEPS[before].0),
            None => memory(),
        };
        conn.execute_batch(JOURNAL).unwrap();
        conn.execute_batch(&dialect(sql)).unwrap();
        conn.execute("INSERT INTO schema_step VALUES (?1, 0)", [version])
            .unwrap();
        fs::write(path_of(*version), dump(&conn)).unwrap();
    }
}

#[test]
fn a_store_of_each_earlier_schema_becomes_what_a_new_store_is_and_keeps_what_it_holds() {
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        write_missing();
    }
    let mut new = memory();
    up(&mut new).unwrap();
    for (version, _) in STEPS {
        let mut conn = store_of(*version);
        let held: Vec<_> = tables(&conn)
            .into_iter()
            .map(|table| (count(&conn, &table), table))
            .collect();
        for (rows, table) in &held {
            assert!(
                *rows > 0,
                "schemas/{version:04}.sql has no row in {table}: add one, so that its upgrade is tried"
            );
        }
        up(&mut conn).unwrap();
        assert_eq!(shape(&conn), shape(&new), "schema {version}");
        for (rows, table) in held.iter().filter(|(_, table)| table != "schema_step") {
            assert_eq!(count(&conn, table), *rows, "schema {version}, {table}");
        }
        up(&mut conn).unwrap();
    }
}

#[tokio::test]
async fn what_a_store_of_each_earlier_schema_holds_is_found_through_the_interface_of_today() {
    for (version, _) in STEPS {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("meta.db");
        let conn = Connection::open(&path).unwrap();
        let text = fs::read_to_string(path_of(*version)).unwrap();
        conn.execute_batch(&text).unwrap();
        drop(conn);
        let db = Db::open_file(&path).unwrap();
        let found = db
            .read(&(), |tx, ()| {
                Box::pin(async move {
                    let repo = repos::repo_id(tx, &"acme/app".parse().unwrap())
                        .await?
                        .unwrap();
                    let tag = "1.0".parse().unwrap();
                    let digest = tags::tag_get(tx, repo, &tag).await?.unwrap();
                    let manifest = manifests::manifest_get(tx, repo, &digest).await?.unwrap();
                    let blob = Digest::of(Algorithm::Sha256, b"{}");
                    let blob = blobs::blob_seen(tx, repo, &blob).await?.unwrap();
                    Ok((digest, manifest, blob))
                })
            })
            .await
            .unwrap();
        let (digest, (media_type, bytes), blob) = found;
        assert_eq!(Digest::of(Algorithm::Sha256, &bytes), digest);
        assert_eq!(media_type, "application/vnd.oci.image.manifest.v1+json");
        assert_eq!(blob.0.size, 2, "schema {version}");
        db.close().await.unwrap();
    }
}

#[test]
fn a_step_that_fails_leaves_the_store_as_it_was_and_the_next_start_goes_on() {
    let mut conn = memory();
    up(&mut conn).unwrap();
    let before = shape(&conn);
    let next = STEPS.last().unwrap().0 + 1;
    let with = |sql: &'static str| {
        let mut steps = STEPS.to_vec();
        steps.push((next, sql));
        steps
    };
    let broken = with("CREATE TABLE half (a BIGINT); INSERT INTO nowhere VALUES (1);");
    assert_eq!(
        run(&mut conn, &broken).unwrap_err().code(),
        Code::Unavailable
    );
    assert_eq!(shape(&conn), before);
    run(
        &mut conn,
        &with("CREATE TABLE half (a BIGINT); INSERT INTO half VALUES (1);"),
    )
    .unwrap();
    assert_eq!(count(&conn, "half"), 1);
}

#[test]
fn a_store_of_a_newer_version_is_refused_with_what_to_do_and_not_touched() {
    let mut conn = memory();
    up(&mut conn).unwrap();
    conn.execute("INSERT INTO schema_step VALUES (9999, 0)", [])
        .unwrap();
    let before = shape(&conn);
    let error = up(&mut conn).unwrap_err();
    let words = error.to_string();
    assert!(
        words.contains("newer Longshore") && words.contains("9999") && words.contains("backup"),
        "{words}"
    );
    assert_eq!(shape(&conn), before);
}
