//! `longshore admin audit`: who changed what, and whether the log says the truth.

use std::io::Write;
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::Value;

use super::admin::Asked;
use super::words::time;
use longshore_hub::audit::Verified;

use crate::control::audit::{Accept, AcceptArgs, Rows, RowsArgs, Verify, VerifyArgs};

/// What to do with the audit log.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Show the last entries: who changed what, or was denied to.
    List {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Only about this namespace.
        #[arg(long)]
        namespace: Option<String>,
        /// How many at most.
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Check that no entry was changed or removed: each against the one before it, all signatures, and what is remembered outside the
    /// database.
    ///
    /// Ends with 0 when everything is as it was written, with 3 when not; what is wrong is said. Entries are signed within ten seconds; what
    /// was changed or removed before that is not found out.
    Verify {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
    },
    /// Go on from the log as it is, although `verify` says that something is wrong with it.
    ///
    /// Nothing is signed any more where the log was found broken. This writes an entry that says what was wrong and why that is accepted,
    /// signs it, and lets everything go on from there; `verify` shows what was accepted from then on.
    Accept {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// What happened, for those who read the log: `restored the backup of Monday`.
        #[arg(long)]
        why: String,
    },
    /// Write entries as lines of JSON, the first first.
    Export {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Only about this namespace.
        #[arg(long)]
        namespace: Option<String>,
        /// Only those after the entry with this number (`seq`), where an export before ended.
        #[arg(long, default_value_t = 0)]
        after: i64,
        /// How many at most [default: all].
        #[arg(long)]
        limit: Option<usize>,
    },
}

fn shown(line: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let row: Value = serde_json::from_str(line)?;
    let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or("-");
    let number = |name: &str| row.get(name).and_then(Value::as_i64).unwrap_or_default();
    writeln!(
        out,
        "{}  {}  {} ({} from {})  {}  {}  {}  {}",
        number("seq"),
        time(number("at")),
        text("actor_name"),
        text("via"),
        text("origin"),
        text("result"),
        text("action"),
        text("object"),
        row.get("detail").unwrap_or(&Value::Null),
    )?;
    Ok(())
}

/// Runs the command.
///
/// # Errors
/// The server cannot be asked, says that it failed, or `out` cannot be written to.
pub fn run(
    command: &AuditCommand,
    variables: &[(String, String)],
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let (asked, args, as_json) = match command {
        AuditCommand::Verify { asked } => {
            let found = asked.call::<Verify>(variables, &VerifyArgs::default(), |()| {})?;
            tell(asked, &found, out)?;
            return Ok(if found.wrong.is_empty() {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(3)
            });
        }
        AuditCommand::Accept { asked, why } => {
            let args = AcceptArgs { why: why.clone() };
            let found = asked.call::<Accept>(variables, &args, |()| {})?;
            tell(asked, &found, out)?;
            if !asked.json {
                writeln!(out, "accepted; the log is signed again from here on")?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        AuditCommand::List {
            asked,
            namespace,
            limit,
        } => {
            let args = RowsArgs {
                namespace: namespace.clone(),
                after: 0,
                limit: Some(*limit),
                last: true,
            };
            (asked, args, asked.json)
        }
        AuditCommand::Export {
            asked,
            namespace,
            after,
            limit,
        } => {
            let args = RowsArgs {
                namespace: namespace.clone(),
                after: *after,
                limit: *limit,
                last: false,
            };
            (asked, args, true)
        }
    };
    let mut failed = None;
    asked.call::<Rows>(variables, &args, |line| {
        let written = if as_json {
            writeln!(out, "{line}").map_err(Into::into)
        } else {
            shown(&line, out)
        };
        if let Err(error) = written {
            failed.get_or_insert(error);
        }
    })?;
    match failed {
        Some(error) => Err(error),
        None => Ok(ExitCode::SUCCESS),
    }
}

fn tell(asked: &Asked, found: &Verified, out: &mut dyn Write) -> anyhow::Result<()> {
    if asked.json {
        writeln!(out, "{}", serde_json::to_string(&found)?)?;
        return Ok(());
    }
    writeln!(
        out,
        "{} entries, {} signatures checked",
        found.rows, found.signatures
    )?;
    if found.unsigned > 0 {
        writeln!(
            out,
            "{} entries at the end are not signed yet",
            found.unsigned
        )?;
    }
    for accepted in &found.accepted {
        writeln!(out, "accepted: {accepted}")?;
    }
    for wrong in &found.wrong {
        writeln!(out, "wrong: {wrong}")?;
    }
    Ok(())
}
