//! `longshore admin user`: accounts.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::admin::Asked;
use super::invitations::{self, Invite};
use super::orgs::{self, print};
use super::secret_input::password;
use super::told::fields;
use super::words::time;
use crate::control::htpasswd::{Import, ImportArgs};
use crate::control::users::{
    Change, ChangeArgs, Create, CreateArgs, List, ListArgs, Passwd, PasswdArgs, Show, ShowArgs,
    Switch, SwitchArgs, User,
};

/// What to do with accounts.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make a user, with a private namespace of the same name.
    ///
    /// The password is asked for, or read from standard input.
    Create {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The name, which is also the first part of the names of the user's images.
        name: String,
        /// Let the user do everything here.
        #[arg(long)]
        admin: bool,
        /// Make a user without a password, who logs in with tokens only.
        #[arg(long)]
        no_password: bool,
        /// The full name.
        #[arg(long, default_value = "")]
        full_name: String,
        /// The mail address.
        #[arg(long, default_value = "")]
        mail: String,
    },
    /// Set a user's password. It is asked for, or read from standard input.
    ///
    /// Logins that were made with the old one end; personal access tokens stay.
    Passwd {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The user.
        name: String,
    },
    /// Keep a user or a robot out. Nothing of theirs is lost.
    Disable {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The user, or the robot as it logs in.
        name: String,
    },
    /// Let a user or a robot in again.
    Enable {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The user, or the robot as it logs in.
        name: String,
    },
    /// Give a user another name, and its namespace with all repositories. The old names lead there for 90 days.
    Rename {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The user.
        name: String,
        /// The name to be.
        to: String,
    },
    /// Delete a user whose namespaces are empty. Nobody gets the name for 90 days.
    Delete {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The user.
        name: String,
    },
    /// Show a user.
    Show {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The user.
        name: String,
    },
    /// Change what is said of a user. What is not named stays; an empty text takes it away.
    Edit {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The user.
        name: String,
        /// What is to be otherwise.
        #[command(flatten)]
        words: Words,
    },
    /// List all users.
    List {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
    },
    /// Invite somebody to make an account, or into an organisation. The code is good once.
    Invite(Invite),
    /// List open invitations.
    Invitations {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Those into this organisation [default: those to make an account].
        #[arg(long, value_name = "ORGANISATION")]
        into: Option<String>,
    },
    /// Withdraw an invitation.
    Withdraw {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Its number, as `invitations` says.
        id: i64,
        /// The organisation that it leads into.
        #[arg(long, value_name = "ORGANISATION")]
        into: Option<String>,
    },
    /// Take over the users of an htpasswd file with the passwords they have (bcrypt and argon2).
    ///
    /// Ends with 0 when every line was taken over, with 3 when some were left out; they are named with why.
    ImportHtpasswd {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The file.
        file: PathBuf,
    },
}

/// What is said of a user.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct Words {
    /// The full name.
    #[arg(long)]
    full_name: Option<String>,
    /// The mail address. Letters that were sent to the one before are good for nothing any more.
    #[arg(long)]
    mail: Option<String>,
    /// What it is for.
    #[arg(long)]
    description: Option<String>,
}

const USER: [&str; 7] = [
    "name",
    "full_name",
    "mail",
    "description",
    "state",
    "created",
    "seen",
];

/// Runs the command.
///
/// # Errors
/// The server cannot be asked, says that it failed, or `out` cannot be written to.
pub fn run(
    command: &UserCommand,
    variables: &[(String, String)],
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    match command {
        UserCommand::Create {
            asked,
            name,
            admin,
            no_password,
            full_name,
            mail,
        } => {
            let password = if *no_password {
                None
            } else {
                Some(password(name)?.to_string())
            };
            let args = CreateArgs {
                name: name.clone(),
                password,
                admin: *admin,
                full_name: full_name.clone(),
                mail: mail.clone(),
            };
            asked.call::<Create>(variables, &args, |()| {})?;
            if asked.json {
                writeln!(out, "{}", serde_json::json!({ "name": name }))?;
            } else {
                let what = if *admin { "an administrator" } else { "a user" };
                writeln!(out, "`{name}` is {what} now, and may push to {name}/...")?;
            }
        }
        UserCommand::Passwd { asked, name } => {
            let args = PasswdArgs {
                name: name.clone(),
                password: password(name)?.to_string(),
            };
            asked.call::<Passwd>(variables, &args, |()| {})?;
            if !asked.json {
                writeln!(
                    out,
                    "`{name}` has another password now; log in anew with it"
                )?;
            }
        }
        UserCommand::Disable { asked, name } => switch(asked, variables, (name, false), out)?,
        UserCommand::Enable { asked, name } => switch(asked, variables, (name, true), out)?,
        UserCommand::Rename { asked, name, to } => {
            return orgs::rename(asked, variables, (name, to), out);
        }
        UserCommand::Delete { asked, name } => return orgs::delete(asked, variables, name, out),
        UserCommand::Show { asked, name } => {
            let args = ShowArgs { name: name.clone() };
            let user = asked.call::<Show>(variables, &args, |()| {})?;
            return show(asked, &user, out);
        }
        UserCommand::Edit { asked, name, words } => {
            let args = ChangeArgs {
                name: name.clone(),
                full_name: words.full_name.clone(),
                mail: words.mail.clone(),
                description: words.description.clone(),
            };
            let user = asked.call::<Change>(variables, &args, |()| {})?;
            return show(asked, &user, out);
        }
        UserCommand::List { asked } => list(asked, variables, out)?,
        UserCommand::Invite(invite) => invitations::invite(invite, variables, out)?,
        UserCommand::Invitations { asked, into } => {
            invitations::list(asked, variables, into.as_deref(), out)?;
        }
        UserCommand::Withdraw { asked, id, into } => {
            invitations::withdraw(asked, variables, (*id, into.as_deref()), out)?;
        }
        UserCommand::ImportHtpasswd { asked, file } => {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("{} cannot be read", file.display()))?;
            let done = asked.call::<Import>(variables, &ImportArgs { text }, |()| {})?;
            if asked.json {
                writeln!(out, "{}", serde_json::to_string(&done)?)?;
            } else {
                writeln!(out, "{} users were taken over", done.made.len())?;
                for (name, why) in &done.left {
                    writeln!(out, "left out `{name}`: {why}")?;
                }
            }
            if !done.left.is_empty() {
                return Ok(ExitCode::from(3));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(asked: &Asked, user: &User, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let told = serde_json::to_value(user)?;
    print(asked, &told, out, |out| fields(&told, &USER, out))
}

fn switch(
    asked: &Asked,
    variables: &[(String, String)],
    (name, on): (&str, bool),
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let args = SwitchArgs {
        name: name.to_owned(),
        on,
    };
    asked.call::<Switch>(variables, &args, |()| {})?;
    if !asked.json {
        let what = if on {
            "may log in again"
        } else {
            "is kept out; what was issued before ends within seconds"
        };
        writeln!(out, "`{name}` {what}")?;
    }
    Ok(())
}

fn list(asked: &Asked, variables: &[(String, String)], out: &mut dyn Write) -> anyhow::Result<()> {
    let users = asked.call::<List>(variables, &ListArgs::default(), |()| {})?;
    if asked.json {
        writeln!(out, "{}", serde_json::to_string(&users)?)?;
        return Ok(());
    }
    for user in users {
        let seen = user.seen.map_or_else(|| "never".to_owned(), time);
        let of = [user.full_name, user.mail].join(" ");
        writeln!(
            out,
            "{}  {}  seen {seen}  {}",
            user.name,
            user.state,
            of.trim()
        )?;
    }
    Ok(())
}
