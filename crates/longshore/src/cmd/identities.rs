//! `longshore admin identity`: how accounts are known to directories, and second factors that were lost.

use std::io::Write;
use std::process::ExitCode;

use clap::Subcommand;

use super::admin::Asked;
use crate::control::identities::{
    Expect, ExpectArgs, Forget, ForgetArgs, List, ListArgs, RemoveFactor, RemoveFactorArgs,
};

/// What to do with identities.
#[derive(Debug, Subcommand)]
pub enum IdentityCommand {
    /// Say how an account is known elsewhere.
    List {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The account.
        account: String,
    },
    /// Let somebody of a directory into an account that is there already.
    ///
    /// Whoever first logs in there by that name is the account from then on, whatever they are called later. The account's
    /// password here is taken away.
    Expect {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The account.
        account: String,
        /// The directory, as in `ldap:corp`.
        #[arg(long)]
        source: String,
        /// By which name they log in there [default: that of the account].
        #[arg(long)]
        name: Option<String>,
    },
    /// Say that an account is nobody of a directory any more.
    Forget {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The account.
        account: String,
        /// The directory.
        #[arg(long)]
        source: String,
    },
    /// Take a second factor away from somebody who has lost it and all recovery codes.
    RemoveFactor {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The account.
        account: String,
    },
}

/// Runs the command.
///
/// # Errors
/// The server cannot be asked, says that it failed, or `out` cannot be written to.
pub fn run(
    command: &IdentityCommand,
    variables: &[(String, String)],
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    match command {
        IdentityCommand::List { asked, account } => {
            let args = ListArgs {
                account: account.clone(),
            };
            let links = asked.call::<List>(variables, &args, |()| {})?;
            if asked.json {
                writeln!(out, "{}", serde_json::to_string(&links)?)?;
            } else {
                for link in &links {
                    let subject = link.subject.as_deref().unwrap_or("(whoever comes first)");
                    writeln!(out, "{}  {}  {subject}", link.source, link.name)?;
                }
            }
        }
        IdentityCommand::Expect {
            asked,
            account,
            source,
            name,
        } => {
            let args = ExpectArgs {
                account: account.clone(),
                source: source.clone(),
                name: name.clone(),
            };
            asked.call::<Expect>(variables, &args, |()| {})?;
        }
        IdentityCommand::Forget {
            asked,
            account,
            source,
        } => {
            let args = ForgetArgs {
                account: account.clone(),
                source: source.clone(),
            };
            asked.call::<Forget>(variables, &args, |()| {})?;
        }
        IdentityCommand::RemoveFactor { asked, account } => {
            let args = RemoveFactorArgs {
                account: account.clone(),
            };
            asked.call::<RemoveFactor>(variables, &args, |()| {})?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
