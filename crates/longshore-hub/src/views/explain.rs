//! May somebody do something, and why? Whom that is asked about, by whom, and by which names.

mod shown;

use longshore_auth::index::SYSTEM;
use longshore_auth::rights::decide::{Question, decide};
use longshore_auth::rights::facts::Facts;
use longshore_auth::rights::judge::allows;
use longshore_auth::rights::{Action, Explanation, Object, Via, Who};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::namespaces::namespace_get;
use longshore_meta::principals::{Principal, principal_get};
use longshore_meta::rests::{Rest, rest_get, rest_until};

use crate::caller::Caller;
use crate::gives::{explicit, principal_find};
use crate::hub::Hub;
use crate::names::hidden;
use crate::permit::Permit;

pub(super) use shown::may_leave_out;
use shown::shown;

const READ: u8 = Action::RightsRead as u8;

/// Who is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// Whoever asks, with the credential that they have shown.
    Myself,
    /// Somebody who has not logged in.
    Stranger,
    /// Somebody, as in [`crate::gives::Give`] or as they log in.
    Somebody(String),
}

impl Hub {
    /// Whether somebody may do something, and why: everybody may ask about themselves what they may know, and whoever sees the rights
    /// there may ask about everybody, and is told of what they could look up themselves: see [`longshore_auth::rights::Shown`]. Of a repository that is not there it is said to whoever could make it.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `QueryInvalid` for somebody who can be nobody, or `Unavailable`.
    pub async fn explain(
        &self,
        caller: &Caller,
        whom: &Whom,
        (action, object): (Action, &Object),
    ) -> Result<Explanation> {
        let args = (caller, whom, action, object, self.judge().sight());
        self.db
            .read(&args, |tx, (caller, whom, action, object, sight)| {
                Box::pin(async move {
                    if **whom != Whom::Myself {
                        may_ask(tx, caller, object).await??;
                    }
                    let who = who(tx, caller, whom).await?;
                    let facts = Facts::load(tx, &who, object, caller.now)
                        .await?
                        .seen(*sight);
                    let found = told(tx, caller, &who, &facts, (*action, object)).await?;
                    if **whom == Whom::Myself && !found.may_know {
                        return Err(hidden());
                    }
                    Ok(found)
                })
            })
            .await
    }
}

/// Whether whoever asks may ask about others. The inner error is the answer to whoever may not.
///
/// # Errors
/// `Unavailable`.
pub(super) async fn may_ask(
    tx: &mut Tx<'_>,
    caller: &Caller,
    object: &Object,
) -> Result<std::result::Result<(), Error>> {
    // As much is read for everybody, or else the time would tell what is not there from what is hidden.
    let facts = Facts::load(tx, &caller.who, object, caller.now).await?;
    let permit = Permit::<READ>::ask(tx, caller, object).await?;
    let absent = facts.ground.repo.as_ref().is_some_and(|it| it.id.is_none());
    let may = |action: &Action| {
        // What is read-only now is made later.
        let question = Question::about(&caller.who, *action, object, caller.now);
        decide(&facts, &question).could_be()
    };
    let makes = [
        Action::RightsRead,
        Action::RepositoryPush,
        Action::NamespaceCreateRepository,
    ];
    if absent && makes.iter().all(may) {
        return Ok(Ok(()));
    }
    Ok(permit.map(drop))
}

/// An explanation of what facts say about somebody, as far as `caller` may read it.
///
/// # Errors
/// `Unavailable`.
pub(super) async fn told(
    tx: &mut Tx<'_>,
    caller: &Caller,
    who: &Who,
    facts: &Facts,
    question: (Action, &Object),
) -> Result<Explanation> {
    let shown = shown(tx, caller, who, facts).await?;
    Explanation::of(tx, facts, shown.as_ref(), who, question, caller.now).await
}

/// Who is asked about.
///
/// # Errors
/// `NameUnknown`, `QueryInvalid`, or `Unavailable`.
pub(super) async fn who(tx: &mut Tx<'_>, caller: &Caller, whom: &Whom) -> Result<Who> {
    let from = caller.who.from;
    Ok(match whom {
        Whom::Myself => caller.who.clone(),
        Whom::Stranger => Who::stranger(from),
        Whom::Somebody(text) => {
            let found = somebody(tx, caller, text).await?;
            Who::principal(found.id, Via::Password, from)
        }
    })
}

/// The principal that a text means, with a word for what it is or as it logs in. Whoever sees all users hears what became of a name.
async fn somebody(tx: &mut Tx<'_>, caller: &Caller, text: &str) -> Result<Principal> {
    let text = explicit(text);
    let error = match principal_find(tx, caller, &text).await {
        Err(error) if error.code() == Code::NameUnknown => error,
        found => return found,
    };
    let list = Action::UserList;
    if allows(tx, &caller.who, list, &Object::System, caller.now).await?
        && let Some(past) = past(tx, caller.micros(), &text).await?
    {
        return Err(past);
    }
    Err(error)
}

/// What became of the account whose name a text has, if that rests.
async fn past(tx: &mut Tx<'_>, now: i64, text: &str) -> Result<Option<Error>> {
    let name = text.split_once(':').map_or(text, |(_, name)| name);
    let name = name.split(['/', '+']).next().unwrap_or(name);
    let Some(until) = rest_until(tx, name, now).await?.filter(|_| name != SYSTEM) else {
        return Ok(None);
    };
    if let Some(Rest::Namespace(home)) = rest_get(tx, name, now).await?
        && let Some(home) = namespace_get(tx, home).await?
        && let Some(owner) = principal_get(tx, home.owner).await?
    {
        return Ok(Some(Error::new(
            Code::NameUnknown,
            format!(
                "the account `{name}` is called `{0}` now; ask about `{0}`",
                owner.name
            ),
        )));
    }
    let until = jiff::Timestamp::from_microsecond(until).unwrap_or_default();
    Ok(Some(Error::new(
        Code::NameUnknown,
        format!(
            "nobody is called `{name}` any more: the name was given up, and rests until {until:.0}"
        ),
    )))
}
