//! Measures registries side by side.
//!
//! `longshore-bench load` is the load generator, started by the others on a core of its own. What builds the programs and calls this one is
//! `cargo xtask bench`.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

mod abuse;
mod awake;
mod congestion;
mod fill;
mod flame;
mod goal;
mod job;
mod line;
mod load;
mod peer;
mod plain;
mod port;
mod probe;
mod process;
mod profile;
mod report;
mod run;
mod scatter;
mod search;
mod seed;
mod wire;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measures registries side by side.
#[derive(Parser, Debug)]
#[command(name = "longshore-bench")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Tries what bad clients do to a server.
    Abuse(abuse::Options),
    Fill(fill::Fill),
    /// Does the job on standard input and prints what came of it.
    Load,
    /// Serves files in one way and does nothing else.
    Plain(plain::Plain),
    /// Measures all lines against all programs.
    Run(run::Options),
    Search(search::Options),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Abuse(options) => abuse::run(&options),
        Command::Fill(fill) => fill::run(&fill),
        Command::Load => load::run(),
        Command::Plain(plain) => plain::run(&plain),
        Command::Run(options) => run::run(&options),
        Command::Search(options) => search::run(&options),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            use std::io::Write as _;
            // Nobody is left to be told when standard error is gone.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
