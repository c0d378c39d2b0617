//! Who can write to the database, and not to the file beside it.

use super::log::Plain;
use super::*;

const MINUTE: i64 = 60_000_000;

fn sql(house: &House, sql: &str) {
    let db = rusqlite::Connection::open(house.dir.path().join("meta.db")).unwrap();
    db.execute_batch(sql).unwrap();
}

/// The same hash chain, computed anew, as whoever knows how can.
fn chained_again(house: &House, rows: Vec<AuditRow>, change: impl Fn(&mut AuditRow)) {
    let db = rusqlite::Connection::open(house.dir.path().join("meta.db")).unwrap();
    let mut before = Vec::new();
    for mut row in rows {
        change(&mut row);
        before = longshore_meta::audit::chain(&before, row.seq, &row.entry);
        db.execute(
            "UPDATE audit SET actor_name = ?2, hash = ?3 WHERE seq = ?1",
            (row.seq, &row.entry.actor_name, &before),
        )
        .unwrap();
    }
}

impl House {
    /// One that remembers what was signed last in a file.
    async fn remembering() -> Self {
        let mut house = House::new().await;
        house.restart().await;
        house.sign().await;
        house
    }

    /// As after an end of the process, however that ended.
    async fn restart(&mut self) {
        let db = Db::open_file(&self.dir.path().join("meta.db")).unwrap();
        let key = SealingKey::open(&self.dir.path().join("index.key"), false).unwrap();
        let options = IndexOptions::new("https://index.example", "reg.example");
        let index = Index::open(db, Arc::new(key), options, now())
            .await
            .unwrap();
        self.hub = Hub::new(index).remembering(self.head());
    }

    fn head(&self) -> std::path::PathBuf {
        self.dir.path().join("audit.head")
    }

    async fn users(&self, names: &[&str]) {
        for name in names {
            self.user(name).await;
        }
    }

    async fn sign(&self) {
        self.hub.audit_sign(&Plain, NOW).await.unwrap();
    }

    async fn wrong(&self) -> Vec<String> {
        self.hub.audit_verify(&Plain, NOW).await.unwrap().wrong
    }
}

#[tokio::test]
async fn what_was_signed_cannot_be_removed_or_rewritten_without_a_trace() {
    type Attack = fn(&House, Vec<AuditRow>);
    let attacks: [(Attack, &str); 6] = [
        (
            |house, _| sql(house, "DELETE FROM audit WHERE seq > 4"),
            "row 6 was signed and is missing",
        ),
        (
            |house, _| {
                let both =
                    "DELETE FROM audit WHERE seq > 3; DELETE FROM audit_checkpoint WHERE seq > 0";
                sql(house, both);
            },
            "row 6 was signed and is missing",
        ),
        (
            |house, _| sql(house, "DELETE FROM audit; DELETE FROM audit_checkpoint"),
            "row 6 was signed and is missing",
        ),
        (
            |house, rows| {
                chained_again(house, rows, |row| {
                    if row.seq == 1 {
                        row.entry.actor_name = "eve".to_owned();
                    }
                });
                sql(house, "DELETE FROM audit_checkpoint");
            },
            "row 6 is not the one that was signed",
        ),
        (
            |house, _| {
                // A whole beginning, as if it had been forgotten for its age.
                sql(
                    house,
                    "DELETE FROM audit WHERE seq <= 3; DELETE FROM audit_checkpoint WHERE seq < 3",
                );
            },
            "the rows up to 3 are gone, and were not forgotten for their age",
        ),
        (
            |house, _| sql(house, "DELETE FROM audit_checkpoint"),
            "the signature at row 6 is gone",
        ),
    ];
    for (nth, (attack, words)) in attacks.into_iter().enumerate() {
        for restarted in [false, true] {
            let mut house = House::remembering().await;
            house.users(&["a1", "a2", "a3"]).await;
            house.sign().await;
            house.users(&["a4", "a5", "a6"]).await;
            house.sign().await;
            assert_eq!(house.wrong().await, [""; 0]);
            attack(&house, house.rows().await);
            if restarted {
                house.restart().await;
            }
            let wrong = house.wrong().await;
            assert!(
                wrong.iter().any(|it| it.contains(words)),
                "{nth} {restarted}: {wrong:?}"
            );
        }
    }
}

#[tokio::test]
async fn nothing_is_signed_over_a_break_until_somebody_accepts_it() {
    let mut house = House::remembering().await;
    house.users(&["a1", "a2", "a3"]).await;
    house.sign().await;
    let refused = house.hub.audit_accept(&operator(), &Plain, "why not").await;
    assert_eq!(code(refused), Code::ConditionFailed);
    sql(
        &house,
        "DELETE FROM audit WHERE seq > 1; DELETE FROM audit_checkpoint",
    );
    house.restart().await;
    for _ in 0..3 {
        house.sign().await;
        house.user(&format!("b{}", house.rows().await.len())).await;
    }
    assert!(house.hub.audit_is_broken());
    let rows = house.rows().await;
    let about: Vec<_> = rows
        .iter()
        .filter(|row| row.entry.object == "audit log")
        .map(|row| (row.entry.result.as_str(), row.entry.detail.as_str()))
        .collect();
    let told = r#"{"broken":"row 3 was signed and is missing"}"#;
    assert_eq!(about, [("broken", told)], "once");
    let signs = || {
        let db = rusqlite::Connection::open(house.dir.path().join("meta.db")).unwrap();
        let count = db.query_row("SELECT count(*) FROM audit_checkpoint", (), |it| it.get(0));
        count.unwrap()
    };
    let count: i64 = signs();
    assert_eq!(count, 0);

    let by = operator();
    let found = house.hub.audit_accept(&by, &Plain, "restored");
    let found = found.await.unwrap();
    assert!(!found.wrong.is_empty());
    assert!(!house.hub.audit_is_broken());
    house.user("c1").await;
    house.sign().await;
    let after = house.hub.audit_verify(&Plain, NOW).await.unwrap();
    assert_eq!(after.wrong, [""; 0]);
    let told = house.rows().await;
    assert!(
        told.iter()
            .any(|row| row.entry.detail.contains("restored") && row.entry.detail.contains("row 3"))
    );
    // What is accepted is one signature: nobody else can say so.
    house.restart().await;
    house.sign().await;
    assert_eq!(house.wrong().await, [""; 0]);
}

#[tokio::test]
async fn a_gap_that_was_accepted_is_told_and_another_one_is_wrong() {
    let house = House::remembering().await;
    house.users(&["a1", "a2", "a3", "a4"]).await;
    house.sign().await;
    sql(&house, "DELETE FROM audit WHERE seq = 2");
    assert!(!house.wrong().await.is_empty());
    let by = operator();
    let done = house.hub.audit_accept(&by, &Plain, "an accident");
    done.await.unwrap();
    house.users(&["a5", "a6"]).await;
    house.sign().await;
    let found = house.hub.audit_verify(&Plain, NOW).await.unwrap();
    assert_eq!(found.wrong, [""; 0]);
    assert!(
        found
            .accepted
            .contains(&"the rows from 2 to 2 are missing".to_owned())
    );
    sql(&house, "DELETE FROM audit WHERE seq = 6");
    let found = house.hub.audit_verify(&Plain, NOW).await.unwrap();
    assert_eq!(found.wrong, ["the rows from 6 to 6 are missing"]);
}

#[tokio::test]
async fn a_kill_leaves_a_log_that_the_next_start_signs() {
    let mut house = House::remembering().await;
    house.users(&["a1", "a2"]).await;
    house.sign().await;
    house.users(&["a3"]).await;
    house.restart().await;
    // A long time later, and nobody has signed it meanwhile.
    let later = NOW + 60 * MINUTE;
    let found = house.hub.audit_verify(&Plain, later).await.unwrap();
    let late = "the last 1 rows are not signed, though the first of them is older than ten minutes";
    assert_eq!(found.wrong, [late]);
    assert_eq!(house.hub.audit_sign(&Plain, later).await.unwrap(), 3);
    let found = house.hub.audit_verify(&Plain, later).await.unwrap();
    assert_eq!(found.wrong, [""; 0]);
    // And one between the two writes of a signature: the file is as it was before.
    let head = std::fs::read(house.head()).unwrap();
    house.users(&["a4"]).await;
    house.sign().await;
    std::fs::write(house.head(), head).unwrap();
    house.restart().await;
    assert_eq!(house.wrong().await, [""; 0]);
    house.sign().await;
    assert_eq!(house.wrong().await, [""; 0]);
}

#[tokio::test]
async fn forgetting_by_time_is_no_break_and_is_not_done_for_who_changes_the_database() {
    let mut house = House::remembering().await;
    house.users(&["a1", "a2", "a3"]).await;
    house.sign().await;
    house.users(&["a4", "a5"]).await;
    house
        .hub
        .audit_sign(&Plain, NOW + 90 * MINUTE)
        .await
        .unwrap();
    house.users(&["a6"]).await;
    house
        .hub
        .audit_sign(&Plain, NOW + 180 * MINUTE)
        .await
        .unwrap();
    // Rows say themselves when they were written: a signature that was made older is not believed.
    sql(&house, "UPDATE audit_checkpoint SET at = 1");
    assert_eq!(house.hub.audit_trim(&Plain, NOW).await.unwrap(), 0);
    sql(
        &house,
        &format!("UPDATE audit_checkpoint SET at = {NOW} WHERE seq = 3"),
    );
    sql(
        &house,
        &format!("UPDATE audit_checkpoint SET at = {NOW} + 1000 WHERE seq > 3"),
    );
    assert_eq!(house.hub.audit_trim(&Plain, NOW + 1).await.unwrap(), 3);
    assert_eq!(house.wrong().await, [""; 0]);
    house.restart().await;
    house.sign().await;
    assert_eq!(house.wrong().await, [""; 0]);
    // More than was forgotten.
    sql(&house, "DELETE FROM audit WHERE seq <= 5");
    assert_eq!(
        house.wrong().await,
        ["the rows up to 5 are gone, and were not forgotten for their age"]
    );
}

#[tokio::test]
async fn the_file_that_remembers_is_looked_at_too() {
    let mut house = House::remembering().await;
    house.users(&["a1", "a2"]).await;
    house.sign().await;
    let text = std::fs::read_to_string(house.head()).unwrap();
    std::fs::remove_file(house.head()).unwrap();
    assert!(house.wrong().await[0].ends_with("is gone"));
    std::fs::write(house.head(), text.replace("\"seq\":2", "\"seq\":1")).unwrap();
    let changed = house.wrong().await;
    assert!(changed[0].ends_with("is not what was written into it"));
    house.restart().await;
    assert_eq!(house.wrong().await, changed, "its signature is wrong");
    // A backup that is restored elsewhere has no such file: it goes on, and says so.
    std::fs::remove_file(house.head()).unwrap();
    house.restart().await;
    house.sign().await;
    assert_eq!(house.wrong().await, [""; 0]);
    let rows = house.rows().await;
    assert!(rows[2].entry.detail.contains("unremembered"), "{rows:?}");
    assert!(house.head().exists());
}

#[tokio::test]
async fn an_index_that_is_not_new_has_something_signed() {
    for more in ["", "; DELETE FROM audit"] {
        let mut house = House::remembering().await;
        house.users(&["a1", "a2"]).await;
        house.sign().await;
        std::fs::remove_file(house.head()).unwrap();
        sql(&house, &format!("DELETE FROM audit_checkpoint{more}"));
        house.restart().await;
        let later = NOW + 60 * MINUTE;
        let found = house.hub.audit_verify(&Plain, later).await.unwrap();
        assert!(
            found.wrong.iter().any(|it| it.contains("not new")),
            "{more}: {found:?}"
        );
        house.hub.audit_sign(&Plain, later).await.unwrap();
        assert!(house.hub.audit_is_broken());
    }
}

#[tokio::test]
async fn of_signatures_made_within_an_hour_the_last_one_is_kept() {
    let house = House::remembering().await;
    for nth in 0..30 {
        house.user(&format!("a{nth}")).await;
        let at = NOW + nth * 5 * MINUTE;
        house.hub.audit_sign(&Plain, at).await.unwrap();
    }
    let found = house.hub.audit_verify(&Plain, NOW).await.unwrap();
    assert_eq!(found.wrong, [""; 0]);
    assert!((3..6).contains(&found.signatures), "{found:?}");
    assert_eq!(found.unsigned, 0);
}
