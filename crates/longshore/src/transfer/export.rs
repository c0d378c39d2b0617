//! Writing what a registry holds as a Distribution tree or an OCI image layout.

use std::path::Path;

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use longshore_layout::content::Placing;
use longshore_spec::reference::Reference;
use longshore_store::{Chosen, Exported, Exporter, Store};
use serde::{Deserialize, Serialize};

use super::whole;
use crate::control::{Operation, State, Steps};

/// The forms an export has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// The tree of a Distribution registry (registry:2, registry:3, Debian's docker-registry).
    Distribution,
    /// An OCI image layout, as skopeo, crane, umoci and others read it.
    Oci,
}

/// What is exported, and where to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Args {
    /// In which form.
    pub form: Form,
    /// The directory, absolute.
    pub dir: String,
    /// Which images; all when there are none.
    pub images: Vec<String>,
    /// Whether files are copied where they could be linked.
    pub copy: bool,
}

/// What was exported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Repositories.
    pub repositories: u64,
    /// Manifests, once for each repository.
    pub manifests: u64,
    /// Tags.
    pub tags: u64,
    /// Blobs, once for each repository.
    pub blobs: u64,
    /// Files that are hard links.
    pub linked: u64,
    /// Bytes that were copied.
    pub copied_bytes: u64,
    /// What could not be exported, and what the other side will not serve.
    pub notes: Vec<String>,
}

impl From<&Exported> for Summary {
    fn from(done: &Exported) -> Self {
        Self {
            repositories: done.repos,
            manifests: done.manifests,
            tags: done.tags,
            blobs: done.blobs,
            linked: done.linked,
            copied_bytes: done.copied,
            notes: done.notes.clone(),
        }
    }
}

/// Asks a running server to export.
#[derive(Debug)]
pub struct Export;

impl Operation for Export {
    const NAME: &'static str = "export";
    type Args = Args;
    type Step = Summary;
    type Done = Summary;

    async fn run(state: &State, args: Args, steps: Steps<Summary>) -> anyhow::Result<Summary> {
        let tell = move |done: &Exported| steps.offer(progress(done));
        run(&state.store, &state.config.data, &args, tell).await
    }
}

/// How far it is: the counts without the notes, which come at the end.
pub fn progress(done: &Exported) -> Summary {
    let counts = Exported {
        notes: Vec::new(),
        ..*done
    };
    Summary::from(&counts)
}

/// Exports what a store holds whose blobs lie below `data`.
///
/// # Errors
/// What is asked for is not there, or cannot be written.
pub async fn run(
    store: &Store,
    data: &Path,
    args: &Args,
    tell: impl FnMut(&Exported),
) -> anyhow::Result<Summary> {
    whole(store).await?;
    let dir = Path::new(&args.dir);
    if dir.starts_with(std::path::absolute(data)?) {
        bail!(
            "{} lies in the data directory of the registry; name a directory outside of it",
            dir.display()
        );
    }
    let placing = if args.copy {
        Placing::Copy
    } else {
        Placing::Link
    };
    let exporter = Exporter::new(store, data, placing);
    let done = match args.form {
        Form::Distribution if !args.images.is_empty() => {
            bail!(
                "a Distribution tree is exported as a whole; leave the images out, or use --layout oci"
            )
        }
        Form::Distribution => exporter.tree(dir, tell).await?,
        Form::Oci => {
            let images = args.images.iter().map(|image| chosen(image));
            let images = images.collect::<anyhow::Result<_>>()?;
            exporter.layout(dir, images, tell).await?
        }
    };
    Ok(Summary::from(&done))
}

/// `REPO`, `REPO:TAG` or `REPO@DIGEST`.
fn chosen(image: &str) -> anyhow::Result<Chosen> {
    let (repo, at) = if let Some((repo, digest)) = image.split_once('@') {
        (
            repo,
            Some(Reference::Digest(
                digest.parse().with_context(|| image.to_owned())?,
            )),
        )
    } else if let Some((repo, tag)) = image.split_once(':') {
        (
            repo,
            Some(Reference::Tag(
                tag.parse().with_context(|| image.to_owned())?,
            )),
        )
    } else {
        (image, None)
    };
    let repo = repo.parse().with_context(|| {
        format!("{image}: name it REPO, REPO:TAG or REPO@DIGEST, without a host")
    })?;
    Ok(Chosen { repo, at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_chosen_by_repository_tag_or_digest_and_never_by_host() {
        let named = chosen("acme/app").unwrap();
        assert_eq!((named.repo.as_str(), named.at), ("acme/app", None));
        let tagged = chosen("acme/app:1.0").unwrap();
        assert_eq!(tagged.at, Some(Reference::Tag("1.0".parse().unwrap())));
        let digest = format!("sha256:{}", "0".repeat(64));
        let exact = chosen(&format!("acme/app@{digest}")).unwrap();
        assert_eq!(exact.at.unwrap().to_string(), digest);
        for wrong in ["", "localhost:5000/app", "a:", "a@1.0", "A"] {
            assert!(chosen(wrong).is_err(), "{wrong}");
        }
    }
}
