//! Names that were given up and rest: who administers the system sees them, and frees one before its time.
//!
//! It is done by hand and written down, since it takes back what rest is for: whoever gets the name is taken for what had it by all that
//! knows it by name, and what it led to is not found by it any more.

use longshore_auth::rights::{Action, Object};
use longshore_core::Result;
use longshore_meta::Tx;
use longshore_meta::namespaces::{NamespaceId, namespace_get};
use longshore_meta::repos::repo_all;
use longshore_meta::rests::{Rest, rest_delete, rest_get, rest_list, rest_until};
use longshore_spec::name::RepoName;
use serde_json::json;

use crate::caller::Caller;
use crate::hub::{Done, Hub};
use crate::names::missing;
use crate::permit::Permit;
use crate::rank::may_all;
use crate::views::Listed;

const USERS: u8 = Action::UserManage as u8;

/// A name that rests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtRest {
    /// The name: a path, with slashes or without.
    pub name: String,
    /// Until when, in microseconds.
    pub until: i64,
}

impl Hub {
    /// Names that rest, in their order, after `after`.
    ///
    /// # Errors
    /// `Denied` or `Unavailable`.
    pub async fn names_at_rest(
        &self,
        caller: &Caller,
        after: &str,
        limit: usize,
    ) -> Result<Listed<AtRest, String>> {
        self.see::<USERS, _, _>(
            caller,
            &Object::System,
            (after, limit),
            |tx, permit, args| {
                Box::pin(async move {
                    let (after, limit) = *args;
                    let rows = rest_list(tx, after, permit.micros(), limit + 1).await?;
                    let rows = rows.into_iter().map(|(name, until)| AtRest { name, until });
                    Ok(Listed::of(rows.collect(), limit, |row| row.name.clone()))
                })
            },
        )
        .await
    }

    /// Frees a name that rests: it leads nowhere from now on, and whoever may have such a name gets it. For who may do everything.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown` when it does not rest, or `Unavailable`.
    pub async fn name_free(&self, caller: &Caller, name: &str) -> Result<()> {
        let changed = self
            .act(
                caller,
                Object::System,
                name.to_owned(),
                |tx, permit, name| Box::pin(name_free(tx, permit, name)),
            )
            .await?;
        self.tell(&changed);
        Ok(())
    }
}

/// Frees a name.
///
/// # Errors
/// See [`Hub::name_free`].
pub async fn name_free(
    tx: &mut Tx<'_>,
    permit: &Permit<USERS>,
    name: &str,
) -> Result<Done<Vec<RepoName>>> {
    may_all(tx, permit.caller()).await?;
    let now = permit.micros();
    let until = rest_until(tx, name, now).await?;
    let until = until.ok_or_else(|| missing(&format!("name at rest as `{name}`")))?;
    // What was found by it, or below it.
    let mut changed: Vec<RepoName> = name.parse().into_iter().collect();
    if let Some(Rest::Namespace(id)) = rest_get(tx, name, now).await?
        && let Some(space) = namespace_get(tx, id).await?
    {
        for (_, repo) in repo_all(tx, &space.path, usize::MAX).await? {
            let below = repo.strip_prefix(space.path.as_str());
            let old = below.and_then(|rest| format!("{name}{rest}").parse().ok());
            changed.extend(old);
        }
    }
    rest_delete(tx, name).await?;
    Ok(Done {
        value: changed,
        object: name.to_owned(),
        namespace: NamespaceId(0),
        detail: json!({ "freed": name, "rested_until": until }),
    })
}
