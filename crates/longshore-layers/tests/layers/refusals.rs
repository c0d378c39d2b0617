//! What rights, read-only mode and "no deletion" refuse.

use std::sync::Arc;

use longshore_core::{Actor, Code, Cx, Registry, Rights};
use longshore_layers::{Behind, NoDeletes, ReadOnly, RightsGate};
use longshore_testkit::mem::Mem;
use longshore_testkit::suite::bench::{alice, alice_with, by_tag, put_image, repo};

use crate::ops::{DELETES, READS, WRITES, answered_with, every_op};

#[tokio::test]
async fn nobody_without_rights_gets_anywhere_whether_it_exists_or_not() {
    let mem: Arc<dyn Registry> = Arc::new(Mem::new());
    let gated = mem.clone().behind(RightsGate);
    let nobody = Cx {
        actor: Actor::Anonymous,
        rights: Rights::Nothing,
        ..alice()
    };
    let refused = Cx {
        rights: Rights::Nothing,
        ..alice()
    };
    let mut told = Vec::new();
    for exists in [false, true] {
        if exists {
            put_image(&*mem, &repo("acme/app"), 1, &["latest"]).await;
        }
        assert_eq!(
            answered_with(&*gated, &nobody, Code::Unauthorized)
                .await
                .len(),
            19
        );
        assert_eq!(
            answered_with(&*gated, &refused, Code::Denied).await.len(),
            19
        );
        let answers = every_op(&*gated, &refused).await;
        told.push(
            answers
                .into_iter()
                .map(|(_, answer)| answer.unwrap_err().to_string())
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(
        told[0], told[1],
        "the answers tell nothing about what is there"
    );
}

#[tokio::test]
async fn each_right_opens_its_own_operations_and_no_other() {
    let gated = Arc::new(Mem::new()).behind(RightsGate);
    let refused = async |cx: &Cx| answered_with(&*gated, cx, Code::Denied).await;
    let pull = alice_with(&["acme/app"], &[]);
    let expected: Vec<_> = WRITES.into_iter().chain(DELETES).collect();
    assert_eq!(refused(&pull).await, expected);
    let push = alice_with(&["acme/other"], &["acme/app"]);
    let expected: Vec<_> = READS.into_iter().chain(DELETES).collect();
    assert_eq!(refused(&push).await, expected);
    let push_alone = alice_with(&[], &["acme/app"]);
    assert!(
        refused(&push_alone).await.contains(&"mount_blob"),
        "its source may not be read"
    );
}

#[tokio::test]
async fn a_refusal_says_which_right_is_missing_on_what() {
    let gated = Arc::new(Mem::new()).behind(RightsGate);
    let cx = Cx {
        rights: Rights::Nothing,
        ..alice()
    };
    let says = async |name| {
        let mut answers = every_op(&*gated, &cx).await.into_iter();
        answers
            .find(|(op, _)| *op == name)
            .unwrap()
            .1
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        says("get_manifest").await,
        "this login may not pull from `acme/app`"
    );
    assert_eq!(
        says("put_manifest").await,
        "this login may not push to `acme/app`"
    );
    assert_eq!(
        says("delete_tag").await,
        "this login may not delete from `acme/app`"
    );
    assert_eq!(
        says("repositories").await,
        "this login may not list the repositories of this registry"
    );
    let nobody = Cx {
        actor: Actor::Anonymous,
        ..cx.clone()
    };
    let error = gated
        .get_manifest(&nobody, &repo("acme/app"), &by_tag("latest"))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "log in to pull from `acme/app`");
}

#[tokio::test]
async fn read_only_refuses_every_write_and_no_read() {
    let gated = Arc::new(Mem::new()).behind(ReadOnly);
    let refused: Vec<_> = WRITES.into_iter().chain(DELETES).collect();
    assert_eq!(
        answered_with(&*gated, &alice(), Code::Unsupported).await,
        refused
    );
}

#[tokio::test]
async fn without_deletion_tags_manifests_and_blobs_all_stay() {
    let mem: Arc<dyn Registry> = Arc::new(Mem::new());
    put_image(&*mem, &repo("acme/app"), 1, &["latest"]).await;
    let gated = mem.behind(NoDeletes);
    assert_eq!(
        answered_with(&*gated, &alice(), Code::Unsupported).await,
        DELETES
    );
    gated
        .stat_manifest(&alice(), &repo("acme/app"), &by_tag("latest"))
        .await
        .expect("the tag is still there");
}
