//! Passwords on their way in: from a prompt that shows nothing, or from standard input; never from the command line,
//! which everybody on the machine can read.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use anyhow::Context as _;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// Reads a new password: asked for twice where somebody types it, else the first line of standard input.
///
/// # Errors
/// It cannot be read, or the two are not the same.
pub(super) fn password(of: &str) -> anyhow::Result<Zeroizing<String>> {
    if !io::stdin().is_terminal() {
        return line();
    }
    let first = hidden(&format!("Password of {of}: "))?;
    let second = hidden("Once more: ")?;
    anyhow::ensure!(
        *first == *second,
        "these were two different passwords; nothing was changed"
    );
    Ok(first)
}

fn line() -> anyhow::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    io::stdin()
        .lock()
        .read_line(&mut text)
        .context("the password cannot be read from standard input")?;
    let length = text.trim_end_matches(['\n', '\r']).len();
    text.truncate(length);
    anyhow::ensure!(
        !text.is_empty(),
        "there is no password on standard input; give it there, or run the command in a terminal"
    );
    Ok(text)
}

/// Asks in the terminal, which shows nothing of what is typed.
fn hidden(prompt: &str) -> anyhow::Result<Zeroizing<String>> {
    let terminal = io::stdin();
    let before = tcgetattr(&terminal)?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    silent.local_modes.insert(LocalModes::ECHONL);
    let mut out = io::stderr();
    write!(out, "{prompt}")?;
    out.flush()?;
    tcsetattr(&terminal, OptionalActions::Flush, &silent)?;
    let text = line();
    tcsetattr(&terminal, OptionalActions::Flush, &before)?;
    text
}
