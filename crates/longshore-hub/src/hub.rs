//! How a use case runs: the question, the change and the row about both, in one transaction.

use futures_util::future::BoxFuture;
use longshore_auth::index::Index;
use longshore_auth::rights::{Action, Judge, Object};
use longshore_core::{Error, Result};
use longshore_meta::audit::{Entry, audit_put};
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::settings::setting_get;
use longshore_meta::{Db, Durability, Tx};

use crate::caller::Caller;
use crate::given::Given;
use crate::permit::Permit;

/// The use cases of the index. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Hub {
    pub(crate) db: Db,
    pub(crate) index: Index,
    given: Given,
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
            given: Given::default(),
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
        act((&self.db, given), caller, object, args, change).await
    }
}

/// The same, for who has a database and no hub.
pub(crate) async fn act<const ACTION: u8, A, T>(
    (db, given): (&Db, Given),
    caller: &Caller,
    object: Object,
    args: A,
    change: Change<ACTION, A, T>,
) -> Result<T>
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
    .await?
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
            let detail = done.detail.to_string();
            let entry = entry::<ACTION>(caller, done.object, done.namespace, "done", detail);
            audit_put(tx, &entry).await?;
            Ok(Ok(done.value))
        }
        Err(denial) => {
            let object = match &order.object {
                Object::System => "system".to_owned(),
                Object::Namespace(id) => format!("namespace {id}"),
                Object::Repository(name) => name.to_string(),
                Object::Tag(name, tag) => format!("{name}:{tag}"),
            };
            let none = NamespaceId(0);
            let entry = entry::<ACTION>(caller, object, none, "denied", "{}".to_owned());
            audit_put(tx, &entry).await?;
            Ok(Err(denial))
        }
    }
}

fn entry<const ACTION: u8>(
    caller: &Caller,
    object: String,
    namespace: NamespaceId,
    result: &str,
    detail: String,
) -> Entry {
    let action = Action::ALL.get(usize::from(ACTION));
    Entry {
        at: caller.micros(),
        actor: caller.who.id(),
        actor_name: caller.name.clone(),
        via: caller.who.via.word().to_owned(),
        origin: caller.who.from.to_string(),
        action: action.map_or("", |action| action.name()).to_owned(),
        object,
        namespace,
        result: result.to_owned(),
        detail,
        request: format!("{:032x}", caller.request),
    }
}
