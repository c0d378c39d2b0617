//! `longshore backup` and `longshore restore`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::fsck::print;
use crate::assemble;
use crate::control::backup::{Args as Asked, Backup as Operation};
use crate::control::{Client, Target};
use crate::upkeep::backup::about::{About, Copies};
use crate::upkeep::backup::restore::{Restored, restore};
use crate::upkeep::backup::write::Job;
use crate::upkeep::check::{Each, Sum};
use crate::upkeep::parts::{self, Found};

/// It could not be done.
const FAILED: u8 = 2;

/// Make a backup.
#[derive(Debug, Args)]
pub struct Backup {
    /// The directory to write to: empty, or not there yet.
    #[arg(value_name = "DIR")]
    to: PathBuf,

    #[command(flatten)]
    target: Target,

    /// What is done about the files of blobs.
    #[arg(long, value_enum, default_value_t = Copies::Copy)]
    blobs: Copies,

    /// Print what was done as JSON, for programs.
    #[arg(long)]
    json: bool,
}

/// Make a registry from a backup.
#[derive(Debug, Args)]
pub struct Restore {
    /// The directory of the backup.
    #[arg(value_name = "DIR")]
    from: PathBuf,

    #[command(flatten)]
    target: Target,

    /// How the files of blobs come from the backup; `link` needs the same file system.
    #[arg(long, value_enum, default_value_t = Copies::Copy)]
    blobs: Copies,

    /// Check only whether blobs are there, not their bytes.
    #[arg(long)]
    quick: bool,

    /// Print one JSON object a line: what the check finds, and what was done.
    #[arg(long)]
    json: bool,
}

/// Runs `longshore backup`. Ends with 0 when all of it was backed up, 1 when needed blobs were lost, 2 when there is no backup.
///
/// # Errors
/// `out` or `err` cannot be written to.
pub fn backup(
    command: &Backup,
    variables: &[(String, String)],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<ExitCode> {
    let about = match make(command, variables) {
        Ok(about) => about,
        Err(error) => {
            writeln!(err, "error: there is no backup: {error:#}")?;
            return Ok(ExitCode::from(FAILED));
        }
    };
    if command.json {
        writeln!(out, "{}", serde_json::json!({ "backup": about }))?;
    } else {
        let at = command.to.display();
        writeln!(
            out,
            "backed up to {at}: the metadata and {} blobs of {} bytes (files: {})",
            about.blobs, about.bytes, about.copies
        )?;
        for digest in &about.lost {
            writeln!(
                out,
                "lost: {digest} is needed, and missing or damaged; push it again"
            )?;
        }
    }
    Ok(ExitCode::from(u8::from(!about.lost.is_empty())))
}

fn make(command: &Backup, variables: &[(String, String)]) -> anyhow::Result<About> {
    let config = command.target.load(variables)?;
    let to = std::path::absolute(&command.to)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match parts::open(&config)? {
            Found::Idle(parts) => {
                let job = Job {
                    db: parts.db.clone(),
                    data: config.data.clone(),
                    to,
                    copies: command.blobs,
                    now: assemble::now(),
                };
                let about = job.run(|_| ()).await?;
                parts.db.close().await?;
                Ok(about)
            }
            Found::InUse => {
                let asked = Asked {
                    to,
                    copies: command.blobs,
                };
                let client = Client::new(&config.data);
                client.call::<Operation>(&asked, |_| ()).await
            }
        }
    })
}

/// Runs `longshore restore`. Ends with 0 when all of it is back and in order, 1 when some of it is not, 2 when there is none.
///
/// # Errors
/// `out` or `err` cannot be written to.
pub fn put_back(
    command: &Restore,
    variables: &[(String, String)],
    out: &mut (dyn Write + Send),
    err: &mut dyn Write,
) -> io::Result<ExitCode> {
    match again(command, variables, out) {
        Ok(restored) => end(command, restored, out),
        Err(error) => {
            writeln!(err, "error: nothing was restored: {error:#}")?;
            Ok(ExitCode::from(FAILED))
        }
    }
}

fn again(
    command: &Restore,
    variables: &[(String, String)],
    out: &mut (dyn Write + Send),
) -> anyhow::Result<Restored> {
    let config = command.target.load(variables)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut written = Ok(());
    let restored = {
        let mut each = Each(|told| {
            let line = print(command.json, &told, out);
            if written.is_ok() {
                written = line;
            }
        });
        let (from, how) = (&command.from, command.blobs);
        runtime.block_on(restore(from, &config, how, !command.quick, &mut each))?
    };
    written?;
    Ok(restored)
}

fn end(command: &Restore, restored: Restored, out: &mut dyn Write) -> io::Result<ExitCode> {
    let Restored {
        about,
        lost,
        summary,
    } = restored;
    let sum = Sum::from(summary);
    let whole = sum.clean && lost.is_empty();
    if command.json {
        let line = serde_json::json!({ "restored": about, "lost": lost, "summary": sum });
        writeln!(out, "{line}")?;
    } else {
        for digest in &lost {
            writeln!(
                out,
                "lost: {digest} is not in the backup as it should be; push it again"
            )?;
        }
        writeln!(
            out,
            "restored the metadata and {} blobs of {} bytes; {}",
            about.blobs,
            about.bytes,
            if whole {
                "everything is in order"
            } else {
                "not everything is in order, see above"
            }
        )?;
    }
    Ok(ExitCode::from(u8::from(!whole)))
}
