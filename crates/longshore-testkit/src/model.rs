//! Any registry against the reference: the same random operations must get the same answers.
//!
//! Where the trait leaves a choice, answers are compared for what it promises: any absence is an absence, a push that
//! breaks two rules may be refused for either. What a failure prints is the shortest sequence found that still
//! disagrees, and the seed.

mod answer;
mod step;
mod uploads;
mod world;

use std::fmt;
use std::future::Future;

use crate::content::Draw;
use crate::mem::Mem;
use crate::suite::Bench;

use step::Step;
use uploads::Slots;
use world::World;

/// How often everything that can be seen is compared, in steps.
const LOOK_EVERY: usize = 20;

/// A sequence of operations after which two registries say different things.
#[derive(Debug)]
pub struct Disagreement {
    seed: u64,
    steps: Vec<Step>,
    what: String,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "seed {} leads to a disagreement after these {} steps:",
            self.seed,
            self.steps.len()
        )?;
        for step in &self.steps {
            writeln!(f, "  {step:?}")?;
        }
        f.write_str(&self.what)
    }
}

/// Runs `count` random operations on the reference and on a registry that `make` makes, which must agree on all of
/// them and on what can be seen in between and at the end.
///
/// # Errors
/// The shortest disagreement that was found; `make` is called again for each attempt to shorten it.
pub async fn agree<B, F>(seed: u64, count: usize, make: impl Fn() -> F) -> Result<(), Disagreement>
where
    B: Into<Bench>,
    F: Future<Output = B>,
{
    let world = World::new();
    let mut draw = Draw::new(seed);
    let mut steps: Vec<Step> = (0..count).map(|_| Step::draw(&mut draw, &world)).collect();
    let Err((mut what, at)) = follow(&world, &steps, &make().await.into()).await else {
        return Ok(());
    };
    steps.truncate(at + 1);
    // Leaves out what is not needed: halves first, then single steps.
    let mut size = steps.len() / 2;
    while size > 0 {
        let mut from = 0;
        while from < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(from..steps.len().min(from + size));
            match follow(&world, &fewer, &make().await.into()).await {
                Err((still, at)) => {
                    fewer.truncate(at + 1);
                    (steps, what) = (fewer, still);
                }
                Ok(()) => from += size,
            }
        }
        size /= 2;
    }
    Err(Disagreement { seed, steps, what })
}

/// Takes the steps on a new reference and on `bench`; gives what they disagree about and the step it came after.
async fn follow(world: &World, steps: &[Step], bench: &Bench) -> Result<(), (String, usize)> {
    let reference = Mem::new();
    let mut slots = Slots::default();
    for (at, step) in steps.iter().enumerate() {
        step.take(world, &mut slots, &reference, bench.registry())
            .await
            .map_err(|what| (what, at))?;
        if at % LOOK_EVERY == LOOK_EVERY - 1 || at + 1 == steps.len() {
            world
                .compare(&reference, bench.registry())
                .await
                .map_err(|what| (what, at))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use longshore_core::Registry;
    use longshore_spec::reference::Reference;

    use super::*;
    use crate::suite::bench::{alice, has_blob, whole};

    #[tokio::test]
    async fn random_operations_get_everywhere_in_their_world() {
        let world = World::new();
        let (mut manifests, mut blobs, mut tags) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for seed in 0..12 {
            let (reference, other) = (Mem::new(), Mem::new());
            let (mut draw, mut slots) = (Draw::new(seed), Slots::default());
            for _ in 0..200 {
                let step = Step::draw(&mut draw, &world);
                step.take(&world, &mut slots, &reference, &other)
                    .await
                    .expect("the same registry twice");
            }
            for repo in &world.repos {
                for (n, manifest) in world.manifests.iter().enumerate() {
                    let at = Reference::Digest(manifest.digest);
                    if reference.stat_manifest(&alice(), repo, &at).await.is_ok() {
                        manifests.insert(n);
                    }
                }
                for (n, blob) in world.blobs.iter().enumerate() {
                    if has_blob(&reference, repo, &blob.digest).await {
                        blobs.insert(n);
                    }
                }
                let names = reference.tags(&alice(), repo, &whole()).await;
                tags.extend(names.into_iter().flat_map(|listing| listing.items));
            }
        }
        assert_eq!(manifests.len(), world.manifests.len(), "{manifests:?}");
        assert_eq!(blobs.len(), world.blobs.len(), "{blobs:?}");
        assert_eq!(tags.len(), world.tags.len(), "{tags:?}");
    }
}
