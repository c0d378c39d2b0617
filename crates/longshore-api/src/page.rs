//! Lists in parts: after which one a part begins is in a cursor, which is the server's own word and nobody else's: see [`cursor`].

use http::header;
use longshore_hub::views::Listed;
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::{Answer, Reply};
use crate::ask::Ask;
use crate::cursor;
use crate::problem::Problem;

/// How many there are in a part where nobody says how many.
pub(crate) const UNASKED: usize = 50;
/// How many at the most.
pub(crate) const MOST: usize = 1000;

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// What is in it, in order. It may be fewer than were asked for while there are more.
    pub(crate) items: Vec<T>,
    /// The `cursor` of the part after this one; nothing where this is the last.
    pub(crate) next: Option<String>,
}

/// A part of a list as a reply, with a `Link` to the next.
pub(crate) fn page<R, T: Serialize, K>(
    ask: &Ask,
    found: Listed<R, K>,
    show: impl FnMut(R) -> T,
    key: impl FnOnce(&K) -> String,
) -> Answer {
    let next = found.next.as_ref().map(key);
    let next = next.map(|key| cursor::seal(ask, &key)).transpose()?;
    let items: Vec<T> = found.items.into_iter().map(show).collect();
    let link = next.as_ref().map(|next| link(ask, next));
    let reply = Reply::json(&Page { items, next })?;
    Ok(match link {
        Some(link) => reply.with(header::LINK, &link),
        None => reply,
    })
}

/// The `Link` to the part of a list at a cursor (RFC 8288).
pub(crate) fn link(ask: &Ask, next: &str) -> String {
    let mut query = String::new();
    for (name, value) in ask.asked() {
        if name != "cursor" {
            query.push_str(name);
            query.push('=');
            query.push_str(value);
            query.push('&');
        }
    }
    format!("<{}?{query}cursor={next}>; rel=\"next\"", ask.target)
}

/// Where a list is to begin, read from its cursor; the beginning where there is none.
pub(crate) fn after<K: Default>(
    ask: &Ask,
    read: impl FnOnce(&str) -> Option<K>,
) -> Result<K, Problem> {
    let Some(text) = ask.query.get("cursor") else {
        return Ok(K::default());
    };
    let found = cursor::open(ask, text).and_then(|key| read(&key));
    found.ok_or_else(|| {
        Problem::invalid("`cursor` is none of this list; begin without one, and go on with `next`")
    })
}
