//! The trash: what is in it, bringing something back, emptying it.

use longshore_spec::digest::Digest;
use longshore_spec::name::RepoName;
use longshore_store::{Ask, Emptying, InTrash};
use serde::{Deserialize, Serialize};

use super::gc::{self, Blobs};
use super::operation::{Operation, State, Steps};

/// Who has restored something, in histories.
pub(super) const ACTOR: &str = "operator";

/// Says what is in the trash.
#[derive(Debug)]
pub struct List;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListArgs {
    /// Of this repository only.
    pub repo: Option<String>,
    /// How many manifests at most.
    pub limit: usize,
}

/// A manifest in the trash. Times are microseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its repository.
    pub repo: String,
    /// It.
    pub digest: String,
    /// The tags it lost.
    pub tags: Vec<String>,
    /// When it was deleted.
    pub deleted: i64,
    /// By whom.
    pub deleted_by: String,
    /// Until when it can be restored.
    pub expires: i64,
    /// What its end frees.
    pub frees: Blobs,
    /// What stays, because others have it.
    pub shared: Blobs,
    /// Who they are, a few of them.
    pub shared_with: Vec<String>,
}

impl From<InTrash> for Entry {
    fn from(entry: InTrash) -> Self {
        Self {
            repo: entry.repo.to_string(),
            digest: entry.digest.to_string(),
            tags: entry.tags,
            deleted: entry.deleted,
            deleted_by: entry.deleted_by,
            expires: entry.expires,
            frees: entry.outlook.freed.into(),
            shared: entry.outlook.shared.into(),
            shared_with: entry.outlook.with,
        }
    }
}

impl Operation for List {
    const NAME: &'static str = "trash-list";
    type Args = ListArgs;
    type Step = ();
    type Done = Vec<Entry>;

    async fn run(state: &State, args: ListArgs, _steps: Steps<()>) -> anyhow::Result<Vec<Entry>> {
        let repo = args.repo.map(|repo| repo.parse::<RepoName>()).transpose()?;
        let found = state.store.trash(repo.as_ref(), args.limit).await?;
        Ok(found.into_iter().map(Entry::from).collect())
    }
}

/// Brings a manifest back.
#[derive(Debug)]
pub struct Restore;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RestoreArgs {
    /// The repository.
    pub repo: String,
    /// The manifest.
    pub digest: String,
}

/// What was brought back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// How many manifests: it and what it lists.
    pub manifests: u64,
    /// The tags that point to it again.
    pub tags: Vec<String>,
    /// The tags it had that point elsewhere now, and were left so.
    pub taken: Vec<String>,
}

impl Operation for Restore {
    const NAME: &'static str = "trash-restore";
    type Args = RestoreArgs;
    type Step = ();
    type Done = Restored;

    async fn run(state: &State, args: RestoreArgs, _steps: Steps<()>) -> anyhow::Result<Restored> {
        let (repo, digest): (RepoName, Digest) = (args.repo.parse()?, args.digest.parse()?);
        let restored = match &state.hub {
            // With a row of the audit log.
            Some(hub) => hub.trash_restore(&state.operator(), &repo, &digest).await?,
            None => state.store.trash_restore(&repo, &digest, ACTOR).await?,
        };
        Ok(Restored {
            manifests: restored.manifests,
            tags: restored.tags,
            taken: restored.taken,
        })
    }
}

/// Empties the trash at once.
#[derive(Debug)]
pub struct Empty;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EmptyArgs {
    /// Of this repository only.
    pub repo: Option<String>,
    /// This manifest only.
    pub digest: Option<String>,
}

impl Operation for Empty {
    const NAME: &'static str = "trash-empty";
    type Args = EmptyArgs;
    type Step = gc::Done;
    type Done = gc::Done;

    async fn run(
        state: &State,
        args: EmptyArgs,
        steps: Steps<gc::Done>,
    ) -> anyhow::Result<gc::Done> {
        let empty = Emptying {
            repo: args.repo.map(|repo| repo.parse()).transpose()?,
            digest: args.digest.map(|digest| digest.parse()).transpose()?,
        };
        if let Some(hub) = &state.hub {
            hub.trash_emptied(&state.operator(), &empty).await?;
        }
        let ask = Ask {
            empty: Some(empty),
            ..Ask::default()
        };
        gc::collect(&state.store, &ask, steps).await
    }
}
