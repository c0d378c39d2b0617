//! Towers under the model: what lets everything in is the same registry, what does not is found out.

use std::sync::Arc;

use longshore_core::{Code, Cx, Error, Op, Result};
use longshore_layers::{Behind, Gate, Outcome, RightsGate};
use longshore_testkit::mem::Mem;
use longshore_testkit::model::agree;
use longshore_testkit::suite::Bench;

use crate::gate::Notes;

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
