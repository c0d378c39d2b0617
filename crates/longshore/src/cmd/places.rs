//! `longshore admin namespace`.

use std::io::Write;
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::Value;

use super::admin::Asked;
use super::orgs::print;
use super::told::{fields, rows};
use crate::control::places::{Ask, Places};

/// What to do with namespaces.
#[derive(Debug, Subcommand)]
pub enum NamespaceCommand {
    /// Make a namespace of the system (`base`), or a group in a namespace (`acme/web`).
    ///
    /// Users and organisations have one of their name already.
    Create {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Its path.
        path: String,
    },
    /// List all namespaces.
    List {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
    },
    /// Show a namespace.
    Show {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Its path.
        path: String,
    },
    /// Say who may see what is in a namespace, whether it can be changed, and what it is for.
    Set {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Its path.
        path: String,
        /// Who may pull without being given a right: nobody (`private`), whoever has logged in (`internal`), or everybody
        /// (`public`).
        #[arg(long, value_parser = ["private", "internal", "public"])]
        visibility: Option<String>,
        /// Whether nothing in it can be changed.
        #[arg(long, value_name = "true|false")]
        read_only: Option<bool>,
        /// What it is for.
        #[arg(long)]
        description: Option<String>,
    },
    /// Give a group, or a namespace of the system, another path, with all that is in it. Old names lead there for 90 days.
    Move {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Its path.
        path: String,
        /// The path to be.
        to: String,
    },
    /// Delete a namespace that nothing is in.
    Delete {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Its path.
        path: String,
    },
    /// Delete all repositories and groups in a namespace, and leave it.
    ///
    /// Their images go to the trash, and their space is free when their time there has ended (`trash.time`).
    Purge {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Its path.
        path: String,
    },
}

const NAMESPACE: [&str; 5] = ["path", "visibility", "read_only", "created", "description"];

/// Runs the command.
///
/// # Errors
/// The server cannot be asked, says that it failed, or `out` cannot be written to.
pub fn namespace(
    command: &NamespaceCommand,
    variables: &[(String, String)],
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let call = |asked: &Asked, ask: Ask| asked.call::<Places>(variables, &ask, |()| {});
    match command {
        NamespaceCommand::Create { asked, path } => {
            let told = call(asked, Ask::NamespaceCreate { path: path.clone() })?;
            print(asked, &told, out, |out| {
                writeln!(out, "the namespace `{path}` is there")
            })
        }
        NamespaceCommand::List { asked } => {
            let told = call(asked, Ask::NamespaceList)?;
            print(asked, &told, out, |out| rows(&told, &NAMESPACE, out))
        }
        NamespaceCommand::Show { asked, path } => {
            let told = call(asked, Ask::NamespaceShow { path: path.clone() })?;
            print(asked, &told, out, |out| fields(&told, &NAMESPACE, out))
        }
        NamespaceCommand::Set {
            asked,
            path,
            visibility,
            read_only,
            description,
        } => {
            let ask = Ask::NamespaceSet {
                path: path.clone(),
                visibility: visibility.clone(),
                read_only: *read_only,
                description: description.clone(),
            };
            let told = call(asked, ask)?;
            print(asked, &told, out, |out| fields(&told, &NAMESPACE, out))
        }
        NamespaceCommand::Move { asked, path, to } => {
            let ask = Ask::NamespaceMove {
                path: path.clone(),
                to: to.clone(),
            };
            let told = call(asked, ask)?;
            moved(asked, &told, (path, to), out)
        }
        NamespaceCommand::Delete { asked, path } => {
            let told = call(asked, Ask::NamespaceRemove { path: path.clone() })?;
            print(asked, &told, out, |out| {
                writeln!(out, "the namespace `{path}` is deleted")
            })
        }
        NamespaceCommand::Purge { asked, path } => {
            let told = call(asked, Ask::NamespacePurge { path: path.clone() })?;
            let count = told.get("repositories").and_then(Value::as_u64);
            print(asked, &told, out, |out| {
                writeln!(
                    out,
                    "{} repositories in `{path}` are deleted; what was in them is in the trash, and collected after its time there",
                    count.unwrap_or_default()
                )
            })
        }
    }
}

/// Says what a name leads to now.
pub(super) fn moved(
    asked: &Asked,
    told: &Value,
    (from, to): (&str, &str),
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    print(asked, told, out, |out| {
        writeln!(
            out,
            "`{from}` is `{to}` now; the old name leads there for 90 days"
        )?;
        if let Some(word) = told.get("visibility").and_then(Value::as_str) {
            writeln!(
                out,
                "it stays {word}, though its namespace is not: `longshore admin repo set {to} --visibility inherit` changes that"
            )?;
        }
        turned(told, out)
    })
}

/// Says which bindings with patterns mean something else since names changed.
pub(super) fn turned(told: &Value, out: &mut dyn Write) -> std::io::Result<()> {
    for (key, what) in [
        ("bindings_lost", "by its pattern does not mean it any more"),
        ("bindings_found", "by its pattern means it from now on"),
    ] {
        let list = told.get(key).and_then(Value::as_array);
        for binding in list.into_iter().flatten() {
            let text = |key| binding.get(key).and_then(Value::as_str).unwrap_or_default();
            let id = binding
                .get("id")
                .and_then(Value::as_i64)
                .unwrap_or_default();
            let denies = binding.get("deny").and_then(Value::as_bool) == Some(true);
            let has = if denies { "is denied" } else { "has" };
            writeln!(
                out,
                "binding {id} {what}: `{}` {has} `{}` on `{}`",
                text("subject"),
                text("role"),
                text("repositories")
            )?;
        }
    }
    Ok(())
}
