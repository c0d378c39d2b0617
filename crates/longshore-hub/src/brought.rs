//! What was said of a repository or a group, and goes with it: nothing counts by that where it comes to which could not be said there, and
//! nobody takes a denial to where it is taken back by others.

use std::collections::BTreeMap;

use longshore_auth::rights::judge::allows;
use longshore_auth::rights::{Action, ActionSet};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::bindings::Binding;
use longshore_meta::namespaces::{Namespace, NamespaceId};
use longshore_meta::principals::PrincipalId;
use longshore_meta::roles::role_get;

use crate::bindings::place;
use crate::caller::Caller;
use crate::names::conflict;
use crate::rank::{Terms, has_all_on};

/// Bindings that come from one place to another.
#[derive(Debug)]
pub(crate) struct Brought<'a> {
    /// The bindings.
    pub(crate) rows: Vec<&'a Binding>,
    /// The namespaces around all that goes, before and after, the outermost first.
    pub(crate) around: [&'a [Namespace]; 2],
}

impl Brought<'_> {
    /// Where they come to.
    fn into(&self) -> Option<&Namespace> {
        let [_, into] = self.around;
        into.last()
    }

    /// Where they come to, as it is called.
    fn path(&self) -> &str {
        self.into().map_or("", |it| it.path.as_str())
    }

    /// Checks that each of their roles is one there: an owner's roles are changed by those who give rights in all that is theirs, and
    /// nowhere else.
    ///
    /// # Errors
    /// `ConditionFailed` with what to do, or `Unavailable`.
    pub(crate) async fn roles(&self, tx: &mut Tx<'_>) -> Result<()> {
        let owner = self.into().map_or(PrincipalId(0), |it| it.owner);
        let roles = self.rows.iter().map(|row| (row.role, *row));
        for (id, row) in roles.collect::<BTreeMap<_, _>>() {
            let role = role_get(tx, id).await?;
            if role.is_none_or(|it| it.owner == PrincipalId(0) || it.owner == owner) {
                continue;
            }
            return Err(conflict(format!(
                "the role `{}`, which somebody has on what is moved, is not one of `{}`; take it back first, or give a role that is \
                 everywhere",
                row.role_name,
                self.path()
            )));
        }
        Ok(())
    }

    /// Checks that whoever asks could say there what they say, and could take back where they are what they deny.
    ///
    /// # Errors
    /// `Denied` with what is lacking, or `Unavailable`.
    pub(crate) async fn rights(&self, tx: &mut Tx<'_>, caller: &Caller) -> Result<()> {
        let ended = |row: &Binding| row.expires.is_some_and(|end| end <= caller.micros());
        let rows = self.rows.iter().filter(|row| !ended(row));
        let (denied, given) = rows.partition::<Vec<&&Binding>, _>(|row| row.deny);
        let manage = Action::RightsManage;
        let mut asked = Vec::new();
        for row in denied {
            if asked.contains(&row.namespace) {
                continue;
            }
            asked.push(row.namespace);
            if !allows(tx, &caller.who, manage, &place(row.namespace), caller.now).await? {
                return Err(lacks(format!(
                    "something is denied somebody on what is moved, and `{}` lacks the right `{manage}` to take that back; whoever has \
                     it moves it",
                    caller.name
                )));
            }
        }
        if given.is_empty() {
            return Ok(());
        }
        let (at, path) = (
            place(self.into().map_or(NamespaceId::EVERYWHERE, |it| it.id)),
            self.path(),
        );
        if !allows(tx, &caller.who, manage, &at, caller.now).await? {
            return Err(lacks(format!(
                "rights were given on what is moved, and `{}` lacks the right `{manage}` in `{path}`, where they would count; take them \
                 back first, or let somebody move it who gives rights there",
                caller.name
            )));
        }
        // What counts alike is looked at together.
        let mut said: BTreeMap<_, (ActionSet, &Binding)> = BTreeMap::new();
        for row in given {
            let when = (&row.networks, &row.hours, row.expires);
            let (actions, _) = said.entry(when).or_insert((ActionSet::NONE, row));
            *actions = actions.or(ActionSet::known(&row.actions));
        }
        for (actions, row) in said.into_values() {
            let has = has_all_on(tx, caller, &at, actions, &Terms::of(row)).await;
            has.map_err(|error| match error.code() {
                Code::Denied => lacks(format!(
                    "rights were given on what is moved, and would count in `{path}`: {}",
                    error.public()
                )),
                _ => error,
            })?;
        }
        Ok(())
    }
}

fn lacks(text: String) -> Error {
    Error::new(Code::Denied, text)
}
