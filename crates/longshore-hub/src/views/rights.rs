//! Who has which right: bindings, roles, settings, and why.

use longshore_auth::rights::ground::READ_ONLY;
use longshore_auth::rights::{Action, Object};
use longshore_core::Result;
use longshore_meta::Tx;
use longshore_meta::bindings::{binding_get, binding_list};
use longshore_meta::principals::PrincipalId;
use longshore_meta::roles::{Role, role_list, role_named};
use longshore_meta::settings::setting_get;

use super::Listed;
use crate::bindings::{home_of, owner, place};
use crate::caller::Caller;
use crate::given;
use crate::gives::{BindingSeen, seen};
use crate::hub::Hub;
use crate::names::missing;
use crate::settings::{SIGN_UP, SignUp};

const READ: u8 = Action::RightsRead as u8;
const SYSTEM: u8 = Action::SystemRead as u8;

impl Hub {
    /// Bindings on a namespace, or on everything, in the order of their ids, after `after`.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn bindings_on(
        &self,
        caller: &Caller,
        object: &Object,
        after: i64,
        limit: usize,
    ) -> Result<Listed<BindingSeen, i64>> {
        self.see::<READ, _, _>(caller, object, (after, limit), |tx, permit, args| {
            Box::pin(async move {
                let rows = binding_list(tx, home_of(permit.object()), args.0, args.1 + 1).await?;
                let page = Listed::of(rows, args.1, |row| row.id);
                let mut items = Vec::with_capacity(page.items.len());
                for row in page.items {
                    items.push(seen(tx, row).await?);
                }
                Ok(Listed {
                    items,
                    next: page.next,
                })
            })
        })
        .await
    }

    /// A binding on a namespace, or on everything.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn binding_on(
        &self,
        caller: &Caller,
        object: &Object,
        id: i64,
    ) -> Result<BindingSeen> {
        self.see::<READ, _, _>(caller, object, id, |tx, permit, id| {
            Box::pin(async move {
                let found = binding_get(tx, *id).await?;
                let found = found.filter(|it| place(it.namespace) == *permit.object());
                seen(tx, found.ok_or_else(|| missing("binding"))?).await
            })
        })
        .await
    }

    /// The roles that all may use, in the order of their names, after `after`. They are no secret.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn roles_of_all(&self, after: &str, limit: usize) -> Result<Listed<Role, String>> {
        let args = (after, limit);
        self.db
            .read(&args, |tx, (after, limit)| {
                Box::pin(roles(tx, PrincipalId(0), after, *limit))
            })
            .await
    }

    /// A role that all may use.
    ///
    /// # Errors
    /// `NameUnknown` or `Unavailable`.
    pub async fn role_of_all(&self, name: &str) -> Result<Role> {
        let found = self
            .db
            .read(&name, |tx, name| {
                Box::pin(role_named(tx, PrincipalId(0), name))
            })
            .await?;
        found.ok_or_else(|| missing("role"))
    }

    /// The roles that whoever owns a namespace has made, in the order of their names, after `after`.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn roles_in(
        &self,
        caller: &Caller,
        object: &Object,
        after: &str,
        limit: usize,
    ) -> Result<Listed<Role, String>> {
        self.see::<READ, _, _>(caller, object, (after, limit), |tx, permit, args| {
            Box::pin(async move {
                let owner = owner(tx, home_of(permit.object())).await?;
                roles(tx, owner, args.0, args.1).await
            })
        })
        .await
    }

    /// A role that whoever owns a namespace has made.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn role_in(&self, caller: &Caller, object: &Object, name: &str) -> Result<Role> {
        self.see::<READ, _, _>(caller, object, name, |tx, permit, name| {
            Box::pin(async move {
                let owner = owner(tx, home_of(permit.object())).await?;
                let found = role_named(tx, owner, name).await?;
                found.ok_or_else(|| missing("role"))
            })
        })
        .await
    }

    /// The settings of the system, and their mark: who may sign up, and whether it is read-only.
    ///
    /// # Errors
    /// `Denied` or `Unavailable`.
    pub async fn settings(&self, caller: &Caller) -> Result<((SignUp, bool), String)> {
        self.see::<SYSTEM, _, _>(caller, &Object::System, (), |tx, _, ()| {
            Box::pin(async move {
                let sign_up = setting_get(tx, SIGN_UP).await?;
                let read_only = setting_get(tx, READ_ONLY).await?;
                let mark = given::settings(sign_up.as_deref(), read_only.as_deref());
                let told = (
                    SignUp::read(sign_up.as_deref()),
                    read_only.as_deref() == Some("true"),
                );
                Ok((told, mark))
            })
        })
        .await
    }

    /// A binding that was just made, for whoever made it.
    ///
    /// # Errors
    /// `NameUnknown` or `Unavailable`.
    pub async fn binding_row(&self, id: i64) -> Result<BindingSeen> {
        self.db
            .read(&id, |tx, id| {
                Box::pin(async move {
                    let found = binding_get(tx, *id).await?;
                    seen(tx, found.ok_or_else(|| missing("binding"))?).await
                })
            })
            .await
    }
}

async fn roles(
    tx: &mut Tx<'_>,
    owner: PrincipalId,
    after: &str,
    limit: usize,
) -> Result<Listed<Role, String>> {
    let rows = role_list(tx, owner, after, limit + 1).await?;
    Ok(Listed::of(rows, limit, |row| row.name.clone()))
}
