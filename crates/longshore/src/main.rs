//! The binary: parse the command line, run the command, end with its exit code.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser;
use longshore::cli::{Cli, Command};
use longshore::cmd;
use longshore::out::Out;

/// As a shell tells of a program that a closed pipe ended: nobody reads any more, which is no failure to tell anybody.
const CLOSED_PIPE: u8 = 128 + 13;

fn main() -> ExitCode {
    let mut out = Out::new();
    match run(Cli::parse(), &mut out) {
        Ok(code) => code,
        Err(_) if out.is_gone() => ExitCode::from(CLOSED_PIPE),
        Err(error) => {
            // Nobody can be told that standard error is gone.
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli, out: &mut Out) -> anyhow::Result<ExitCode> {
    // A variable that is not Unicode cannot be one of ours, nor hold a value of ours.
    let variables: Vec<_> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    match cli.command {
        Command::Serve(serve) => cmd::serve::run(&serve, &variables, &mut io::stderr()),
        Command::Takeover(command) => {
            cmd::takeover::run(&command, &variables, out, &mut io::stderr())
        }
        Command::Export(command) => cmd::export::run(&command, &variables, out, &mut io::stderr()),
        Command::Import(command) => cmd::import::run(&command, &variables, out),
        Command::Login(command) => cmd::login::run(&command, &variables, out, &mut io::stderr()),
        Command::Logout(command) => {
            cmd::login::logout::run(&command, &variables, out, &mut io::stderr())
        }
        Command::Gc(command) => cmd::gc::run(&command, &variables, out),
        Command::Config(command) => Ok(cmd::config::run(
            &command,
            &variables,
            out,
            &mut io::stderr(),
        )?),
        Command::Backup(command) => Ok(cmd::backup::backup(
            &command,
            &variables,
            out,
            &mut io::stderr(),
        )?),
        Command::Restore(command) => Ok(cmd::backup::put_back(
            &command,
            &variables,
            out,
            &mut io::stderr(),
        )?),
        Command::Fsck(fsck) => Ok(cmd::fsck::run(&fsck, &variables, out, &mut io::stderr())?),
        Command::Admin(command) => cmd::admin::run(&command, &variables, out),
    }
}
