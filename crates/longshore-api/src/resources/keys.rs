//! The keys that tokens are signed with.

use std::time::SystemTime;

use longshore_auth::issuer::ShownKey;
use longshore_auth::rights::Action;
use longshore_meta::time::micros;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::answer::{Answer, Reply};
use crate::api::Api;
use crate::ask::Ask;
use crate::endpoint::{Endpoint, Gives, Needs, On, Way, line, shape};
use crate::words::time;

pub(super) const ENDPOINTS: &[Endpoint] = &[
    line(
        "key-list",
        (Way::Get, "/keys"),
        "List the keys that sign tokens, will, or did and are still trusted",
        Needs::Right(Action::SystemRead, On::System),
        Gives::One(shape::<Keys>()),
        |api, ask| Box::pin(list(api, ask)),
    ),
    line(
        "key-rotate",
        (Way::Post, "/keys/rotate"),
        "Make the next key, which signs when registries have had time to fetch it",
        Needs::Right(Action::SystemOperate, On::System),
        Gives::One(shape::<Keys>()),
        |api, ask| Box::pin(rotate(api, ask)),
    )
    .takes(shape::<KeyRotation>()),
];

/// The keys that sign tokens.
#[derive(Serialize, ToSchema)]
struct Keys {
    /// Each of them.
    items: Vec<Key>,
}

/// A key that signs tokens.
#[derive(Serialize, ToSchema)]
struct Key {
    /// Its thumbprint (RFC 7638).
    kid: String,
    /// Its identifier in the form of libtrust.
    libtrust: String,
    /// How it signs.
    algorithm: &'static str,
    /// Whether it is the one that signs now.
    signs: bool,
    /// From when on it signs.
    since: String,
    /// Until when, if that is known.
    until: Option<String>,
    /// Until when what it signed is good, if that is known.
    verify_until: Option<String>,
}

fn shown(key: ShownKey) -> Key {
    let told = |at: SystemTime| time(micros(at));
    Key {
        kid: key.kid,
        libtrust: key.libtrust,
        algorithm: key.algorithm,
        signs: key.signs,
        since: told(key.since),
        until: key.until.map(told),
        verify_until: key.verify_until.map(told),
    }
}

/// When the next key is to sign.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct KeyRotation {
    /// At once, as when a key has leaked: no other is trusted any more, and tokens that clients have are void.
    #[serde(default)]
    at_once: bool,
}

fn all(keys: Vec<ShownKey>) -> Answer {
    Reply::json(&Keys {
        items: keys.into_iter().map(shown).collect(),
    })
}

async fn list(api: &Api, ask: Ask) -> Answer {
    all(api.hub().key_list(&ask.caller).await?)
}

async fn rotate(api: &Api, ask: Ask) -> Answer {
    let wanted: KeyRotation = ask.read()?;
    let hub = ask.hub(api.hub());
    all(hub.key_rotate(&ask.caller, wanted.at_once).await?)
}
