//! `longshore fsck`: is everything there, and is it what it should be?

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use longshore_core::error::Chain;
use longshore_store::check::Check;

use crate::assemble;
use crate::config::Config;
use crate::control::fsck::Fsck as Operation;
use crate::control::{Client, Target};
use crate::upkeep::check::{Asked, Each, Sum, Told};
use crate::upkeep::parts::{self, Found, Parts};

/// Check everything that is stored, and repair it.
#[derive(Debug, Args)]
pub struct Fsck {
    #[command(flatten)]
    target: Target,

    /// Repair what can be repaired. Nothing is deleted: damaged copies and files of nobody are put into the directory
    /// `quarantine`, damaged content becomes absent until it is pushed again.
    #[arg(long)]
    repair: bool,

    /// Do not read the bytes of blobs, only see whether they are there and how many they are.
    #[arg(long)]
    quick: bool,

    /// How old a file must be before it is said to be nobody's, in seconds [default: one day].
    #[arg(long, value_name = "SECONDS")]
    grace: Option<u64>,

    /// Print one JSON object a line: each finding, and a summary at the end.
    #[arg(long)]
    json: bool,
}

/// The check could not be made.
const FAILED: u8 = 2;

/// Runs the command: findings go to `out`, what keeps it from checking to `err`.
///
/// # Errors
/// `out` or `err` cannot be written to.
pub fn run(
    fsck: &Fsck,
    variables: &[(String, String)],
    out: &mut (dyn Write + Send),
    err: &mut dyn Write,
) -> io::Result<ExitCode> {
    let mut written = Ok(());
    let done = check(fsck, variables, &mut |told| {
        let line = print(fsck.json, &told, out);
        if written.is_ok() {
            written = line;
        }
    });
    written?;
    match done {
        Ok(sum) => {
            end(fsck, &sum, out)?;
            Ok(ExitCode::from(u8::from(!sum.clean)))
        }
        Err(error) => {
            writeln!(err, "error: the check could not be made: {error:#}")?;
            Ok(ExitCode::from(FAILED))
        }
    }
}

fn check(
    fsck: &Fsck,
    variables: &[(String, String)],
    found: &mut (dyn FnMut(Told) + Send),
) -> anyhow::Result<Sum> {
    let config = fsck.target.load(variables)?;
    let asked = Asked {
        repair: fsck.repair,
        quick: fsck.quick,
        grace: fsck.grace,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match parts::open(&config)? {
            Found::Idle(parts) => idle(&config, &asked, parts, found).await,
            Found::InUse => {
                let client = Client::new(&config.data);
                client.call::<Operation>(&asked, found).await
            }
        }
    })
}

async fn idle(
    config: &Config,
    asked: &Asked,
    parts: Parts,
    found: &mut (dyn FnMut(Told) + Send),
) -> anyhow::Result<Sum> {
    let options = asked.options(config, None);
    let check = Check::of(parts.db.clone(), parts.files, options, assemble::now());
    let summary = check
        .run(&mut Each(found))
        .await
        .map_err(|error| anyhow::anyhow!("{}", Chain(&error)))?;
    parts.db.close().await?;
    Ok(summary.into())
}

/// Prints a finding.
pub(super) fn print(json: bool, told: &Told, out: &mut dyn Write) -> io::Result<()> {
    if json {
        let line = serde_json::json!({ "finding": told });
        return writeln!(out, "{line}");
    }
    let Told {
        code,
        grade,
        subject,
        what,
        remedy,
        ..
    } = told;
    writeln!(out, "{grade}: {code}: {subject}: {what}")?;
    match (told.outcome.as_str(), &told.error) {
        ("repaired", _) => writeln!(out, "  repaired: {remedy}"),
        (_, Some(why)) => writeln!(out, "  not repaired: {why}"),
        _ => writeln!(out, "  remedy: {remedy}"),
    }
}

fn end(fsck: &Fsck, sum: &Sum, out: &mut dyn Write) -> io::Result<()> {
    if fsck.json {
        let line = serde_json::json!({ "summary": sum });
        return writeln!(out, "{line}");
    }
    let looked: Vec<_> = sum
        .looked
        .iter()
        .map(|(part, count)| format!("{count} {part}"))
        .collect();
    writeln!(out, "looked at {}", looked.join(", "))?;
    let found: Vec<_> = sum
        .found
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(grade, count)| format!("{count} {grade}"))
        .collect();
    if found.is_empty() {
        return writeln!(out, "everything is in order");
    }
    write!(out, "found {}", found.join(", "))?;
    if fsck.repair {
        writeln!(out, "; repaired {}, failed {}", sum.repaired, sum.failed)
    } else {
        writeln!(out, "; --repair repairs what can be repaired")
    }
}
