//! Collection, and emptying the trash, which is the one thing here that nothing undoes.
//!
//! So it takes the right to remove the repository as a whole: whoever may only delete images leaves the rest to time. A run can take
//! hours and is not waited for; that it was asked for is in the audit log before it begins.

use longshore_auth::rights::{Action, Object};
use longshore_core::past::{Ask, Emptying, GcStats, Run};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::trash::{trash_count, trash_get, trash_list};
use longshore_spec::digest::Digest;
use longshore_spec::name::RepoName;
use serde_json::json;

use crate::caller::Caller;
use crate::hub::{Done, Hub};
use crate::past::not_in_trash;
use crate::permit::Permit;
use crate::repositories::of;
use crate::views::limit_to;

const OPERATE: u8 = Action::SystemOperate as u8;
const SYSTEM: u8 = Action::SystemRead as u8;
const REMOVE: u8 = Action::RepositoryRemove as u8;

impl Hub {
    /// What collection did since the start, and the last runs that somebody asked for.
    ///
    /// # Errors
    /// `Denied`, `Unsupported` where there is no registry, or `Unavailable`.
    pub async fn collection(&self, caller: &Caller) -> Result<(GcStats, Vec<Run>)> {
        let may = self.see::<SYSTEM, _, _>(caller, &Object::System, (), |_, _, ()| {
            Box::pin(std::future::ready(Ok(())))
        });
        may.await?;
        let collector = &self.past()?.collector;
        Ok((collector.stats(), collector.runs()))
    }

    /// Has a run made, which is not waited for.
    ///
    /// # Errors
    /// `Denied`, `Unsupported` where there is no registry or nothing may be removed, `TooManyRequests` while too many wait, or
    /// `Unavailable`.
    pub async fn collect(&self, caller: &Caller, ask: Ask) -> Result<Run> {
        self.ask::<OPERATE>(caller, &Object::System).await?;
        let collector = self.past()?.collector.clone();
        collector.check(&ask)?;
        self.act(caller, Object::System, ask.clone(), |_, permit, ask| {
            Box::pin(std::future::ready(Ok(asked(permit, ask))))
        })
        .await?;
        Ok(collector.ask(ask, &caller.name))
    }

    /// Has the trash emptied, of all repositories. False when there is nothing in it.
    ///
    /// # Errors
    /// See [`Hub::collect`].
    pub async fn trash_empty(&self, caller: &Caller) -> Result<bool> {
        self.ask::<OPERATE>(caller, &Object::System).await?;
        let collector = self.past()?.collector.clone();
        let ask = emptying(None, None);
        collector.check(&ask)?;
        let any = self
            .act(caller, Object::System, (), |tx, _: &Permit<OPERATE>, ()| {
                Box::pin(async move {
                    let (count, _) = trash_count(tx).await?;
                    Ok(Done {
                        value: count > 0,
                        object: "trash".to_owned(),
                        namespace: NamespaceId(0),
                        detail: json!({ "empty": "asked", "manifests": count }),
                    })
                })
            })
            .await?;
        if any {
            collector.ask(ask, &caller.name);
        }
        Ok(any)
    }

    /// Writes down that whoever runs the server empties the trash, all of it or some, before they do.
    ///
    /// # Errors
    /// `Denied`, or `Unavailable`.
    pub async fn trash_emptied(&self, caller: &Caller, empty: &Emptying) -> Result<()> {
        self.act(caller, Object::System, empty.clone(), |_, permit, empty| {
            Box::pin(std::future::ready(Ok(emptied(permit, empty))))
        })
        .await
    }

    /// Has the trash of a repository emptied, or removes one manifest of it for good. False when there is nothing in it.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `ManifestUnknown` when the manifest is not in it, and as [`Hub::collect`].
    pub async fn trash_empty_of(
        &self,
        caller: &Caller,
        name: &RepoName,
        digest: Option<Digest>,
    ) -> Result<bool> {
        let object = Object::Repository(name.clone());
        self.ask::<REMOVE>(caller, &object).await?;
        let collector = self.past()?.collector.clone();
        collector.check(&emptying(Some(name.clone()), digest))?;
        let (name, any) = self
            .act(caller, object, digest, |tx, permit, digest| {
                Box::pin(empty(tx, permit, *digest))
            })
            .await?;
        if any {
            collector.ask(emptying(Some(name), digest), &caller.name);
        }
        Ok(any)
    }
}

fn emptying(repo: Option<RepoName>, digest: Option<Digest>) -> Ask {
    Ask {
        empty: Some(Emptying { repo, digest }),
        ..Ask::default()
    }
}

fn emptied(_: &Permit<OPERATE>, empty: &Emptying) -> Done<()> {
    let repo = empty.repo.as_ref().map(RepoName::to_string);
    let digest = empty.digest.as_ref().map(Digest::to_string);
    Done {
        value: (),
        object: repo.unwrap_or_else(|| "trash".to_owned()),
        namespace: NamespaceId(0),
        detail: json!({ "empty": "asked", "digest": digest }),
    }
}

fn asked(_: &Permit<OPERATE>, ask: &Ask) -> Done<()> {
    Done {
        value: (),
        object: "collection".to_owned(),
        namespace: NamespaceId(0),
        detail: json!({
            "collection": "asked", "dry_run": ask.dry_run, "accept_clock": ask.accept_clock, "hurry": ask.hurry,
        }),
    }
}

async fn empty(
    tx: &mut Tx<'_>,
    permit: &Permit<REMOVE>,
    digest: Option<Digest>,
) -> Result<Done<(RepoName, bool)>> {
    let (id, name, namespace) = of(tx, permit).await?;
    let (caller, remove) = (permit.caller(), Action::RepositoryRemove);
    if limit_to(tx, caller, remove, permit.object())
        .await?
        .is_some()
    {
        return Err(Error::new(
            Code::Denied,
            format!(
                "the right `{remove}` of `{}` is limited to some tags, and the trash is of all",
                caller.name
            ),
        ));
    }
    let any = match &digest {
        Some(digest) if trash_get(tx, id, digest).await?.is_none() => {
            return Err(not_in_trash(digest));
        }
        Some(_) => true,
        None => !trash_list(tx, id, None, 1).await?.is_empty(),
    };
    Ok(Done {
        object: name.to_string(),
        namespace,
        detail: json!({ "empty": "asked", "digest": digest.map(|it| it.to_string()) }),
        value: (name, any),
    })
}
