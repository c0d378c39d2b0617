//! Who a binding is for, as people write it: `alice`, `acme`, `acme/devs` (a team), `acme+ci` (a robot), `everybody`, `logged-in`.

use longshore_auth::index::keep;
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::bindings::{Binding, Subject, binding_list};
use longshore_meta::namespaces::{NamespaceId, namespace_at, namespace_get};
use longshore_meta::principals::{Kind, PrincipalId, principal_get, principal_named};
use longshore_meta::repos::repo_name;
use longshore_meta::roles::role_named;
use longshore_spec::name::RepoName;

use crate::accounts::named;
use crate::bindings::{MANAGE, place};
use crate::caller::Caller;
use crate::hub::Hub;
use crate::names::{hidden, missing};
use crate::permit::Permit;

const READ: u8 = longshore_auth::rights::Action::RightsRead as u8;
/// The word for everybody, strangers too.
pub const EVERYBODY: &str = "everybody";
/// The word for everybody who has logged in.
pub const LOGGED_IN: &str = "logged-in";

/// A binding that is to be, by names.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Whom it is for.
    pub subject: String,
    /// The role.
    pub role: String,
    /// The path of a namespace; `**`: everywhere.
    pub place: String,
    /// Whether it denies.
    pub deny: bool,
    /// Patterns of the repositories it is for, below the namespace.
    pub repos: Option<String>,
    /// Patterns of the tags it is for.
    pub tags: Option<String>,
    /// Networks from which it counts, parted by spaces.
    pub networks: Option<String>,
    /// Hours at which it counts, as JSON.
    pub hours: Option<String>,
    /// Until when it counts, in microseconds.
    pub expires: Option<i64>,
}

/// A binding with its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its row.
    pub row: Binding,
    /// Whom it is for.
    pub subject: String,
    /// Where.
    pub place: String,
    /// The only repository it is for.
    pub repo: Option<RepoName>,
}

/// Who is meant.
///
/// # Errors
/// `NameUnknown`, or `Unavailable`.
pub async fn subject(tx: &mut Tx<'_>, text: &str) -> Result<Subject> {
    let found = match text {
        EVERYBODY => return Ok(Subject::EVERYBODY),
        LOGGED_IN => return Ok(Subject::LOGGED_IN),
        robot if robot.contains('+') => {
            let login = keep::named(tx, robot).await?;
            login.map(|it| Subject(it.id))
        }
        text => match text.split_once('/') {
            None => Some(Subject::from(named(tx, text).await?.id)),
            Some((of, team)) => {
                let of = named(tx, of).await?;
                let team = principal_named(tx, of.id, team).await?;
                let team = team.filter(|it| it.kind == Kind::Team);
                team.map(|it| Subject::from(it.id))
            }
        },
    };
    found.ok_or_else(|| {
        missing(&format!(
            "`{text}`: write USER, ORGANISATION, ORGANISATION/TEAM, ORGANISATION+ROBOT, {EVERYBODY} or {LOGGED_IN}"
        ))
    })
}

/// What somebody is called as [`subject`] reads it; a number where there is nobody any more.
///
/// # Errors
/// `Unavailable`.
pub async fn subject_name(tx: &mut Tx<'_>, subject: Subject) -> Result<String> {
    let id = match subject {
        Subject::EVERYBODY => return Ok(EVERYBODY.to_owned()),
        Subject::LOGGED_IN => return Ok(LOGGED_IN.to_owned()),
        Subject(id) => id,
    };
    let Some(found) = principal_get(tx, PrincipalId(id)).await? else {
        return Ok(format!("#{id}"));
    };
    Ok(match found.kind {
        Kind::Robot => keep::shown_name(tx, id).await?,
        Kind::Team => match principal_get(tx, found.owner).await? {
            Some(owner) => format!("{}/{}", owner.name, found.name),
            None => found.name,
        },
        Kind::User | Kind::Organisation => found.name,
    })
}

/// The namespace at `path`; `**` is everywhere.
///
/// # Errors
/// `NameUnknown`, or `Unavailable`.
pub async fn place_at(tx: &mut Tx<'_>, path: &str) -> Result<NamespaceId> {
    if path == "**" {
        return Ok(NamespaceId::EVERYWHERE);
    }
    let found = namespace_at(tx, path).await?;
    found.map(|it| it.id).ok_or_else(hidden)
}

async fn resolve(tx: &mut Tx<'_>, wanted: &Wanted, caller: &Caller) -> Result<Binding> {
    let namespace = match place_at(tx, &wanted.place).await {
        Err(error) if error.code().is_absence() && caller.who.is_operator() => {
            return Err(missing(&format!("namespace `{}`", wanted.place)));
        }
        found => found?,
    };
    // Who there is, is not for everybody to find out.
    Permit::<MANAGE>::ask(tx, caller, &place(namespace)).await??;
    let owner = namespace_get(tx, namespace).await?.map(|it| it.owner);
    let mut role = match owner {
        Some(owner) => role_named(tx, owner, &wanted.role).await?,
        None => None,
    };
    if role.is_none() {
        role = role_named(tx, PrincipalId(0), &wanted.role).await?;
    }
    let role = role.ok_or_else(|| missing(&format!("role `{}`", wanted.role)))?;
    let subject = subject(tx, &wanted.subject).await?;
    if wanted.expires.is_some_and(|end| end <= caller.micros()) {
        return Err(Error::new(
            Code::QueryInvalid,
            "a right that has ended already is none; give a later time",
        ));
    }
    Ok(Binding {
        deny: wanted.deny,
        repos: wanted.repos.clone(),
        tags: wanted.tags.clone(),
        networks: wanted.networks.clone(),
        hours: wanted.hours.clone(),
        expires: wanted.expires,
        ..Binding::plain(subject, role.id, namespace, (PrincipalId(0), 0))
    })
}

async fn named_bindings(
    tx: &mut Tx<'_>,
    namespace: NamespaceId,
    after: i64,
    limit: usize,
) -> Result<Vec<Named>> {
    let mut found = Vec::new();
    let path = namespace_get(tx, namespace).await?;
    let path = path.map_or_else(|| "**".to_owned(), |it| it.path);
    for row in binding_list(tx, namespace, after, limit).await? {
        let repo = match row.repo {
            Some(id) => repo_name(tx, id).await?,
            None => None,
        };
        found.push(Named {
            subject: subject_name(tx, row.subject).await?,
            place: path.clone(),
            row,
            repo,
        });
    }
    Ok(found)
}

impl Hub {
    /// Gives a role to somebody, or denies it, by names. Nobody gives what they have not themselves, wholly and there.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `NameInvalid` for a condition that cannot be read, `QueryInvalid` when it would have ended already, or
    /// `Unavailable`.
    pub async fn binding_grant(&self, caller: &Caller, wanted: &Wanted) -> Result<i64> {
        let args = (wanted, caller);
        let binding = self
            .db
            .read(&args, |tx, (wanted, caller)| {
                Box::pin(resolve(tx, wanted, caller))
            })
            .await?;
        self.binding_add(caller, binding).await
    }

    /// At most `limit` bindings on a namespace, or everywhere (`**`), after the one with the id `after`, for those who may read rights
    /// there.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn binding_page(
        &self,
        caller: &Caller,
        path: &str,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Named>> {
        let namespace = self.place_id(path).await?;
        let args = (namespace, after, limit);
        self.look(
            caller,
            &place(namespace),
            args,
            |tx, _: &Permit<READ>, args| Box::pin(named_bindings(tx, args.0, args.1, args.2)),
        )
        .await
    }

    /// The namespace at `path`; `**` is everywhere.
    ///
    /// # Errors
    /// `NameUnknown`, or `Unavailable`.
    pub async fn place_id(&self, path: &str) -> Result<NamespaceId> {
        self.db
            .read(&path, |tx, path| Box::pin(place_at(tx, path)))
            .await
    }
}
