//! What people may do with their own account, and those who manage users with everybody's.

use futures_util::future::BoxFuture;
use longshore_auth::rights::{Action, Object};
use longshore_core::{Code, Error, Result};
use longshore_meta::audit::{Entry, audit_put};
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::principals::{Kind, Principal, PrincipalId, principal_named};
use longshore_meta::{Durability, Tx};

use crate::caller::Caller;
use crate::given::Given;
use crate::hub::{Done, Hub, entry};
use crate::names::missing;
use crate::permit::Permit;
use crate::rank::outranks;

const USERS: u8 = Action::UserManage as u8;
/// What the audit log calls what people do with their own account.
pub const OWN: &str = "account:own";

/// Proof that somebody may change what a person logs in with: it is themselves, by password, or somebody who manages users and has
/// all the rights of the system that the person has.
#[derive(Debug)]
pub struct OwnPermit {
    caller: Caller,
    account: Principal,
    is_own: bool,
}

impl OwnPermit {
    /// Asks for it. The inner error is the answer to whoever may not, the same whether there is such a person.
    ///
    /// # Errors
    /// `NameUnknown` to those who manage users when there is no such person; `Denied` when the person has more rights than they;
    /// `Unavailable`.
    pub async fn ask(
        tx: &mut Tx<'_>,
        caller: &Caller,
        name: &str,
    ) -> Result<std::result::Result<Self, Error>> {
        let found = principal_named(tx, PrincipalId(0), name).await?;
        let found = found.filter(|it| it.kind == Kind::User);
        let by = caller.who.principal;
        if let Some(account) = found.as_ref().filter(|it| by == Some(it.id)) {
            if caller.is_proven() {
                return Ok(Ok(Self {
                    caller: caller.clone(),
                    account: account.clone(),
                    is_own: true,
                }));
            }
            return Ok(Err(not_proven()));
        }
        if let Err(denial) = Permit::<USERS>::ask(tx, caller, &Object::System).await? {
            return Ok(Err(denial));
        }
        let account = found.ok_or_else(|| missing(&format!("user `{name}`")))?;
        outranks(tx, caller, account.id).await?;
        Ok(Ok(Self {
            caller: caller.clone(),
            account,
            is_own: false,
        }))
    }

    /// Who asked.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Whose account it is.
    pub fn account(&self) -> &Principal {
        &self.account
    }

    /// Whether it is their own.
    pub fn is_own(&self) -> bool {
        self.is_own
    }

    fn action(&self) -> &'static str {
        if self.is_own {
            OWN
        } else {
            Action::UserManage.name()
        }
    }
}

/// The answer to whoever has not shown that they are themselves, and would change their own account.
pub(crate) fn not_proven() -> Error {
    let what = "one's own account, passwords and tokens are changed by whoever logged in with the password; log in with it";
    Error::new(Code::Denied, what)
}

/// A change of an account: it can be called with a permit only.
pub(crate) type OwnChange<A, T> =
    for<'t> fn(&'t mut Tx<'_>, &'t OwnPermit, &'t A) -> BoxFuture<'t, Result<Done<T>>>;

struct Order<A, T> {
    caller: Caller,
    name: String,
    args: A,
    change: OwnChange<A, T>,
    given: Given,
}

impl Hub {
    /// Asks to change what the person called `name` logs in with before work is done for that, and notes a denial. The change asks
    /// again.
    ///
    /// # Errors
    /// The denial, or `Unavailable`.
    pub(crate) async fn ask_on(&self, caller: &Caller, name: &str) -> Result<()> {
        let args = (caller.clone(), name.to_owned());
        let may = self
            .db
            .read(&args, |tx, (caller, name)| {
                Box::pin(OwnPermit::ask(tx, caller, name))
            })
            .await?;
        self.noted(may.map(drop), || denied(caller, name)).await
    }

    /// Asks to change what the person called `name` logs in with, and makes the change, or notes that it was denied.
    ///
    /// # Errors
    /// The denial, what the change gives, or `Unavailable`. Nothing was changed then.
    pub(crate) async fn act_on<A, T>(
        &self,
        caller: &Caller,
        name: &str,
        args: A,
        change: OwnChange<A, T>,
    ) -> Result<T>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        let order = Order {
            caller: caller.clone(),
            name: name.to_owned(),
            args,
            change,
            given: self.given.clone(),
        };
        let done = self
            .db
            .write(Durability::Power, order, |tx, order| {
                Box::pin(run(tx, order))
            })
            .await;
        self.changed(done, || denied(caller, name)).await
    }
}

/// The row of the audit log about a denial.
fn denied(caller: &Caller, name: &str) -> Entry {
    let action = Action::UserManage.name();
    let none = NamespaceId(0);
    entry(
        caller,
        action,
        name.to_owned(),
        none,
        "denied",
        "{}".to_owned(),
    )
}

async fn run<A: Send + Sync, T: Send>(
    tx: &mut Tx<'_>,
    order: &Order<A, T>,
) -> Result<std::result::Result<T, Error>> {
    let caller = &order.caller;
    let none = NamespaceId(0);
    match OwnPermit::ask(tx, caller, &order.name).await? {
        Ok(permit) => {
            order.given.hold(tx, caller).await?;
            let done = (order.change)(tx, &permit, &order.args).await?;
            let detail = done.detail.to_string();
            let row = entry(caller, permit.action(), done.object, none, "done", detail);
            audit_put(tx, &row).await?;
            Ok(Ok(done.value))
        }
        Err(denial) => Ok(Err(denial)),
    }
}
