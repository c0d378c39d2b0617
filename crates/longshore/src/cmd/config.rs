//! `longshore config`: look at a configuration without starting anything.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};

use crate::config::{Problems, reference, schema, show};
use crate::distribution;
use crate::sources::Sources;

/// What to do with a configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Say whether a server could be started with it, and if not, everything that is wrong.
    Check(Sources),
    /// Print what is in effect and who set it; secrets are hidden.
    Show(Sources),
    /// Print a Distribution `config.yml`, with REGISTRY_* variables over it, as Longshore's own TOML.
    Convert(Sources),
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
    /// The reference page of all keys.
    Markdown,
    /// The page that says what becomes of each key of a Distribution `config.yml`.
    FromDistribution,
}

/// Runs the command: results go to `out`, what is wrong to `err`; fails when the configuration is wrong.
///
/// # Errors
/// `out` or `err` cannot be written to.
pub fn run(
    command: &ConfigCommand,
    variables: &[(String, String)],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<ExitCode> {
    let done = match command {
        ConfigCommand::Check(sources) => check(sources, variables, out, err)?,
        ConfigCommand::Show(sources) => sources
            .load(variables)
            .map(|config| write!(out, "{}", show::toml(&config, show::Shown::All))),
        ConfigCommand::Convert(sources) => convert(sources, variables, out)?,
        ConfigCommand::Schema { format } => Ok(match format {
            Form::Json => writeln!(out, "{:#}", schema::schema()),
            Form::Markdown => write!(out, "{}", reference::markdown()),
            Form::FromDistribution => write!(out, "{}", distribution::page::markdown()),
        }),
    };
    match done {
        Ok(written) => written.map(|()| ExitCode::SUCCESS),
        Err(problems) => {
            writeln!(err, "{problems}")?;
            Ok(ExitCode::FAILURE)
        }
    }
}

/// What a command came to: written, or the problems of the configuration.
type Done = Result<io::Result<()>, Problems>;

fn check(
    sources: &Sources,
    variables: &[(String, String)],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<Done> {
    Ok(match sources.load_to_serve(variables, Vec::new()) {
        Ok(config) => {
            for note in &config.notes {
                writeln!(err, "note: {note}")?;
            }
            Ok(writeln!(out, "ok"))
        }
        Err(problems) => Err(problems),
    })
}

fn convert(
    sources: &Sources,
    variables: &[(String, String)],
    out: &mut dyn Write,
) -> io::Result<Done> {
    Ok(match sources.load(variables) {
        Ok(config) => {
            for note in &config.notes {
                writeln!(out, "# {note}")?;
            }
            Ok(write!(out, "{}", show::toml(&config, show::Shown::Set)))
        }
        Err(problems) => Err(problems),
    })
}
