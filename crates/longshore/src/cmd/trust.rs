//! `longshore admin trust`: whose tokens make their bearer a robot.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;

use super::admin::Asked;
use super::tokens::{lives, names};
use super::words::time;
use crate::control::trust::{Create, CreateArgs, Delete, DeleteArgs, Entry, List, ListArgs};

/// What to do with trust rules.
#[derive(Debug, Subcommand)]
pub enum TrustCommand {
    /// Let a CI or a cluster log in as a robot, with the tokens it gives to its jobs and no secret of ours.
    ///
    /// A job logs in with the robot's name and its token as the password: `docker login -u robot+ci --password-stdin`.
    Create {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The robot, which must be there: `robot+ci`, `acme+ci`.
        robot: String,
        /// The issuer, to the letter as its tokens have it (`iss`), such as `https://token.actions.githubusercontent.com`.
        #[arg(long)]
        issuer: String,
        /// For whom the tokens must be (`aud`) [default: the name of this registry].
        #[arg(long)]
        audience: Option<String>,
        /// What a claim must say, as CLAIM=PATTERN, such as `sub=repo:acme/app:ref:refs/heads/main`; may be given more than
        /// once, and all must fit. `*` is anything up to the next `:` or `/`, `**` anything. A claim inside of others is a
        /// path, as in `/kubernetes.io/namespace=ci`.
        #[arg(long = "claim", value_name = "CLAIM=PATTERN", required = true)]
        claims: Vec<String>,
        /// A repository the job is limited to, whatever it is called from now on, or a pattern of names such as `acme/**`; may be given
        /// more than once.
        #[arg(long = "repository", value_name = "PATTERN")]
        repositories: Vec<String>,
        /// What the job is limited to: `pull`, `push`, `delete`; may be given more than once.
        #[arg(long = "action", value_name = "ACTION")]
        actions: Vec<String>,
        /// What it is for.
        #[arg(long, default_value = "")]
        description: String,
        /// How long it lives, such as `365d`, or `never`.
        #[arg(long, default_value = "never")]
        expires: String,
    },
    /// List the trust rules of a robot.
    List {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The robot.
        robot: String,
    },
    /// Take a trust rule back. What was issued by it is void.
    Delete {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The robot.
        robot: String,
        /// The rule, by its id.
        id: i64,
    },
}

/// Runs the command.
///
/// # Errors
/// The server cannot be asked, says that it failed, or `out` cannot be written to.
pub fn run(
    command: &TrustCommand,
    variables: &[(String, String)],
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    match command {
        TrustCommand::Create {
            asked,
            robot,
            issuer,
            audience,
            claims,
            repositories,
            actions,
            description,
            expires,
        } => {
            let args = CreateArgs {
                robot: robot.clone(),
                issuer: issuer.clone(),
                audience: audience.clone(),
                claims: read(claims)?,
                repositories: repositories.clone(),
                actions: actions.clone(),
                description: description.clone(),
                lives: lives(expires).map_err(anyhow::Error::msg)?,
            };
            let made = asked.call::<Create>(variables, &args, |()| {})?;
            if asked.json {
                writeln!(out, "{}", serde_json::to_value(&made)?)?;
            } else {
                writeln!(out, "trust rule {} of {robot}", made.id)?;
                names(&made.by_name, "rule", out)?;
            }
        }
        TrustCommand::List { asked, robot } => {
            let args = ListArgs {
                robot: robot.clone(),
            };
            let rules = asked.call::<List>(variables, &args, |()| {})?;
            if asked.json {
                writeln!(out, "{}", serde_json::to_string(&rules)?)?;
            } else {
                for rule in &rules {
                    show(rule, out)?;
                }
            }
        }
        TrustCommand::Delete { asked, robot, id } => {
            let args = DeleteArgs {
                robot: robot.clone(),
                id: *id,
            };
            asked.call::<Delete>(variables, &args, |()| {})?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Claims and their patterns; each claim once, as all of them must fit.
fn read(claims: &[String]) -> anyhow::Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for text in claims {
        let (claim, pattern) = text
            .split_once('=')
            .with_context(|| format!("`{text}` is not CLAIM=PATTERN"))?;
        let before = found.insert(claim.to_owned(), pattern.to_owned());
        anyhow::ensure!(
            before.is_none(),
            "the claim `{claim}` is there twice; make two rules where either may fit"
        );
    }
    Ok(found)
}

fn show(rule: &Entry, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{}  {}  for {}", rule.id, rule.issuer, rule.audience)?;
    for (claim, pattern) in rule.claims.as_object().into_iter().flatten() {
        writeln!(out, "  {claim} = {}", pattern.as_str().unwrap_or_default())?;
    }
    if let Some(scope) = &rule.scope {
        writeln!(out, "  narrowed to {scope}")?;
    }
    let ends = rule.expires.map_or_else(|| "never".to_owned(), time);
    let used = rule.used.map_or_else(|| "never".to_owned(), time);
    writeln!(out, "  ends {ends}  used {used}  {}", rule.description)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_may_have_equals_signs_and_a_claim_is_said_once() {
        let words = |words: &[&str]| words.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let found = read(&words(&["sub=a=b", "/k/ns=ci"])).unwrap();
        assert_eq!(
            (found["sub"].as_str(), found["/k/ns"].as_str()),
            ("a=b", "ci")
        );
        assert!(read(&words(&["sub"])).is_err());
        assert!(read(&words(&["sub=a", "sub=b"])).is_err());
    }
}
