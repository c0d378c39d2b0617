//! Sessions of browsers: listed, and ended from elsewhere.

use longshore_core::Result;
use longshore_meta::Tx;
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::principals::principal_bump;
use longshore_meta::secrets::{Kind, Secret, secret_delete, secret_delete_of, secret_list};
use serde_json::json;

use crate::caller::Caller;
use crate::hub::{Done, Hub};
use crate::names::missing;
use crate::own::OwnPermit;
use crate::views::Listed;

impl Hub {
    /// At most `limit` of somebody's sessions, with ids after `after`.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn session_list(
        &self,
        caller: &Caller,
        user: &str,
        after: i64,
        limit: usize,
    ) -> Result<Listed<Secret, i64>> {
        let args = (caller, user, after, limit);
        let found = self
            .db
            .read(&args, |tx, (caller, user, after, limit)| {
                Box::pin(async move {
                    let permit = OwnPermit::ask(tx, caller, user).await??;
                    let owner = permit.account().id.0;
                    secret_list(tx, owner, Kind::Session, *after, limit + 1).await
                })
            })
            .await?;
        Ok(Listed::of(found, limit, |session| session.id))
    }

    /// Ends one of somebody's sessions, or all of them, and what was issued to their owner before.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn session_delete(&self, caller: &Caller, user: &str, id: Option<i64>) -> Result<()> {
        self.act_on(caller, user, id, |tx, permit, id| {
            Box::pin(session_delete(tx, permit, *id))
        })
        .await
    }
}

async fn session_delete(tx: &mut Tx<'_>, permit: &OwnPermit, id: Option<i64>) -> Result<Done<()>> {
    let account = permit.account();
    let owner = account.id.0;
    match id {
        None => {
            secret_delete_of(tx, owner, Kind::Session).await?;
        }
        Some(id) => {
            // Of this kind only: a token is not revoked by this door.
            let known = secret_list(tx, owner, Kind::Session, id.saturating_sub(1), 1).await?;
            let is_session = known.first().is_some_and(|session| session.id == id);
            if !is_session || !secret_delete(tx, id, owner).await? {
                return Err(missing(&format!("session {id}")));
            }
        }
    }
    principal_bump(tx, account.id).await?;
    Ok(Done {
        value: (),
        object: account.name.clone(),
        namespace: NamespaceId(0),
        detail: json!({ "session_ended": id.map_or(json!("all"), |id| json!(id)) }),
    })
}
