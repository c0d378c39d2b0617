//! What would be allowed after changes that nobody has made. Whoever asks names them as they would be made, and needs for each the right
//! to see what it changes: so that nothing is learnt by supposing that could not be seen as well.

mod members;
mod places;
mod roles;

use longshore_auth::rights::{Action, ActionSet, Explanation, Facts, Object, Sight, Supposed};
use longshore_core::{Error, Result};
use longshore_meta::Tx;
use longshore_meta::namespaces::Visibility;

use super::explain::{Whom, may_ask, may_leave_out, told, who};
use crate::caller::Caller;
use crate::gives::Give;
use crate::hub::Hub;
use crate::names::hidden;
use crate::permit::Permit;

const READ: u8 = Action::RightsRead as u8;

/// What a role is supposed to allow.
#[derive(Debug, Clone)]
pub struct RoleSaid {
    /// Of whose namespaces: the role is their owner's; the system: it is for all.
    pub at: Object,
    /// Its name.
    pub name: String,
    /// What it allows then.
    pub actions: ActionSet,
}

/// Changes that are supposed, by names.
#[derive(Debug, Clone, Default)]
pub struct Suppositions {
    /// Bindings more, each with where it would be.
    pub with: Vec<(Object, Give)>,
    /// Bindings less, by their ids.
    pub without: Vec<i64>,
    /// Roles that say something else, or that there are none of yet and a binding more gives.
    pub roles: Vec<RoleSaid>,
    /// What the one who is asked about is in then: `organisation:NAME` or `team:ORGANISATION/NAME`.
    pub joins: Vec<String>,
    /// What they are in no more.
    pub leaves: Vec<String>,
    /// Who sees a namespace or a repository; for a repository none: as its namespace says.
    pub visibility: Vec<(Object, Option<Visibility>)>,
    /// Whether nothing can be changed in a namespace, a repository or anywhere.
    pub read_only: Vec<(Object, bool)>,
}

impl Suppositions {
    /// Whether nothing is supposed but that whoever is asked about has less: they could work that out for themselves.
    fn only_take(&self) -> bool {
        self.with.is_empty()
            && self.roles.is_empty()
            && self.joins.is_empty()
            && self.visibility.is_empty()
            && self.read_only.is_empty()
    }
}

impl Hub {
    /// What [`Hub::explain`] would say after these changes. Whoever asks must see the rights on what is asked about and on each place
    /// that a change names, the members of what somebody joins, and the bindings that do not count; but everybody may suppose of themselves that they have less.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `NameInvalid`, `QueryInvalid` for what cannot be meant, `ConditionFailed` for a change that cannot be made,
    /// or `Unavailable`.
    pub async fn supposing(
        &self,
        caller: &Caller,
        whom: &Whom,
        question: (Action, &Object),
        changes: &Suppositions,
    ) -> Result<Explanation> {
        let args = (caller, whom, question, self.judge().sight(), changes);
        self.db
            .read(&args, |tx, (caller, whom, question, sight, changes)| {
                Box::pin(supposing(tx, (caller, whom), *question, *sight, changes))
            })
            .await
    }

    /// Whether somebody may suppose about `object` more than that they have less themselves: what [`Hub::supposing`] asks first as
    /// well, for whoever has to look up what is supposed.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn may_suppose(&self, caller: &Caller, object: &Object) -> Result<()> {
        let args = (caller, object);
        self.db
            .read(&args, |tx, (caller, object)| {
                Box::pin(async move { may_ask(tx, caller, object).await? })
            })
            .await
    }
}

async fn supposing(
    tx: &mut Tx<'_>,
    (caller, whom): (&Caller, &Whom),
    (action, object): (Action, &Object),
    sight: Sight,
    changes: &Suppositions,
) -> Result<Explanation> {
    let may = may_ask(tx, caller, object).await?;
    if *whom == Whom::Myself && changes.only_take() {
        let (who, now) = (&caller.who, caller.now);
        let found = Explanation::load(tx, who, action, object, sight, now).await?;
        if may.is_err() && !found.may_know {
            return Err(hidden());
        }
    } else {
        may?;
    }
    let who = who(tx, caller, whom).await?;
    if who.principal.is_none() || who.principal != caller.who.principal {
        for id in &changes.without {
            may_leave_out(tx, caller, (&who, object), *id).await?;
        }
    }
    let supposed = Supposed {
        without: changes.without.clone(),
        moves: members::moves(tx, caller, who.principal, changes).await?,
        read_only: places::read_only(tx, caller, changes).await?,
        visibility: places::visibility(tx, caller, changes).await?,
        ..roles::with(tx, caller, changes).await?
    };
    let facts = Facts::supposing(tx, &who, object, caller.now, &supposed).await?;
    let facts = facts.seen(sight);
    told(tx, caller, &who, &facts, (action, object)).await
}

/// Checks that whoever asks sees the rights there.
async fn sees(tx: &mut Tx<'_>, caller: &Caller, at: &Object) -> Result<()> {
    Permit::<READ>::ask(tx, caller, at).await?.map(drop)
}

fn twice(what: &str) -> Error {
    Error::new(
        longshore_core::Code::QueryInvalid,
        format!("{what} is supposed twice"),
    )
}
