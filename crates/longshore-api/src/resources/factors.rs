//! One's own second factor.
//!
//! It is changed after a login with the password, never with a token: a token that leaks must not take the second factor with it.
//! Where there is one, the password logs in with a code of it beside it (`Longshore-Code`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::answer::{Answer, Reply};
use crate::api::Api;
use crate::ask::Ask;
use crate::endpoint::{Endpoint, Gives, Needs, Way, line, nothing, shape};
use crate::words::time;

pub(super) const ENDPOINTS: &[Endpoint] = &[
    line(
        "own-second-factor-get",
        (Way::Get, "/session/second-factor"),
        "Say whether one's own password needs a second factor",
        Needs::Login,
        Gives::One(shape::<SecondFactor>()),
        |api, ask| Box::pin(get(api, ask)),
    ),
    line(
        "own-second-factor-begin",
        (Way::Post, "/session/second-factor"),
        "Begin a second factor: a secret for a telephone, shown this once; it counts when a code of it is confirmed",
        Needs::Login,
        Gives::One(shape::<NewSecondFactor>()),
        |api, ask| Box::pin(begin(api, ask)),
    )
    .secret(),
    line(
        "own-second-factor-confirm",
        (Way::Post, "/session/second-factor/confirm"),
        "Confirm a second factor by a code of it; codes for the day it is lost are shown this once",
        Needs::Login,
        Gives::One(shape::<RecoveryCodes>()),
        |api, ask| Box::pin(confirm(api, ask)),
    )
    .takes(shape::<FactorCode>())
    .secret(),
    line(
        "own-second-factor-disable",
        (Way::Post, "/session/second-factor/disable"),
        "Take one's own second factor away",
        Needs::Login,
        Gives::Nothing,
        |api, ask| Box::pin(disable(api, ask)),
    )
    .takes(shape::<FactorEnd>()),
];

/// How one's own second factor is.
#[derive(Serialize, ToSchema)]
struct SecondFactor {
    /// Whether a password is not enough to log in.
    enabled: bool,
    /// Since when; nothing where it is not asked for.
    confirmed: Option<String>,
    /// How many recovery codes are left.
    recovery_codes: u64,
}

/// A second factor that is to be confirmed.
#[derive(Serialize, ToSchema)]
struct NewSecondFactor {
    /// The secret, as people type it into a telephone: base 32.
    secret: String,
    /// The same as an address (`otpauth:`), to be shown as a square that telephones photograph.
    uri: String,
}

/// Codes that are each good for one login without the telephone.
#[derive(Serialize, ToSchema)]
struct RecoveryCodes {
    /// Each of them.
    recovery_codes: Vec<String>,
}

/// A code of a second factor.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FactorCode {
    /// The code.
    #[schema(max_length = 64)]
    code: String,
}

/// The end of a second factor.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FactorEnd {
    /// A code of it, or a recovery code; left out, the one that the request was sent with is enough.
    #[serde(default)]
    #[schema(max_length = 64)]
    code: Option<String>,
}

async fn get(api: &Api, ask: Ask) -> Answer {
    let found = api.hub().factor_state(&ask.caller).await?;
    Reply::json(&SecondFactor {
        enabled: found.confirmed.is_some(),
        confirmed: found.confirmed.map(time),
        recovery_codes: found.recovery_codes,
    })
}

async fn begin(api: &Api, ask: Ask) -> Answer {
    let secret = ask.hub(api.hub()).factor_begin(&ask.caller).await?;
    let issuer = &api.index().options().service;
    Reply::json(&NewSecondFactor {
        secret: secret.to_base32().to_string(),
        uri: secret.uri(issuer, &ask.caller.name).to_string(),
    })
}

async fn confirm(api: &Api, ask: Ask) -> Answer {
    let said: FactorCode = ask.read()?;
    let hub = ask.hub(api.hub());
    let codes = hub.factor_confirm(&ask.caller, &said.code).await?;
    Reply::json(&RecoveryCodes {
        recovery_codes: codes.shown().map(str::to_owned).collect(),
    })
}

async fn disable(api: &Api, ask: Ask) -> Answer {
    let said: FactorEnd = ask.read()?;
    let hub = ask.hub(api.hub());
    hub.factor_disable(&ask.caller, said.code.as_deref())
        .await?;
    nothing()
}
