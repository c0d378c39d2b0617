//! People of directories and providers: their accounts here, made at their first login and kept true at each.
//!
//! Who somebody is, is the pair of source and subject. A name alone never leads into an account that is there already: an
//! administrator says first whom it means ([`crate::identities`]). Groups of a source make members of organisations and teams
//! by rules, and take the place of what the same source said before; what people or other sources said stays.

mod plan;
mod rules;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use longshore_auth::directory::Person;
use longshore_auth::index::{Received, Reception};
use longshore_auth::rights::role::ADMINISTRATOR_ID;
use longshore_auth::rights::{Action, Object};
use longshore_core::{Code, Result};
use longshore_meta::bindings::{Binding, binding_delete, binding_put};
use longshore_meta::identities::{identity_delete, identity_put, identity_seen};
use longshore_meta::members::{member_delete, member_put};
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::principals::{PrincipalId, principal_bump, principal_describe};
use longshore_meta::time::{micros, span};
use longshore_meta::{Db, Durability, Tx};
use serde_json::json;

use self::plan::{Home, Plan, plan};
pub use self::rules::{RuleError, TeamRule};
use crate::accounts::{NewAccount, user_create};
use crate::caller::Caller;
use crate::hub::{Done, act};
use crate::identities::expected;
use crate::permit::Permit;

const USERS: u8 = Action::UserManage as u8;
/// How old the note of somebody's last login may be.
const SEEN_EVERY: Duration = Duration::from_hours(1);

/// What is done with the people of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Whether somebody who was never here gets an account by logging in.
    pub onboard: bool,
    /// Which groups make members of which organisations and teams.
    pub teams: Vec<TeamRule>,
}

/// Takes in people whom sources have vouched for.
#[derive(Debug, Clone)]
pub struct Arrivals {
    db: Db,
    rules: BTreeMap<String, Rules>,
}

/// What the transaction is told.
struct Arrival {
    person: Person,
    rules: Rules,
}

impl Arrivals {
    /// Over `db`, with rules by the names of sources (`ldap:corp`). People of other sources are taken in only where they have
    /// an account.
    pub fn new(db: Db, rules: BTreeMap<String, Rules>) -> Self {
        Self { db, rules }
    }
}

#[async_trait]
impl Reception for Arrivals {
    async fn receive(&self, person: &Person, now: SystemTime) -> Result<Received> {
        let rules = self.rules.get(&person.source).cloned().unwrap_or_default();
        let arrival = Arrival {
            person: person.clone(),
            rules,
        };
        let args = (arrival, micros(now));
        let planned = self.db.read(&args, |tx, (arrival, now)| {
            Box::pin(plan(tx, &arrival.person, &arrival.rules, *now))
        });
        let planned = planned.await?;
        let (arrival, at) = args;
        match planned.home {
            Home::Nobody(received) => {
                tracing::warn!(source = %person.source, subject = %person.subject, name = %person.name, ?received, "somebody has no account here");
                return Ok(received);
            }
            Home::Account(id) if planned.is_empty() => {
                if planned.seen.saturating_add(span(SEEN_EVERY)) < at {
                    self.note(&arrival.person, at).await;
                }
                return Ok(Received::Account(id));
            }
            _ => {}
        }
        let caller = Caller::program(&person.source, now);
        let done = act(
            (&self.db, crate::given::Given::default()),
            &caller,
            Object::System,
            arrival,
            |tx, permit, arrival| Box::pin(arrive(tx, permit, arrival)),
        )
        .await
        .flatten();
        match done {
            // There are repositories below the name, which belong to nobody.
            Err(error) if error.code() == Code::ConditionFailed => Ok(Received::NameTaken),
            other => other,
        }
    }
}

impl Arrivals {
    async fn note(&self, person: &Person, now: i64) {
        let args = (
            person.source.clone(),
            person.subject.clone(),
            person.name.clone(),
            now,
        );
        let noted = self.db.write(
            Durability::Process,
            args,
            |tx, (source, subject, name, now)| {
                Box::pin(identity_seen(tx, (source, subject), name, *now))
            },
        );
        if noted.await.is_err() {
            tracing::warn!("the last login of a person of a source could not be noted");
        }
    }
}

/// Does what is to be done about somebody who comes in.
async fn arrive(
    tx: &mut Tx<'_>,
    permit: &Permit<USERS>,
    arrival: &Arrival,
) -> Result<Done<Received>> {
    let (person, now) = (&arrival.person, permit.micros());
    // Once more, as things are now: another login may have done it meanwhile.
    let mut planned = plan(tx, person, &arrival.rules, now).await?;
    let key = (person.source.as_str(), person.subject.as_str());
    let told = |received: Received, object: &str, detail| Done {
        value: received,
        object: object.to_owned(),
        namespace: NamespaceId(0),
        detail,
    };
    let (id, is_new) = match &planned.home {
        Home::Nobody(received) => {
            let detail = json!({ "source": person.source, "refused": format!("{received:?}") });
            return Ok(told(*received, &person.name, detail));
        }
        Home::Account(id) => (*id, false),
        Home::Expected(id) => {
            let source = expected(&person.source);
            identity_delete(tx, (&source, &person.name), *id).await?;
            identity_put(tx, key, *id, &person.name, now).await?;
            (*id, false)
        }
        Home::New(name) => {
            let new = NewAccount {
                name: name.clone(),
                full_name: person.full_name.clone().unwrap_or_default(),
                mail: plan::mail(person).unwrap_or_default().to_owned(),
                ..NewAccount::default()
            };
            let id = user_create(tx, permit, &new, None).await?.value;
            identity_put(tx, key, id, &person.name, now).await?;
            planned = Plan {
                home: Home::Account(id),
                ..plan(tx, person, &arrival.rules, now).await?
            };
            (id, true)
        }
    };
    identity_seen(tx, key, &person.name, now).await?;
    follow(tx, id, person, &planned, now).await?;
    let detail = json!({
        "source": person.source,
        "created": is_new,
        "joined": planned.join.iter().map(|id| id.0).collect::<Vec<_>>(),
        "left": planned.leave.iter().map(|id| id.0).collect::<Vec<_>>(),
        "administrator": person.admin,
    });
    Ok(told(Received::Account(id), &person.name, detail))
}

/// Makes what a source says of somebody true.
async fn follow(
    tx: &mut Tx<'_>,
    id: PrincipalId,
    person: &Person,
    planned: &Plan,
    now: i64,
) -> Result<()> {
    if let Some((full_name, mail, description)) = &planned.describe {
        principal_describe(tx, id, full_name, mail, description, now).await?;
    }
    for party in &planned.join {
        member_put(tx, *party, id, &person.source, now).await?;
    }
    for party in &planned.leave {
        member_delete(tx, *party, id, &person.source).await?;
    }
    for binding in &planned.unbind {
        binding_delete(tx, *binding).await?;
    }
    if planned.bind {
        let by = (PrincipalId(0), now);
        let binding = Binding {
            source: person.source.clone(),
            ..Binding::plain(id, ADMINISTRATOR_ID, NamespaceId::EVERYWHERE, by)
        };
        binding_put(tx, &binding).await?;
    }
    if !planned.leave.is_empty() || !planned.unbind.is_empty() {
        // What was issued to it may say what it has no more.
        principal_bump(tx, id).await?;
    }
    Ok(())
}
