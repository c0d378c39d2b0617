//! Proof that a decision allowed an action on an object.

use futures_util::future::BoxFuture;
use longshore_auth::rights::decide::{Question, decide};
use longshore_auth::rights::{Action, Explanation, Facts, Object, Sight};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;

use crate::caller::Caller;
use crate::names::hidden;

/// Proof that the decision allowed the action numbered `ACTION` on an object, in the transaction at hand.
///
/// Nobody else can make one, so a change that wants one cannot be made without asking:
///
/// ```compile_fail,E0451
/// use longshore_auth::rights::{Action, Object};
/// use longshore_hub::{Caller, Permit};
///
/// fn forge(caller: Caller) -> Permit<{ Action::UserManage as u8 }> {
///     Permit { caller, object: Object::System }
/// }
/// ```
///
/// A permit for one action is none for another:
///
/// ```compile_fail,E0308
/// use longshore_auth::rights::Action;
/// use longshore_hub::Permit;
///
/// fn needs(_: &Permit<{ Action::UserManage as u8 }>) {}
/// fn has(permit: &Permit<{ Action::UserList as u8 }>) {
///     needs(permit);
/// }
/// ```
#[derive(Debug)]
pub struct Permit<const ACTION: u8> {
    caller: Caller,
    object: Object,
}

/// The action of a number.
fn action(number: u8) -> Result<Action> {
    Action::ALL
        .get(usize::from(number))
        .copied()
        .ok_or_else(|| Error::internal("a permit names no action"))
}

/// Asks for the action of that number. Boxed, and apart from [`Permit::ask`], which is made anew for each action.
fn asked<'a>(
    tx: &'a mut Tx<'_>,
    number: u8,
    caller: &'a Caller,
    object: &'a Object,
) -> BoxFuture<'a, Result<std::result::Result<(), Error>>> {
    Box::pin(async move {
        let action = action(number)?;
        // What is asked for here is done here, where a repository that has no row is not there.
        let sight = Sight::Here;
        let (who, now) = (&caller.who, caller.now);
        let facts = Facts::load(tx, who, object, now).await?.seen(sight);
        // What is not there is answered as what may not be known: by a right on its namespace it could be told from what is denied.
        // Only what makes a repository needs none, and is refused in words to whoever could make it but for read-only mode.
        let is_absent = facts.ground.repo.as_ref().is_some_and(|it| it.id.is_none());
        let is_there = !is_absent || action == Action::NamespaceCreateRepository;
        let question = Question::about(who, action, object, now);
        if is_there && decide(&facts, &question).is_allowed() {
            return Ok(Ok(()));
        }
        // Only who is refused is told why.
        let found = Explanation::of(tx, &facts, None, who, (action, object), now).await?;
        let text = action.about().text;
        let may_know = found.may_know;
        #[cfg(feature = "broken")]
        let may_know = may_know || longshore_core::broken::is("says-what-is-hidden");
        let error = if may_know && is_there {
            let public = format!(
                "`{}` lacks the right `{action}` (to {text}) on {}: {}",
                caller.name, found.object, found.reason
            );
            Error::new(Code::Denied, public)
        } else {
            hidden()
        };
        Ok(Err(error))
    })
}

impl<const ACTION: u8> Permit<ACTION> {
    /// Asks for the action on `object`. The inner error is the answer to whoever may not: the same for what is not there and for what
    /// they may not know of.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn ask(
        tx: &mut Tx<'_>,
        caller: &Caller,
        object: &Object,
    ) -> Result<std::result::Result<Self, Error>> {
        let asked = asked(tx, ACTION, caller, object).await?;
        Ok(asked.map(|()| Self {
            caller: caller.clone(),
            object: object.clone(),
        }))
    }

    /// Who asked.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// What it is for.
    pub fn object(&self) -> &Object {
        &self.object
    }

    /// Now, as rows have it.
    pub fn micros(&self) -> i64 {
        self.caller.micros()
    }
}
