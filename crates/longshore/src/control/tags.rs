//! Where a tag pointed, and pointing it there again.

use anyhow::Context as _;
use longshore_spec::digest::Digest;
use longshore_spec::name::{RepoName, Tag};
use longshore_store::TagCause;
use serde::{Deserialize, Serialize};

use super::operation::{Operation, State, Steps};
use super::trash::ACTOR;

/// Says where a tag pointed, or all tags of a repository.
#[derive(Debug)]
pub struct History;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HistoryArgs {
    /// The repository.
    pub repo: String,
    /// The tag; all of the repository if none is named.
    pub tag: Option<String>,
    /// The change to go on behind, as [`Change::place`] says it.
    pub after: Option<String>,
    /// How many changes at most.
    pub limit: usize,
}

/// A change of a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The tag.
    pub tag: String,
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

impl Change {
    /// What to name to go on behind this change.
    pub fn place(&self) -> String {
        format!("{}@{}", self.tag, self.at)
    }
}

fn place(text: &str) -> anyhow::Result<(String, i64)> {
    let read = |(tag, at): (&str, &str)| Some((tag.to_owned(), at.parse().ok()?));
    text.rsplit_once('@').and_then(read).with_context(|| {
        format!("`{text}` is no place in a history; name the one that the page before ended with")
    })
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
        let repo: RepoName = args.repo.parse()?;
        let after = args.after.as_deref().map(place).transpose()?;
        let found = match args.tag {
            Some(tag) => {
                let (tag, before): (Tag, _) = (tag.parse()?, after.map(|(_, at)| at));
                let store = &state.store;
                store.tag_history(&repo, &tag, before, args.limit).await?
            }
            None => {
                state
                    .store
                    .tag_history_all(&repo, after, args.limit)
                    .await?
            }
        };
        let said = |digest: Option<Digest>| digest.map(|digest| digest.to_string());
        let changes = found.into_iter().map(|change| Change {
            tag: change.tag,
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
        let restored = match &state.hub {
            // With a row of the audit log.
            Some(hub) => hub.tag_restore(&state.operator(), &repo, &tag, to).await?,
            None => state.store.tag_restore(&repo, &tag, to, ACTOR).await?,
        };
        Ok(Restored {
            to: restored.to.to_string(),
            from: restored.from.map(|from| from.to_string()),
            manifests: restored.manifests,
        })
    }
}
