//! `longshore gc`: what nobody needs any more, and removing it now.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;

use super::admin::Asked;
use super::words::{bytes, time};
use crate::control::gc::{self, Blobs, Done, Gc as Operation};

/// Remove what nobody needs any more, or say what that is.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["dry_run", "now"]))]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub struct Gc {
    #[command(flatten)]
    asked: Asked,

    /// Only say what would be removed now, and what stays and why.
    #[arg(long)]
    dry_run: bool,

    /// Remove now what is due, and do not wait for the next time that the server looks by itself.
    #[arg(long)]
    now: bool,

    /// Believe the server's clock as it is, after it jumped.
    #[arg(long, conflicts_with = "dry_run")]
    accept_clock: bool,

    /// Work without rests, also if that slows requests down.
    #[arg(long, conflicts_with = "dry_run")]
    hurry: bool,
}

/// Runs the command. Ends with 0, or with 1 when collection is paused or something could not be removed.
///
/// # Errors
/// The server cannot be asked, says that it failed, or `out` cannot be written to.
pub fn run(
    gc: &Gc,
    variables: &[(String, String)],
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let args = gc::Args {
        dry_run: gc.dry_run,
        accept_clock: gc.accept_clock,
        hurry: gc.hurry,
    };
    let done = gc.asked.call::<Operation>(variables, &args, |_| {})?;
    tell(&done, gc.asked.json, out)?;
    Ok(code(&done))
}

/// What the command ends with after this.
pub fn code(done: &Done) -> ExitCode {
    if done.paused.is_some() || done.failed > 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// Prints what a run did: what is free now, what will be and when, what stays and why.
///
/// # Errors
/// `out` cannot be written to.
pub fn tell(done: &Done, json: bool, out: &mut dyn Write) -> io::Result<()> {
    if json {
        return writeln!(out, "{}", serde_json::to_string(done)?);
    }
    if let Some(why) = &done.paused {
        writeln!(out, "Nothing was removed: {why}")?;
    }
    if done.dry_run {
        writeln!(out, "Nothing is changed by this; a run now would do:")?;
    }
    if done.expired > 0 {
        let what = "left the trash for good";
        writeln!(out, "{} manifests: {what}", done.expired)?;
    }
    if done.collected > 0 {
        let what = "without a tag or a parent went into the trash";
        writeln!(out, "{} manifests: {what}", done.collected)?;
    }
    let mut line = |head: &str, amount: Blobs, tail: String| {
        if amount == Blobs::default() {
            return Ok(());
        }
        let size = bytes(amount.bytes);
        writeln!(out, "{head} {size} in {} blobs{tail}", amount.blobs)
    };
    line("free now:", done.freed, String::new())?;
    line("left by an unclean stop:", done.orphans, String::new())?;
    line("needed by nobody:", done.taken, String::new())?;
    let until = |at: Option<i64>| at.map_or_else(String::new, time);
    let tail = format!(", by {}", until(done.waiting_until));
    line("free soon, nobody sees it any more:", done.waiting, tail)?;
    let tail = format!(
        ", until {} at most: somebody who may push was told that it is here",
        until(done.leased_until)
    );
    line("stays for now:", done.leased, tail)?;
    line("stays, others have it:", done.shared, String::new())?;
    for shared in &done.shared_with {
        let with = shared.with.join(", ");
        writeln!(
            out,
            "  {} {} with {with}",
            shared.digest,
            bytes(shared.bytes)
        )?;
    }
    if done.trash > 0 {
        let first = until(done.trash_until);
        writeln!(
            out,
            "in the trash: {} manifests, the first until {first}; see `longshore admin trash list`",
            done.trash
        )?;
    }
    if done.failed > 0 {
        writeln!(
            out,
            "{} things could not be removed; the server's log says why, and they are tried again",
            done.failed
        )?;
    }
    let nothing = Done {
        dry_run: done.dry_run,
        ..Done::default()
    };
    if *done == nothing {
        writeln!(out, "There is nothing to remove.")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(done: &Done) -> String {
        let mut out = Vec::new();
        tell(done, false, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn it_says_what_is_free_what_will_be_and_what_stays_with_whom() {
        let blobs = |blobs, bytes| Blobs { blobs, bytes };
        let done = Done {
            freed: blobs(2, 3 << 20),
            waiting: blobs(1, 1536),
            waiting_until: Some(1_795_255_200_000_000),
            shared: blobs(1, 5),
            shared_with: vec![gc::Shared {
                digest: "sha256:ab".to_owned(),
                bytes: 5,
                with: vec!["b".to_owned(), "c".to_owned()],
            }],
            ..Done::default()
        };
        assert_eq!(
            told(&done),
            "free now: 3.0 MiB in 2 blobs\n\
             free soon, nobody sees it any more: 1.5 KiB in 1 blobs, by 2026-11-21T10:00:00Z\n\
             stays, others have it: 5 B in 1 blobs\n  sha256:ab 5 B with b, c\n"
        );
        assert_eq!(told(&Done::default()), "There is nothing to remove.\n");
    }
}
