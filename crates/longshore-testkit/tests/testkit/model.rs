//! The model driver agrees with itself. That it sees a registry which is a little wrong is tested where such
//! registries can be built, in the crate of the layers.

use longshore_testkit::mem::Mem;
use longshore_testkit::model::agree;

#[tokio::test]
async fn the_reference_agrees_with_itself() {
    for seed in 0..20 {
        if let Err(disagreement) = agree(seed, 400, async || Mem::new()).await {
            panic!("{disagreement}");
        }
    }
}
