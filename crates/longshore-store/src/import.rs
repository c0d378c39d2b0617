//! Images out of an OCI image layout, pushed as a client would push them.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use longshore_core::{
    Actor, ByteStream, Children, Cx, Error, Expect, ManifestPush, Origin, Registry, Rights, TagRule,
};
use longshore_layout::distribution::judge;
use longshore_layout::oci::{Layout, LayoutError, ref_name};
use longshore_spec::descriptor::Descriptor;
use longshore_spec::digest::Digest;
use longshore_spec::manifest::View;
use longshore_spec::name::{RepoName, Tag};

use crate::store::Store;

/// How much of a file is read in one go, in bytes.
const PIECE: usize = 1 << 20;

/// What is imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The repository it comes to.
    pub repo: RepoName,
    /// Its tag there; `None` for all images of the layout under the tags they have in it.
    pub tag: Option<Tag>,
    /// Which image of the layout; with a tag, `None` means its only one.
    pub name: Option<String>,
}

/// What was imported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// Manifests that were pushed.
    pub manifests: u64,
    /// Blobs that were not there already.
    pub blobs: u64,
    /// Tags that were set, and what they point to.
    pub tags: Vec<(String, String)>,
    /// What came without a tag, or not whole.
    pub notes: Vec<String>,
}

/// Why an import failed. What was pushed before stays.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The layout cannot be used.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The layout has no such image.
    #[error("the layout has no image called {name}; it has {there}")]
    NoImage {
        /// What was asked for.
        name: String,
        /// What there is.
        there: String,
    },
    /// It was not said which image is to get the tag.
    #[error(
        "the layout has {count} images, and one tag is for one of them; name it with --ref (there are {there})"
    )]
    Ambiguous {
        /// How many.
        count: usize,
        /// Their names.
        there: String,
    },
    /// The layout lacks a manifest that `index.json` names, or a blob.
    #[error("the layout lacks {0}")]
    Missing(String),
    /// The registry refused it.
    #[error(transparent)]
    Store(#[from] Error),
}

/// A manifest to push, after those it lists.
struct Step {
    digest: Digest,
    descriptor: Descriptor,
    bytes: Bytes,
    view: View,
    sparse: bool,
}

impl Store {
    /// Pushes images of a layout.
    ///
    /// # Errors
    /// [`ImportError`].
    pub async fn import(&self, layout: &Layout, wanted: &Wanted) -> Result<Imported, ImportError> {
        let from = layout.clone();
        let images = tokio::task::spawn_blocking(move || from.images())
            .await
            .map_err(Error::internal)??;
        let mut done = Imported::default();
        for (image, tag) in choose(&images, wanted, &mut done)? {
            let (from, root) = (layout.clone(), image.clone());
            let steps = tokio::task::spawn_blocking(move || steps(&from, &root))
                .await
                .map_err(Error::internal)??;
            for step in steps {
                let tag = tag.as_ref().filter(|_| step.digest == image.digest);
                self.step(layout, &wanted.repo, step, tag, &mut done)
                    .await?;
            }
        }
        Ok(done)
    }

    async fn step(
        &self,
        layout: &Layout,
        repo: &RepoName,
        step: Step,
        tag: Option<&Tag>,
        done: &mut Imported,
    ) -> Result<(), ImportError> {
        let cx = Cx {
            actor: Actor::Job("import"),
            rights: Rights::Everything,
            origin: Origin::default(),
            request: 0,
            now: (self.0.clock)(),
        };
        for blob in step.view.blobs().filter(|blob| blob.must_exist()) {
            let digest = blob.digest;
            match self.stat_blob(&cx, repo, &digest).await {
                Ok(_) => continue,
                Err(error) if error.code().is_absence() => {}
                Err(error) => return Err(error.into()),
            }
            let path = layout.path(&digest);
            if !path.is_file() {
                return Err(ImportError::Missing(format!(
                    "the blob {digest}, which the manifest {} needs",
                    step.digest
                )));
            }
            let want = Expect {
                digest,
                size: Some(blob.size),
            };
            self.put_blob(&cx, repo, &want, body(path)).await?;
            done.blobs += 1;
        }
        if step.sparse {
            done.notes.push(format!(
                "the index {} lists manifests that the layout does not have",
                step.digest
            ));
        }
        let push = ManifestPush {
            bytes: step.bytes,
            media_type: Some(step.descriptor.media_type),
            digest: Some(step.digest),
            tags: tag.cloned().into_iter().collect(),
            tag_rule: TagRule::Move,
            children: if step.sparse {
                Children::ManifestsMayBeAbsent
            } else {
                Children::MustExist
            },
        };
        self.put_manifest(&cx, repo, &push).await?;
        done.manifests += 1;
        if let Some(tag) = tag {
            done.tags.push((tag.to_string(), step.digest.to_string()));
        }
        Ok(())
    }
}

/// The images to push, and their tags.
fn choose(
    images: &[Descriptor],
    wanted: &Wanted,
    done: &mut Imported,
) -> Result<Vec<(Descriptor, Option<Tag>)>, ImportError> {
    let there = || {
        let names: Vec<_> = images.iter().filter_map(ref_name).collect();
        if names.is_empty() {
            "none with a name".to_owned()
        } else {
            names.join(", ")
        }
    };
    let mut chosen: Vec<_> = images
        .iter()
        .filter(|image| wanted.name.is_none() || ref_name(image) == wanted.name.as_deref())
        .collect();
    if let (Some(name), true) = (&wanted.name, chosen.is_empty()) {
        return Err(ImportError::NoImage {
            name: name.clone(),
            there: there(),
        });
    }
    if let Some(tag) = &wanted.tag {
        // Referrers have no name; the image they are about may be the only one that has.
        if chosen.len() > 1
            && chosen
                .iter()
                .filter(|image| ref_name(image).is_some())
                .count()
                == 1
        {
            chosen.sort_by_key(|image| ref_name(image).is_some());
        } else if chosen.len() > 1 {
            return Err(ImportError::Ambiguous {
                count: chosen.len(),
                there: there(),
            });
        }
        let last = chosen.len().saturating_sub(1);
        let tagged = chosen.into_iter().enumerate();
        return Ok(tagged
            .map(|(at, image)| (image.clone(), (at == last).then(|| tag.clone())))
            .collect());
    }
    let mut all = Vec::new();
    for image in chosen {
        let tag = ref_name(image).and_then(tag_of);
        match (ref_name(image), &tag) {
            (Some(name), None) => done.notes.push(format!(
                "{name} cannot be a tag; the image {} came without one",
                image.digest
            )),
            (None, None) => done.notes.push(format!(
                "{} has no name in the layout and came without a tag",
                image.digest
            )),
            _ => {}
        }
        all.push((image.clone(), tag));
    }
    Ok(all)
}

/// The tag that an image's name in a layout says: all of it, or what stands behind the last colon of a full reference.
fn tag_of(name: &str) -> Option<Tag> {
    name.parse()
        .ok()
        .or_else(|| name.rsplit_once(':')?.1.parse().ok())
}

/// What belongs to an image, those that are listed before those that list them.
fn steps(layout: &Layout, root: &Descriptor) -> Result<Vec<Step>, ImportError> {
    let mut seen = HashSet::new();
    let mut waiting = vec![root.clone()];
    let mut steps = Vec::new();
    while let Some(descriptor) = waiting.pop() {
        if !seen.insert(descriptor.digest) {
            continue;
        }
        let Some(bytes) = layout.manifest(&descriptor.digest)? else {
            if descriptor.digest == root.digest {
                return Err(ImportError::Missing(format!(
                    "the manifest {}, which its index.json names",
                    root.digest
                )));
            }
            continue;
        };
        let view = judge(&bytes).map_err(|error| {
            Error::new(
                longshore_core::Code::ManifestInvalid,
                format!(
                    "{} in the layout cannot be pushed: {error}",
                    descriptor.digest
                ),
            )
        })?;
        let sparse = view
            .children
            .iter()
            .any(|child| !layout.path(&child.digest).is_file());
        waiting.extend(view.children.iter().cloned());
        steps.push(Step {
            digest: descriptor.digest,
            descriptor,
            bytes: bytes.into(),
            view,
            sparse,
        });
    }
    // A manifest that two indexes list was seen below the first; order by depth puts it before both.
    let mut ordered: Vec<Step> = Vec::with_capacity(steps.len());
    let mut placed: HashSet<Digest> = HashSet::new();
    while !steps.is_empty() {
        let known: HashSet<_> = steps.iter().map(|step| step.digest).collect();
        let ready = |step: &Step| {
            let children = step.view.children.iter();
            children
                .map(|child| child.digest)
                .all(|child| placed.contains(&child) || !known.contains(&child))
        };
        let (now, later): (Vec<_>, Vec<_>) = steps.into_iter().partition(ready);
        if now.is_empty() {
            // Digests are hashes: nothing can be below itself.
            return Err(Error::internal("indexes that list each other").into());
        }
        placed.extend(now.iter().map(|step| step.digest));
        ordered.extend(now);
        steps = later;
    }
    Ok(ordered)
}

/// A file as a body.
fn body(path: PathBuf) -> ByteStream {
    let pieces = stream::try_unfold(None::<File>, move |file| {
        let path = path.clone();
        async move {
            tokio::task::spawn_blocking(move || {
                let mut file = match file {
                    Some(file) => file,
                    None => File::open(path)?,
                };
                let mut piece = Vec::with_capacity(PIECE);
                (&mut file).take(PIECE as u64).read_to_end(&mut piece)?;
                Ok((!piece.is_empty()).then(|| (Bytes::from(piece), Some(file))))
            })
            .await
            .map_err(std::io::Error::other)?
        }
    });
    pieces.boxed()
}
