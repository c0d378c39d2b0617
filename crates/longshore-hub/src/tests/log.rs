use super::*;

/// Signs by adding a word.
pub(super) struct Plain;

impl Sign for Plain {
    fn sign(&self, bytes: &[u8]) -> Result<(String, Vec<u8>)> {
        Ok(("k".to_owned(), [bytes, b"signed"].concat()))
    }

    fn verify(&self, kid: &str, bytes: &[u8], signature: &[u8]) -> Option<bool> {
        (kid == "k").then(|| signature == [bytes, b"signed"].concat())
    }
}

#[tokio::test]
async fn what_is_done_and_what_is_denied_is_written_down_with_who_and_how() {
    let house = House::new().await;
    let (alice, bob) = (house.user("alice").await, house.user("bob").await);
    let home = house.home("alice").await;
    let open = Some(Visibility::Public);
    house
        .hub
        .namespace_settings(&alice, home, open, None)
        .await
        .unwrap();
    house
        .hub
        .namespace_settings(&bob, home, None, Some(true))
        .await
        .unwrap_err();
    let failed = house.hub.user_create(&operator(), account("alice")).await;
    assert_eq!(code(failed), Code::ConditionFailed);
    let rows = house.rows().await;
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            let it = &row.entry;
            (
                it.actor_name.as_str(),
                it.action.as_str(),
                it.object.as_str(),
                it.result.as_str(),
            )
        })
        .collect();
    let object = format!("namespace {home}");
    assert_eq!(
        told,
        [
            ("operator", "user:manage", "alice", "done"),
            ("operator", "user:manage", "bob", "done"),
            ("alice", "namespace:settings", "alice", "done"),
            ("bob", "namespace:settings", object.as_str(), "denied"),
        ],
        "what failed changed nothing, so nothing is said of it"
    );
    let line: serde_json::Value = serde_json::from_str(&crate::audit::line(&rows[2])).unwrap();
    assert_eq!(
        line["detail"]["visibility"],
        serde_json::json!(["private", "public"])
    );
    assert_eq!(
        (&line["via"], &line["origin"]),
        (&"password".into(), &"127.0.0.1".into())
    );
}

#[tokio::test]
async fn a_log_that_was_tampered_with_does_not_verify() {
    for (sql, words) in [
        (
            "UPDATE audit SET actor_name = 'eve' WHERE seq = 3",
            "row 3 is not what was written",
        ),
        (
            "UPDATE audit SET detail = '{}', object = object || detail WHERE seq = 3",
            "row 3",
        ),
        (
            "DELETE FROM audit WHERE seq = 3",
            "the rows from 3 to 3 are missing",
        ),
        (
            "DELETE FROM audit WHERE seq >= 5",
            "row 6 was signed and is missing",
        ),
        (
            "DELETE FROM audit WHERE seq <= 2",
            "the rows up to 2 are gone",
        ),
        (
            "UPDATE audit_checkpoint SET signature = x'00' WHERE seq = 6",
            "the signature at row 6 is wrong",
        ),
        ("UPDATE audit SET hash = x'00' WHERE seq = 6", "row 6"),
    ] {
        let house = House::new().await;
        for name in ["a1", "a2", "a3", "a4", "a5", "a6"] {
            house.user(name).await;
        }
        assert_eq!(house.hub.audit_sign(&Plain, NOW).await.unwrap(), 6);
        let good = house.hub.audit_verify(&Plain, NOW).await.unwrap();
        assert_eq!((good.rows, good.signatures, good.wrong.len()), (6, 1, 0));
        // Somebody who can write to the file, as no use case can.
        rusqlite::Connection::open(house.dir.path().join("meta.db"))
            .unwrap()
            .execute(sql, [])
            .unwrap();
        let bad = house.hub.audit_verify(&Plain, NOW).await.unwrap();
        assert!(
            bad.wrong.iter().any(|it| it.contains(words)),
            "{sql}: {:?}",
            bad.wrong
        );
    }
}

#[tokio::test]
async fn what_is_forgotten_leaves_a_log_that_verifies_and_goes_on() {
    let house = House::new().await;
    for name in ["a1", "a2", "a3"] {
        house.user(name).await;
    }
    assert_eq!(
        house.hub.audit_trim(&Plain, NOW + 10).await.unwrap(),
        0,
        "nothing was signed yet"
    );
    house.hub.audit_sign(&Plain, NOW).await.unwrap();
    house.user("a4").await;
    assert_eq!(
        house.hub.audit_trim(&Plain, NOW).await.unwrap(),
        0,
        "it is not old enough"
    );
    assert_eq!(house.hub.audit_trim(&Plain, NOW + 1).await.unwrap(), 3);
    house.user("a5").await;
    house.hub.audit_sign(&Plain, NOW + 5).await.unwrap();
    let found = house.hub.audit_verify(&Plain, NOW).await.unwrap();
    assert_eq!((found.rows, found.wrong.as_slice()), (2, &[][..]));
    assert_eq!(house.rows().await[0].seq, 4);
}
