//! Repositories: what is said of them, who may see them, what they are called.

use longshore_auth::rights::ground::home;
use longshore_auth::rights::{Action, Object};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::names::{Resolved, name_resolve};
use longshore_meta::namespaces::{Namespace, NamespaceId, Visibility, namespace_chain};
use longshore_meta::principals::PrincipalId;
use longshore_meta::profiles::{Profile, profile_change, profile_get, profile_open, star_set};
use longshore_spec::name::RepoName;
use serde_json::json;

use crate::caller::Caller;
use crate::hub::{Done, Hub};
use crate::names::{conflict, missing};
use crate::permit::Permit;
pub use crate::said::Said;

const UPDATE: u8 = Action::RepositoryUpdate as u8;
const SETTINGS: u8 = Action::RepositorySettings as u8;
const LIST: u8 = Action::RepositoryList as u8;

/// The longest README, in bytes.
const README: usize = 1 << 20;
/// The longest of the other texts, in bytes.
const TEXT: usize = 1 << 14;

impl Hub {
    /// Changes what is said of a repository.
    ///
    /// # Errors
    /// `QueryInvalid` where links or labels cannot be said, `Denied`, `NameUnknown`, `TooLarge`, or `Unavailable`.
    pub async fn repository_describe(
        &self,
        caller: &Caller,
        name: &RepoName,
        said: Said,
    ) -> Result<()> {
        said.check()?;
        let object = Object::Repository(name.clone());
        self.act(caller, object, said, |tx, permit, said| {
            Box::pin(repository_describe(tx, permit, said))
        })
        .await
    }

    /// Says who may see a repository (`None`: as its namespace says) and whether it is read-only.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `ConditionFailed` where its namespace is hidden from more people than that, or `Unavailable`.
    pub async fn repository_settings(
        &self,
        caller: &Caller,
        name: &RepoName,
        visibility: Option<Visibility>,
        read_only: bool,
    ) -> Result<()> {
        let object = Object::Repository(name.clone());
        self.act(
            caller,
            object,
            (visibility, read_only),
            |tx, permit, args| Box::pin(repository_settings(tx, permit, *args)),
        )
        .await
    }

    /// Stars a repository, or takes that back. Whoever sees it may.
    ///
    /// # Errors
    /// `Unauthorized` for strangers, `NameUnknown`, or `Unavailable`.
    pub async fn star(&self, caller: &Caller, name: &RepoName, starred: bool) -> Result<()> {
        let object = Object::Repository(name.clone());
        self.act(caller, object, starred, |tx, permit, starred| {
            Box::pin(star(tx, permit, *starred))
        })
        .await
    }
}

/// The repository a permit is for, and the innermost namespace around it.
pub(crate) async fn of<const ACTION: u8>(
    tx: &mut Tx<'_>,
    permit: &Permit<ACTION>,
) -> Result<(i64, RepoName, NamespaceId)> {
    let Some(name) = permit.object().repo() else {
        return Err(missing("repository"));
    };
    let Resolved { repo, name } = name_resolve(tx, name, permit.micros()).await?;
    let id = repo.ok_or_else(|| missing("repository"))?;
    let around = namespace_chain(tx, home(&name)).await?;
    let inmost = around.last().map_or(NamespaceId(0), |it| it.id);
    Ok((id, name, inmost))
}

pub(crate) async fn profile(tx: &mut Tx<'_>, id: i64, now: i64) -> Result<Profile> {
    profile_open(tx, id, PrincipalId(0), now).await?;
    Ok(profile_get(tx, id).await?.unwrap_or_default())
}

fn told(name: &RepoName, namespace: NamespaceId, detail: serde_json::Value) -> Done<()> {
    Done {
        value: (),
        object: name.to_string(),
        namespace,
        detail,
    }
}

fn within(text: &str, most: usize, what: &str) -> Result<()> {
    if text.len() > most {
        return Err(Error::new(
            Code::TooLarge,
            format!("{what} has at most {most} bytes"),
        ));
    }
    Ok(())
}

/// Changes what is said of a repository.
///
/// # Errors
/// See [`Hub::repository_describe`].
pub async fn repository_describe(
    tx: &mut Tx<'_>,
    permit: &Permit<UPDATE>,
    said: &Said,
) -> Result<Done<()>> {
    let (id, name, namespace) = of(tx, permit).await?;
    let now = permit.micros();
    let mut row = profile(tx, id, now).await?;
    let mut changed = Vec::new();
    if let Some(text) = &said.description {
        within(text, TEXT, "a description")?;
        row.description.clone_from(text);
        changed.push("description");
    }
    if let Some(text) = &said.readme {
        within(text, README, "a README")?;
        row.readme.clone_from(text);
        changed.push("readme");
    }
    if let Some(links) = &said.links {
        row.links = json!(links).to_string();
        within(&row.links, TEXT, "all links together")?;
        changed.push("links");
    }
    if let Some(labels) = &said.labels {
        row.labels = json!(labels).to_string();
        within(&row.labels, TEXT, "all labels together")?;
        changed.push("labels");
    }
    profile_change(tx, id, &row, now).await?;
    Ok(told(&name, namespace, json!({ "changed": changed })))
}

/// Changes who may see a repository and its read-only mode.
///
/// # Errors
/// See [`Hub::repository_settings`].
pub async fn repository_settings(
    tx: &mut Tx<'_>,
    permit: &Permit<SETTINGS>,
    (visibility, read_only): (Option<Visibility>, bool),
) -> Result<Done<()>> {
    let (id, name, namespace) = of(tx, permit).await?;
    let now = permit.micros();
    let mut row = profile(tx, id, now).await?;
    if let Some(word) = visibility.filter(|_| visibility != row.visibility) {
        let around = namespace_chain(tx, home(&name)).await?;
        narrows(name.as_str(), word, &around)?;
    }
    row.visibility = visibility;
    row.read_only = read_only;
    profile_change(tx, id, &row, now).await?;
    let detail = json!({ "visibility": visibility.map(Visibility::word), "read_only": read_only });
    Ok(told(&name, namespace, detail))
}

/// Checks that a word about who may see something counts: whatever is in a namespace narrows what that says, and widens nothing.
///
/// # Errors
/// `ConditionFailed` where fewer may see a namespace around it.
pub(crate) fn narrows(what: &str, word: Visibility, around: &[Namespace]) -> Result<()> {
    let narrowest = around.iter().min_by_key(|space| space.visibility);
    match narrowest.filter(|space| space.visibility < word) {
        None => Ok(()),
        Some(space) => Err(conflict(format!(
            "`{what}` cannot be {}: `{}` is {}, and what is in it can be hidden from more people, and shown to none; change `{}`, or \
             move it to elsewhere",
            word.word(),
            space.path,
            space.visibility.word(),
            space.path
        ))),
    }
}

/// Stars a repository.
///
/// # Errors
/// See [`Hub::star`].
pub async fn star(tx: &mut Tx<'_>, permit: &Permit<LIST>, starred: bool) -> Result<Done<()>> {
    let (id, name, namespace) = of(tx, permit).await?;
    let Some(who) = permit.caller().who.principal else {
        return Err(Error::new(
            Code::Unauthorized,
            "log in to star a repository",
        ));
    };
    profile_open(tx, id, PrincipalId(0), permit.micros()).await?;
    star_set(tx, who, id, starred, permit.micros()).await?;
    Ok(told(&name, namespace, json!({ "starred": starred })))
}
