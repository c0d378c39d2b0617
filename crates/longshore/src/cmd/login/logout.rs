//! `longshore logout`: the login that docker and others read is forgotten here, and its token is good for nothing any more.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use zeroize::Zeroizing;

use super::keep::{Keeper, Kept};
use super::wire::{Place, Wire};

/// What tokens begin with that whoever holds them can take back.
const OURS: [&str; 2] = ["lsp_", "lsf_"];
/// The exit code where a login is forgotten and its token goes on.
const GOES_ON: u8 = 3;

/// Forget a login, and take its token back.
#[derive(Debug, Args)]
pub struct Logout {
    /// The registry, as it was logged in to, such as `reg.example` or `localhost:5000`.
    #[arg(value_name = "HOST[:PORT]")]
    host: String,

    /// Only forget the login here: the token goes on, for whatever else uses it.
    #[arg(long)]
    keep_token: bool,

    /// Where the login is kept [default: docker's `config.json`, or whatever credential helper that names].
    #[arg(long, value_name = "FILE")]
    authfile: Option<PathBuf>,

    /// PEM file with the authority of the registry's certificate, where the system does not know it.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,

    /// Print what was done as JSON, for programs.
    #[arg(long)]
    json: bool,
}

/// What became of the token of a login.
enum Token {
    /// There is none that could be taken back: it is a password, or another registry's.
    None,
    Kept,
    Revoked,
    GoesOn(anyhow::Error),
}

impl Token {
    fn word(&self) -> &'static str {
        match self {
            Token::None => "none",
            Token::Kept => "kept",
            Token::Revoked => "revoked",
            Token::GoesOn(_) => "goes-on",
        }
    }
}

/// Runs the command: what was done goes to `out`, what could not be to `err`.
///
/// # Errors
/// The login cannot be read or forgotten. That its token could not be taken back is no error: the login is forgotten all the same.
pub fn run(
    command: &Logout,
    variables: &[(String, String)],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let keeper = Keeper::open(command.authfile.as_deref(), variables)?;
    let place = Place::parse(&command.host)?;
    let Some(held) = keeper.held(place.name())? else {
        if command.json {
            writeln!(
                out,
                "{}",
                json!({ "registry": place.name(), "logged_in": false })
            )?;
        } else {
            writeln!(out, "There was no login to {}.", place.name())?;
        }
        return Ok(ExitCode::SUCCESS);
    };
    let is_ours = |secret: &&Zeroizing<String>| OURS.iter().any(|start| secret.starts_with(start));
    let tokens: Vec<&Zeroizing<String>> = held.secrets.iter().filter(is_ours).collect();
    // The token first: once it is forgotten, nobody here can take it back.
    let token = if tokens.is_empty() {
        Token::None
    } else if command.keep_token {
        Token::Kept
    } else {
        match revoke(command, &place, &tokens) {
            Ok(()) => Token::Revoked,
            Err(error) => Token::GoesOn(error),
        }
    };
    let from = match keeper.forget(place.name())? {
        Kept::File(path) => path.display().to_string(),
        Kept::Helper(name) => format!("the credential helper `{name}`"),
    };
    let user = held.user.as_deref();
    if command.json {
        let said = json!({
            "registry": place.name(), "logged_in": true, "user": user, "token": token.word(), "forgotten": from,
        });
        writeln!(out, "{said}")?;
    } else {
        let what = match &token {
            Token::None | Token::GoesOn(_) => "",
            Token::Kept => " Its token goes on.",
            Token::Revoked => " Its token is good for nothing any more.",
        };
        let who = user.map_or_else(String::new, |user| format!(" of {user}"));
        writeln!(
            out,
            "The login{who} to {} is forgotten in {from}.{what}",
            place.name()
        )?;
    }
    if let Token::GoesOn(error) = token {
        writeln!(
            err,
            "warning: the token could not be taken back and goes on until it ends: {error:#}\nhint: take it back in the list of your tokens at {} (`longshore admin token list`, or the API)",
            place.name()
        )?;
        return Ok(ExitCode::from(GOES_ON));
    }
    Ok(ExitCode::SUCCESS)
}

fn revoke(command: &Logout, place: &Place, tokens: &[&Zeroizing<String>]) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let wire = Wire::new(command.ca_file.as_deref())?;
        let index = wire.find(place).await?;
        for token in tokens {
            wire.revoke(&index, token).await?;
        }
        Ok(())
    })
}
