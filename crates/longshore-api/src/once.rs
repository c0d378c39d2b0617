//! Asking twice without doing it twice: `Idempotency-Key`.
//!
//! A client that heard no answer does not know whether what it asked for was done. It sends a key of its own along, and the same key
//! when it asks again. What was done under a key is kept for a day, the last thousand of each who asks; the note is written in the
//! transaction of the change, so there is no moment in which a change is done and its key is free.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use longshore_hub::{Caller, Hub, Once};
use longshore_spec::digest::{Algorithm, Digest};
use serde::{Deserialize, Serialize};

use crate::answer::{JSON, Reply};
use crate::endpoint::{Endpoint, Way};
use crate::problem::{KEY_OTHER, KEY_USED, Problem};

/// The header.
pub(crate) const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer was given before.
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What is kept of an answer.
#[derive(Serialize, Deserialize)]
struct Kept {
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    body: String,
}

/// The key that was sent, where one counts: with what makes something.
pub(crate) fn read(
    headers: &HeaderMap,
    endpoint: &Endpoint,
    asked: &[&[u8]],
) -> Result<Option<Once>, Problem> {
    let mut keys = headers.get_all(&KEY).iter();
    let Some(key) = keys.next() else {
        return Ok(None);
    };
    let key = key.to_str().unwrap_or_default();
    if keys.next().is_some() || key.is_empty() || key.len() > 255 {
        return Err(Problem::invalid(
            "an Idempotency-Key is 1 to 255 printable characters of ASCII, and there is one",
        ));
    }
    if endpoint.method != Way::Post || !endpoint.changes() {
        return Ok(None);
    }
    let mut all = endpoint.id.as_bytes().to_vec();
    for part in asked {
        all.extend((part.len() as u64).to_be_bytes());
        all.extend(*part);
    }
    let whole = Digest::of(Algorithm::Sha256, &all);
    let mut print = [0; 32];
    for (to, from) in print.iter_mut().zip(whole.as_bytes()) {
        *to = *from;
    }
    Ok(Some(Once {
        key: key.to_owned(),
        asked: print,
    }))
}

/// What was answered to the same request before.
pub(crate) async fn before(
    hub: &Hub,
    caller: &Caller,
    once: &Once,
) -> Result<Option<Reply>, Problem> {
    let Some(deed) = hub.deed(caller, &once.key).await? else {
        return Ok(None);
    };
    if deed.asked != once.asked {
        return Err(Problem::new(
            KEY_OTHER,
            "this Idempotency-Key stands for another request of yours",
        ));
    }
    let kept = deed
        .answer
        .and_then(|text| serde_json::from_str::<Kept>(&text).ok());
    let Some(kept) = kept else {
        return Err(Problem::new(
            KEY_USED,
            "this was carried out before, and what was answered cannot be said again",
        ));
    };
    let mut reply = Reply::bytes(JSON, kept.body.into());
    reply.status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK);
    if let Some(location) = &kept.location {
        reply = reply.with(header::LOCATION, location);
    }
    reply
        .headers
        .insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(Some(reply))
}

/// Keeps what is answered. Where that fails, asking again is told that it was done; this answer is the same.
pub(crate) async fn keep(hub: &Hub, caller: &Caller, once: &Once, reply: &Reply) {
    let location = reply.headers.get(header::LOCATION);
    let kept = Kept {
        status: reply.status.as_u16(),
        location: location.and_then(|it| it.to_str().ok()).map(str::to_owned),
        body: String::from_utf8_lossy(&reply.body).into_owned(),
    };
    let Ok(text) = serde_json::to_string(&kept) else {
        return;
    };
    if hub.deed_answered(caller, &once.key, text).await.is_err() {
        tracing::warn!("an answer could not be kept; asking again will be told that it was done");
    }
}
