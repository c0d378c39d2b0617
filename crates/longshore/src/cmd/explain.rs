//! `longshore admin explain`: may somebody do something, and why?

use std::io::Write;
use std::net::IpAddr;
use std::process::ExitCode;

use clap::Args;

use super::admin::Asked;
use crate::control::explain::{Explain, ExplainArgs, Explained};

/// Who, what, and where.
#[derive(Debug, Args)]
pub struct ExplainCommand {
    /// How the server is asked.
    #[command(flatten)]
    asked: Asked,
    /// Who it is about, as they log in: USER, OWNER+ROBOT or robot+ROBOT; or ORGANISATION/TEAM, or `anonymous`.
    user: String,
    /// What they would do: pull, push, delete, or the name of an action, such as namespace:settings.
    action: String,
    /// A repository, with a tag perhaps (acme/app:1.0); a namespace, with a slash at its end (acme/); or `system`.
    object: String,
    /// The user or organisation whose robot USER is, or the organisation whose team.
    #[arg(long, value_name = "OWNER")]
    of: Option<String>,
    /// The address they would ask from, for rights that count from some networks only.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    from: IpAddr,
}

/// Runs the command. Ends with 0 when it is allowed, with 3 when it is not.
///
/// # Errors
/// The server cannot be asked, says that it failed, or `out` cannot be written to.
pub fn run(
    command: &ExplainCommand,
    variables: &[(String, String)],
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let args = ExplainArgs {
        user: command.user.clone(),
        of: command.of.clone(),
        action: command.action.clone(),
        object: command.object.clone(),
        from: command.from,
    };
    let found = command.asked.call::<Explain>(variables, &args, |()| {})?;
    print(&command.asked, &found, out)
}

/// Prints an answer, and says how to end.
pub(super) fn print(
    asked: &Asked,
    found: &Explained,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    if asked.json {
        writeln!(out, "{}", found.explanation)?;
    } else {
        let word = if found.allowed { "yes" } else { "no" };
        writeln!(out, "{word}: {}", found.reason)?;
        let text = |name: &str| found.explanation.get(name).and_then(|it| it.as_str());
        if let Some(name) = text("moved_to") {
            writeln!(out, "its name is {name} now")?;
        }
        let list = |name: &str| {
            let list = found.explanation.get(name).and_then(|it| it.as_array());
            list.cloned().unwrap_or_default()
        };
        let tags: Vec<_> = list("tags");
        let tags: Vec<_> = tags.iter().filter_map(|tag| tag.as_str()).collect();
        if found.allowed && !tags.is_empty() {
            writeln!(out, "for the tags {}", tags.join(" "))?;
        }
        let bindings = list("bindings");
        if !bindings.is_empty() {
            writeln!(out, "What was looked at:")?;
        }
        for binding in bindings {
            let id = binding.get("binding").and_then(serde_json::Value::as_i64);
            // What is only supposed has none.
            let id = id
                .filter(|id| *id != 0)
                .map_or_else(|| "-".to_owned(), |id| id.to_string());
            let text = binding.get("text").and_then(|it| it.as_str());
            writeln!(out, "  {id}  {}", text.unwrap_or_default())?;
        }
    }
    Ok(if found.allowed {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(3)
    })
}
