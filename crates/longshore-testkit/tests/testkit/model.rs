//! The model driver: it must agree with itself, and must see a registry that is a little wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use longshore_core::{Cx, Op, Registry, Result};
use longshore_testkit::mem::Mem;
use longshore_testkit::model::agree;

#[tokio::test]
async fn the_reference_agrees_with_itself() {
    for seed in 0..30 {
        if let Err(disagreement) = agree(seed, 400, async || Mem::new()).await {
            panic!("{disagreement}");
        }
    }
}
