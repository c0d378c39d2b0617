//! `longshore admin name`: names that were given up and rest.

use std::io::Write;
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::Value;

use super::admin::Asked;
use super::orgs::print;
use super::words::time;
use crate::control::resting::{Ask, Resting};

/// What to do with names that rest.
#[derive(Debug, Subcommand)]
pub enum NameCommand {
    /// List names that were given up, and until when nobody gets them.
    List {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
    },
    /// Free a name before its time, such as that of a user who was deleted by mistake.
    ///
    /// What the name led to is not found by it any more, and whoever gets it next is taken for what had it by all that knows it by
    /// name. What had it keeps its rights and secrets: these go by ids.
    Free {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The name: of an account, or the path of a namespace or repository.
        name: String,
    },
}

/// Runs the command.
///
/// # Errors
/// The server cannot be asked, says that it failed, or `out` cannot be written to.
pub fn run(
    command: &NameCommand,
    variables: &[(String, String)],
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let call = |asked: &Asked, ask: Ask| asked.call::<Resting>(variables, &ask, |()| {});
    match command {
        NameCommand::List { asked } => {
            let told = call(asked, Ask::List)?;
            print(asked, &told, out, |out| {
                for row in told.as_array().into_iter().flatten() {
                    let name = row.get("name").and_then(Value::as_str).unwrap_or_default();
                    let until = row.get("until").and_then(Value::as_i64).unwrap_or_default();
                    writeln!(out, "{name}  rests until {}", time(until))?;
                }
                Ok(())
            })
        }
        NameCommand::Free { asked, name } => {
            let told = call(asked, Ask::Free { name: name.clone() })?;
            print(asked, &told, out, |out| {
                writeln!(out, "the name `{name}` is free, and leads nowhere any more")
            })
        }
    }
}
