//! `longshore admin robot`: accounts of machines.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;

use super::admin::Asked;
use super::tokens::{listed, lives, shown};
use crate::control::robots::{Create, CreateArgs, List, ListArgs, Rotate, RotateArgs};

/// What to do with robots.
#[derive(Debug, Subcommand)]
pub enum RobotCommand {
    /// Make a robot and its first secret, which is shown once.
    Create {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Its name: `robot+ci` of the system, `acme+ci` of the organisation `acme`.
        name: String,
        /// What it is for.
        #[arg(long, default_value = "")]
        description: String,
        /// What it may do where, as ROLE:NAMESPACE, such as `developer:acme`, or `reader:**` for everywhere; may be given more
        /// than once.
        #[arg(long = "grant", value_name = "ROLE:NAMESPACE")]
        grants: Vec<String>,
        /// How long it lives, such as `365d`, or `never`.
        #[arg(long, default_value = "never")]
        expires: String,
    },
    /// Give a robot another secret. The one before it goes on for a while, so that nothing stops.
    Rotate {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Its name.
        name: String,
        /// How long the secret before goes on; `0s` ends it at once.
        #[arg(long, default_value = "24h")]
        overlap: String,
    },
    /// List robots and the ids of their secrets.
    List {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Of this organisation [default: of the system].
        #[arg(long)]
        organisation: Option<String>,
    },
}

/// Runs the command.
///
/// # Errors
/// The server cannot be asked, says that it failed, or `out` cannot be written to.
pub fn run(
    command: &RobotCommand,
    variables: &[(String, String)],
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    match command {
        RobotCommand::Create {
            asked,
            name,
            description,
            grants,
            expires,
        } => {
            let grants = grants.iter().map(|grant| {
                let (role, place) = grant
                    .split_once(':')
                    .with_context(|| format!("`{grant}` is not ROLE:NAMESPACE"))?;
                Ok((role.to_owned(), place.to_owned()))
            });
            let args = CreateArgs {
                name: name.clone(),
                description: description.clone(),
                grants: grants.collect::<anyhow::Result<_>>()?,
                lives: lives(expires).map_err(anyhow::Error::msg)?,
            };
            let made = asked.call::<Create>(variables, &args, |()| {})?;
            shown(asked, &made, out)?;
        }
        RobotCommand::Rotate {
            asked,
            name,
            overlap,
        } => {
            let overlap = lives(overlap).map_err(anyhow::Error::msg)?;
            let args = RotateArgs {
                name: name.clone(),
                overlap: overlap.context("an old secret ends some time: give a length of time")?,
            };
            let made = asked.call::<Rotate>(variables, &args, |()| {})?;
            shown(asked, &made, out)?;
        }
        RobotCommand::List {
            asked,
            organisation,
        } => {
            let args = ListArgs {
                organisation: organisation.clone(),
            };
            let robots = asked.call::<List>(variables, &args, |()| {})?;
            if asked.json {
                writeln!(out, "{}", serde_json::to_string(&robots)?)?;
            } else {
                for robot in robots {
                    writeln!(
                        out,
                        "{}  {}  {}",
                        robot.name, robot.state, robot.description
                    )?;
                    listed(&robot.secrets, "  ", out)?;
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
