//! How a use case runs: the question, the change and the row about both, in one transaction.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use longshore_auth::index::Index;
use longshore_auth::rights::{Action, Judge, Object};
use longshore_core::{Code, Error, Result};
use longshore_meta::audit::{Entry, audit_put};
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::settings::setting_get;
use longshore_meta::{Db, Durability, Tx};
use longshore_spec::name::RepoName;

use crate::audit::Ledger;
use crate::caller::Caller;
use crate::desk::Desk;
use crate::given::Given;
use crate::moving::Follower;
use crate::past::Past;
use crate::permit::Permit;
use crate::refusals::Refusals;
use crate::turned::TurnedAway;

/// The use cases of the index. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Hub {
    pub(crate) db: Db,
    pub(crate) index: Index,
    pub(crate) desk: Desk,
    pub(crate) given: Given,
    pub(crate) refusals: Refusals,
    pub(crate) ledger: Ledger,
    pub(crate) turned: TurnedAway,
    follower: Option<Arc<dyn Follower>>,
    past: Option<Past>,
}

/// What a change gives, and what the audit log is to say about it.
#[derive(Debug)]
pub struct Done<T> {
    /// What it gives.
    pub value: T,
    /// What was changed, by its name.
    pub object: String,
    /// The namespace it lies in; 0: none.
    pub namespace: NamespaceId,
    /// More about it.
    pub detail: serde_json::Value,
}

/// A change: it can be called with a permit only.
pub(crate) type Change<const ACTION: u8, A, T> =
    for<'t> fn(&'t mut Tx<'_>, &'t Permit<ACTION>, &'t A) -> BoxFuture<'t, Result<Done<T>>>;

struct Order<const ACTION: u8, A, T> {
    caller: Caller,
    object: Object,
    args: A,
    change: Change<ACTION, A, T>,
    given: Given,
}

impl Hub {
    /// The use cases of an index.
    pub fn new(index: Index) -> Self {
        Self {
            db: index.db().clone(),
            index,
            desk: Desk::default(),
            given: Given::default(),
            refusals: Refusals::default(),
            ledger: Ledger::default(),
            turned: TurnedAway::default(),
            follower: None,
            past: None,
        }
    }

    /// The same, which tells `follower` at once of each name that means something else than it did.
    #[must_use]
    pub fn followed_by(mut self, follower: Arc<dyn Follower>) -> Self {
        self.follower = Some(follower);
        self
    }

    /// The same, which also keeps in `file` what was signed last of the audit log.
    #[must_use]
    pub fn remembering(mut self, file: PathBuf) -> Self {
        self.ledger = Ledger::in_file(file);
        self
    }

    /// The same, beside a registry whose past is `past`.
    #[must_use]
    pub fn with_past(mut self, past: Past) -> Self {
        self.past = Some(past);
        self
    }

    /// The past of the registry beside it.
    ///
    /// # Errors
    /// `Unsupported` where there is no registry.
    pub(crate) fn past(&self) -> Result<&Past> {
        self.past.as_ref().ok_or_else(no_registry)
    }

    /// Tells of names that mean something else than they did.
    pub(crate) fn tell(&self, names: &[RepoName]) {
        if let Some(follower) = &self.follower {
            follower.names_changed(names);
        }
    }

    /// The index: who somebody is, and what they log in with.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The same use cases, for one request: a change is made only if that holds.
    #[must_use]
    pub fn given(&self, given: Given) -> Self {
        Self {
            given,
            ..self.clone()
        }
    }

    /// Who decides.
    pub fn judge(&self) -> &Judge {
        self.index.judge()
    }

    /// A setting of the system.
    ///
    /// # Errors
    /// `Unavailable`.
    pub(crate) async fn setting(&self, name: &'static str) -> Result<Option<String>> {
        self.db
            .read(&name, |tx, name| Box::pin(setting_get(tx, name)))
            .await
    }

    /// Asks for the action on `object` and makes the change, or notes that it was denied.
    ///
    /// # Errors
    /// The denial, what the change gives, or `Unavailable`. Nothing was changed then.
    pub(crate) async fn act<const ACTION: u8, A, T>(
        &self,
        caller: &Caller,
        object: Object,
        args: A,
        change: Change<ACTION, A, T>,
    ) -> Result<T>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        let given = self.given.clone();
        let what = object.clone();
        let done = act((&self.db, given), caller, object, args, change).await;
        self.changed(done, || denied(ACTION, caller, &what)).await
    }

    /// What a change gave, or its denial, of which `row` is noted.
    pub(crate) async fn changed<T>(
        &self,
        done: Result<std::result::Result<T, Error>>,
        row: impl FnOnce() -> Entry + Send,
    ) -> Result<T> {
        // Whatever was taken from whomever counts at once here. Nothing was where it was refused: else whoever may nothing would keep
        // everybody's answers from being remembered.
        match done {
            Ok(Ok(value)) => {
                self.index.forget_all();
                Ok(value)
            }
            Ok(Err(denial)) => Err(self.denial(denial, row()).await),
            // What is refused for what would be given by it is denied, too.
            Err(error) if error.code() == Code::Denied => Err(self.denial(error, row()).await),
            Err(error) => {
                if matches!(error.code(), Code::Unavailable | Code::Internal) {
                    self.index.forget_all();
                }
                Err(error)
            }
        }
    }

    /// The answer to a question, of whose denial `row` is noted.
    pub(crate) async fn noted<T>(
        &self,
        may: std::result::Result<T, Error>,
        row: impl FnOnce() -> Entry + Send,
    ) -> Result<T> {
        match may {
            Ok(value) => Ok(value),
            Err(denial) => Err(self.denial(denial, row()).await),
        }
    }

    /// The denial, noted in `row`; or why that cannot be. Boxed, as what else all changes have in common: there are a hundred of them, and
    /// each would have code of its own for it.
    fn denial(&self, denial: Error, row: Entry) -> BoxFuture<'_, Error> {
        Box::pin(async move { self.refused(row).await.err().unwrap_or(denial) })
    }

    /// Asks for an action on `object` before work is done for a change, which asks again, and notes a denial.
    ///
    /// # Errors
    /// The denial, or `Unavailable`.
    pub(crate) async fn ask<const ACTION: u8>(
        &self,
        caller: &Caller,
        object: &Object,
    ) -> Result<()> {
        let args = (caller.clone(), object.clone());
        let may = self
            .db
            .read(&args, |tx, (caller, object)| {
                Box::pin(Permit::<ACTION>::ask(tx, caller, object))
            })
            .await?;
        let may = may.map(drop);
        self.noted(may, || denied(ACTION, caller, object)).await
    }
}

/// There is an index here, and no registry.
pub(crate) fn no_registry() -> Error {
    let what = "this node keeps no images; ask the registry that does";
    Error::new(Code::Unsupported, what)
}

/// The row of the audit log about a denial.
fn denied(action: u8, caller: &Caller, object: &Object) -> Entry {
    let name = match object {
        Object::System => "system".to_owned(),
        Object::Namespace(id) => format!("namespace {id}"),
        Object::Repository(name) => name.to_string(),
        Object::Tag(name, tag) => format!("{name}:{tag}"),
    };
    let none = NamespaceId(0);
    entry(
        caller,
        action_name(action),
        name,
        none,
        "denied",
        "{}".to_owned(),
    )
}

fn action_name(action: u8) -> &'static str {
    let action = Action::ALL.get(usize::from(action));
    action.map_or("", |action| action.name())
}

/// The same, for who has a database and no hub. The inner error is the denial, of which nothing is written down.
///
/// # Errors
/// What the change gives, or `Unavailable`.
pub(crate) async fn act<const ACTION: u8, A, T>(
    (db, given): (&Db, Given),
    caller: &Caller,
    object: Object,
    args: A,
    change: Change<ACTION, A, T>,
) -> Result<std::result::Result<T, Error>>
where
    A: Send + Sync + 'static,
    T: Send + 'static,
{
    let order = Order {
        caller: caller.clone(),
        object,
        args,
        change,
        given,
    };
    db.write(Durability::Power, order, |tx, order| {
        Box::pin(run(tx, order))
    })
    .await
}

async fn run<const ACTION: u8, A: Send + Sync, T: Send>(
    tx: &mut Tx<'_>,
    order: &Order<ACTION, A, T>,
) -> Result<std::result::Result<T, Error>> {
    let caller = &order.caller;
    match Permit::<ACTION>::ask(tx, caller, &order.object).await? {
        Ok(permit) => {
            order.given.hold(tx, caller).await?;
            let done = (order.change)(tx, &permit, &order.args).await?;
            let Done {
                value,
                object,
                namespace,
                detail,
            } = done;
            made(tx, caller, ACTION, (object, namespace, detail)).await?;
            Ok(Ok(value))
        }
        Err(denial) => {
            #[cfg(feature = "broken")]
            if longshore_core::broken::is("refusals-write") {
                longshore_meta::settings::setting_put(tx, "refused", "yes").await?;
            }
            Ok(Err(denial))
        }
    }
}

/// Notes that a change was made: of what, in which namespace, and more about it.
fn made<'a>(
    tx: &'a mut Tx<'_>,
    caller: &'a Caller,
    action: u8,
    (object, namespace, detail): (String, NamespaceId, serde_json::Value),
) -> BoxFuture<'a, Result<()>> {
    Box::pin(async move {
        let (action, detail) = (action_name(action), detail.to_string());
        let entry = entry(caller, action, object, namespace, "done", detail);
        audit_put(tx, &entry).await.map(drop)
    })
}

/// A row of the audit log.
pub(crate) fn entry(
    caller: &Caller,
    action: &str,
    object: String,
    namespace: NamespaceId,
    result: &str,
    detail: String,
) -> Entry {
    Entry {
        at: caller.micros(),
        actor: caller.who.id(),
        actor_name: caller.name.clone(),
        via: caller.who.way().to_string(),
        origin: caller.who.from.to_string(),
        action: action.to_owned(),
        object,
        namespace,
        result: result.to_owned(),
        detail,
        request: format!("{:032x}", caller.request),
    }
}
