//! `longshore admin user invite`, `invitations` and `withdraw`.

use std::io::Write;

use clap::Args;

use super::admin::Asked;
use super::words::time;
use crate::control::invitations::{Create, CreateArgs, List, ListArgs, Withdraw, WithdrawArgs};

/// Whom to invite.
#[derive(Debug, Args)]
pub struct Invite {
    /// How the server is asked.
    #[command(flatten)]
    asked: Asked,
    /// The mail address that the code is sent to. Without it, or where no mail is sent, the code is printed.
    #[arg(long, default_value = "")]
    mail: String,
    /// The name that the account is to have [default: whoever comes chooses].
    #[arg(long, default_value = "")]
    name: String,
    /// Invite into this organisation, as ORGANISATION or ORGANISATION/TEAM.
    #[arg(long, value_name = "ORGANISATION")]
    into: Option<String>,
    /// For how many days it is good; 30 at the most.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u64).range(1..=30))]
    days: u64,
}

/// Invites somebody.
///
/// # Errors
/// The server cannot be asked, says that it failed, or `out` cannot be written to.
pub(super) fn invite(
    invite: &Invite,
    variables: &[(String, String)],
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let (organisation, team) = match invite.into.as_deref().map(|it| it.split_once('/')) {
        None => (None, None),
        Some(None) => (invite.into.clone(), None),
        Some(Some((organisation, team))) => (Some(organisation.to_owned()), Some(team.to_owned())),
    };
    let args = CreateArgs {
        mail: invite.mail.clone(),
        name: invite.name.clone(),
        organisation,
        team,
        days: invite.days,
    };
    let made = invite.asked.call::<Create>(variables, &args, |()| {})?;
    if invite.asked.json {
        writeln!(out, "{}", serde_json::to_string(&made)?)?;
        return Ok(());
    }
    let until = time(made.expires);
    match &made.token {
        Some(token) => writeln!(
            out,
            "{token}\n\nThis code makes one account (POST /api/v1/sign-up/complete), until {until}. It is not shown again."
        )?,
        None => writeln!(
            out,
            "a letter goes to {}; it is good until {until} (invitation {})",
            invite.mail, made.id
        )?,
    }
    Ok(())
}

/// Lists open invitations.
///
/// # Errors
/// See [`invite`].
pub(super) fn list(
    asked: &Asked,
    variables: &[(String, String)],
    organisation: Option<&str>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let args = ListArgs {
        organisation: organisation.map(str::to_owned),
    };
    let rows = asked.call::<List>(variables, &args, |()| {})?;
    if asked.json {
        writeln!(out, "{}", serde_json::to_string(&rows)?)?;
        return Ok(());
    }
    for row in rows {
        let of = [row.name, row.mail].join(" ");
        let of = of.trim();
        let of = if of.is_empty() { "whoever has it" } else { of };
        writeln!(out, "{}  {of}  until {}", row.id, time(row.expires))?;
    }
    Ok(())
}

/// Withdraws an invitation.
///
/// # Errors
/// See [`invite`].
pub(super) fn withdraw(
    asked: &Asked,
    variables: &[(String, String)],
    (id, organisation): (i64, Option<&str>),
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let args = WithdrawArgs {
        id,
        organisation: organisation.map(str::to_owned),
    };
    asked.call::<Withdraw>(variables, &args, |()| {})?;
    if !asked.json {
        writeln!(out, "invitation {id} is good no more")?;
    }
    Ok(())
}
