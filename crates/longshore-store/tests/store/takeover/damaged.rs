//! Random trees with random damage: what is whole is served, what is not is told of, and nothing wrong is served.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use longshore_testkit::content::Draw;
use longshore_testkit::old_tree::Image;

use super::*;

const REPOS: [&str; 4] = ["a", "a/b", "library/alpine", "z"];

/// A tree, and all that was ever written to it.
struct World {
    tree: OldTree,
    manifests: Vec<(&'static str, Piece)>,
    blobs: Vec<(&'static str, Piece)>,
    tags: Vec<(&'static str, String)>,
}

impl World {
    fn new(root: &Path, draw: &mut Draw) -> Self {
        let mut world = Self {
            tree: OldTree::new(root),
            manifests: Vec::new(),
            blobs: Vec::new(),
            tags: Vec::new(),
        };
        let mut maker = Maker::new(draw.number());
        let mut known: Vec<Image> = Vec::new();
        for at in 0..4 + draw.below(8) {
            let repo = *draw.pick(&REPOS).unwrap();
            let mut image = Image::new(&mut maker);
            if let Some(other) = draw.pick(&known).filter(|_| at % 2 == 0) {
                // A layer that several repositories hold.
                image.layer = other.layer.clone();
                let layers = std::slice::from_ref(&image.layer);
                image.manifest = maker.image(&image.config, layers, &Dress::default());
            }
            let tag = format!("t{at}");
            for piece in [&image.config, &image.layer] {
                world.tree.put_blob(repo, piece);
                world.blobs.push((repo, piece.clone()));
            }
            world.tree.put_manifest(repo, &image.manifest, Some(&tag));
            world.manifests.push((repo, image.manifest.clone()));
            world.tags.push((repo, tag));
            if at % 3 == 0 {
                let index = maker.index(std::slice::from_ref(&image.manifest), &Dress::default());
                world.tree.put_manifest(repo, &index, None);
                world.manifests.push((repo, index));
            }
            known.push(image);
        }
        world
    }

    fn break_something(&self, draw: &mut Draw) {
        let Some((repo, piece)) = (match draw.below(2) {
            0 => draw.pick(&self.manifests),
            _ => draw.pick(&self.blobs),
        }) else {
            return;
        };
        let (tagged, tag) = draw.pick(&self.tags).unwrap();
        let path = match draw.below(4) {
            0 => self.tree.blob(&piece.digest),
            1 => self.tree.layer(repo, &piece.digest),
            2 => self.tree.revision(repo, &piece.digest),
            _ => self.tree.tag(tagged, tag),
        };
        harm(&path, draw);
    }

    fn is_whole(&self, piece: &Piece) -> bool {
        let path = self.tree.blob(&piece.digest);
        let real = path.symlink_metadata().is_ok_and(|found| found.is_file());
        real && fs::read(path).is_ok_and(|bytes| bytes == piece.bytes)
    }

    fn has_manifest(&self, repo: &str, piece: &Piece) -> bool {
        links(self.tree.revision(repo, &piece.digest), &piece.digest) && self.is_whole(piece)
    }

    fn has_blob(&self, repo: &str, piece: &Piece) -> bool {
        links(self.tree.layer(repo, &piece.digest), &piece.digest) && self.is_whole(piece)
    }

    fn tagged(&self, repo: &str, tag: &str) -> Option<&Piece> {
        let text = fs::read_to_string(self.tree.tag(repo, tag)).ok()?;
        let found = self.manifests.iter().find(|(at, piece)| {
            *at == repo && piece.digest.to_string() == text && self.has_manifest(repo, piece)
        });
        found.map(|(_, piece)| piece)
    }
}

fn links(path: PathBuf, digest: &Digest) -> bool {
    fs::read_to_string(path).is_ok_and(|text| text == digest.to_string())
}

/// Breaks a file in one of the ways in which files break.
fn harm(path: &Path, draw: &mut Draw) {
    if !path.exists() {
        return;
    }
    match draw.below(6) {
        0 => fs::write(path, b"").unwrap(),
        1 => fs::write(path, b"rubbish").unwrap(),
        2 => {
            let bytes = fs::read(path).unwrap();
            fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        }
        3 => {
            let mut bytes = fs::read(path).unwrap();
            if let Some(last) = bytes.last_mut() {
                *last ^= 1;
            }
            fs::write(path, bytes).unwrap();
        }
        4 => fs::remove_file(path).unwrap(),
        _ => {
            fs::remove_file(path).unwrap();
            symlink("/nowhere", path).unwrap();
        }
    }
}

#[tokio::test]
async fn whatever_is_broken_the_rest_is_served_and_each_loss_is_told_of() {
    for seed in 0..30 {
        let root = tempfile::tempdir().unwrap();
        let mut draw = Draw::new(seed);
        let world = World::new(root.path(), &mut draw);
        for _ in 0..draw.below(12) {
            world.break_something(&mut draw);
        }
        let store = open_here(root.path()).await;
        let survey = Survey { verify: true };
        let takeover = Takeover::of(&store, root.path(), survey, false)
            .await
            .unwrap();
        takeover.unwrap().run().await.unwrap();
        let found = findings(&store).await;
        let told: BTreeSet<_> = found
            .iter()
            .filter_map(|finding| Some((finding.repo.as_ref()?.as_str(), finding.what.as_str())))
            .collect();
        check(seed, &world, &store, &told).await;
    }
}

async fn check(seed: u64, world: &World, store: &Store, told: &BTreeSet<(&str, &str)>) {
    for (name, piece) in &world.manifests {
        let got = manifest(store, name, &by_digest(piece)).await;
        let whole = world.has_manifest(name, piece);
        let want = whole.then_some(&piece.bytes[..]);
        assert_eq!(got.as_deref(), want, "seed {seed}: {name} {}", piece.digest);
        let what = format!("manifest {}", piece.digest);
        assert!(
            whole || told.contains(&(name, &what)),
            "seed {seed}: {name} {what}: {told:#?}"
        );
    }
    for (name, piece) in &world.blobs {
        let got = all(store, name, &piece.digest).await;
        let whole = world.has_blob(name, piece);
        let want = whole.then_some(&piece.bytes[..]);
        assert_eq!(got.as_deref(), want, "seed {seed}: {name} {}", piece.digest);
        let what = format!("blob {}", piece.digest);
        assert!(
            whole || told.contains(&(name, &what)),
            "seed {seed}: {name} {what}: {told:#?}"
        );
    }
    for (name, tag) in &world.tags {
        let got = manifest(store, name, &by_tag(tag)).await;
        let want = world.tagged(name, tag).map(|piece| &piece.bytes[..]);
        assert_eq!(got.as_deref(), want, "seed {seed}: {name}:{tag}");
        let what = format!("tag {tag}");
        assert!(
            want.is_some() || told.contains(&(name, &what)),
            "seed {seed}: {name}:{tag}: {told:#?}"
        );
    }
}
