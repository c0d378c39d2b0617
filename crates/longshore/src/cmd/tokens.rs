//! `longshore admin token`: personal access tokens.

use std::io::Write;
use std::process::ExitCode;

use clap::Subcommand;

use super::admin::Asked;
use super::words::time;
use crate::config::units::read_duration;
use crate::control::tokens::{Create, CreateArgs, Entry, List, ListArgs, Made, Revoke, RevokeArgs};

/// How long a token or a robot lives: `90d`, or `never`.
pub fn lives(text: &str) -> Result<Option<u64>, String> {
    if text == "never" {
        return Ok(None);
    }
    read_duration(text)
        .map(|read| Some(read.as_secs()))
        .ok_or_else(|| {
            format!("`{text}` is no length of time such as 90d or 1h30m, or a longer one than can be told, and not `never`")
        })
}

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token, which is shown once. It works as the password of `docker login`.
    Create {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Whose it is to be.
        user: String,
        /// What it is for.
        #[arg(long, default_value = "")]
        label: String,
        /// A repository it is for, which it follows when that is renamed or moved, or a pattern of names, such as `acme/**`; may be given
        /// more than once [default: all of its user's].
        #[arg(long = "repository", value_name = "PATTERN")]
        repositories: Vec<String>,
        /// What it is for: `pull`, `push`, `delete`; may be given more than once [default: all that its user may do].
        #[arg(long = "action", value_name = "ACTION")]
        actions: Vec<String>,
        /// How long it lives, such as `90d`, or `never`.
        #[arg(long, default_value = "90d")]
        expires: String,
    },
    /// List a user's tokens.
    List {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Whose.
        user: String,
    },
    /// Take a token, or a robot's secret, back.
    Revoke {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Whose it is.
        user: String,
        /// Its id, as `list` says it.
        id: i64,
    },
}

/// Runs the command.
///
/// # Errors
/// The server cannot be asked, says that it failed, or `out` cannot be written to.
pub fn run(
    command: &TokenCommand,
    variables: &[(String, String)],
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    match command {
        TokenCommand::Create {
            asked,
            user,
            label,
            repositories,
            actions,
            expires,
        } => {
            let args = CreateArgs {
                user: user.clone(),
                label: label.clone(),
                repositories: repositories.clone(),
                actions: actions.clone(),
                lives: lives(expires).map_err(anyhow::Error::msg)?,
            };
            let made = asked.call::<Create>(variables, &args, |()| {})?;
            shown(asked, &made, out)?;
        }
        TokenCommand::List { asked, user } => {
            let args = ListArgs { user: user.clone() };
            let tokens = asked.call::<List>(variables, &args, |()| {})?;
            if asked.json {
                writeln!(out, "{}", serde_json::to_string(&tokens)?)?;
            } else {
                listed(&tokens, "", out)?;
            }
        }
        TokenCommand::Revoke { asked, user, id } => {
            let args = RevokeArgs {
                user: user.clone(),
                id: *id,
            };
            asked.call::<Revoke>(variables, &args, |()| {})?;
            if !asked.json {
                writeln!(out, "token {id} of `{user}` is void")?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints a secret that was made. It is not to be had again.
pub fn shown(asked: &Asked, made: &Made, out: &mut dyn Write) -> anyhow::Result<()> {
    if asked.json {
        writeln!(out, "{}", serde_json::to_string(made)?)?;
        return Ok(());
    }
    writeln!(out, "user      {}", made.user)?;
    writeln!(out, "password  {}", made.secret)?;
    let until = made
        .expires
        .map_or_else(|| "it is revoked".to_owned(), time);
    writeln!(out, "good until {until}; it is shown this once only")?;
    names(&made.by_name, "token", out)?;
    Ok(())
}

/// Says of each name that nothing has what it means.
pub fn names(by_name: &[String], what: &str, out: &mut dyn Write) -> std::io::Result<()> {
    for name in by_name {
        writeln!(
            out,
            "there is no repository `{name}` yet: the {what} is for whatever gets that name"
        )?;
    }
    Ok(())
}

/// Prints a line for each token.
pub fn listed(tokens: &[Entry], indent: &str, out: &mut dyn Write) -> std::io::Result<()> {
    for token in tokens {
        let expires = token.expires.map_or_else(|| "never".to_owned(), time);
        let used = token.used.map_or_else(|| "never".to_owned(), time);
        let scope = token.scope.as_deref().unwrap_or("everything");
        writeln!(
            out,
            "{indent}{}  {}  ends {expires}  used {used}  {scope}",
            token.id, token.label
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_a_duration_or_for_ever() {
        assert_eq!(lives("never"), Ok(None));
        assert_eq!(lives("90d"), Ok(Some(90 * 24 * 3600)));
        assert_eq!(lives("1h30m"), Ok(Some(5400)));
        assert!(lives("soon").is_err());
    }
}
