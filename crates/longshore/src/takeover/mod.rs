//! Taking over the tree of a Distribution registry: at a start of the server, or by a command of its own.
//!
//! How it is done is `longshore-store`'s; here is when, how it is told of, and the report that is kept.

pub mod report;

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use longshore_core::error::Chain;
use longshore_layout::distribution::{Survey, Tree};
use longshore_store::{Progress, Store, Takeover, TakeoverError};
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Origin, Problem};
use report::{Findings, Report, Totals};

/// What the report is called in the data directory.
pub const REPORT: &str = "takeover-report.txt";

/// How often progress is told.
const TELL: Duration = Duration::from_secs(10);
/// How long to wait after a failure.
const AGAIN: Duration = Duration::from_secs(30);

/// What is to be said before a start over a data directory in which a tree waits to be taken over.
///
/// # Errors
/// The problem to show, when there is a tree that cannot be used.
pub fn look(config: &Config) -> Result<Option<String>, Problem> {
    let at = config.origins.get("data").cloned();
    match Tree::open(&config.data) {
        Ok(Some(_)) if !config.database.exists() => Ok(Some(format!(
            "{} holds the images of a Distribution registry: they are taken over at the start and stay where they are; that registry must be stopped by then (docs/takeover.md)",
            config.data.display()
        ))),
        Ok(_) => Ok(None),
        Err(error) => Err(Problem::new(
            at.unwrap_or(Origin::Default),
            format!(
                "the images of a Distribution registry cannot be taken over: {}",
                Chain(&error)
            ),
        )),
    }
}

/// Begins or goes on with the takeover of what lies in the data directory, where there is something.
///
/// # Errors
/// It cannot be taken over; in words for whoever starts the registry.
pub async fn begin(
    store: &Store,
    data: &Path,
    survey: Survey,
    merge: bool,
) -> anyhow::Result<Option<Takeover>> {
    Takeover::of(store, data, survey, merge)
        .await
        .map_err(|error| match error {
            TakeoverError::NotEmpty { .. } => anyhow::Error::new(error).context(format!(
                "to take the tree over beside them, run `longshore takeover {} --merge`; to leave it, move `docker` away",
                data.display()
            )),
            error => error.into(),
        })
}

/// Takes over in the background until it is done or `stop` says so, tells how far it is, and keeps the report.
pub async fn tend(takeover: Takeover, store: Store, config: Config, stop: CancellationToken) {
    let work = async {
        while let Err(error) = run(&takeover, log_progress).await {
            tracing::error!(error = %Chain(&error), "the takeover of the Distribution tree stopped; it will be tried again");
            tokio::time::sleep(AGAIN).await;
        }
        match keep(&store, &config.data).await {
            Ok(totals) => log_end(&totals, &config.data),
            Err(error) => {
                tracing::error!(error = %Chain(&*error), "the report of the takeover cannot be written; `longshore takeover` writes it again");
            }
        }
    };
    if stop.run_until_cancelled(work).await.is_none() {
        takeover.stop();
    }
}

/// Takes over what is left, and calls `tell` now and then.
///
/// # Errors
/// What [`Takeover::run`] gives.
pub async fn run(takeover: &Takeover, tell: impl Fn(&Progress)) -> longshore_core::Result<()> {
    let mut ticks = tokio::time::interval(TELL);
    // The first is at once.
    ticks.tick().await;
    let work = takeover.run();
    tokio::pin!(work);
    loop {
        tokio::select! {
            end = &mut work => return end,
            _ = ticks.tick() => tell(&takeover.progress()),
        }
    }
}

/// Writes the report of a takeover that is done into the data directory.
///
/// # Errors
/// The metadata cannot be read, or the file not written.
pub async fn keep(store: &Store, data: &Path) -> anyhow::Result<Totals> {
    let taken = store
        .taken_over()
        .await?
        .context("there was no takeover in this directory")?;
    let report = Report::new(data, taken.into(), Findings::Stored(store.clone()));
    let totals = report.totals().await?;
    report.keep(&totals, &data.join(REPORT)).await?;
    Ok(totals)
}

fn log_progress(progress: &Progress) {
    tracing::info!(
        repositories = progress.repos,
        of = progress.of,
        manifests = progress.manifests,
        findings = progress.findings,
        "taking over the Distribution tree"
    );
}

fn log_end(totals: &Totals, data: &Path) {
    let report = data.join(REPORT);
    if totals.losses == 0 {
        tracing::info!(report = %report.display(), "the Distribution tree is taken over, and all of it can be pulled");
    } else {
        tracing::warn!(losses = totals.losses, report = %report.display(), "the Distribution tree is taken over; some of it could not be, and the report says what");
    }
}

#[cfg(test)]
mod tests {
    use longshore_testkit::content::Maker;
    use longshore_testkit::old_tree::OldTree;

    use super::*;

    fn config(data: &Path) -> Config {
        let data = data.to_string_lossy().into_owned();
        Config::load(None, [], &[("--data", "data", data)]).unwrap()
    }

    #[test]
    fn a_tree_is_announced_until_there_is_metadata_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path());
        assert_eq!(look(&config), Ok(None));
        OldTree::new(dir.path()).push("a", &mut Maker::new(1), "1.0");
        let note = look(&config).unwrap().unwrap();
        assert!(note.contains("taken over at the start"), "{note}");
        std::fs::write(&config.database, "").unwrap();
        assert_eq!(look(&config), Ok(None));
    }

    #[test]
    fn a_tree_behind_a_symbolic_link_is_a_problem_with_a_way_out() {
        let dir = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        OldTree::new(elsewhere.path()).push("a", &mut Maker::new(1), "1.0");
        let docker = dir.path().join("docker");
        std::os::unix::fs::symlink(elsewhere.path().join("docker"), &docker).unwrap();
        let problem = look(&config(dir.path())).unwrap_err().to_string();
        assert!(problem.starts_with("error: --data: "), "{problem}");
        assert!(problem.contains("is a symbolic link"), "{problem}");
        assert!(problem.contains("mount --bind"), "{problem}");
    }
}
