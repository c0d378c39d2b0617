//! `longshore config`: look at a configuration without starting anything.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};

use crate::config::{Problems, reference, schema, show};
use crate::sources::Sources;

/// What to do with a configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Say whether a server could be started with it, and if not, everything that is wrong.
    Check(Sources),
    /// Print what is in effect and who set it; secrets are hidden.
    Show(Sources),
    /// Print the JSON Schema of the file, for editors, or the reference of all keys.
    Schema {
        /// In which form.
        #[arg(long, value_enum, default_value_t = Form::Json)]
        format: Form,
    },
}

/// The forms of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// JSON Schema.
    Json,
    /// The reference page.
    Markdown,
}

/// Runs the command: results go to `out`, what is wrong to `err`; fails when the configuration is wrong.
///
/// # Errors
/// `out` or `err` cannot be written to.
pub fn run(
    command: &ConfigCommand,
    variables: impl IntoIterator<Item = (String, String)>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<ExitCode> {
    match command {
        ConfigCommand::Check(sources) => match sources.load(variables) {
            Ok(config) => {
                for note in &config.notes {
                    writeln!(err, "note: {note}")?;
                }
                writeln!(out, "ok")?;
            }
            Err(problems) => return refused(&problems, err),
        },
        ConfigCommand::Show(sources) => match sources.load(variables) {
            Ok(config) => write!(out, "{}", show::toml(&config, show::Shown::All))?,
            Err(problems) => return refused(&problems, err),
        },
        ConfigCommand::Schema { format: Form::Json } => writeln!(out, "{:#}", schema::schema())?,
        ConfigCommand::Schema {
            format: Form::Markdown,
        } => write!(out, "{}", reference::markdown())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn refused(problems: &Problems, err: &mut dyn Write) -> io::Result<ExitCode> {
    writeln!(err, "{problems}")?;
    Ok(ExitCode::FAILURE)
}
