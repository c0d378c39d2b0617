//! Layers around the reference registry: what they let through, what they refuse, what they say of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod gate;
mod meter;
mod model;
mod ops;
mod refusals;

/// The whole suite, behind three gates that let everything in.
mod behind_every_gate {
    use std::sync::Arc;
    use std::time::Duration;

    use longshore_layers::{Behind, Meter, RightsGate};
    use longshore_testkit::mem::Mem;
    use longshore_testkit::suite::Bench;

    use crate::gate::Notes;

    fn tower() -> Bench {
        let tower = Arc::new(Mem::new())
            .behind(RightsGate)
            .behind(Meter::new(Box::new(|| Duration::ZERO)))
            .behind(Notes::default());
        Bench::keeping(tower, ())
    }

    longshore_testkit::suite!(async { super::tower() });
}
