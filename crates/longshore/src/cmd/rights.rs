//! `longshore admin role` and `longshore admin binding`.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::admin::Asked;
use super::orgs::print;
use super::tokens::lives;
use super::told::rows;
use crate::control::rights::{Ask, Rights};

/// What to do with roles.
#[derive(Debug, Subcommand)]
pub enum RoleCommand {
    /// List roles and the actions they allow.
    List {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Those that the owner of this namespace made [default: the built-in ones and those made for all].
        #[arg(long, value_name = "NAMESPACE", default_value = "**")]
        of: String,
    },
    /// Make a role, or say what one allows from now on.
    Set {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Its name.
        name: String,
        /// An action it allows, such as `repository:pull`; may be given more than once.
        #[arg(long = "action", value_name = "ACTION", required = true)]
        actions: Vec<String>,
        /// What it is for.
        #[arg(long, default_value = "")]
        description: String,
        /// For the owner of this namespace only [default: for all].
        #[arg(long, value_name = "NAMESPACE", default_value = "**")]
        of: String,
    },
    /// Delete a role that nobody has.
    Delete {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Its name.
        name: String,
        /// The namespace whose owner made it [default: it is for all].
        #[arg(long, value_name = "NAMESPACE", default_value = "**")]
        of: String,
    },
}

/// A role, for whom, where, and under which conditions.
#[derive(Debug, Args)]
pub struct Given {
    /// Whom it is for: USER, ORGANISATION, ORGANISATION/TEAM, OWNER+ROBOT, robot+ROBOT, `everybody`, or `logged-in`.
    subject: String,
    /// The role, such as `reader` or `developer`.
    role: String,
    /// The namespace, such as `acme` or `acme/web`; `**` for everywhere.
    place: String,
    /// Only for this repository of the namespace, whatever it is called from now on, or for all of names like `web-*` or `**/base`; may be
    /// given more than once. A name that nothing has is for whatever gets it.
    #[arg(long = "repository", value_name = "PATTERN")]
    repositories: Vec<String>,
    /// Only for tags like this, such as `v*` or `!latest`; may be given more than once.
    #[arg(long = "tag", value_name = "PATTERN")]
    tags: Vec<String>,
    /// Only from this network, such as `10.0.0.0/8`; may be given more than once.
    #[arg(long = "network", value_name = "NETWORK")]
    networks: Vec<String>,
    /// Only at these hours, such as `[{"days":["mon","tue"],"from":"08:00","to":"18:00","zone":"Europe/Berlin"}]`.
    ///
    /// A place is called as the IANA does; `"offset":"+01:00"` may stand in its stead. What ends before it begins goes on into the next day.
    #[arg(long, value_name = "JSON")]
    hours: Option<String>,
    /// How long it counts, such as `30d`, or `never` for until it is taken back.
    #[arg(long, default_value = "never")]
    expires: String,
}

/// What to do with bindings: who has which role where.
#[derive(Debug, Subcommand)]
pub enum BindingCommand {
    /// Give a role to somebody.
    Grant {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// What is given.
        #[command(flatten)]
        given: Given,
    },
    /// Deny somebody what a role allows, whatever else gives it to them.
    Deny {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// What is denied.
        #[command(flatten)]
        given: Given,
    },
    /// List who has which role on a namespace.
    List {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The namespace; `**` for what counts everywhere.
        place: String,
    },
    /// Take a role, or a denial, back.
    Remove {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The namespace; `**` for what counts everywhere.
        place: String,
        /// Its id, as `list` says it.
        id: i64,
    },
}

/// Runs the command.
///
/// # Errors
/// The server cannot be asked, says that it failed, or `out` cannot be written to.
pub fn role(
    command: &RoleCommand,
    variables: &[(String, String)],
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let call = |asked: &Asked, ask: Ask| asked.call::<Rights>(variables, &ask, |()| {});
    match command {
        RoleCommand::List { asked, of } => {
            let told = call(asked, Ask::RoleList { of: of.clone() })?;
            print(asked, &told, out, |out| {
                rows(&told, &["name", "description", "actions"], out)
            })
        }
        RoleCommand::Set {
            asked,
            name,
            actions,
            description,
            of,
        } => {
            let ask = Ask::RoleSet {
                of: of.clone(),
                name: name.clone(),
                actions: actions.clone(),
                description: description.clone(),
            };
            let told = call(asked, ask)?;
            print(asked, &told, out, |out| {
                writeln!(out, "the role `{name}` allows {}", actions.join(", "))
            })
        }
        RoleCommand::Delete { asked, name, of } => {
            let ask = Ask::RoleRemove {
                of: of.clone(),
                name: name.clone(),
            };
            let told = call(asked, ask)?;
            print(asked, &told, out, |out| {
                writeln!(out, "the role `{name}` is deleted")
            })
        }
    }
}

fn give(
    asked: &Asked,
    given: &Given,
    deny: bool,
    variables: &[(String, String)],
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let ask = Ask::BindingGive {
        subject: given.subject.clone(),
        role: given.role.clone(),
        place: given.place.clone(),
        deny,
        repositories: given.repositories.clone(),
        tags: given.tags.clone(),
        networks: given.networks.clone(),
        hours: given.hours.clone(),
        lives: lives(&given.expires).map_err(anyhow::Error::msg)?,
    };
    let told = asked.call::<Rights>(variables, &ask, |()| {})?;
    print(asked, &told, out, |out| {
        let what = if deny { "is denied" } else { "has" };
        let all = told.get("bindings").and_then(Value::as_array);
        for made in all.into_iter().flatten() {
            let text = |key| made.get(key).and_then(Value::as_str);
            let about = match (text("repository"), text("repositories")) {
                (Some(name), _) => {
                    format!(", for the repository `{name}`, whatever it is called from now on")
                }
                (None, Some(name)) if !name.contains('*') => {
                    format!(
                        ", for whatever gets the name `{name}`: there is no such repository yet"
                    )
                }
                (None, Some(patterns)) => format!(", for repositories called like `{patterns}`"),
                (None, None) => String::new(),
            };
            writeln!(
                out,
                "`{}` {what} the role `{}` on `{}`{about} (binding {})",
                given.subject,
                given.role,
                given.place,
                made.get("id").and_then(Value::as_i64).unwrap_or_default()
            )?;
        }
        Ok(())
    })
}

/// Runs the command.
///
/// # Errors
/// The server cannot be asked, says that it failed, or `out` cannot be written to.
pub fn binding(
    command: &BindingCommand,
    variables: &[(String, String)],
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let call = |asked: &Asked, ask: Ask| asked.call::<Rights>(variables, &ask, |()| {});
    match command {
        BindingCommand::Grant { asked, given } => give(asked, given, false, variables, out),
        BindingCommand::Deny { asked, given } => give(asked, given, true, variables, out),
        BindingCommand::List { asked, place } => {
            let place = place.clone();
            let told = call(asked, Ask::BindingList { place })?;
            print(asked, &told, out, |out| {
                let columns = [
                    "id",
                    "effect",
                    "subject",
                    "role",
                    "repository",
                    "repositories",
                    "tags",
                    "networks",
                    "expires",
                ];
                rows(&told, &columns, out)
            })
        }
        BindingCommand::Remove { asked, place, id } => {
            let ask = Ask::BindingRemove {
                place: place.clone(),
                id: *id,
            };
            let told = call(asked, ask)?;
            print(asked, &told, out, |out| {
                writeln!(out, "the binding {id} on `{place}` is taken back")
            })
        }
    }
}
