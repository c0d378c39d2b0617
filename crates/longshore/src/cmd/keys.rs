//! `longshore admin keys`: the keys that tokens are signed with.

use std::io::Write;
use std::process::ExitCode;

use clap::Subcommand;

use super::admin::Asked;
use super::words::time;
use crate::control::keys::{Entry, List, ListArgs, Rotate, RotateArgs};

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Say which keys there are, which one signs, and until when each is trusted.
    List {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
    },
    /// Make the next key.
    ///
    /// It is shown to registries now and signs when they have had time to fetch it (`index.rotate_lead`); what the old one
    /// signed stays good until it ends. No pull fails, unless you say `--now`.
    Rotate {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Let it sign at once and trust no other key any more: for when one may be in wrong hands. Clients have to fetch new
        /// tokens. Registries that fetch keys ask for it with the first token that names it, and may refuse pulls for three
        /// seconds until they may ask again.
        #[arg(long)]
        now: bool,
    },
}

/// Runs the command.
///
/// # Errors
/// The server cannot be asked, says that it failed, or `out` cannot be written to.
pub fn run(
    command: &KeysCommand,
    variables: &[(String, String)],
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let (asked, keys) = match command {
        KeysCommand::List { asked } => (
            asked,
            asked.call::<List>(variables, &ListArgs::default(), |()| {})?,
        ),
        KeysCommand::Rotate { asked, now } => {
            let args = RotateArgs { at_once: *now };
            (asked, asked.call::<Rotate>(variables, &args, |()| {})?)
        }
    };
    if asked.json {
        writeln!(out, "{}", serde_json::to_string(&keys)?)?;
    } else {
        for key in &keys {
            show(key, out)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(key: &Entry, out: &mut dyn Write) -> std::io::Result<()> {
    let state = if key.signs { "signs" } else { "is trusted" };
    writeln!(out, "{}  {}  {state}", key.kid, key.algorithm)?;
    writeln!(out, "  libtrust       {}", key.libtrust)?;
    writeln!(out, "  signs from     {}", time(key.since))?;
    if let Some(until) = key.until {
        writeln!(out, "  signs until    {}", time(until))?;
    }
    if let Some(until) = key.verify_until {
        writeln!(out, "  trusted until  {}", time(until))?;
    }
    Ok(())
}
