//! What may be seen of people, places and the log: the looks beside the changes, each for an action.

use longshore_auth::rights::judge::allows;
use longshore_auth::rights::{Action, Object};
use longshore_core::Result;
use longshore_meta::Tx;
use longshore_meta::audit::{AuditRow, audit_of, audit_window};
use longshore_meta::members::{Member, member_list};
use longshore_meta::names::name_resolve;
use longshore_meta::namespaces::{Namespace, NamespaceId, namespace_get, namespace_list};
use longshore_meta::principals::{Kind, Principal, PrincipalId, principal_list, principal_named};
use longshore_meta::profiles::{Profile, profile_get};
use longshore_meta::repos::{repo_below, repo_sizes};
use longshore_meta::roles::{Role, role_list};
use longshore_spec::name::RepoName;

use crate::bindings::place;
use crate::caller::Caller;
use crate::hub::Hub;
use crate::members::organisation;
use crate::names::missing;
use crate::permit::Permit;

const MEMBERS: u8 = Action::MemberList as u8;
const NAMESPACE: u8 = Action::NamespaceRead as u8;
const RIGHTS: u8 = Action::RightsRead as u8;
const REPOSITORY: u8 = Action::RepositoryList as u8;
const AUDIT: u8 = Action::AuditRead as u8;
/// How many rows are read at once where not all of them are shown.
const PAGE: usize = 1000;

/// A repository as it is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Its id.
    pub id: i64,
    /// Its name of today.
    pub name: RepoName,
    /// What people say of it.
    pub profile: Profile,
    /// How many manifests it has.
    pub manifests: u64,
    /// How many tags it has.
    pub tags: u64,
}

impl Hub {
    /// At most `limit` teams of the organisation whose namespace is `home`, in the order of their names, after `after`.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn team_page(
        &self,
        caller: &Caller,
        home: NamespaceId,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Principal>> {
        let args = (after.to_owned(), limit);
        self.look(
            caller,
            &Object::Namespace(home),
            args,
            |tx, permit: &Permit<MEMBERS>, (after, limit)| {
                Box::pin(teams(tx, permit.object(), after, *limit))
            },
        )
        .await
    }

    /// At most `limit` members of the organisation whose namespace is `home`, or of one of its teams, in the order of their ids, after
    /// `after`.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn member_page(
        &self,
        caller: &Caller,
        home: NamespaceId,
        team: Option<&str>,
        after: PrincipalId,
        limit: usize,
    ) -> Result<Vec<Member>> {
        let args = (team.map(str::to_owned), after, limit);
        self.look(
            caller,
            &Object::Namespace(home),
            args,
            |tx, permit: &Permit<MEMBERS>, (team, after, limit)| {
                Box::pin(members(
                    tx,
                    permit.object(),
                    team.as_deref(),
                    *after,
                    *limit,
                ))
            },
        )
        .await
    }

    /// A namespace.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn namespace_seen(&self, caller: &Caller, id: NamespaceId) -> Result<Namespace> {
        let object = Object::Namespace(id);
        let found = self
            .look(caller, &object, id, |tx, _: &Permit<NAMESPACE>, id| {
                Box::pin(namespace_get(tx, *id))
            })
            .await?;
        found.ok_or_else(|| missing("namespace"))
    }

    /// At most `limit` namespaces that whoever asks may see, in the order of their paths, after `after`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn namespace_page(
        &self,
        caller: &Caller,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Namespace>> {
        let args = (caller, after, limit);
        self.db
            .read(&args, |tx, (caller, after, limit)| {
                Box::pin(namespaces(tx, caller, after, *limit))
            })
            .await
    }

    /// At most `limit` roles made for a namespace's owner, or those of all (`NamespaceId::EVERYWHERE`), in the order of their names,
    /// after `after`.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn role_page(
        &self,
        caller: &Caller,
        home: NamespaceId,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Role>> {
        let args = (home, after.to_owned(), limit);
        self.look(
            caller,
            &place(home),
            args,
            |tx, _: &Permit<RIGHTS>, (home, after, limit)| {
                Box::pin(async move {
                    let owner = namespace_get(tx, *home).await?;
                    let owner = owner.map_or(PrincipalId(0), |it| it.owner);
                    role_list(tx, owner, after, *limit).await
                })
            },
        )
        .await
    }

    /// A repository, also by a name it had.
    ///
    /// # Errors
    /// `NameUnknown`, or `Unavailable`.
    pub async fn repository_seen(&self, caller: &Caller, name: &RepoName) -> Result<Repository> {
        let object = Object::Repository(name.clone());
        self.look(
            caller,
            &object,
            (),
            |tx, permit: &Permit<REPOSITORY>, ()| Box::pin(repository(tx, permit)),
        )
        .await
    }

    /// At most `limit` names of repositories in a namespace and the groups below it, also of those without content, that whoever asks
    /// may see, in their order, after `after`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn repository_page(
        &self,
        caller: &Caller,
        path: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<String>> {
        let reach = self
            .judge()
            .reach(&caller.who, Action::RepositoryList, caller.now)
            .await?;
        let (mut found, mut at) = (Vec::new(), after.to_owned());
        while found.len() < limit {
            let args = (path, at.as_str());
            let page = self
                .db
                .read(&args, |tx, (path, after)| {
                    Box::pin(repo_below(tx, path, after, PAGE))
                })
                .await?;
            let Some((_, last)) = page.last() else { break };
            at.clone_from(last);
            let seen = page.into_iter().map(|(_, name)| name);
            found.extend(seen.filter(|name| reach.has(name)));
        }
        found.truncate(limit);
        Ok(found)
    }

    /// At most `limit` rows of the audit log, in order, after the one numbered `after`: those of a namespace, or all of them
    /// (`NamespaceId::EVERYWHERE`).
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn audit_page(
        &self,
        caller: &Caller,
        namespace: NamespaceId,
        after: i64,
        limit: usize,
    ) -> Result<Vec<AuditRow>> {
        let args = (namespace, after, limit);
        self.look(
            caller,
            &place(namespace),
            args,
            |tx, _: &Permit<AUDIT>, (namespace, after, limit)| {
                Box::pin(async move {
                    if *namespace == NamespaceId::EVERYWHERE {
                        audit_window(tx, *after, *limit).await
                    } else {
                        audit_of(tx, *namespace, *after, *limit).await
                    }
                })
            },
        )
        .await
    }
}

async fn teams(
    tx: &mut Tx<'_>,
    object: &Object,
    after: &str,
    limit: usize,
) -> Result<Vec<Principal>> {
    let (_, owner) = organisation(tx, object).await?;
    let (mut found, mut at) = (Vec::new(), after.to_owned());
    // Robots stand beside them.
    while found.len() < limit {
        let page = principal_list(tx, owner.id, &at, PAGE).await?;
        let Some(last) = page.last() else { break };
        at.clone_from(&last.name);
        found.extend(page.into_iter().filter(|it| it.kind == Kind::Team));
    }
    found.truncate(limit);
    Ok(found)
}

async fn members(
    tx: &mut Tx<'_>,
    object: &Object,
    team: Option<&str>,
    after: PrincipalId,
    limit: usize,
) -> Result<Vec<Member>> {
    let (_, owner) = organisation(tx, object).await?;
    let party = match team {
        None => owner.id,
        Some(name) => {
            let team = principal_named(tx, owner.id, name).await?;
            let team = team.filter(|it| it.kind == Kind::Team);
            team.ok_or_else(|| missing(&format!("team `{name}`")))?.id
        }
    };
    member_list(tx, party, after, limit).await
}

async fn namespaces(
    tx: &mut Tx<'_>,
    caller: &Caller,
    after: &str,
    limit: usize,
) -> Result<Vec<Namespace>> {
    let (mut found, mut at) = (Vec::new(), after.to_owned());
    while found.len() < limit {
        let page = namespace_list(tx, &at, PAGE).await?;
        let Some(last) = page.last() else { break };
        at.clone_from(&last.path);
        for row in page {
            let object = Object::Namespace(row.id);
            let read = Action::NamespaceRead;
            if allows(tx, &caller.who, read, &object, caller.now).await? {
                found.push(row);
            }
        }
    }
    found.truncate(limit);
    Ok(found)
}

async fn repository(tx: &mut Tx<'_>, permit: &Permit<REPOSITORY>) -> Result<Repository> {
    let name = permit
        .object()
        .repo()
        .ok_or_else(|| missing("repository"))?;
    let found = name_resolve(tx, name, permit.micros()).await?;
    let id = found.repo.ok_or_else(|| missing("repository"))?;
    let profile = profile_get(tx, id).await?.unwrap_or_default();
    let (manifests, tags) = repo_sizes(tx, id).await?;
    Ok(Repository {
        id,
        name: found.name,
        profile,
        manifests,
        tags,
    })
}
