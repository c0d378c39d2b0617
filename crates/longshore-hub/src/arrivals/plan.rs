//! What is to be done about somebody who comes in: compared with what is there, so that most logins write nothing.

use std::collections::BTreeSet;

use longshore_auth::directory::Person;
use longshore_auth::index::Received;
use longshore_auth::rights::role::ADMINISTRATOR_ID;
use longshore_core::{Code, Result};
use longshore_meta::Tx;
use longshore_meta::bindings::{Subject, binding_of};
use longshore_meta::identities::identity_find;
use longshore_meta::members::member_from;
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::principals::{Kind, PrincipalId, State, principal_get, principal_named};

use super::Rules;
use super::rules::Team;
use crate::identities::expected;
use crate::names::{check, free};

/// The most bindings of one person that are looked through for that of an administrator.
const BINDINGS: usize = 10_000;

/// Where somebody belongs.
#[derive(Debug)]
pub(super) enum Home {
    /// To this account.
    Account(PrincipalId),
    /// To this account, of which an administrator said that they would come.
    Expected(PrincipalId),
    /// To an account of this name, which is to be made.
    New(String),
    /// Nowhere.
    Nobody(Received),
}

/// What is to be done.
#[derive(Debug)]
pub(super) struct Plan {
    /// Where they belong.
    pub(super) home: Home,
    /// When they were last noted to come.
    pub(super) seen: i64,
    /// The full name, mail address and description to be written, where they are others.
    pub(super) describe: Option<(String, String, String)>,
    /// The organisations and teams to join, and to leave.
    pub(super) join: BTreeSet<PrincipalId>,
    pub(super) leave: BTreeSet<PrincipalId>,
    /// Whether they become administrators.
    pub(super) bind: bool,
    /// Bindings that made them administrators, and are to go.
    pub(super) unbind: Vec<i64>,
}

impl Plan {
    /// Whether nothing of an account that is there changes.
    pub(super) fn is_empty(&self) -> bool {
        self.describe.is_none()
            && self.join.is_empty()
            && self.leave.is_empty()
            && !self.bind
            && self.unbind.is_empty()
    }
}

/// The mail address that a source says is theirs.
pub(super) fn mail(person: &Person) -> Option<&str> {
    person.mail.as_deref().filter(|_| person.mail_verified)
}

/// The name of the account that is made for somebody: what a mail address has before its `@`, in lower case.
fn account_name(name: &str) -> String {
    let own = name.split_once('@').map_or(name, |(own, _)| own);
    own.to_ascii_lowercase()
}

/// What is to be done about `person`.
///
/// # Errors
/// `Unavailable`.
pub(super) async fn plan(
    tx: &mut Tx<'_>,
    person: &Person,
    rules: &Rules,
    now: i64,
) -> Result<Plan> {
    let (home, seen) = home(tx, person, rules, now).await?;
    let mut plan = Plan {
        home,
        seen,
        describe: None,
        join: BTreeSet::new(),
        leave: BTreeSet::new(),
        bind: false,
        unbind: Vec::new(),
    };
    let (Home::Account(id) | Home::Expected(id)) = plan.home else {
        return Ok(plan);
    };
    let Some(account) = principal_get(tx, id).await? else {
        return Ok(plan);
    };
    let full_name = person.full_name.as_ref().unwrap_or(&account.full_name);
    let mail = mail(person).unwrap_or(&account.mail);
    if *full_name != account.full_name || mail != account.mail {
        plan.describe = Some((full_name.clone(), mail.to_owned(), account.description));
    }
    if let Some(groups) = &person.groups {
        let wanted = parties(tx, groups, rules).await?;
        let has: BTreeSet<PrincipalId> = member_from(tx, id, &person.source)
            .await?
            .into_iter()
            .collect();
        plan.join = wanted.difference(&has).copied().collect();
        plan.leave = has.difference(&wanted).copied().collect();
    }
    if let Some(is_admin) = person.admin {
        let said: Vec<i64> = binding_of(tx, Subject::from(id), BINDINGS)
            .await?
            .into_iter()
            .filter(|binding| {
                binding.source == person.source
                    && binding.role == ADMINISTRATOR_ID
                    && binding.namespace == NamespaceId::EVERYWHERE
            })
            .map(|binding| binding.id)
            .collect();
        plan.bind = is_admin && said.is_empty();
        plan.unbind = if is_admin { Vec::new() } else { said };
    }
    Ok(plan)
}

async fn home(tx: &mut Tx<'_>, person: &Person, rules: &Rules, now: i64) -> Result<(Home, i64)> {
    if let Some((id, _, seen)) = identity_find(tx, &person.source, &person.subject).await? {
        return Ok((Home::Account(id), seen));
    }
    let source = expected(&person.source);
    if let Some((id, _, _)) = identity_find(tx, &source, &person.name).await? {
        return Ok((Home::Expected(id), 0));
    }
    if !rules.onboard {
        return Ok((Home::Nobody(Received::Unknown), 0));
    }
    let name = account_name(&person.name);
    if check(&name).is_err() {
        return Ok((Home::Nobody(Received::NameInvalid), 0));
    }
    match free(tx, &name, now).await {
        Ok(()) => Ok((Home::New(name), 0)),
        Err(error) if error.code() == Code::ConditionFailed => {
            Ok((Home::Nobody(Received::NameTaken), 0))
        }
        Err(error) => Err(error),
    }
}

/// The organisations and teams that these groups make somebody a member of. What is not there is left out: a team is made by
/// whoever may make it.
async fn parties(
    tx: &mut Tx<'_>,
    groups: &[String],
    rules: &Rules,
) -> Result<BTreeSet<PrincipalId>> {
    let mut found = BTreeSet::new();
    for rule in &rules.teams {
        let fitting: Vec<&String> = groups.iter().filter(|group| rule.fits(group)).collect();
        if fitting.is_empty() {
            continue;
        }
        let organisation = principal_named(tx, PrincipalId(0), &rule.organisation).await?;
        let Some(organisation) =
            organisation.filter(|it| it.kind == Kind::Organisation && it.state == State::Active)
        else {
            continue;
        };
        for group in fitting {
            let name = match &rule.team {
                Team::None => {
                    found.insert(organisation.id);
                    continue;
                }
                Team::Named(name) => name,
                Team::OfGroup => group,
            };
            let team = principal_named(tx, organisation.id, name).await?;
            if let Some(team) = team.filter(|it| it.kind == Kind::Team) {
                found.insert(team.id);
                found.insert(organisation.id);
            }
        }
    }
    Ok(found)
}
