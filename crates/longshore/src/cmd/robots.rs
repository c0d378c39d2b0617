//! `longshore admin robot`: accounts of machines.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;

use super::admin::Asked;
use super::tokens::{listed, lives, shown};
use super::words::time;
use crate::control::robots::{
    Create, CreateArgs, Delete, Edit, EditArgs, Ends, List, ListArgs, OneArgs, Robot, Rotate,
    RotateArgs, Show, TakeOver,
};

/// What to do with robots.
#[derive(Debug, Subcommand)]
pub enum RobotCommand {
    /// Make a robot and its first secret, which is shown once.
    Create {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Its name: `robot+ci` of the system, `acme+ci` of the organisation or user `acme`.
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
        /// Of this organisation or user [default: of the system].
        #[arg(long, value_name = "OWNER", alias = "organisation")]
        of: Option<String>,
    },
    /// Show a robot, the ids of its secrets, and who stands behind it: it never may more than they.
    Show {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Its name.
        name: String,
    },
    /// Change what is said of a robot, or when it ends. `user disable` and `user enable` switch it off and on.
    #[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
    Edit {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Its name.
        name: String,
        /// What it is for.
        #[arg(long, group = "what")]
        description: Option<String>,
        /// How long it lives from now on, such as `365d`, or `never` for until it is deleted.
        #[arg(long, group = "what")]
        expires: Option<String>,
        /// Whether it can do anything.
        #[arg(long, group = "what", value_name = "BOOL")]
        enabled: Option<bool>,
    },
    /// Stand behind a robot in the place of whoever made it: then it may all that it was given, whatever becomes of them.
    ///
    /// Its secrets go on. Where somebody who left may know one, rotate it with `--overlap 0s`.
    TakeOver {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Its name.
        name: String,
    },
    /// Delete a robot with its secrets and all it was given.
    Delete {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Its name.
        name: String,
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
        RobotCommand::List { asked, of } => {
            let args = ListArgs { of: of.clone() };
            let robots = asked.call::<List>(variables, &args, |()| {})?;
            if asked.json {
                writeln!(out, "{}", serde_json::to_string(&robots)?)?;
            } else {
                for robot in &robots {
                    line(robot, out)?;
                    listed(&robot.secrets, "  ", out)?;
                }
            }
        }
        RobotCommand::Show { asked, name } => {
            let robot = asked.call::<Show>(variables, &one(name), |()| {})?;
            whole(asked, &robot, out)?;
        }
        RobotCommand::Edit {
            asked,
            name,
            description,
            expires,
            enabled,
        } => {
            let ends = expires.as_deref().map(lives).transpose();
            let ends = ends.map_err(anyhow::Error::msg)?;
            let args = EditArgs {
                name: name.clone(),
                description: description.clone(),
                expires: ends.map(|lives| lives.map_or(Ends::Never, Ends::In)),
                enabled: *enabled,
            };
            let robot = asked.call::<Edit>(variables, &args, |()| {})?;
            whole(asked, &robot, out)?;
        }
        RobotCommand::TakeOver { asked, name } => {
            let robot = asked.call::<TakeOver>(variables, &one(name), |()| {})?;
            whole(asked, &robot, out)?;
        }
        RobotCommand::Delete { asked, name } => {
            asked.call::<Delete>(variables, &one(name), |()| {})?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn one(name: &str) -> OneArgs {
    OneArgs {
        name: name.to_owned(),
    }
}

fn line(robot: &Robot, out: &mut dyn Write) -> std::io::Result<()> {
    let (name, state) = (&robot.name, &robot.state);
    // Why one that is active can do nothing.
    let lost = match &robot.maker {
        Some(maker) if !maker.counts => "  its maker may do nothing",
        _ => "",
    };
    writeln!(out, "{name}  {state}{lost}  {}", robot.description)
}

fn whole(asked: &Asked, robot: &Robot, out: &mut dyn Write) -> anyhow::Result<()> {
    if asked.json {
        writeln!(out, "{}", serde_json::to_string(robot)?)?;
        return Ok(());
    }
    line(robot, out)?;
    let ends = robot.expires.map_or_else(|| "never".to_owned(), time);
    let behind = match &robot.maker {
        None => "the operator".to_owned(),
        Some(maker) if maker.counts => maker.subject.clone(),
        Some(maker) => format!(
            "{} ({}): it may nothing until somebody takes it over",
            maker.subject, maker.state
        ),
    };
    writeln!(out, "  ends {ends}\n  stands behind it: {behind}")?;
    listed(&robot.secrets, "  ", out)?;
    Ok(())
}
