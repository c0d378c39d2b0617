//! `longshore admin repo`.

use std::io::{Read as _, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::Value;

use super::admin::Asked;
use super::orgs::print;
use super::places::moved;
use super::told::{fields, rows};
use crate::control::places::{Ask, Places, Says};

/// What to do with repositories.
#[derive(Debug, Subcommand)]
pub enum RepoCommand {
    /// Make a repository without content. A push makes one, too.
    Create {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Its name.
        name: String,
    },
    /// List repositories, also those without content.
    List {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// In this namespace and the groups in it [default: all].
        #[arg(default_value = "")]
        namespace: String,
    },
    /// Show a repository.
    Show {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Its name, or one it had.
        name: String,
    },
    /// Say who may see a repository, whether it can be changed, and what it is. What is not named stays.
    Set {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Its name.
        name: String,
        /// Who may pull without being given a right. It narrows what its namespace says, and `inherit` leaves that.
        #[arg(long, value_parser = ["inherit", "private", "internal", "public"])]
        visibility: Option<String>,
        /// Whether nothing in it can be changed.
        #[arg(long, value_name = "true|false")]
        read_only: Option<bool>,
        /// What it is.
        #[command(flatten)]
        words: Words,
    },
    /// Give a repository another name, in another namespace perhaps. The old name leads there for 90 days.
    Move {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Its name.
        name: String,
        /// The name to be.
        to: String,
    },
    /// Delete a repository with all that is in it.
    ///
    /// Its images go to the trash, and their space is free when their time there has ended (`trash.time`).
    Delete {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// Its name.
        name: String,
    },
}

/// What is said of a repository.
#[derive(Debug, Args)]
pub struct Words {
    /// What it is, in a line; an empty one takes it away.
    #[arg(long)]
    description: Option<String>,
    /// What it is, in Markdown: a file, or `-` for standard input. An empty one takes it away.
    #[arg(long, value_name = "FILE")]
    readme: Option<PathBuf>,
    /// An address to add, of `https`, `http` or `mailto`; may be given more than once.
    #[arg(long = "link", value_name = "URL")]
    links: Vec<String>,
    /// An address to take away; may be given more than once.
    #[arg(long = "remove-link", value_name = "URL")]
    links_away: Vec<String>,
    /// A word and its value, to add or to change; may be given more than once.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = pair)]
    labels: Vec<(String, String)>,
    /// A word to take away with its value; may be given more than once.
    #[arg(long = "remove-label", value_name = "KEY")]
    labels_away: Vec<String>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or("write a word, an equals sign and its value")?;
    Ok((key.to_owned(), value.to_owned()))
}

impl Words {
    fn says(&self) -> anyhow::Result<Says> {
        Ok(Says {
            description: self.description.clone(),
            readme: self.readme.as_ref().map(read).transpose()?,
            links: self.links.clone(),
            links_away: self.links_away.clone(),
            labels: self.labels.clone(),
            labels_away: self.labels_away.clone(),
        })
    }
}

fn read(file: &PathBuf) -> anyhow::Result<String> {
    if file.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .context("standard input cannot be read")?;
        return Ok(text);
    }
    std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))
}

const REPOSITORY: [&str; 10] = [
    "name",
    "visibility",
    "read_only",
    "manifests",
    "tags",
    "stars",
    "pulls",
    "description",
    "links",
    "labels",
];

/// Shows a repository; its README as it is written, below.
fn show(asked: &Asked, told: &Value, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let mut shown = told.clone();
    if let Some(labels) = shown.get_mut("labels") {
        let pairs = labels.as_object().into_iter().flatten();
        let pairs = pairs.map(|(key, value)| {
            let value = value.as_str().unwrap_or_default();
            Value::String(format!("{key}={value}"))
        });
        *labels = pairs.collect();
    }
    print(asked, told, out, |out| {
        fields(&shown, &REPOSITORY, out)?;
        let readme = told.get("readme").and_then(Value::as_str);
        match readme.filter(|text| !text.is_empty()) {
            Some(text) => writeln!(out, "\n{}", text.trim_end()),
            None => Ok(()),
        }
    })
}

/// Runs the command.
///
/// # Errors
/// The server cannot be asked, says that it failed, or `out` cannot be written to.
pub fn run(
    command: &RepoCommand,
    variables: &[(String, String)],
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let call = |asked: &Asked, ask: Ask| asked.call::<Places>(variables, &ask, |()| {});
    match command {
        RepoCommand::Create { asked, name } => {
            let told = call(asked, Ask::RepoCreate { name: name.clone() })?;
            print(asked, &told, out, |out| {
                writeln!(out, "the repository `{name}` is there")
            })
        }
        RepoCommand::List { asked, namespace } => {
            let path = namespace.clone();
            let told = call(asked, Ask::RepoList { path })?;
            print(asked, &told, out, |out| rows(&told, &["name"], out))
        }
        RepoCommand::Show { asked, name } => {
            let told = call(asked, Ask::RepoShow { name: name.clone() })?;
            show(asked, &told, out)
        }
        RepoCommand::Set {
            asked,
            name,
            visibility,
            read_only,
            words,
        } => {
            let ask = Ask::RepoSet {
                name: name.clone(),
                visibility: visibility.clone(),
                read_only: *read_only,
                says: words.says()?,
            };
            let told = call(asked, ask)?;
            show(asked, &told, out)
        }
        RepoCommand::Move { asked, name, to } => {
            let ask = Ask::RepoMove {
                name: name.clone(),
                to: to.clone(),
            };
            let told = call(asked, ask)?;
            moved(asked, &told, (name, to), out)
        }
        RepoCommand::Delete { asked, name } => {
            let told = call(asked, Ask::RepoRemove { name: name.clone() })?;
            print(asked, &told, out, |out| {
                writeln!(
                    out,
                    "`{name}` is deleted; what was in it is in the trash, and collected after its time there"
                )
            })
        }
    }
}
