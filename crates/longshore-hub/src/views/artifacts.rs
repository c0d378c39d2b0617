//! What is known of what is in a repository.
//!
//! Whoever sees a repository may see what it says of its content, as its tags are. What is limited to some tags is limited to what
//! they point to and to what that lists; the rest is as if it were not there.

use longshore_auth::rights::judge::allows;
use longshore_auth::rights::{Action, Object};
use longshore_core::{Code, Error, Result, TagLimit};
use longshore_meta::Tx;
use longshore_meta::artifact_parts::{Parts, part_get, part_unpacked};
use longshore_meta::artifacts::{
    Artifact, Referrer, artifact_get, artifact_page, artifact_referrers,
};
use longshore_meta::manifests::{EdgeKind, edge_parent, manifest_subject, manifest_type};
use longshore_meta::tags::tag_some_of;
use longshore_spec::digest::Digest;
use longshore_spec::name::RepoName;

use super::Listed;
use super::repositories::{LIST, limit_of, of, shows};
use crate::caller::Caller;
use crate::hub::Hub;

/// How many tags of one artifact are told.
const TAGS: usize = 100;

/// A manifest of a repository.
#[derive(Debug, Clone)]
pub struct ArtifactSeen {
    /// Its digest.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// What it was pushed as.
    pub media_type: String,
    /// The first tags that point to it.
    pub tags: Vec<String>,
    /// The manifest that it is about, where it is about another one.
    pub subject: Option<Digest>,
    /// What is known of it; nothing while it has not been looked at, or where nobody looks.
    pub known: Option<Artifact>,
    /// Its bytes when unpacked, where that is known.
    pub unpacked: Option<u64>,
}

/// A manifest of a repository, and what it is made of.
#[derive(Debug, Clone)]
pub struct ArtifactWhole {
    /// It.
    pub seen: ArtifactSeen,
    /// What it is made of; nothing while it has not been looked at. How it is run is shown to those who may pull it: people put
    /// into environments what they should not.
    pub parts: Option<Parts>,
}

/// A manifest that is about another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferrerSeen(pub Referrer);

impl Hub {
    /// Manifests of a repository in the order of their digests, after `after`; of those that are about another one, or of those that
    /// are not, where `about` says which. A part may be short then.
    ///
    /// # Errors
    /// `NameUnknown` or `Unavailable`.
    pub async fn artifact_list(
        &self,
        caller: &Caller,
        name: &RepoName,
        (after, about): (Option<Digest>, Option<bool>),
        limit: usize,
    ) -> Result<Listed<ArtifactSeen, Digest>> {
        let object = Object::Repository(name.clone());
        let args = (after, limit, about);
        self.see::<LIST, _, _>(caller, &object, args, |tx, permit, args| {
            Box::pin(async move {
                let (repo, _) = of(tx, permit).await?;
                let only = limit_of(tx, permit).await?;
                let rows = artifact_page(tx, repo, args.0.as_ref(), args.1 + 1).await?;
                let page = Listed::of(rows, args.1, |row| row.0);
                let mut items = Vec::with_capacity(page.items.len());
                for (digest, _) in page.items {
                    let found = seen(tx, repo, digest, only.as_ref()).await?;
                    let found =
                        found.filter(|it| args.2.is_none_or(|about| about == it.subject.is_some()));
                    items.extend(found);
                }
                Ok(Listed {
                    items,
                    next: page.next,
                })
            })
        })
        .await
    }

    /// A manifest of a repository.
    ///
    /// # Errors
    /// `NameUnknown`, `ManifestUnknown`, or `Unavailable`.
    pub async fn artifact_get(
        &self,
        caller: &Caller,
        name: &RepoName,
        digest: &Digest,
    ) -> Result<ArtifactWhole> {
        let object = Object::Repository(name.clone());
        self.see::<LIST, _, _>(caller, &object, *digest, |tx, permit, digest| {
            Box::pin(async move {
                let (repo, _) = of(tx, permit).await?;
                let only = limit_of(tx, permit).await?;
                let found = seen(tx, repo, *digest, only.as_ref()).await?;
                let seen = found.ok_or_else(unknown)?;
                let mut parts = part_get(tx, digest).await?;
                let caller = permit.caller();
                let pull = Action::RepositoryPull;
                if !allows(tx, &caller.who, pull, permit.object(), caller.now).await?
                    && let Some(parts) = &mut parts
                {
                    parts.run = Parts::default().run;
                }
                Ok(ArtifactWhole { seen, parts })
            })
        })
        .await
    }

    /// What there is about a manifest, in the order of its digests, after `after`.
    ///
    /// # Errors
    /// `NameUnknown`, `ManifestUnknown`, or `Unavailable`.
    pub async fn artifact_referrers(
        &self,
        caller: &Caller,
        name: &RepoName,
        (subject, after): (Digest, Option<Digest>),
        limit: usize,
    ) -> Result<Listed<ReferrerSeen, Digest>> {
        let object = Object::Repository(name.clone());
        let args = (subject, after, limit);
        self.see::<LIST, _, _>(
            caller,
            &object,
            args,
            |tx, permit, (subject, after, limit)| {
                Box::pin(async move {
                    let (repo, _) = of(tx, permit).await?;
                    let only = limit_of(tx, permit).await?;
                    if seen(tx, repo, *subject, only.as_ref()).await?.is_none() {
                        return Err(unknown());
                    }
                    let rows =
                        artifact_referrers(tx, repo, subject, after.as_ref(), limit + 1).await?;
                    let rows = rows.into_iter().map(ReferrerSeen).collect();
                    Ok(Listed::of(rows, *limit, |row| row.0.digest))
                })
            },
        )
        .await
    }
}

fn unknown() -> Error {
    Error::new(Code::ManifestUnknown, "the repository has no such manifest")
}

/// A manifest; nothing where it is not there, or not for whoever is limited so.
async fn seen(
    tx: &mut Tx<'_>,
    repo: i64,
    digest: Digest,
    only: Option<&TagLimit>,
) -> Result<Option<ArtifactSeen>> {
    let Some((size, media_type)) = manifest_type(tx, repo, &digest).await? else {
        return Ok(None);
    };
    let mut tags = tag_some_of(tx, repo, &digest, TAGS).await?;
    tags.retain(|tag| shows(only, tag));
    if only.is_some() && tags.is_empty() {
        let parent = edge_parent(tx, repo, &digest, EdgeKind::Manifest).await?;
        let Some(parent) = parent else {
            return Ok(None);
        };
        let of_parent = tag_some_of(tx, repo, &parent, TAGS).await?;
        if !of_parent.iter().any(|tag| shows(only, tag)) {
            return Ok(None);
        }
    }
    Ok(Some(ArtifactSeen {
        known: artifact_get(tx, &digest).await?,
        unpacked: part_unpacked(tx, &digest).await?,
        subject: manifest_subject(tx, repo, &digest).await?,
        digest,
        size,
        media_type,
        tags,
    }))
}
