//! `longshore admin settings`: what is so for the whole system.

use std::io::Write;
use std::process::ExitCode;

use clap::Subcommand;
use longshore_hub::settings::SignUp;

use super::admin::Asked;
use super::orgs::print;
use super::told::fields;
use crate::control::settings::{Args, Settings};

/// What to do with settings.
#[derive(Debug, Subcommand)]
pub enum SettingsCommand {
    /// Show all settings.
    Show {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
    },
    /// Change settings. What is not named stays.
    Set {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Who may make an account of their own: nobody (`closed`), whoever was invited (`invitation`), or everybody (`open`).
        #[arg(long, value_parser = SignUp::ALL.map(SignUp::word), required_unless_present = "read_only")]
        sign_up: Option<String>,
        /// Whether nothing can be changed anywhere.
        #[arg(long, value_name = "true|false")]
        read_only: Option<bool>,
    },
}

/// Runs the command.
///
/// # Errors
/// The server cannot be asked, says that it failed, or `out` cannot be written to.
pub fn run(
    command: &SettingsCommand,
    variables: &[(String, String)],
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let (asked, args) = match command {
        SettingsCommand::Show { asked } => (asked, Args::default()),
        SettingsCommand::Set {
            asked,
            sign_up,
            read_only,
        } => {
            let args = Args {
                sign_up: sign_up.clone(),
                read_only: *read_only,
            };
            (asked, args)
        }
    };
    let told = asked.call::<Settings>(variables, &args, |()| {})?;
    let told = serde_json::to_value(told)?;
    print(asked, &told, out, |out| {
        fields(&told, &["sign_up", "read_only"], out)
    })
}
