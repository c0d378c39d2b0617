//! The keys that tokens are signed with: which there are, and the next one.

use longshore_auth::issuer::{IssuerError, NextKey, ShownKey};
use longshore_auth::rights::{Action, Object};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::namespaces::NamespaceId;
use serde_json::json;

use crate::caller::Caller;
use crate::hub::{Done, Hub};
use crate::permit::Permit;

const READ: u8 = Action::SystemRead as u8;
const OPERATE: u8 = Action::SystemOperate as u8;

fn broken(error: IssuerError) -> Error {
    let what = "the keys that tokens are signed with cannot be changed just now";
    Error::new(Code::Unavailable, what).because(error)
}

impl Hub {
    /// All keys that sign, will, or did and are still trusted.
    ///
    /// # Errors
    /// `Denied`, or `Unavailable`.
    pub async fn key_list(&self, caller: &Caller) -> Result<Vec<ShownKey>> {
        self.see::<READ, _, _>(caller, &Object::System, (), |_, _, ()| {
            Box::pin(std::future::ready(Ok(())))
        })
        .await?;
        Ok(self.index.issuer().keys(caller.now))
    }

    /// Makes the next key, which signs when registries have had time to fetch it, or at once.
    ///
    /// # Errors
    /// `Denied`, or `Unavailable`.
    pub async fn key_rotate(&self, caller: &Caller, at_once: bool) -> Result<Vec<ShownKey>> {
        self.ask::<OPERATE>(caller, &Object::System).await?;
        let issuer = self.index.issuer();
        let next = issuer.next_key(at_once, caller.now).await.map_err(broken)?;
        self.act(caller, Object::System, next, |tx, permit, next| {
            Box::pin(key_rotate(tx, permit, next))
        })
        .await?;
        issuer.reload(caller.now).await.map_err(broken)?;
        Ok(issuer.keys(caller.now))
    }
}

/// Keeps the next key.
///
/// # Errors
/// See [`Hub::key_rotate`].
pub async fn key_rotate(tx: &mut Tx<'_>, _: &Permit<OPERATE>, next: &NextKey) -> Result<Done<()>> {
    next.put(tx).await?;
    Ok(Done {
        value: (),
        object: "keys".to_owned(),
        namespace: NamespaceId(0),
        detail: json!({ "key": next.kid(), "signs_from": next.since() }),
    })
}
