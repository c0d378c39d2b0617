//! Bindings as people write them: whom and what by names, which are found in the transaction that gives the right.

use longshore_auth::index::SYSTEM;
use longshore_auth::rights::judge::allows;
use longshore_auth::rights::{Action, Object, ground};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::bindings::{Binding, Subject};
use longshore_meta::members::member_of;
use longshore_meta::namespaces::{NamespaceId, namespace_at, namespace_chain, namespace_get};
use longshore_meta::principals::{Kind, Principal, PrincipalId, principal_get, principal_named};
use longshore_meta::repos::repo_name;
use longshore_meta::roles::{Role, role_named};
use longshore_spec::name::RepoName;

use crate::bindings::{binding_add, home_of};
use crate::caller::Caller;
use crate::hub::Hub;
use crate::names::missing;
use crate::narrowing::meant;
use crate::permit::Permit;

const MANAGE: u8 = Action::RightsManage as u8;
/// The word for everybody.
const EVERYBODY: &str = "everybody";
/// The word for everybody who has logged in.
const LOGGED_IN: &str = "logged-in";

/// A binding that is to be.
#[derive(Debug, Clone, Default)]
pub struct Give {
    /// Whom: `user:alice`, `organisation:acme`, `team:acme/web`, `robot:acme+ci`, `everybody` or `logged-in`.
    pub subject: String,
    /// The name of a role.
    pub role: String,
    /// Whether it denies.
    pub deny: bool,
    /// The only repository it is for.
    pub repository: Option<RepoName>,
    /// Patterns of the repositories it is for, below the namespace; or the name of one that is there, which is meant by its id.
    pub repositories: Option<String>,
    /// Patterns of the tags it is for.
    pub tags: Option<String>,
    /// Networks from which it counts.
    pub networks: Option<String>,
    /// Hours at which it counts, as JSON.
    pub hours: Option<String>,
    /// Until when it counts, in microseconds.
    pub expires: Option<i64>,
}

/// A binding, with the names of what its row names by ids.
#[derive(Debug, Clone)]
pub struct BindingSeen {
    /// The row.
    pub row: Binding,
    /// Whom it is for, as in [`Give`].
    pub subject: String,
    /// The only repository it is for.
    pub repository: Option<RepoName>,
}

impl Hub {
    /// Gives a role to somebody on `object`, or denies it; by names. Gives the binding.
    ///
    /// # Errors
    /// See [`Hub::binding_add`]; `NameUnknown` also for names of nobody.
    pub async fn binding_give(&self, caller: &Caller, object: &Object, give: Give) -> Result<i64> {
        self.act(caller, object.clone(), give, |tx, permit, give| {
            Box::pin(async move {
                let binding = named(tx, permit, give).await?;
                binding_add(tx, permit, &binding).await
            })
        })
        .await
    }
}

/// The binding that is meant.
async fn named(tx: &mut Tx<'_>, permit: &Permit<MANAGE>, give: &Give) -> Result<Binding> {
    let home = home_of(permit.object());
    let role = role_find(tx, home, &give.role).await?;
    rest(tx, permit.caller(), (home, role.id), give).await
}

/// The role of that name that is had on a namespace, or everywhere (0): one of whoever owns it, or one of all.
///
/// # Errors
/// `NameUnknown` or `Unavailable`.
pub(crate) async fn role_find(tx: &mut Tx<'_>, home: NamespaceId, name: &str) -> Result<Role> {
    let owner = namespace_get(tx, home).await?.map(|it| it.owner);
    if let Some(owner) = owner.filter(|owner| owner.0 != 0)
        && let Some(role) = role_named(tx, owner, name).await?
    {
        return Ok(role);
    }
    let role = role_named(tx, PrincipalId(0), name).await?;
    role.ok_or_else(|| missing(&format!("role `{name}`")))
}

/// The binding that is meant by names, on a namespace or everywhere (0), with a role; as it would be, not written.
///
/// # Errors
/// `NameUnknown` for names of nobody, `QueryInvalid` for a repository beside others or where it has ended, or `Unavailable`.
pub(crate) async fn rest(
    tx: &mut Tx<'_>,
    caller: &Caller,
    (home, role): (NamespaceId, i64),
    give: &Give,
) -> Result<Binding> {
    if give.expires.is_some_and(|end| end <= caller.micros()) {
        return Err(Error::new(
            Code::QueryInvalid,
            "a right that has ended already is none; give a later time",
        ));
    }
    let subject = subject_find(tx, caller, &give.subject).await?;
    let alone = alone(tx, caller, home, give).await?;
    let repo = match &give.repository {
        None => alone,
        Some(name) => {
            // Of one that is hidden from whoever asks nothing is said, as of one that is not there.
            let found = meant(tx, caller, name).await?;
            Some(found.ok_or_else(|| missing("repository"))?.0)
        }
    };
    let plain = Binding::plain(subject, role, home, (PrincipalId(0), 0));
    Ok(Binding {
        deny: give.deny,
        repo,
        repos: give.repositories.clone().filter(|_| alone.is_none()),
        tags: give.tags.clone(),
        networks: give.networks.clone(),
        hours: give.hours.clone(),
        expires: give.expires,
        ..plain
    })
}

/// The one repository that is meant where a name stands in place of patterns: it is meant whatever it is called from now on. Where
/// nothing that whoever asks may see has the name there, it means whatever gets it.
async fn alone(
    tx: &mut Tx<'_>,
    caller: &Caller,
    home: NamespaceId,
    give: &Give,
) -> Result<Option<i64>> {
    let Some(text) = give
        .repositories
        .as_ref()
        .filter(|_| give.repository.is_none())
    else {
        return Ok(None);
    };
    let path = namespace_get(tx, home).await?.map(|it| it.path);
    let mut found = None;
    for word in text.split(' ').filter(|word| !word.contains('*')) {
        let whole = match &path {
            Some(path) => format!("{path}/{word}"),
            None => word.to_owned(),
        };
        let Ok(name) = whole.parse::<RepoName>() else {
            continue;
        };
        let Some((id, name)) = meant(tx, caller, &name).await? else {
            continue;
        };
        let around = namespace_chain(tx, ground::home(&name)).await?;
        if path.is_none() || around.iter().any(|it| it.id == home) {
            found = Some((id, word));
        }
    }
    match found {
        Some((_, word)) if text.contains(' ') => Err(Error::new(
            Code::QueryInvalid,
            format!(
                "`{word}` is a repository that is there, and is meant whatever it is called from now on: make a binding for it alone, and \
                 another for the rest"
            ),
        )),
        found => Ok(found.map(|(id, _)| id)),
    }
}

/// The same text with a word for what it means where it has none: as people and robots log in (`alice`, `acme+ci`, `robot+ci`), and
/// `acme/web` for a team.
pub fn explicit(text: &str) -> String {
    let kind = match text {
        EVERYBODY | LOGGED_IN => return text.to_owned(),
        _ if text.contains(':') => return text.to_owned(),
        _ if text.contains('+') => "robot",
        _ if text.contains('/') => "team",
        _ => "account",
    };
    format!("{kind}:{text}")
}

/// Whom a text means, as far as `caller` may know.
///
/// # Errors
/// `QueryInvalid` where it means nobody, whoever there is; `NameUnknown`, or `Unavailable`.
pub async fn subject_find(tx: &mut Tx<'_>, caller: &Caller, text: &str) -> Result<Subject> {
    match text {
        EVERYBODY => return Ok(Subject::EVERYBODY),
        LOGGED_IN => return Ok(Subject::LOGGED_IN),
        _ => {}
    }
    let found = principal_find(tx, caller, text).await;
    found.map(|row| row.id.into())
}

/// The principal that a text means, such as `user:alice` or `team:acme/web`. That an account is there may know whoever has logged in; teams of
/// an organisation, and robots of one or of a user, are answered as absent to who may not see them there and is no member.
///
/// # Errors
/// `QueryInvalid` where it means nobody, whoever there is; `NameUnknown`, or `Unavailable`.
pub async fn principal_find(tx: &mut Tx<'_>, caller: &Caller, text: &str) -> Result<Principal> {
    let wrong = || {
        Error::new(
            Code::QueryInvalid,
            "somebody is written user:NAME, organisation:NAME, team:ORGANISATION/NAME or robot:OWNER+NAME",
        )
    };
    let (word, whole) = text.split_once(':').ok_or_else(wrong)?;
    let name = whole;
    let absent = || missing(&format!("{word} `{whole}`"));
    let (kind, owner, name) = match word {
        "user" => (Some(Kind::User), None, name),
        "organisation" => (Some(Kind::Organisation), None, name),
        // Of those two there is one of a name at the most.
        "account" => (None, None, name),
        "team" => {
            let (owner, name) = name.split_once('/').ok_or_else(wrong)?;
            (Some(Kind::Team), Some(owner), name)
        }
        "robot" => {
            let (owner, name) = name.split_once('+').ok_or_else(wrong)?;
            (
                Some(Kind::Robot),
                Some(owner).filter(|it| *it != SYSTEM),
                name,
            )
        }
        _ => return Err(wrong()),
    };
    let owner = match owner {
        None => PrincipalId(0),
        Some(owner) => {
            let found = principal_named(tx, PrincipalId(0), owner).await?;
            let found = found.ok_or_else(absent)?;
            if !sees_inside(tx, caller, &found, kind).await? {
                return Err(absent());
            }
            found.id
        }
    };
    let found = principal_named(tx, owner, name).await?;
    let fits = |it: &Principal| match kind {
        Some(kind) => it.kind == kind,
        None => matches!(it.kind, Kind::User | Kind::Organisation),
    };
    found.filter(fits).ok_or_else(absent)
}

/// Whether somebody may know which teams or robots an organisation has, or which robots a user: members of the organisation, and whoever
/// may see them in the namespace.
///
/// # Errors
/// `Unavailable`.
pub(crate) async fn sees_inside(
    tx: &mut Tx<'_>,
    caller: &Caller,
    owner: &Principal,
    kind: Option<Kind>,
) -> Result<bool> {
    let own = member_of(tx, caller.who.id()).await?;
    if own.iter().any(|(party, _)| *party == owner.id) {
        return Ok(true);
    }
    let Some(home) = namespace_at(tx, &owner.name).await? else {
        return Ok(false);
    };
    let action = match kind {
        Some(Kind::Robot) => Action::RobotList,
        _ => Action::MemberList,
    };
    allows(
        tx,
        &caller.who,
        action,
        &Object::Namespace(home.id),
        caller.now,
    )
    .await
}

/// What [`subject_find`] reads.
///
/// # Errors
/// `Unavailable`.
pub async fn subject_text(tx: &mut Tx<'_>, subject: Subject) -> Result<String> {
    let id = match subject {
        Subject::EVERYBODY => return Ok(EVERYBODY.to_owned()),
        Subject::LOGGED_IN => return Ok(LOGGED_IN.to_owned()),
        Subject(id) => PrincipalId(id),
    };
    let Some(found) = principal_get(tx, id).await? else {
        return Ok(format!("#{id}"));
    };
    let owner = match found.owner {
        PrincipalId(0) => None,
        owner => principal_get(tx, owner).await?.map(|it| it.name),
    };
    let (word, name) = (found.kind.word(), &found.name);
    Ok(match (found.kind, owner) {
        (Kind::Robot, owner) => format!("robot:{}+{name}", owner.as_deref().unwrap_or(SYSTEM)),
        (_, Some(owner)) => format!("{word}:{owner}/{name}"),
        (_, None) => format!("{word}:{name}"),
    })
}

/// A binding with its names.
///
/// # Errors
/// `Unavailable`.
pub(crate) async fn seen(tx: &mut Tx<'_>, row: Binding) -> Result<BindingSeen> {
    let repository = match row.repo {
        Some(id) => repo_name(tx, id).await?,
        None => None,
    };
    Ok(BindingSeen {
        subject: subject_text(tx, row.subject).await?,
        repository,
        row,
    })
}
