//! Who is supposed to see what, and what is supposed to be read-only.

use longshore_auth::rights::suppose::Spot;
use longshore_auth::rights::{Object, ground};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::names::name_resolve;
use longshore_meta::namespaces::{Namespace, Visibility, namespace_chain, namespace_get};
use longshore_meta::profiles::profile_standing;

use super::{Suppositions, sees, twice};
use crate::caller::Caller;
use crate::names::hidden;
use crate::repositories::narrows;

/// What is named as seen or read-only, for whoever sees the rights there.
async fn spot(tx: &mut Tx<'_>, caller: &Caller, at: &Object) -> Result<Spot> {
    sees(tx, caller, at).await?;
    match at {
        Object::System => Ok(Spot::System),
        Object::Namespace(id) => Ok(Spot::Namespace(*id)),
        Object::Repository(name) => {
            let found = name_resolve(tx, name, caller.micros()).await?;
            let id = found.repo.ok_or_else(hidden)?;
            Ok(Spot::Repository(id))
        }
        Object::Tag(..) => Err(Error::new(
            Code::QueryInvalid,
            "a tag is seen as its repository is, and is no more read-only than that; name the repository",
        )),
    }
}

/// What is supposed to be read-only, and what not.
pub(super) async fn read_only(
    tx: &mut Tx<'_>,
    caller: &Caller,
    changes: &Suppositions,
) -> Result<Vec<(Spot, bool)>> {
    let mut spots = Vec::new();
    for (at, read_only) in &changes.read_only {
        let spot = spot(tx, caller, at).await?;
        if spots.iter().any(|(known, _)| *known == spot) {
            return Err(twice("whether a place is read-only"));
        }
        spots.push((spot, *read_only));
    }
    Ok(spots)
}

/// Who is supposed to see what.
pub(super) async fn visibility(
    tx: &mut Tx<'_>,
    caller: &Caller,
    changes: &Suppositions,
) -> Result<Vec<(Spot, Option<Visibility>)>> {
    let mut spots = Vec::new();
    for (at, word) in &changes.visibility {
        let spot = spot(tx, caller, at).await?;
        let fits = match spot {
            Spot::System => false,
            Spot::Namespace(_) => word.is_some(),
            Spot::Repository(_) => true,
        };
        if !fits {
            return Err(Error::new(
                Code::QueryInvalid,
                "a namespace is private, internal or public; a repository is, too, or as its namespace says; the system is none of these",
            ));
        }
        if spots.iter().any(|(known, _)| *known == spot) {
            return Err(twice("who sees a place"));
        }
        spots.push((spot, *word));
    }
    for ((at, _), (spot, word)) in changes.visibility.iter().zip(&spots) {
        if let Some(word) = word {
            counts(tx, caller, (at, *spot, *word), &spots).await?;
        }
    }
    Ok(spots)
}

/// Checks that a word about who sees something counts there when all is as it is supposed: else it cannot be said.
async fn counts(
    tx: &mut Tx<'_>,
    caller: &Caller,
    (at, spot, word): (&Object, Spot, Visibility),
    spots: &[(Spot, Option<Visibility>)],
) -> Result<()> {
    let (name, around, today) = match (spot, at) {
        (Spot::Namespace(id), _) => {
            let Some(found) = namespace_get(tx, id).await? else {
                return Ok(());
            };
            let around = found.path.rsplit_once('/').map(|(around, _)| around);
            (
                found.path.clone(),
                around.unwrap_or_default().to_owned(),
                Some(found.visibility),
            )
        }
        (Spot::Repository(id), Object::Repository(name)) => {
            let name = name_resolve(tx, name, caller.micros()).await?.name;
            let around = ground::home(&name).to_owned();
            let today = profile_standing(tx, id).await?.unwrap_or_default().0;
            (name.to_string(), around, today)
        }
        _ => return Ok(()),
    };
    // What counted when it was said may be said again.
    if today == Some(word) {
        return Ok(());
    }
    let around = namespace_chain(tx, &around).await?.into_iter().map(|it| {
        let then = spots
            .iter()
            .find(|(known, _)| *known == Spot::Namespace(it.id));
        Namespace {
            visibility: then.and_then(|(_, word)| *word).unwrap_or(it.visibility),
            ..it
        }
    });
    narrows(&name, word, &around.collect::<Vec<_>>())
}
