//! `longshore export`: the way back, and out.

use std::cell::Cell;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::control::Target;
use crate::transfer::export::{self, Export, Form, Summary};
use crate::transfer::{absolute, work};

/// What the command ends with when something could not be exported.
const NOTES: u8 = 3;
/// How often progress is told, in repositories or images.
const TELL: u64 = 1_000;

/// Write what the registry holds as other programs keep it.
#[derive(Debug, Args)]
pub struct ExportCommand {
    /// In which form.
    #[arg(long, value_enum)]
    layout: Form,

    /// Where to: a directory that is empty or not there; an OCI layout may be there and keeps what it has.
    #[arg(value_name = "DIR")]
    dir: PathBuf,

    /// Which images, for --layout oci: REPO (all its tags), REPO:TAG or REPO@DIGEST [default: everything with a tag].
    #[arg(value_name = "IMAGE")]
    images: Vec<String>,

    /// Copy files where they could be hard links. Links share owner and rights with the registry's own files.
    #[arg(long)]
    copy: bool,

    /// Print what was done as JSON, for programs.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: Target,
}

/// Runs the command: what was done goes to `out`, progress to `err`.
///
/// # Errors
/// It cannot be exported, in words for whoever runs the command.
pub fn run(
    command: &ExportCommand,
    variables: &[(String, String)],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let config = command.target.load(variables)?;
    let args = export::Args {
        form: command.layout,
        dir: absolute(&command.dir)?,
        images: command.images.clone(),
        copy: command.copy,
    };
    let last = Cell::new(0);
    let err = std::cell::RefCell::new(err);
    let tell = |done: &Summary| {
        if done.manifests >= last.get() + TELL {
            last.set(done.manifests);
            // Nobody may be reading it.
            let _ = writeln!(err.borrow_mut(), "{}", counts(done));
        }
    };
    let here = async |store: &_| {
        let tell = |done: &_| tell(&export::progress(done));
        export::run(store, &config.data, &args, tell).await
    };
    let done = work::<Export>(&config, &args, |step| tell(&step), here)?;
    if command.json {
        writeln!(out, "{}", serde_json::to_string(&done)?)?;
    } else {
        for note in &done.notes {
            writeln!(out, "{}", note.escape_debug())?;
        }
        writeln!(out, "exported: {}", counts(&done))?;
        writeln!(
            out,
            "{} files are hard links, {} bytes were copied",
            done.linked, done.copied_bytes
        )?;
    }
    Ok(if done.notes.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NOTES)
    })
}

fn counts(done: &Summary) -> String {
    format!(
        "{} repositories, {} manifests, {} tags, {} blobs",
        done.repositories, done.manifests, done.tags, done.blobs
    )
}
