//! Layers around the reference registry: what they let through, what they refuse, what they say of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;

use futures_util::FutureExt;
use longshore_core::{
    Actor, Chunk, Code, Cx, Error, Expect, Op, Parents, Registry, Result, Rights, Window, body,
};
use longshore_layers::meter::BOUNDS_MICROS;
use longshore_layers::{Behind, Gate, Meter, NoDeletes, Outcome, ReadOnly, RightsGate};
use longshore_spec::digest::Algorithm;
use longshore_spec::upload::UploadId;
use longshore_testkit::content::{Dress, Maker};
use longshore_testkit::faults;
use longshore_testkit::mem::Mem;
use longshore_testkit::model::agree;
use longshore_testkit::suite::Bench;
use longshore_testkit::suite::bench::{
    alice, alice_with, by_tag, code, has_blob, push_as, put_blob, put_image, repo, tag,
};

mod behind_every_gate {
    use super::*;

    fn tower() -> Bench {
        let tower = Arc::new(Mem::new())
            .behind(RightsGate)
            .behind(Meter::new(Box::new(|| Duration::ZERO)))
            .behind(Notes::default());
        Bench::keeping(tower, ())
    }

    longshore_testkit::suite!(async { super::tower() });
}

#[tokio::test]
async fn a_tower_of_gates_that_let_everything_in_is_no_other_registry() {
    for seed in 0..10 {
        let make = async || {
            Bench::keeping(
                Arc::new(Mem::new())
                    .behind(RightsGate)
                    .behind(Notes::default()),
                (),
            )
        };
        if let Err(disagreement) = agree(seed, 300, make).await {
            panic!("{disagreement}");
        }
    }
}

#[tokio::test]
async fn the_model_finds_a_registry_that_is_a_little_wrong_and_says_so_in_few_steps() {
    let make = async || Bench::keeping(Arc::new(Mem::new()).behind(Forgets), ());
    let disagreement = agree(1, 400, make).await.expect_err("it forgets tags");
    let said = disagreement.to_string();
    assert!(
        said.starts_with("seed 1 leads to a disagreement after these "),
        "{said}"
    );
    assert!(said.contains("DeleteTag"), "{said}");
    assert!(said.lines().count() <= 6, "{said}");
}

/// Never finds one of the tags when it is to be deleted.
#[derive(Debug)]
struct Forgets;

impl Gate for Forgets {
    type Ticket = ();

    async fn enter(&self, _: &Cx, op: &Op<'_>) -> Result<()> {
        match op {
            Op::DeleteTag { tag, .. } if tag.as_str() == "1.0" => {
                Err(Error::new(Code::ManifestUnknown, "forgotten"))
            }
            _ => Ok(()),
        }
    }

    fn leave(&self, _: &Cx, _: &Op<'_>, (): (), _: Outcome) {}
}

/// Writes down what passes it, and refuses what it is told to.
#[derive(Debug, Clone, Default)]
struct Notes {
    refuses: Option<&'static str>,
    left: Arc<Mutex<Vec<(&'static str, Outcome)>>>,
}

impl Gate for Notes {
    type Ticket = ();

    async fn enter(&self, _: &Cx, op: &Op<'_>) -> Result<()> {
        if self.refuses == Some(op.name()) {
            return Err(Error::new(Code::Denied, "no"));
        }
        Ok(())
    }

    fn leave(&self, _: &Cx, op: &Op<'_>, (): (), outcome: Outcome) {
        self.left.lock().unwrap().push((op.name(), outcome));
    }
}

impl Notes {
    fn taken(&self) -> Vec<(&'static str, Outcome)> {
        std::mem::take(&mut self.left.lock().unwrap())
    }
}

#[tokio::test]
async fn a_refused_call_has_not_begun_and_its_body_is_not_read() {
    let mem: Arc<dyn Registry> = Arc::new(Mem::new());
    let notes = Notes {
        refuses: Some("put_blob"),
        ..Notes::default()
    };
    let gated = mem.clone().behind(notes.clone());
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(10));
    let want = Expect {
        digest: blob.digest,
        size: None,
    };
    let unread = Box::pin(futures_util::stream::poll_fn(|_| {
        panic!("the body was read")
    }));
    assert_eq!(
        code(gated.put_blob(&alice(), &app, &want, unread).await),
        Code::Denied
    );
    assert_eq!(notes.taken(), [], "what was not let in does not leave");
    assert_eq!(
        code(mem.stat_blob(&alice(), &app, &blob.digest).await),
        Code::NameUnknown
    );
}

#[tokio::test]
async fn a_gate_learns_how_each_call_ended() {
    let notes = Notes::default();
    let gated = Arc::new(Mem::new()).behind(notes.clone());
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(10));
    put_blob(&*gated, &app, &blob).await;
    assert!(!has_blob(&*gated, &app, &Maker::new(2).blob(10).digest).await);
    let want = Expect {
        digest: blob.digest,
        size: None,
    };
    let cx = alice();
    {
        let mut call =
            pin!(gated.put_blob(&cx, &app, &want, faults::stalls_after(blob.bytes.clone())));
        assert!(
            call.as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
    }
    drop(gated.stat_blob(&cx, &app, &blob.digest));
    assert_eq!(
        notes.taken(),
        [
            ("put_blob", Outcome::Done),
            ("stat_blob", Outcome::Failed(Code::BlobUnknown)),
            ("put_blob", Outcome::Dropped),
        ],
        "and nothing of a call that was never polled"
    );
}

/// Calls each operation once. What the inner registry answers does not matter; which gate answers does.
async fn every_op(r: &dyn Registry, cx: &Cx) -> Vec<(&'static str, Result<()>)> {
    let (app, other, maker) = (repo("acme/app"), repo("acme/other"), Maker::new(9));
    let piece = maker.index(&[], &Dress::default());
    let (digest, at, id) = (piece.digest, by_tag("latest"), UploadId::from_u128(1));
    let want = Expect { digest, size: None };
    let names = Window {
        after: None,
        limit: 10,
    };
    let tags = Window {
        after: None,
        limit: 10,
    };
    let digests = Window {
        after: None,
        limit: 10,
    };
    vec![
        ("stat_blob", r.stat_blob(cx, &app, &digest).await.map(drop)),
        (
            "get_blob",
            r.get_blob(cx, &app, &digest, None).await.map(drop),
        ),
        (
            "locate_blob",
            r.locate_blob(cx, &app, &digest).await.map(drop),
        ),
        (
            "stat_manifest",
            r.stat_manifest(cx, &app, &at).await.map(drop),
        ),
        (
            "get_manifest",
            r.get_manifest(cx, &app, &at).await.map(drop),
        ),
        ("repositories", r.repositories(cx, &names).await.map(drop)),
        ("tags", r.tags(cx, &app, &tags).await.map(drop)),
        (
            "referrers",
            r.referrers(cx, &app, &digest, None, &digests)
                .await
                .map(drop),
        ),
        (
            "put_blob",
            r.put_blob(cx, &app, &want, body::empty()).await.map(drop),
        ),
        (
            "mount_blob",
            r.mount_blob(cx, &app, &digest, Some(&other))
                .await
                .map(drop),
        ),
        (
            "start_upload",
            r.start_upload(cx, &app, Algorithm::Sha256).await.map(drop),
        ),
        ("stat_upload", r.stat_upload(cx, &app, &id).await.map(drop)),
        (
            "append_upload",
            r.append_upload(cx, &app, &id, Chunk::nothing())
                .await
                .map(drop),
        ),
        (
            "finish_upload",
            r.finish_upload(cx, &app, &id, Chunk::nothing(), &digest)
                .await
                .map(drop),
        ),
        ("abort_upload", r.abort_upload(cx, &app, &id).await),
        (
            "put_manifest",
            r.put_manifest(cx, &app, &push_as(&piece, &[]))
                .await
                .map(drop),
        ),
        ("delete_blob", r.delete_blob(cx, &app, &digest).await),
        (
            "delete_manifest",
            r.delete_manifest(cx, &app, &digest, Parents::MayRemain)
                .await,
        ),
        ("delete_tag", r.delete_tag(cx, &app, &tag("latest")).await),
    ]
}

/// The operations that a tower answers with this code.
async fn answered_with(r: &dyn Registry, cx: &Cx, code: Code) -> Vec<&'static str> {
    let answers = every_op(r, cx).await.into_iter();
    answers
        .filter(|(_, answer)| answer.as_ref().is_err_and(|error| error.code() == code))
        .map(|(name, _)| name)
        .collect()
}

const READS: [&str; 7] = [
    "stat_blob",
    "get_blob",
    "locate_blob",
    "stat_manifest",
    "get_manifest",
    "tags",
    "referrers",
];
const WRITES: [&str; 8] = [
    "put_blob",
    "mount_blob",
    "start_upload",
    "stat_upload",
    "append_upload",
    "finish_upload",
    "abort_upload",
    "put_manifest",
];
const DELETES: [&str; 3] = ["delete_blob", "delete_manifest", "delete_tag"];

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

#[tokio::test]
async fn a_meter_counts_by_operation_and_outcome_and_measures_by_its_clock() {
    let clock = Arc::new(AtomicU64::new(0));
    let meter = {
        let clock = clock.clone();
        // Each look at the clock is 3 ms later than the one before.
        Arc::new(Meter::new(Box::new(move || {
            Duration::from_millis(clock.fetch_add(3, Ordering::Relaxed))
        })))
    };
    let tower = Arc::new(Mem::new())
        .behind(RightsGate)
        .behind(meter.clone());
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(10));
    put_blob(&*tower, &app, &blob).await;
    assert!(has_blob(&*tower, &app, &blob.digest).await);
    assert!(!has_blob(&*tower, &app, &Maker::new(2).blob(10).digest).await);
    let nobody = Cx {
        rights: Rights::Nothing,
        ..alice()
    };
    assert!(tower.stat_blob(&nobody, &app, &blob.digest).await.is_err());
    let of = |name| {
        meter
            .read()
            .into_iter()
            .find(|reading| reading.op == name)
            .unwrap()
    };
    let stat = of("stat_blob");
    assert_eq!(
        stat.outcomes,
        [
            (Outcome::Done, 1),
            (Outcome::Failed(Code::BlobUnknown), 1),
            (Outcome::Failed(Code::Denied), 1),
        ],
        "what an inner gate refuses is counted too"
    );
    assert_eq!((stat.running, stat.total), (0, Duration::from_millis(9)));
    let at_5_ms = BOUNDS_MICROS
        .iter()
        .position(|bound| *bound == 5_000)
        .unwrap();
    assert_eq!(stat.buckets.iter().sum::<u64>(), 3);
    assert_eq!(stat.buckets[at_5_ms], 3, "3 ms is above 2.5 and below 5");
    assert_eq!(of("put_blob").outcomes, [(Outcome::Done, 1)]);
    assert_eq!(of("get_blob").outcomes, []);
}

#[tokio::test]
async fn a_meter_knows_what_is_running_and_what_was_dropped() {
    let meter = Arc::new(Meter::new(Box::new(|| Duration::ZERO)));
    let tower = Arc::new(Mem::new()).behind(meter.clone());
    let (app, blob, cx) = (repo("acme/app"), Maker::new(1).blob(10), alice());
    let want = Expect {
        digest: blob.digest,
        size: None,
    };
    let of = |name| {
        meter
            .read()
            .into_iter()
            .find(|reading| reading.op == name)
            .unwrap()
    };
    let mut call = tower.put_blob(&cx, &app, &want, faults::stalls_after(blob.bytes.clone()));
    assert!((&mut call).now_or_never().is_none());
    assert_eq!(
        (of("put_blob").running, of("put_blob").outcomes),
        (1, vec![])
    );
    drop(call);
    assert_eq!(
        (of("put_blob").running, of("put_blob").outcomes),
        (0, vec![(Outcome::Dropped, 1)])
    );
}

#[tokio::test]
async fn a_meter_has_a_counter_for_every_operation() {
    let meter = Arc::new(Meter::new(Box::new(|| Duration::ZERO)));
    let tower = Arc::new(Mem::new()).behind(meter.clone());
    let called: Vec<_> = every_op(&*tower, &alice())
        .await
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let counted = meter.read();
    assert_eq!(
        counted.iter().map(|reading| reading.op).collect::<Vec<_>>(),
        called
    );
    for reading in counted {
        assert_eq!(
            reading.outcomes.iter().map(|(_, count)| count).sum::<u64>(),
            1,
            "{}",
            reading.op
        );
    }
}

#[test]
fn a_code_is_where_the_table_of_codes_has_it() {
    // The meter finds a code's counter by its number.
    assert!(
        Code::ALL
            .iter()
            .enumerate()
            .all(|(at, code)| *code as usize == at)
    );
}
