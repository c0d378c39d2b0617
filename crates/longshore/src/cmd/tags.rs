//! `longshore admin tags`: where tags pointed, and pointing them there again.

use std::io::Write;
use std::process::ExitCode;

use clap::Subcommand;

use super::admin::Asked;
use super::words::time;
use crate::control::tags::{Change, History, HistoryArgs, Restore, RestoreArgs};

/// What to do with a tag.
#[derive(Debug, Subcommand)]
pub enum TagsCommand {
    /// Say where a tag pointed: who changed it, when, from which digest to which.
    ///
    /// Without a tag: all tags of the repository, one after the other.
    History {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The repository.
        repo: String,
        /// The tag; all of the repository if none is named.
        tag: Option<String>,
        /// How many changes at most: the latest first of one tag, the earliest of each first of all.
        #[arg(long, default_value_t = 50)]
        limit: usize,
        /// Go on behind this change, which the page before ended with.
        #[arg(long, value_name = "TAG@TIME")]
        after: Option<String>,
    },
    /// Point a tag to where it pointed before its last change, or to a digest.
    ///
    /// The manifest comes out of the trash if it is there.
    Restore {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The repository.
        repo: String,
        /// The tag.
        tag: String,
        /// The manifest it is to point to.
        #[arg(long, value_name = "DIGEST")]
        to: Option<String>,
    },
}

/// Runs the command.
///
/// # Errors
/// The server cannot be asked, says that it failed, or `out` cannot be written to.
pub fn run(
    command: &TagsCommand,
    variables: &[(String, String)],
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    match command {
        TagsCommand::History {
            asked,
            repo,
            tag,
            limit,
            after,
        } => {
            let args = HistoryArgs {
                repo: repo.clone(),
                tag: tag.clone(),
                after: after.clone(),
                limit: *limit,
            };
            let changes = asked.call::<History>(variables, &args, |()| {})?;
            if asked.json {
                writeln!(out, "{}", serde_json::to_string(&changes)?)?;
            } else {
                list(&changes, tag.is_none(), out)?;
                if let Some(last) = changes.last().filter(|_| changes.len() == *limit) {
                    writeln!(out, "There may be more: --after {}", last.place())?;
                }
            }
        }
        TagsCommand::Restore {
            asked,
            repo,
            tag,
            to,
        } => {
            let args = RestoreArgs {
                repo: repo.clone(),
                tag: tag.clone(),
                to: to.clone(),
            };
            let restored = asked.call::<Restore>(variables, &args, |()| {})?;
            if asked.json {
                writeln!(out, "{}", serde_json::to_string(&restored)?)?;
            } else {
                writeln!(out, "{repo}:{tag} points to {}", restored.to)?;
                if let Some(from) = restored.from.filter(|from| *from != restored.to) {
                    writeln!(
                        out,
                        "it pointed to {from}, which can be pulled by its digest"
                    )?;
                }
                if restored.manifests > 0 {
                    writeln!(
                        out,
                        "{} manifests came out of the trash",
                        restored.manifests
                    )?;
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(changes: &[Change], all: bool, out: &mut dyn Write) -> std::io::Result<()> {
    if changes.is_empty() {
        return writeln!(out, "Nothing more is known.");
    }
    let mut of = "";
    for change in changes {
        if all && change.tag != of {
            writeln!(out, "{}", change.tag)?;
        }
        of = &change.tag;
        let (at, actor, cause) = (time(change.at), &change.actor, &change.cause);
        writeln!(out, "{at}  {actor}  {cause}")?;
        if let Some(old) = &change.old {
            let gone = if change.old_is_here {
                ""
            } else {
                " (gone for good)"
            };
            writeln!(out, "  from {old}{gone}")?;
        }
        if let Some(new) = &change.new {
            writeln!(out, "  to   {new}")?;
        }
    }
    Ok(())
}
