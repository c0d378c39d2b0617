//! Namespaces.

use longshore_auth::rights::judge::allows;
use longshore_auth::rights::{Action, Object};
use longshore_core::Result;
use longshore_meta::namespaces::{
    Namespace, NamespaceId, namespace_children, namespace_get, namespace_list,
};

use super::Listed;
use crate::caller::Caller;
use crate::hub::Hub;
use crate::names::missing;

const READ: u8 = Action::NamespaceRead as u8;
/// How many namespaces are looked at for one part of a list.
const LOOKED_AT: usize = 1000;

impl Hub {
    /// A namespace.
    ///
    /// # Errors
    /// `NameUnknown` or `Unavailable`.
    pub async fn namespace_get(&self, caller: &Caller, object: &Object) -> Result<Namespace> {
        self.see::<READ, _, _>(caller, object, (), |tx, permit, ()| {
            Box::pin(async move {
                let Object::Namespace(id) = permit.object() else {
                    return Err(missing("namespace"));
                };
                let found = namespace_get(tx, *id).await?;
                found.ok_or_else(|| missing("namespace"))
            })
        })
        .await
    }

    /// A namespace, for whoever has just changed it: a right to change is none to look.
    ///
    /// # Errors
    /// `NameUnknown` or `Unavailable`.
    pub async fn namespace_row(&self, id: NamespaceId) -> Result<Namespace> {
        let found = self
            .db
            .read(&id, |tx, id| Box::pin(namespace_get(tx, *id)))
            .await?;
        found.ok_or_else(|| missing("namespace"))
    }

    /// Namespaces that the caller may see, in the order of their paths, after `after`; only those directly in `within` where that is
    /// said. So many are looked at at a time: a part may be short and not the last.
    ///
    /// # Errors
    /// `NameUnknown` when `within` may not be seen, or `Unavailable`.
    pub async fn namespace_list(
        &self,
        caller: &Caller,
        within: Option<&Object>,
        after: &str,
        limit: usize,
    ) -> Result<Listed<Namespace, String>> {
        if let Some(within) = within {
            self.namespace_get(caller, within).await?;
        }
        let args = (caller, within, after, limit);
        self.db
            .read(&args, |tx, (caller, within, after, limit)| {
                Box::pin(async move {
                    let rows = match within {
                        Some(Object::Namespace(id)) => {
                            namespace_children(tx, *id, after, LOOKED_AT).await?
                        }
                        _ => namespace_list(tx, after, LOOKED_AT).await?,
                    };
                    let whole = rows.len() < LOOKED_AT;
                    let mut items = Vec::new();
                    let mut last = None;
                    for row in rows {
                        if items.len() == *limit {
                            return Ok(Listed { items, next: last });
                        }
                        last = Some(row.path.clone());
                        let object = Object::Namespace(row.id);
                        let read = Action::NamespaceRead;
                        if allows(tx, &caller.who, read, &object, caller.now).await? {
                            items.push(row);
                        }
                    }
                    let next = last.filter(|_| !whole);
                    Ok(Listed { items, next })
                })
            })
            .await
    }
}
