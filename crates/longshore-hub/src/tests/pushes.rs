use super::*;
use crate::pushes::{Deleted, deleted};

#[tokio::test]
async fn what_is_deleted_has_a_row_with_who_how_and_from_where() {
    let house = House::new().await;
    let alice = house.user("alice").await;
    house.repo("alice/app").await;
    let write = house.hub.db.write(Durability::Power, (), |tx, ()| {
        Box::pin(async move {
            let repo = "alice/app".parse().unwrap();
            let tags = ["1".to_owned()];
            for what in [
                Deleted::Tag("1", "sha256:a"),
                Deleted::Manifest("sha256:a", &tags, 7),
                Deleted::Blob("sha256:b"),
            ] {
                deleted(tx, &repo, what, &by("alice")).await?;
            }
            Ok(())
        })
    });
    write.await.unwrap();
    let rows = house.rows().await;
    let told: Vec<_> = rows[1..]
        .iter()
        .map(|row| {
            let it = &row.entry;
            assert_eq!(
                (it.actor, it.via.as_str(), it.origin.as_str()),
                (alice.who.id(), "token:3", "127.0.0.1")
            );
            assert_ne!(it.namespace, NamespaceId(0));
            (it.action.as_str(), it.object.as_str(), it.detail.as_str())
        })
        .collect();
    assert_eq!(
        told,
        [
            (
                "tag:delete",
                "alice/app:1",
                r#"{"deleted":"tag","digest":"sha256:a"}"#
            ),
            (
                "repository:delete",
                "alice/app@sha256:a",
                r#"{"deleted":"manifest","tags":["1"],"tags_count":7}"#
            ),
            (
                "repository:delete",
                "alice/app@sha256:b",
                r#"{"deleted":"blob"}"#
            ),
        ]
    );
}
