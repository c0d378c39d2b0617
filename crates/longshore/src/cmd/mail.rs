//! `longshore admin mail`: whether letters are sent.

use std::io::Write;
use std::process::ExitCode;

use clap::Subcommand;

use super::admin::Asked;
use super::words::time;
use crate::control::mail::{Test, TestArgs, Waiting, WaitingArgs};

/// What to do about mail.
#[derive(Debug, Subcommand)]
pub enum MailCommand {
    /// Send a letter to an address now, and say what is wrong where that fails.
    Test {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The address.
        address: String,
    },
    /// List letters that wait to be sent, and why they were not.
    List {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
    },
}

/// Runs the command.
///
/// # Errors
/// The server cannot be asked, says that it failed, or `out` cannot be written to.
pub fn run(
    command: &MailCommand,
    variables: &[(String, String)],
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    match command {
        MailCommand::Test { asked, address } => {
            let args = TestArgs {
                address: address.clone(),
            };
            asked.call::<Test>(variables, &args, |()| {})?;
            if asked.json {
                writeln!(out, "{}", serde_json::json!({ "sent": address }))?;
            } else {
                writeln!(
                    out,
                    "the mail server took a letter to {address}; look whether it arrives, also among what is taken for spam"
                )?;
            }
        }
        MailCommand::List { asked } => {
            let waiting = asked.call::<Waiting>(variables, &WaitingArgs::default(), |()| {})?;
            if asked.json {
                writeln!(out, "{}", serde_json::to_string(&waiting)?)?;
                return Ok(ExitCode::SUCCESS);
            }
            for it in waiting {
                let why = it.why.unwrap_or_default();
                writeln!(
                    out,
                    "{}  {}  since {}  tried {}  next {}  {why}",
                    it.id,
                    it.letter,
                    time(it.created),
                    it.tries,
                    time(it.due),
                )?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
