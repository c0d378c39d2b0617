//! `cargo xtask clients`: real clients against a fresh registry, and the matrix that comes of it.
//!
//! A client is a shell file in `xtask/clients`: what a person would type, with the answers checked. Each one gets registries with empty
//! folders of its own, so none can lean on what another left.

mod certificate;
mod matrix;
mod registries;
mod scenario;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;

use crate::images;
use crate::process;
use crate::server::Server;
use crate::tools::{self, Pace, Pins};
use crate::workspace::Workspace;
use registries::Place;
use scenario::Scenario;

/// What a client may be asked to do, in the order in which it is asked, with what is looked at.
const CAPABILITIES: &[(&str, &str)] = &[
    (
        "push",
        "images arrive under the digest that the client names",
    ),
    (
        "pull",
        "bytes come back under the digest they have in the layout",
    ),
    (
        "list",
        "tags, and repositories where the client can ask for them",
    ),
    (
        "search",
        "repositories by words: by nobody, and by whoever has logged in",
    ),
    (
        "delete",
        "what was deleted answers 404 at once, the rest stays",
    ),
    ("copy", "between repositories, many-platform images whole"),
    (
        "sign",
        "with a key; verified, and refused where nobody signed",
    ),
    (
        "attach",
        "referrers: attached, listed, filtered, copied along",
    ),
    ("run", "what was pulled is started"),
    ("build", "an image is built, pushed, pulled and started"),
    (
        "login",
        "name and password: accepted, and refused when wrong",
    ),
    (
        "tls",
        "push and pull over HTTPS under an authority of our own, refused while it is not trusted",
    ),
    (
        "token",
        "push and pull with Bearer tokens of a service outside; refused without a login, and with a wrong password",
    ),
    (
        "index",
        "a private namespace of a registry with accounts: a robot pushes, whoever may only pull does only that, all others are refused",
    ),
];

/// `cargo xtask clients`
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Only these clients, by the names of their files in xtask/clients.
    names: Vec<String>,
    /// Use the registry at this address instead of a fresh one for each client.
    #[arg(long, value_name = "HOST:PORT")]
    against: Option<String>,
    /// Only this column of the matrix; may be given more than once.
    #[arg(long, value_name = "COLUMN", value_parser = clap::builder::PossibleValuesParser::new(CAPABILITIES.iter().map(|(name, _)| *name)))]
    only: Vec<String>,
    /// Write the matrix into docs/clients.md.
    #[arg(long)]
    write: bool,
}

/// Which cells of the matrix are tried.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Choice<'a> {
    /// Clients, by the names of their files; all when none is named.
    names: &'a [String],
    /// Columns; all when none is named.
    only: &'a [String],
}

impl Choice<'_> {
    fn is_all(self) -> bool {
        self.names.is_empty() && self.only.is_empty()
    }

    fn has(list: &[String], name: &str) -> bool {
        list.is_empty() || list.iter().any(|chosen| chosen == name)
    }
}

/// How one capability of one client went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    Passed,
    Failed(String),
    Skipped(String),
}

/// One client's line of the matrix.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// The name of its file.
    pub(crate) name: String,
    /// What people call it.
    pub(crate) title: String,
    pub(crate) version: String,
    /// In the order of [`CAPABILITIES`]; without those that the client does not have.
    pub(crate) cells: Vec<(&'static str, Cell)>,
}

/// Tries the chosen clients and prints the matrix.
///
/// # Errors
/// When the images cannot be made, longshore does not build, or a name is unknown.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    process::adopt_strays();
    let pins = Pins::load(workspace)?;
    let tool = |name: &str| {
        tools::ensure(workspace, &pins, name, Pace::Awaited)
            .map_err(|error| format!("{name}: {error:#}"))
    };
    let choice = Choice {
        names: &options.names,
        only: &options.only,
    };
    let rows = rows(workspace, choice, options.against.as_deref(), &tool)?;
    let cells = rows.iter().flat_map(|row| &row.cells);
    let all_passed = cells.clone().all(|(_, cell)| *cell == Cell::Passed);
    if options.write {
        if !all_passed || !choice.is_all() {
            bail!("the matrix is written from a run in which everything was tried and passed");
        }
        matrix::write(workspace, &rows)?;
    }
    let failed = cells
        .into_iter()
        .any(|(_, cell)| matches!(cell, Cell::Failed(_)));
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Tries what is chosen and prints each client as it is done. `tool` brings a pinned program or says why not.
///
/// # Errors
/// See [`run`].
pub(crate) fn rows(
    workspace: &Workspace,
    choice: Choice<'_>,
    against: Option<&str>,
    tool: &dyn Fn(&str) -> Result<PathBuf, String>,
) -> Result<Vec<Row>> {
    let scenarios = Scenario::all(workspace)?;
    if let Some(unknown) = choice
        .names
        .iter()
        .find(|name| !scenarios.iter().any(|s| s.name == **name))
    {
        bail!("there is no xtask/clients/{unknown}.sh");
    }
    let place = match against {
        Some(address) => Place::Running(address.to_owned()),
        None => Place::Fresh(Server::build(workspace)?),
    };
    let images = images::ensure(workspace, false)?;
    let chosen = scenarios
        .iter()
        .filter(|s| Choice::has(choice.names, &s.name));
    let mut rows = Vec::new();
    for scenario in chosen {
        let row = scenario.run(workspace, &place, (&images, choice), tool);
        print(&row);
        rows.push(row);
    }
    Ok(rows)
}

/// Whether `docs/clients.md` says what these rows say.
///
/// # Errors
/// When the page cannot be read.
pub(crate) fn is_written(workspace: &Workspace, rows: &[Row]) -> Result<bool> {
    matrix::agrees(workspace, rows)
}

fn print(row: &Row) {
    let words = row.cells.iter().map(|(capability, cell)| match cell {
        Cell::Passed => format!("{capability}=ok"),
        Cell::Failed(_) => format!("{capability}=FAILED"),
        Cell::Skipped(_) => format!("{capability}=skipped"),
    });
    println!(
        "{:<16} {:<16} {}",
        row.name,
        row.version,
        words.collect::<Vec<_>>().join(" ")
    );
    for (capability, cell) in &row.cells {
        if let Cell::Failed(why) | Cell::Skipped(why) = cell {
            println!("    {capability}: {}", why.replace('\n', "\n        "));
        }
    }
}
