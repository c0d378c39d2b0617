//! What the meter counts and measures.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use longshore_core::{Code, Cx, Expect, Rights};
use longshore_layers::meter::BOUNDS_MICROS;
use longshore_layers::{Behind, Meter, Outcome, RightsGate};
use longshore_testkit::content::Maker;
use longshore_testkit::faults;
use longshore_testkit::mem::Mem;
use longshore_testkit::suite::bench::{alice, has_blob, put_blob, repo};

use crate::ops::every_op;

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
