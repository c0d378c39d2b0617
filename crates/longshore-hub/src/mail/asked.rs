//! Mail, for whoever runs the system and asks from elsewhere: what waits, and whether a letter can be sent.

use longshore_auth::rights::{Action, Object};
use longshore_core::Result;
use longshore_meta::namespaces::NamespaceId;
use serde_json::json;

use super::{Address, WaitingMail, no_post};
use crate::caller::Caller;
use crate::hub::{Done, Hub};
use crate::permit::Permit;
use crate::views::Listed;

const SYSTEM: u8 = Action::SystemRead as u8;
const OPERATE: u8 = Action::SystemOperate as u8;

impl Hub {
    /// The letters that wait to be sent, after the one numbered `after`.
    ///
    /// # Errors
    /// `Denied` or `Unavailable`.
    pub async fn mail_list(
        &self,
        caller: &Caller,
        after: i64,
        limit: usize,
    ) -> Result<Listed<WaitingMail, i64>> {
        self.see::<SYSTEM, _, _>(caller, &Object::System, (), |_, _, ()| {
            Box::pin(std::future::ready(Ok(())))
        })
        .await?;
        let found = self.mail_waiting(after, limit + 1).await?;
        Ok(Listed::of(found, limit, |it| it.id))
    }

    /// Sends a letter to an address now, to see whether that works. It is in the audit log before it is tried.
    ///
    /// # Errors
    /// `Denied`, and see [`Hub::mail_test`].
    pub async fn mail_try(&self, caller: &Caller, to: &str) -> Result<()> {
        self.ask::<OPERATE>(caller, &Object::System).await?;
        if self.desk.post.is_none() {
            return Err(no_post());
        }
        let to = Address::parse(to)?;
        let shown = to.as_str().to_owned();
        self.act(caller, Object::System, shown, |_, permit, to| {
            Box::pin(std::future::ready(Ok(tried(permit, to))))
        })
        .await?;
        self.mail_test(to.as_str(), caller.now).await
    }
}

fn tried(_: &Permit<OPERATE>, to: &str) -> Done<()> {
    Done {
        value: (),
        object: "mail".to_owned(),
        namespace: NamespaceId(0),
        detail: json!({ "test": to }),
    }
}
