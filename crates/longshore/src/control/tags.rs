//! Where a tag pointed, and pointing it there again.

use longshore_spec::digest::Digest;
use longshore_spec::name::{RepoName, Tag};
use longshore_store::TagCause;
use serde::{Deserialize, Serialize};

use super::operation::{Operation, State, Steps};
use super::trash::ACTOR;

/// Says where a tag pointed.
#[derive(Debug)]
pub struct History;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HistoryArgs {
    /// The repository.
    pub repo: String,
    /// The tag.
    pub tag: String,
    /// How many changes at most.
    pub limit: usize,
}

/// A change of a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// When, in microseconds since the Unix epoch.
    pub at: i64,
    /// Who.
    pub actor: String,
    /// By what: `push`, `tag deleted`, `manifest deleted` or `restored`.
    pub cause: String,
    /// Where it pointed before, if it was there.
    pub old: Option<String>,
    /// Whether that can be pulled or restored.
    pub old_is_here: bool,
    /// Where it pointed afterwards, if it was there.
    pub new: Option<String>,
}

impl Operation for History {
    const NAME: &'static str = "tag-history";
    type Args = HistoryArgs;
    type Step = ();
    type Done = Vec<Change>;

    async fn run(
        state: &State,
        args: HistoryArgs,
        _steps: Steps<()>,
    ) -> anyhow::Result<Vec<Change>> {
        let (repo, tag): (RepoName, Tag) = (args.repo.parse()?, args.tag.parse()?);
        let found = state.store.tag_history(&repo, &tag, args.limit).await?;
        let said = |digest: Option<Digest>| digest.map(|digest| digest.to_string());
        let changes = found.into_iter().map(|change| Change {
            at: change.at,
            actor: change.actor,
            cause: match change.cause {
                TagCause::Pushed => "push",
                TagCause::Deleted => "tag deleted",
                TagCause::ManifestDeleted => "manifest deleted",
                TagCause::Restored => "restored",
            }
            .to_owned(),
            old: said(change.old),
            old_is_here: change.old_is_here,
            new: said(change.new),
        });
        Ok(changes.collect())
    }
}

/// Points a tag to where it was.
#[derive(Debug)]
pub struct Restore;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RestoreArgs {
    /// The repository.
    pub repo: String,
    /// The tag.
    pub tag: String,
    /// Where it is to point; else to where it pointed before its last change.
    pub to: Option<String>,
}

/// Where the tag points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// Now.
    pub to: String,
    /// Until now, if it was there.
    pub from: Option<String>,
    /// How many manifests came out of the trash for it.
    pub manifests: u64,
}

impl Operation for Restore {
    const NAME: &'static str = "tag-restore";
    type Args = RestoreArgs;
    type Step = ();
    type Done = Restored;

    async fn run(state: &State, args: RestoreArgs, _steps: Steps<()>) -> anyhow::Result<Restored> {
        let (repo, tag): (RepoName, Tag) = (args.repo.parse()?, args.tag.parse()?);
        let to = args.to.map(|to| to.parse()).transpose()?;
        let restored = state.store.tag_restore(&repo, &tag, to, ACTOR).await?;
        Ok(Restored {
            to: restored.to.to_string(),
            from: restored.from.map(|from| from.to_string()),
            manifests: restored.manifests,
        })
    }
}
