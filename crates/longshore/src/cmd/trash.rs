//! `longshore admin trash`: what was deleted, bringing it back, removing it for good.

use std::io::Write;
use std::process::ExitCode;

use clap::Subcommand;

use super::admin::Asked;
use super::gc;
use super::words::{bytes, time};
use crate::control::trash::{
    Empty, EmptyArgs, Entry, List, ListArgs, Restore, RestoreArgs, Restored,
};

/// What to do with the trash.
#[derive(Debug, Subcommand)]
pub enum TrashCommand {
    /// Say what is in it, until when, and what its end will free.
    List {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Of this repository only.
        repo: Option<String>,
        /// How many manifests at most.
        #[arg(long, default_value_t = 1000)]
        limit: usize,
    },
    /// Bring a manifest back, with what it lists and the tags it lost.
    Restore {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The repository.
        repo: String,
        /// The manifest's digest, as `longshore admin trash list` says it.
        digest: String,
    },
    /// Remove what is in it for good, and free what only that needed.
    ///
    /// Without an argument everything in the trash goes. Bytes are free when leases and the quarantine are over; the answer
    /// says when that is.
    Empty {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Of this repository only.
        repo: Option<String>,
        /// This manifest only.
        #[arg(requires = "repo")]
        digest: Option<String>,
    },
}

/// Runs the command.
///
/// # Errors
/// The server cannot be asked, says that it failed, or `out` cannot be written to.
pub fn run(
    command: &TrashCommand,
    variables: &[(String, String)],
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    match command {
        TrashCommand::List { asked, repo, limit } => {
            let args = ListArgs {
                repo: repo.clone(),
                limit: *limit,
            };
            let entries = asked.call::<List>(variables, &args, |()| {})?;
            if asked.json {
                writeln!(out, "{}", serde_json::to_string(&entries)?)?;
            } else {
                list(&entries, out)?;
            }
        }
        TrashCommand::Restore {
            asked,
            repo,
            digest,
        } => {
            let args = RestoreArgs {
                repo: repo.clone(),
                digest: digest.clone(),
            };
            let restored = asked.call::<Restore>(variables, &args, |()| {})?;
            if asked.json {
                writeln!(out, "{}", serde_json::to_string(&restored)?)?;
            } else {
                tell(&restored, out)?;
            }
        }
        TrashCommand::Empty {
            asked,
            repo,
            digest,
        } => {
            let args = EmptyArgs {
                repo: repo.clone(),
                digest: digest.clone(),
            };
            let done = asked.call::<Empty>(variables, &args, |_| {})?;
            gc::tell(&done, asked.json, out)?;
            return Ok(gc::code(&done));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(entries: &[Entry], out: &mut dyn Write) -> std::io::Result<()> {
    if entries.is_empty() {
        return writeln!(out, "The trash is empty.");
    }
    for entry in entries {
        writeln!(out, "{}@{}", entry.repo, entry.digest)?;
        if !entry.tags.is_empty() {
            writeln!(out, "  tags: {}", entry.tags.join(", "))?;
        }
        writeln!(
            out,
            "  deleted {} by {}, can be restored until {}",
            time(entry.deleted),
            entry.deleted_by,
            time(entry.expires)
        )?;
        write!(out, "  frees {} then", bytes(entry.frees.bytes))?;
        if entry.shared.blobs > 0 {
            let (size, with) = (bytes(entry.shared.bytes), entry.shared_with.join(", "));
            write!(out, "; {size} stay, shared with {with}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn tell(restored: &Restored, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{} manifests are back", restored.manifests)?;
    if !restored.tags.is_empty() {
        writeln!(out, "with the tags {}", restored.tags.join(", "))?;
    }
    if !restored.taken.is_empty() {
        writeln!(
            out,
            "these tags point elsewhere now and were left so: {}; `longshore admin tags restore` moves them back",
            restored.taken.join(", ")
        )?;
    }
    Ok(())
}
