//! `longshore login`: a login by a browser, for docker and everything that reads what docker writes; and its counterpart, `longshore
//! logout`.

mod helper;
mod keep;
pub mod logout;
mod wire;

use std::io::{IsTerminal as _, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::json;

use self::keep::{Keeper, Kept};
use self::wire::{Asked, Place, Wire};

/// How much longer to wait each time that a server says so (RFC 8628, 3.5).
const SLOWER: Duration = Duration::from_secs(5);

/// Log in to a registry with a browser, and keep the login where docker keeps its own.
#[derive(Debug, Args)]
pub struct Login {
    /// The registry, such as `reg.example` or `localhost:5000`.
    #[arg(value_name = "HOST[:PORT]")]
    host: String,

    /// What the login is to be good for: words out of `pull`, `push`, `delete` and `repository:PATTERN`, as in `pull
    /// repository:acme/**` [default: all that you may do].
    #[arg(long, default_value = "", hide_default_value = true)]
    scope: String,

    /// What people are shown at the browser [default: `longshore on` and the name of this machine].
    #[arg(long, value_name = "TEXT")]
    client_name: Option<String>,

    /// Where the login is kept [default: docker's `config.json`, or whatever credential helper that names].
    #[arg(long, value_name = "FILE")]
    authfile: Option<PathBuf>,

    /// PEM file with the authority of the registry's certificate, where the system does not know it.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,

    /// Print what was done as JSON, for programs. What to open goes to standard error all the same.
    #[arg(long)]
    json: bool,
}

/// Runs the command: what to open goes to `err`, what was done to `out`.
///
/// # Errors
/// There is no such registry, it has no such logins, nobody approved it, or the login cannot be kept.
pub fn run(
    command: &Login,
    variables: &[(String, String)],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    // Before anybody is sent to a browser: what cannot be kept need not be asked for.
    let keeper = Keeper::open(command.authfile.as_deref(), variables)?;
    let place = Place::parse(&command.host)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let login = runtime.block_on(ask(command, &place, err))?;
    let kept = keeper.keep(place.name(), &login.user, &login.token)?;
    let kept = match &kept {
        Kept::File(path) => path.display().to_string(),
        Kept::Helper(name) => format!("the credential helper `{name}`"),
    };
    if command.json {
        let said = json!({
            "registry": place.name(), "user": login.user, "expires_in": login.expires_in, "scope": login.scope, "kept": kept,
        });
        writeln!(out, "{said}")?;
    } else {
        writeln!(
            out,
            "Logged in to {} as {}. The login is kept in {kept}.",
            place.name(),
            login.user
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What a login ends with.
#[derive(Debug)]
struct Logged {
    user: String,
    token: zeroize::Zeroizing<String>,
    expires_in: Option<u64>,
    scope: String,
}

async fn ask(command: &Login, place: &Place, err: &mut dyn Write) -> anyhow::Result<Logged> {
    let client = command.client_name.clone().unwrap_or_else(client_name);
    let wire = Wire::new(command.ca_file.as_deref())?;
    let index = wire.find(place).await?;
    let started = wire.begin(&index, &client, &command.scope).await?;
    writeln!(
        err,
        "Open this page in any browser and approve the login, if it shows this code:"
    )?;
    writeln!(err, "\n    {}\n", started.complete)?;
    writeln!(
        err,
        "    code  {}\n    (or type it at {})\n",
        started.code, started.page
    )?;
    if std::io::stderr().is_terminal() {
        writeln!(
            err,
            "Waiting. Ctrl-C ends this, and the code with it in time."
        )?;
    }
    let (mut pace, mut waited) = (started.interval, Duration::ZERO);
    loop {
        // The server says when it is over; this is for one that does not.
        if waited > started.expires_in + pace {
            bail!("nobody approved the login in time; run the command again");
        }
        tokio::time::sleep(pace).await;
        waited += pace;
        match wire.poll(&index, &client, &started).await? {
            Asked::Waiting => {}
            Asked::Slower => pace += SLOWER,
            // RFC 8628, 3.5: who gets no answer asks less often.
            Asked::NoAnswer => pace = (pace * 2).min(Duration::from_mins(1)),
            Asked::Given(login) => return Ok(login),
        }
    }
}

/// What people are shown: this program, and the machine it runs on.
fn client_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .or_else(|_| std::fs::read_to_string("/etc/hostname"))
        .unwrap_or_default();
    let name: String = name
        .trim()
        .chars()
        .filter(char::is_ascii_graphic)
        .take(40)
        .collect();
    if name.is_empty() {
        "longshore".to_owned()
    } else {
        format!("longshore on {name}")
    }
}

/// A JSON object's text.
fn text(json: &serde_json::Value, name: &str) -> anyhow::Result<String> {
    let found = json.get(name).and_then(serde_json::Value::as_str);
    let found = found.filter(|text| {
        !text.is_empty() && text.len() <= 4096 && !text.chars().any(char::is_control)
    });
    found
        .map(str::to_owned)
        .with_context(|| format!("the answer of the server lacks `{name}`"))
}
