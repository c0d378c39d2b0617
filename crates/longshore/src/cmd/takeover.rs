//! `longshore takeover`: take over the tree of a Distribution registry, or say what would become of it.

use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use longshore_layout::distribution::{ROOT, Survey, Tree};
use longshore_store::Progress;

use crate::assemble::{self, Parts};
use crate::config::Config;
use crate::sources::Sources;
use crate::takeover::report::{Findings, Report, Sum, Totals};
use crate::takeover::{self as takeover, REPORT};

/// What the command ends with when all that can be taken over is, and some could not.
const LOSSES: u8 = 3;

/// Take over the images of a Distribution registry (registry:2, registry:3).
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub struct TakeoverCommand {
    /// The old registry's `rootdirectory`, which holds `docker/registry/v2`; it becomes the data directory
    /// [default: the configuration's data directory].
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,

    /// The configuration the registry will be started with: Longshore's TOML, or a Distribution `config.yml`.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Only say what would be taken over and what is broken; nothing is written to DIR.
    #[arg(long)]
    dry_run: bool,

    /// Read all blobs and compare them with their digests. Takes as long as reading the whole disk.
    #[arg(long)]
    verify: bool,

    /// Take the tree over although this registry holds repositories already; those keep what they have.
    #[arg(long)]
    merge: bool,

    /// Print the report as JSON, for programs.
    #[arg(long)]
    json: bool,

    /// Write the report, as text, to this file too [default: takeover-report.txt in DIR; none with --dry-run].
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// Runs the command: the report goes to `out`, progress to `err`.
///
/// # Errors
/// The tree cannot be taken over, in words for whoever runs the command.
pub fn run(
    command: &TakeoverCommand,
    variables: &[(String, String)],
    out: &mut (dyn Write + Send),
    err: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let sources = Sources {
        config: command.config.clone(),
        data: command.dir.clone(),
        ..Sources::default()
    };
    let config = match sources.load(variables) {
        Ok(config) => config,
        Err(problems) => {
            writeln!(err, "{problems}")?;
            return Ok(ExitCode::FAILURE);
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let totals = if command.dry_run {
        runtime.block_on(dry_run(command, &config, out))?
    } else {
        runtime.block_on(take_over(command, &config, out, err))?
    };
    Ok(match totals.losses {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::from(LOSSES),
    })
}

async fn take_over(
    command: &TakeoverCommand,
    config: &Config,
    out: &mut (dyn Write + Send),
    err: &mut dyn Write,
) -> anyhow::Result<Totals> {
    if !config.database.exists() {
        // Before anything is written to a directory that may be the wrong one.
        tree(&config.data)?;
    }
    let Parts { store, .. } = assemble::open(config).await?;
    let survey = Survey {
        verify: command.verify,
    };
    let takeover = takeover::begin(&store, &config.data, survey, command.merge).await?;
    if let Some(takeover) = &takeover {
        let err = std::cell::RefCell::new(err);
        takeover::run(takeover, |progress| {
            // Nobody may be reading it.
            let _ = writeln!(err.borrow_mut(), "{}", line(progress));
        })
        .await?;
    }
    let Some(taken) = store.taken_over().await? else {
        bail!(nothing(&config.data));
    };
    let report = Report::new(&config.data, taken.into(), Findings::Stored(store.clone()));
    let totals = report.totals().await?;
    let kept = command
        .report
        .clone()
        .unwrap_or_else(|| config.data.join(REPORT));
    report.keep(&totals, &kept).await?;
    if command.json {
        report.json(&totals, out).await?;
    } else {
        report.summary(&totals, out)?;
        if takeover.is_none() {
            writeln!(out, "it was taken over before, and was not looked at again")?;
        }
        writeln!(out, "report: {}", kept.display())?;
        let data = config.data.display();
        writeln!(out, "Next: longshore serve --data {data}")?;
    }
    store.close().await?;
    Ok(totals)
}

async fn dry_run(
    command: &TakeoverCommand,
    config: &Config,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<Totals> {
    let tree = tree(&config.data)?;
    let names = tree
        .names()
        .with_context(|| format!("{} cannot be read", config.data.display()))?;
    let survey = Survey {
        verify: command.verify,
    };
    let (mut sum, mut findings) = (Sum::default(), names.findings);
    for repo in &names.repos {
        survey.repository(&tree, repo, &mut |batch| {
            sum.manifests += batch.manifests.len() as u64;
            sum.tags += batch.tags.len() as u64;
            sum.blobs += batch.blobs.len() as u64;
            findings.extend(batch.findings);
            ControlFlow::Continue(())
        });
        sum.repos += 1;
    }
    let report = Report::new(&config.data, sum, Findings::Kept(findings));
    let totals = report.totals().await?;
    if let Some(path) = &command.report {
        report.keep(&totals, path).await?;
    }
    if command.json {
        report.json(&totals, out).await?;
    } else {
        report.text(&totals, out).await?;
    }
    Ok(totals)
}

/// The tree that must be there.
fn tree(data: &Path) -> anyhow::Result<Tree> {
    match Tree::open(data)? {
        Some(tree) => Ok(tree),
        None => bail!(nothing(data)),
    }
}

/// What to say where there is no tree; whoever named a directory inside of one is told its top.
fn nothing(data: &Path) -> String {
    let data = fs::canonicalize(data).unwrap_or_else(|_| data.to_owned());
    let top = data
        .ancestors()
        .skip(1)
        .take(4)
        .find(|above| above.join(ROOT).is_dir());
    let hint = top.map_or_else(
        || {
            "name the directory that the old registry's configuration calls `rootdirectory`"
                .to_owned()
        },
        |top| format!("did you mean {}?", top.display()),
    );
    format!(
        "there are no images of a Distribution registry in {} (no {ROOT} with content); {hint}",
        data.display()
    )
}

fn line(progress: &Progress) -> String {
    format!(
        "{} of {} repositories, {} manifests, {} findings",
        progress.repos, progress.of, progress.manifests, progress.findings
    )
}
