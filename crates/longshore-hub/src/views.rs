//! What can be looked at, each with the right to look at it.
//!
//! A view is asked like a change: for one action on one object, in the same view of the database that is read. So what is not there
//! and what may not be known give the same answer here as well.

mod accounts;
mod artifacts;
mod explain;
mod log;
mod namespaces;
mod past;
mod repositories;
mod rights;
mod robots;
mod supposing;

use futures_util::future::BoxFuture;
use longshore_auth::rights::Object;
use longshore_core::Result;
use longshore_meta::Tx;
use longshore_meta::namespaces::{NamespaceId, namespace_at};
use longshore_meta::rests::{Rest, rest_get};
use longshore_meta::time::micros;

use crate::caller::Caller;
use crate::hub::Hub;
use crate::permit::Permit;

pub use accounts::Myself;
pub use artifacts::{ArtifactSeen, ArtifactWhole, ReferrerSeen};
pub use explain::Whom;
pub use log::Part;
pub use past::{InTrash, TagChange};
pub use repositories::RepositorySeen;
pub(crate) use repositories::{limit_to, shows};
pub use robots::{Maker, Robot};
pub(crate) use robots::{Makers, seen as robot_seen};
pub use supposing::{RoleSaid, Suppositions};

/// The id of no namespace: what is asked about it is answered as what may not be known.
pub const NOWHERE: NamespaceId = NamespaceId(-1);

/// A part of a list: what is in it, and after what the next part begins; none where there is no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T, K> {
    /// In order.
    pub items: Vec<T>,
    /// What to ask for next.
    pub next: Option<K>,
}

impl<T, K> Listed<T, K> {
    /// Of rows of which there is one more than is wanted where there are more.
    pub(crate) fn of(mut items: Vec<T>, limit: usize, key: impl Fn(&T) -> K) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(key);
        Self { items, next }
    }
}

impl<T, K> Listed<T, K> {
    /// All parts of a list one after the other, for whoever has room for them.
    ///
    /// # Errors
    /// What a part fails with.
    pub async fn whole<F: Future<Output = Result<Self>>>(
        first: K,
        mut part: impl FnMut(K) -> F,
    ) -> Result<Vec<T>> {
        let (mut all, mut next) = (Vec::new(), Some(first));
        while let Some(after) = next {
            let found = part(after).await?;
            all.extend(found.items);
            next = found.next;
        }
        Ok(all)
    }
}

/// What looks at something: it can be called with a permit only.
pub(crate) type View<const ACTION: u8, A, T> =
    for<'t> fn(&'t mut Tx<'_>, &'t Permit<ACTION>, &'t A) -> BoxFuture<'t, Result<T>>;

impl Hub {
    /// Asks for the action on `object` and looks.
    pub(crate) async fn see<const ACTION: u8, A, T>(
        &self,
        caller: &Caller,
        object: &Object,
        args: A,
        view: View<ACTION, A, T>,
    ) -> Result<T>
    where
        A: Send + Sync,
        T: Send,
    {
        let order = (caller, object, &args, view);
        self.db
            .read(&order, |tx, (caller, object, args, view)| {
                Box::pin(async move {
                    let permit = Permit::<ACTION>::ask(tx, caller, object).await??;
                    view(tx, &permit, args).await
                })
            })
            .await
    }

    /// The namespace of that path, also by one that it had until lately. Where there is none it is [`NOWHERE`], so that whoever asks
    /// about it is answered as about one that they may not know.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn place(&self, caller: &Caller, path: &str) -> Result<Object> {
        let args = (path, micros(caller.now));
        let id = self
            .db
            .read(&args, |tx, (path, now)| {
                Box::pin(async move {
                    if let Some(found) = namespace_at(tx, path).await? {
                        return Ok(found.id);
                    }
                    Ok(match rest_get(tx, path, *now).await? {
                        Some(Rest::Namespace(id)) => id,
                        _ => NOWHERE,
                    })
                })
            })
            .await?;
        Ok(Object::Namespace(id))
    }
}
