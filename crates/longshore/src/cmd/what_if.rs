//! `longshore admin what-if`: what would be allowed after changes that nobody has made?

use std::io::Write;
use std::net::IpAddr;
use std::process::ExitCode;

use clap::Args;

use super::admin::Asked;
use super::explain::print;
use crate::control::what_if::{Changes, Given, RoleThen, WhatIf, WhatIfArgs};

/// What the options that suppose something stand under.
const HEADING: &str = "What is supposed";
/// Everywhere, as bindings and roles say it.
const EVERYWHERE: &str = "**";

/// Who, what, where, and what is supposed.
#[derive(Debug, Args)]
pub struct WhatIfCommand {
    /// How the server is asked.
    #[command(flatten)]
    asked: Asked,
    /// Who it is about, as they log in: USER, OWNER+ROBOT or robot+ROBOT; or ORGANISATION/TEAM, or `anonymous`.
    subject: String,
    /// What they would do: pull, push, delete, or the name of an action, such as namespace:settings.
    action: String,
    /// A repository, with a tag perhaps (acme/app:1.0); a namespace, with a slash at its end (acme/); or `system`.
    object: String,
    /// Suppose that somebody has a role there, such as `ann=developer@acme` or `everybody=reader@**`.
    #[arg(long, help_heading = HEADING, value_name = "SUBJECT=ROLE@NAMESPACE", value_parser = granted)]
    grant: Vec<Given>,
    /// Suppose that somebody is denied what a role allows there.
    #[arg(long, help_heading = HEADING, value_name = "SUBJECT=ROLE@NAMESPACE", value_parser = denied)]
    deny: Vec<Given>,
    /// Suppose that a binding is taken back, by its id (`longshore admin binding list`).
    #[arg(long, help_heading = HEADING, value_name = "ID")]
    without: Vec<i64>,
    /// Suppose that a role allows these actions and no others; ROLE@NAMESPACE for a role of that namespace's owner. One that is not there yet
    /// can be granted as well.
    #[arg(long = "role", help_heading = HEADING, value_name = "ROLE=ACTION,ACTION", value_parser = role)]
    roles: Vec<RoleThen>,
    /// Suppose that SUBJECT gets into a team (acme/web) or an organisation (acme).
    #[arg(long, help_heading = HEADING, value_name = "TEAM")]
    join: Vec<String>,
    /// Suppose that SUBJECT is in it no more; this comes before what they join.
    #[arg(long, help_heading = HEADING, value_name = "TEAM")]
    leave: Vec<String>,
    /// Suppose who may see a namespace (acme/=public) or a repository (acme/app=inherit): private, internal or public.
    #[arg(long, help_heading = HEADING, value_name = "WHERE=WORD", value_parser = seen)]
    visibility: Vec<(String, String)>,
    /// Suppose that a namespace (acme/), a repository (acme/app) or everything (system) is read-only.
    #[arg(long, help_heading = HEADING, value_name = "WHERE")]
    read_only: Vec<String>,
    /// Suppose that it is not.
    #[arg(long, help_heading = HEADING, value_name = "WHERE")]
    writable: Vec<String>,
    /// The address they would ask from, for rights that count from some networks only.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    from: IpAddr,
}

/// A namespace with or without a slash at its end; `system` and `**` are everywhere.
fn namespace(text: &str) -> String {
    let path = text.strip_suffix('/').unwrap_or(text);
    let path = if path == "system" { EVERYWHERE } else { path };
    path.to_owned()
}

fn given(text: &str, deny: bool) -> Result<Given, String> {
    let parts = text.rsplit_once('=').and_then(|(subject, rest)| {
        let (role, place) = rest.rsplit_once('@')?;
        Some((subject, role, place))
    });
    match parts {
        Some((subject, role, place)) if ![subject, role, place].contains(&"") => Ok(Given {
            subject: subject.to_owned(),
            role: role.to_owned(),
            place: namespace(place),
            deny,
        }),
        _ => Err(
            "write who, which role and where, such as `ann=developer@acme`, `acme/devs=reader@acme/web` or `everybody=reader@**`"
                .to_owned(),
        ),
    }
}

fn granted(text: &str) -> Result<Given, String> {
    given(text, false)
}

fn denied(text: &str) -> Result<Given, String> {
    given(text, true)
}

fn role(text: &str) -> Result<RoleThen, String> {
    let wrong = || {
        "write the role and all it would allow, such as `puller=pull,repository:list`, or `puller@acme=pull` for a role of `acme`"
            .to_owned()
    };
    let (role, actions) = text.split_once('=').ok_or_else(wrong)?;
    let (name, of) = role.split_once('@').unwrap_or((role, EVERYWHERE));
    let actions: Vec<String> = actions.split(',').map(str::to_owned).collect();
    if name.is_empty() || of.is_empty() || actions.iter().any(String::is_empty) {
        return Err(wrong());
    }
    Ok(RoleThen {
        name: name.to_owned(),
        of: namespace(of),
        actions,
    })
}

fn seen(text: &str) -> Result<(String, String), String> {
    let words = ["private", "internal", "public", "inherit"];
    match text.rsplit_once('=') {
        Some((place, word)) if !place.is_empty() && words.contains(&word) => {
            Ok((place.to_owned(), word.to_owned()))
        }
        _ => Err(
            "write where and who sees it: `acme/=public`, `acme/app=private`; there are private, internal, public, and inherit for a repository"
                .to_owned(),
        ),
    }
}

/// Runs the command. Ends with 0 when it would be allowed, with 3 when it would not.
///
/// # Errors
/// The server cannot be asked, says that it failed, or `out` cannot be written to.
pub fn run(
    command: &WhatIfCommand,
    variables: &[(String, String)],
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let places = |list: &[String], read_only: bool| {
        let all = list.iter().map(|at| (at.clone(), read_only));
        all.collect::<Vec<_>>()
    };
    let changes = Changes {
        given: [command.grant.as_slice(), &command.deny].concat(),
        without: command.without.clone(),
        roles: command.roles.clone(),
        joins: command.join.clone(),
        leaves: command.leave.clone(),
        visibility: command.visibility.clone(),
        read_only: [
            places(&command.read_only, true),
            places(&command.writable, false),
        ]
        .concat(),
    };
    let args = WhatIfArgs {
        subject: command.subject.clone(),
        action: command.action.clone(),
        object: command.object.clone(),
        from: command.from,
        changes,
    };
    let found = command.asked.call::<WhatIf>(variables, &args, |()| {})?;
    print(&command.asked, &found, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_supposed_is_read_as_it_is_written_and_what_is_unclear_is_refused() {
        for (text, subject, role, place) in [
            ("ann=developer@acme", "ann", "developer", "acme"),
            ("acme+ci=reader@acme/web/", "acme+ci", "reader", "acme/web"),
            ("everybody=reader@**", "everybody", "reader", "**"),
            ("user:ann=owner@system", "user:ann", "owner", "**"),
        ] {
            let found = granted(text).unwrap();
            let words = (found.subject.as_str(), found.role.as_str());
            assert_eq!((words, found.place.as_str()), ((subject, role), place));
            assert!(denied(text).unwrap().deny && !found.deny);
        }
        for text in [
            "ann",
            "ann=developer",
            "=developer@acme",
            "ann=@acme",
            "ann=x@",
            "",
        ] {
            assert!(granted(text).is_err(), "{text}");
        }
        let found = role("puller@acme/=pull,repository:list").unwrap();
        assert_eq!((found.name.as_str(), found.of.as_str()), ("puller", "acme"));
        assert_eq!(found.actions, ["pull", "repository:list"]);
        assert_eq!(role("puller=pull").unwrap().of, "**");
        for text in ["puller", "puller=", "=pull", "puller=pull,", "puller@=pull"] {
            assert!(role(text).is_err(), "{text}");
        }
        assert_eq!(
            seen("acme/=public"),
            Ok(("acme/".to_owned(), "public".to_owned()))
        );
        for text in ["acme/", "acme/=", "acme/=open", "=public"] {
            assert!(seen(text).is_err(), "{text}");
        }
    }
}
