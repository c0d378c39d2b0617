//! `longshore admin org` and `longshore admin team`.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::Value;

use super::admin::Asked;
use super::places::turned;
use super::told::{fields, rows};
use crate::control::people::{Ask, People};

/// What to do with organisations.
#[derive(Debug, Subcommand)]
pub enum OrgCommand {
    /// Make an organisation, with a private namespace of the same name.
    Create {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The name, which is also the first part of the names of its images.
        name: String,
        /// The user who owns it and says who else may do what in it.
        #[arg(long, default_value = "")]
        owner: String,
        /// What it is for.
        #[arg(long, default_value = "")]
        description: String,
    },
    /// List organisations.
    List {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
    },
    /// Show an organisation with its members and teams.
    Show {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Its name.
        name: String,
    },
    /// Make a user a member.
    Add {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The organisation.
        name: String,
        /// The user.
        user: String,
    },
    /// Take a user out of the organisation and all its teams.
    Remove {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The organisation.
        name: String,
        /// The user.
        user: String,
    },
    /// Give an organisation another name, and its namespace with all repositories. The old names lead there for 90 days.
    Rename {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Its name.
        name: String,
        /// The name to be.
        to: String,
    },
    /// Delete an organisation whose namespaces are empty, with its teams and robots. Nobody gets its name for 90 days.
    Delete {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Its name.
        name: String,
    },
}

/// What to do with teams.
#[derive(Debug, Subcommand)]
pub enum TeamCommand {
    /// Make a team.
    Create {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The organisation and the team, such as `acme/devs`.
        team: String,
        /// What it is for.
        #[arg(long, default_value = "")]
        description: String,
    },
    /// List the teams of an organisation.
    List {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The organisation.
        organisation: String,
    },
    /// Show a team with its members.
    Show {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The organisation and the team, such as `acme/devs`.
        team: String,
    },
    /// Make a user a member of a team, and so of its organisation.
    Add {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The organisation and the team, such as `acme/devs`.
        team: String,
        /// The user.
        user: String,
    },
    /// Take a user out of a team.
    Remove {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The organisation and the team, such as `acme/devs`.
        team: String,
        /// The user.
        user: String,
    },
    /// Delete a team, with the rights it has.
    Delete {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The organisation and the team, such as `acme/devs`.
        team: String,
    },
}

/// Prints the answer: as JSON, or by `text`.
pub(super) fn print(
    asked: &Asked,
    told: &Value,
    out: &mut dyn Write,
    text: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> anyhow::Result<ExitCode> {
    if asked.json {
        writeln!(out, "{told}")?;
    } else {
        text(out)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs the command.
///
/// # Errors
/// The server cannot be asked, says that it failed, or `out` cannot be written to.
pub fn org(
    command: &OrgCommand,
    variables: &[(String, String)],
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let call = |asked: &Asked, ask: Ask| asked.call::<People>(variables, &ask, |()| {});
    match command {
        OrgCommand::Create {
            asked,
            name,
            owner,
            description,
        } => {
            let ask = Ask::OrgCreate {
                name: name.clone(),
                description: description.clone(),
                owner: owner.clone(),
            };
            let told = call(asked, ask)?;
            print(asked, &told, out, |out| {
                let whose = if owner.is_empty() {
                    format!("nobody owns it yet: longshore admin binding grant USER owner {name}")
                } else {
                    format!("`{owner}` owns it")
                };
                writeln!(out, "`{name}` is an organisation now; {whose}")
            })
        }
        OrgCommand::List { asked } => {
            let told = call(asked, Ask::OrgList)?;
            print(asked, &told, out, |out| {
                rows(&told, &["name", "state", "description"], out)
            })
        }
        OrgCommand::Show { asked, name } => {
            let told = call(asked, Ask::OrgShow { name: name.clone() })?;
            print(asked, &told, out, |out| {
                fields(&told, &["name", "members", "teams"], out)
            })
        }
        OrgCommand::Add { asked, name, user } => {
            member(asked, variables, (name, None, user, true), out)
        }
        OrgCommand::Remove { asked, name, user } => {
            member(asked, variables, (name, None, user, false), out)
        }
        OrgCommand::Rename { asked, name, to } => rename(asked, variables, (name, to), out),
        OrgCommand::Delete { asked, name } => delete(asked, variables, name, out),
    }
}

/// Gives a user or an organisation another name.
pub(super) fn rename(
    asked: &Asked,
    variables: &[(String, String)],
    (name, to): (&str, &str),
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let ask = Ask::Rename {
        name: name.to_owned(),
        to: to.to_owned(),
    };
    let told = asked.call::<People>(variables, &ask, |()| {})?;
    print(asked, &told, out, |out| {
        writeln!(
            out,
            "`{name}` is called `{to}` now; old names of images lead there for 90 days, and tokens and robots' secrets are good by the old \
             name for so long; with a password, the new one is the user name"
        )?;
        turned(&told, out)
    })
}

/// Deletes a user or an organisation.
pub(super) fn delete(
    asked: &Asked,
    variables: &[(String, String)],
    name: &str,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let ask = Ask::Delete {
        name: name.to_owned(),
    };
    let told = asked.call::<People>(variables, &ask, |()| {})?;
    print(asked, &told, out, |out| {
        writeln!(out, "`{name}` is deleted; nobody gets the name for 90 days")
    })
}

fn member(
    asked: &Asked,
    variables: &[(String, String)],
    (org, team, user, member): (&str, Option<&str>, &str, bool),
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let ask = Ask::Member {
        org: org.to_owned(),
        team: team.map(str::to_owned),
        user: user.to_owned(),
        member,
    };
    let told = asked.call::<People>(variables, &ask, |()| {})?;
    print(asked, &told, out, |out| {
        let what = if member { "is in" } else { "is no more in" };
        let team = team.map(|team| format!("/{team}")).unwrap_or_default();
        writeln!(out, "`{user}` {what} `{org}{team}`")
    })
}

fn parts(team: &str) -> anyhow::Result<(String, String)> {
    let (org, team) = team
        .split_once('/')
        .with_context(|| format!("`{team}` is no team: write ORGANISATION/TEAM"))?;
    Ok((org.to_owned(), team.to_owned()))
}

/// Runs the command.
///
/// # Errors
/// The server cannot be asked, says that it failed, or `out` cannot be written to.
pub fn team(
    command: &TeamCommand,
    variables: &[(String, String)],
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let call = |asked: &Asked, ask: Ask| asked.call::<People>(variables, &ask, |()| {});
    match command {
        TeamCommand::Create {
            asked,
            team: name,
            description,
        } => {
            let (org, team) = parts(name)?;
            let ask = Ask::TeamCreate {
                org,
                team,
                description: description.clone(),
            };
            let told = call(asked, ask)?;
            print(asked, &told, out, |out| {
                writeln!(out, "`{name}` is a team now; add its members")
            })
        }
        TeamCommand::List {
            asked,
            organisation,
        } => {
            let org = organisation.clone();
            let told = call(asked, Ask::TeamList { org })?;
            print(asked, &told, out, |out| {
                rows(&told, &["name", "description"], out)
            })
        }
        TeamCommand::Show { asked, team } => {
            let (org, team) = parts(team)?;
            let told = call(asked, Ask::TeamShow { org, team })?;
            print(asked, &told, out, |out| {
                fields(&told, &["name", "members"], out)
            })
        }
        TeamCommand::Add { asked, team, user } => {
            let (org, team) = parts(team)?;
            member(asked, variables, (&org, Some(&team), user, true), out)
        }
        TeamCommand::Remove { asked, team, user } => {
            let (org, team) = parts(team)?;
            member(asked, variables, (&org, Some(&team), user, false), out)
        }
        TeamCommand::Delete { asked, team: name } => {
            let (org, team) = parts(name)?;
            let told = call(asked, Ask::TeamDelete { org, team })?;
            print(asked, &told, out, |out| {
                writeln!(out, "the team `{name}` is deleted, with the rights it had")
            })
        }
    }
}
