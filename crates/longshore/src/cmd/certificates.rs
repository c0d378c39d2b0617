//! `longshore admin certificate`: whose certificate is whose.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::admin::Asked;
use super::tokens::{lives, names};
use super::words::time;
use crate::control::certificates::{Create, CreateArgs, Delete, DeleteArgs, Entry, List, ListArgs};

/// What a certificate says; one of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Says {
    /// An alternative name that is a URI, such as `spiffe://acme/ci`.
    #[arg(long)]
    uri: Option<String>,
    /// An alternative name that is a host's.
    #[arg(long)]
    dns: Option<String>,
    /// An alternative name that is a mail address.
    #[arg(long)]
    email: Option<String>,
    /// The common name. Not looked at under authorities that may speak for some names only, as those limits do not hold for it.
    #[arg(long)]
    cn: Option<String>,
    /// The SHA-256 of the certificate itself, as `openssl x509 -noout -fingerprint -sha256` prints it.
    #[arg(long, value_name = "FINGERPRINT")]
    sha256: Option<String>,
}

impl Says {
    fn subject(&self) -> String {
        let all = [
            ("uri", &self.uri),
            ("dns", &self.dns),
            ("email", &self.email),
            ("cn", &self.cn),
            ("sha256", &self.sha256),
        ];
        let said = all.into_iter().find_map(|(kind, value)| {
            let value = value.as_deref()?;
            Some(format!("{kind}:{value}"))
        });
        said.unwrap_or_default()
    }
}

/// What to do with rules about certificates.
#[derive(Debug, Subcommand)]
pub enum CertificateCommand {
    /// Let whoever shows a certificate that says this be an account. `tls.client_ca` says whose certificates are believed.
    Create {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The account, which must be there: `ann`, `robot+ci`, `acme+ci`.
        account: String,
        /// What the certificate says.
        #[command(flatten)]
        says: Box<Says>,
        /// Repositories it is limited to, as patterns such as `acme/**`; may be given more than once.
        #[arg(long = "repository", value_name = "PATTERN")]
        repositories: Vec<String>,
        /// What it is limited to: `pull`, `push`, `delete`; may be given more than once.
        #[arg(long = "action", value_name = "ACTION")]
        actions: Vec<String>,
        /// What it is for.
        #[arg(long, default_value = "")]
        description: String,
        /// How long the rule lives, such as `365d`, or `never`. The certificate's own end holds as well.
        #[arg(long, default_value = "never")]
        expires: String,
    },
    /// List the rules of an account.
    List {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The account.
        account: String,
    },
    /// Take a rule back. What was issued to its account is void.
    Delete {
        /// How the server is asked.
        #[command(flatten)]
        asked: Asked,
        /// The account.
        account: String,
        /// The rule, by its id.
        id: i64,
    },
}

/// Runs the command.
///
/// # Errors
/// The server cannot be asked, says that it failed, or `out` cannot be written to.
pub fn run(
    command: &CertificateCommand,
    variables: &[(String, String)],
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    match command {
        CertificateCommand::Create {
            asked,
            account,
            says,
            repositories,
            actions,
            description,
            expires,
        } => {
            let args = CreateArgs {
                account: account.clone(),
                subject: says.subject(),
                repositories: repositories.clone(),
                actions: actions.clone(),
                description: description.clone(),
                lives: lives(expires).map_err(anyhow::Error::msg)?,
            };
            let made = asked.call::<Create>(variables, &args, |()| {})?;
            if asked.json {
                writeln!(out, "{}", serde_json::to_value(&made)?)?;
            } else {
                writeln!(out, "rule {} of {account}", made.id)?;
                names(&made.by_name, "rule", out)?;
            }
        }
        CertificateCommand::List { asked, account } => {
            let args = ListArgs {
                account: account.clone(),
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
        CertificateCommand::Delete { asked, account, id } => {
            let args = DeleteArgs {
                account: account.clone(),
                id: *id,
            };
            asked.call::<Delete>(variables, &args, |()| {})?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(rule: &Entry, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{}  {}", rule.id, rule.subject)?;
    if let Some(scope) = &rule.scope {
        writeln!(out, "  narrowed to {scope}")?;
    }
    let ends = rule.expires.map_or_else(|| "never".to_owned(), time);
    let used = rule.used.map_or_else(|| "never".to_owned(), time);
    writeln!(out, "  ends {ends}  used {used}  {}", rule.description)
}
