//! `longshore admin`: what the operator asks of a running server.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::audit::{self, AuditCommand};
use super::certificates::{self, CertificateCommand};
use super::explain::{self, ExplainCommand};
use super::identities::{self, IdentityCommand};
use super::keys::{self, KeysCommand};
use super::mail::{self, MailCommand};
use super::orgs::{self, OrgCommand, TeamCommand};
use super::places::{self, NamespaceCommand};
use super::repos::{self, RepoCommand};
use super::resting::{self, NameCommand};
use super::rights::{self, BindingCommand, RoleCommand};
use super::robots::{self, RobotCommand};
use super::settings::{self, SettingsCommand};
use super::tags::{self, TagsCommand};
use super::tokens::{self, TokenCommand};
use super::trash::{self, TrashCommand};
use super::trust::{self, TrustCommand};
use super::users::{self, UserCommand};
use super::what_if::{self, WhatIfCommand};
use crate::control::status::{self, Status};
use crate::control::{Client, Operation, Target};

/// What to ask of a running server.
#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Say which server runs over a data directory.
    Status(Asked),
    /// Accounts of people.
    #[command(subcommand)]
    User(UserCommand),
    /// Organisations and who is in them.
    #[command(subcommand)]
    Org(OrgCommand),
    /// Teams of organisations.
    #[command(subcommand)]
    Team(TeamCommand),
    /// Namespaces: the beginnings of repositories' names.
    #[command(subcommand)]
    Namespace(NamespaceCommand),
    /// Repositories.
    #[command(subcommand)]
    Repo(RepoCommand),
    /// Names that were given up and rest.
    #[command(subcommand)]
    Name(NameCommand),
    /// Roles: which actions there are under which name.
    #[command(subcommand)]
    Role(RoleCommand),
    /// Who has which role where.
    #[command(subcommand)]
    Binding(BindingCommand),
    /// Who changed what, and whether the log says the truth.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Personal access tokens.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Accounts of machines.
    #[command(subcommand)]
    Robot(RobotCommand),
    /// Whose tokens make their bearer a robot: logins of a CI or a cluster without a secret.
    #[command(subcommand)]
    Trust(TrustCommand),
    /// Whose certificate is whose: logins by TLS.
    #[command(subcommand)]
    Certificate(CertificateCommand),
    /// How accounts are known to directories.
    #[command(subcommand)]
    Identity(IdentityCommand),
    /// Letters: whether they are sent, and which wait.
    #[command(subcommand)]
    Mail(MailCommand),
    /// What is so for the whole system: who may come in, and whether anything can be changed.
    #[command(subcommand)]
    Settings(SettingsCommand),
    /// The keys that tokens are signed with.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Say whether somebody may do something, and why.
    ///
    /// Ends with 0 when it is allowed, with 3 when it is not.
    Explain(ExplainCommand),
    /// Say whether somebody might do something, and why, after changes that are not made.
    ///
    /// All that is supposed is so at the same time, and nothing is changed. Each option that supposes something may be given more than once.
    /// Ends with 0 when it would be allowed, with 3 when it would not.
    #[command(name = "what-if")]
    WhatIf(Box<WhatIfCommand>),
    /// Say where a tag pointed, and point it there again.
    #[command(subcommand)]
    Tags(TagsCommand),
    /// Look at what was deleted, bring it back, or remove it for good.
    #[command(subcommand)]
    Trash(TrashCommand),
}

/// How a server is asked and its answer printed.
#[derive(Debug, Clone, Args)]
pub struct Asked {
    #[command(flatten)]
    target: Target,

    /// Print the answer as JSON, for programs.
    #[arg(long)]
    pub json: bool,
}

impl Asked {
    /// Asks for an operation and waits for its end; `step` is called for each step on the way.
    ///
    /// # Errors
    /// The server cannot be asked, or says that it failed.
    pub fn call<O: Operation>(
        &self,
        variables: &[(String, String)],
        args: &O::Args,
        step: impl FnMut(O::Step),
    ) -> anyhow::Result<O::Done> {
        let client: Client = self.target.client(variables)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(client.call::<O>(args, step))
    }
}

/// Runs the command.
///
/// # Errors
/// The server cannot be asked, says that it failed, or `out` cannot be written to.
pub fn run(
    command: &AdminCommand,
    variables: &[(String, String)],
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    match command {
        AdminCommand::User(command) => return users::run(command, variables, out),
        AdminCommand::Org(command) => return orgs::org(command, variables, out),
        AdminCommand::Team(command) => return orgs::team(command, variables, out),
        AdminCommand::Namespace(command) => return places::namespace(command, variables, out),
        AdminCommand::Repo(command) => return repos::run(command, variables, out),
        AdminCommand::Settings(command) => return settings::run(command, variables, out),
        AdminCommand::Name(command) => return resting::run(command, variables, out),
        AdminCommand::Role(command) => return rights::role(command, variables, out),
        AdminCommand::Binding(command) => return rights::binding(command, variables, out),
        AdminCommand::Audit(command) => return audit::run(command, variables, out),
        AdminCommand::Token(command) => return tokens::run(command, variables, out),
        AdminCommand::Robot(command) => return robots::run(command, variables, out),
        AdminCommand::Trust(command) => return trust::run(command, variables, out),
        AdminCommand::Certificate(command) => return certificates::run(command, variables, out),
        AdminCommand::Identity(command) => return identities::run(command, variables, out),
        AdminCommand::Mail(command) => return mail::run(command, variables, out),
        AdminCommand::Keys(command) => return keys::run(command, variables, out),
        AdminCommand::Explain(command) => return explain::run(command, variables, out),
        AdminCommand::WhatIf(command) => return what_if::run(command, variables, out),
        AdminCommand::Tags(command) => return tags::run(command, variables, out),
        AdminCommand::Trash(command) => return trash::run(command, variables, out),
        AdminCommand::Status(asked) => {
            let running = asked.call::<Status>(variables, &status::Args::default(), |()| {})?;
            if asked.json {
                writeln!(out, "{}", serde_json::to_string(&running)?)?;
            } else {
                writeln!(
                    out,
                    "Longshore {} runs as process {} over {}",
                    running.version, running.pid, running.data
                )?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
