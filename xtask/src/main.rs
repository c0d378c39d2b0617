//! What the project does to itself: check, test, make images, prove conformance, try every client, measure.
//!
//! Each command here is what CI runs and what a developer types; there is no second way. Nothing in this crate is shipped.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool talks to the person who started it"
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

mod answering;
mod bench;
mod build;
mod ci_issuer;
mod clients;
mod conformance;
mod crash;
mod guide;
mod images;
mod matrix;
mod packages;
mod pgo;
mod process;
mod server;
mod signing;
mod test;
mod tidy;
mod token_service;
mod tools;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// What the project does to itself.
#[derive(Parser, Debug)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand, Debug)]
enum Task {
    /// Run every check and every test, in the order CI runs them.
    Test(test::Options),
    /// Check what the compiler cannot: crate levels, file lengths, bans, generated pages.
    Tidy,
    /// Measure Longshore beside other registries, and judge its goals.
    Bench(bench::Options),
    /// Try real clients against a fresh registry.
    Clients(clients::Options),
    /// Run the specification's own conformance program, which CONFORMANCE_PROGRAM names.
    Conformance(conformance::Options),
    /// Prove what is promised: kills, power cuts, failing and full disks, long runs, and broken builds that must be caught.
    Crash(crash::Options),
    /// Make the images that tests push, as an OCI layout.
    Images(images::Options),
    /// Ask each endpoint as each role about what is theirs, not theirs and not there, and judge every answer.
    Matrix(matrix::Options),
    /// Count anew what runs often in the program that is shipped, which is built by that.
    Pgo,
    /// Build the program that is shipped, and say where it is.
    Dist,
    /// Build the pinned outside programs into `target/tools`.
    Tools(tools::Options),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = Workspace::find().and_then(|workspace| match cli.command {
        Task::Test(options) => test::run(&workspace, &options),
        Task::Tidy => tidy::run(&workspace),
        Task::Bench(options) => bench::run(&workspace, &options),
        Task::Clients(options) => clients::run(&workspace, &options),
        Task::Conformance(options) => conformance::run(&workspace, &options),
        Task::Crash(options) => crash::run(&workspace, &options),
        Task::Images(options) => images::run(&workspace, &options),
        Task::Matrix(options) => matrix::run(&workspace, &options),
        Task::Pgo => pgo::run(&workspace),
        Task::Dist => build::dist(&workspace),
        Task::Tools(options) => tools::run(&workspace, &options),
    });
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
