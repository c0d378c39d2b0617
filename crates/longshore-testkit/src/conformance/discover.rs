//! Finding out: the ping (end-1), lists of tags (end-8), referrers (end-12).

use std::collections::BTreeSet;

use longshore_spec::digest::Digest;
use longshore_spec::media::MediaType;
use serde_json::Value;

use crate::wire::{Answer, Ask};

use super::expect::{Held, Must};
use super::made::Referrers;
use super::talk::{Place, Talk, with_param};

/// Whether this is a registry.
pub(super) async fn ping(talk: &mut Talk<'_>) -> Held {
    talk.ask(Ask::new("GET", "/v2/")).await?.must_be(200)
}

/// The tags of a repository nobody has pushed to.
pub(super) async fn tags_of_nothing(talk: &mut Talk<'_>) -> Held {
    let answer = talk
        .ask(Ask::new("GET", talk.path(Place::Repo, "tags/list")))
        .await?;
    answer.must_be_one_of(&[200, 404])?;
    match answer.status {
        200 if !listed(talk, &answer)?.is_empty() => {
            Err("there are tags in a repository that is new".to_owned())
        }
        _ => Ok(()),
    }
}

/// The tags of a repository: all, and those after the first half of them.
pub(super) async fn tags(talk: &mut Talk<'_>, expected: &[String]) -> Held {
    let target = talk.path(Place::Repo, "tags/list");
    let answer = talk.ask(Ask::new("GET", &target)).await?;
    if expected.is_empty() && answer.status == 404 {
        return Ok(());
    }
    answer.must_be(200)?;
    let all = listed(talk, &answer)?;
    if let Some(missing) = expected.iter().find(|tag| !all.contains(tag)) {
        return Err(format!("{missing} is not listed"));
    }
    let (before, after) = all.split_at(all.len() / 2);
    let Some(last) = before.last() else {
        return Ok(());
    };
    let answer = talk
        .ask(Ask::new("GET", with_param(&target, "last", last)))
        .await?;
    answer.must_be(200)?;
    let rest = listed(talk, &answer)?;
    if rest == after {
        Ok(())
    } else {
        Err(format!("after {last} must come {after:?}, not {rest:?}"))
    }
}

/// The tags that an answer lists, which must be in the order of their bytes and those of the repository.
fn listed(talk: &Talk<'_>, answer: &Answer) -> Held<Vec<String>> {
    let body = answer.must_be_json()?;
    if body.get("name").and_then(Value::as_str) != Some(talk.name(Place::Repo)) {
        return Err("the list does not name its repository".to_owned());
    }
    let tags = body
        .get("tags")
        .and_then(Value::as_array)
        .ok_or("the list has no `tags`")?;
    let tags: Vec<String> = tags
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    if tags.is_sorted() {
        Ok(tags)
    } else {
        Err(format!("{tags:?} are not in order"))
    }
}

/// The referrers of something in a repository nobody has pushed to.
pub(super) async fn referrers_of_nothing(talk: &mut Talk<'_>, subject: &Digest) -> Held {
    let target = talk.path(Place::Repo, &format!("referrers/{subject}"));
    let answer = talk.ask(Ask::new("GET", target)).await?;
    let manifests = manifests(&answer)?;
    if manifests.is_empty() {
        Ok(())
    } else {
        Err("there are referrers in a repository that is new".to_owned())
    }
}

/// The referrers of a subject: all, and those of each type alone.
pub(super) async fn referrers(talk: &mut Talk<'_>, expected: &Referrers) -> Held {
    let target = talk.path(Place::Repo, &format!("referrers/{}", expected.subject));
    let answer = talk.ask(Ask::new("GET", &target)).await?;
    same(&manifests(&answer)?, &expected.descriptors)?;
    let kind = |descriptor: &Value| {
        descriptor
            .get("artifactType")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let kinds: BTreeSet<String> = expected.descriptors.iter().filter_map(kind).collect();
    for wanted in kinds {
        let answer = talk
            .ask(Ask::new(
                "GET",
                with_param(&target, "artifactType", &wanted),
            ))
            .await?;
        let of_kind = expected
            .descriptors
            .iter()
            .filter(|known| kind(known).as_ref() == Some(&wanted));
        same(&manifests(&answer)?, &of_kind.cloned().collect::<Vec<_>>())?;
        answer.must_have("oci-filters-applied", "artifactType")?;
    }
    Ok(())
}

fn manifests(answer: &Answer) -> Held<Vec<Value>> {
    answer.must_be(200)?;
    answer.must_have("content-type", MediaType::OCI_INDEX.as_str())?;
    let body = answer.must_be_json()?;
    let version = body.get("schemaVersion").and_then(Value::as_u64);
    let media_type = body.get("mediaType").and_then(Value::as_str);
    if version != Some(2) || media_type != Some(MediaType::OCI_INDEX.as_str()) {
        return Err("the referrers are no OCI index".to_owned());
    }
    body.get("manifests")
        .and_then(Value::as_array)
        .cloned()
        .ok_or_else(|| "the index has no `manifests`".to_owned())
}

/// The same descriptors, in whatever order.
fn same(found: &[Value], expected: &[Value]) -> Held {
    if let Some(missing) = expected.iter().find(|known| !found.contains(known)) {
        return Err(format!("{missing} is not listed"));
    }
    if let Some(extra) = found.iter().find(|item| !expected.contains(item)) {
        return Err(format!("{extra} must not be listed"));
    }
    Ok(())
}
