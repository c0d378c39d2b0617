//! The first administrator, by the token that the first start printed.

use longshore_hub::NewPassword;
use longshore_hub::accounts::NewAccount;
use serde::Deserialize;
use utoipa::ToSchema;

use super::accounts::{TEXT, User, made};
use crate::answer::{Answer, Reply};
use crate::api::Api;
use crate::ask::Ask;
use crate::endpoint::{Endpoint, Gives, Needs, Way, line, shape};
use crate::words::{Password, within};

pub(super) const ENDPOINTS: &[Endpoint] = &[line(
    "setup",
    (Way::Post, "/setup"),
    "Make the first administrator, by the token that the server printed when it started",
    Needs::Anybody,
    Gives::Made(shape::<User>()),
    |api, ask| Box::pin(setup(api, ask)),
)
.takes(shape::<Setup>())];

/// The first administrator, who is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Setup {
    /// The token that the server printed when it started. It is good for a day, once, and until the next start prints another.
    #[schema(max_length = 256)]
    token: String,
    /// The name: lower-case letters and digits, joined by single `.`, `_` or `-`.
    #[schema(min_length = 1, max_length = 64, example = "ada")]
    name: String,
    /// The full name.
    #[serde(default)]
    #[schema(max_length = 1024)]
    full_name: String,
    /// The mail address.
    #[serde(default)]
    #[schema(max_length = 254)]
    mail: String,
    /// The password.
    #[schema(value_type = String, max_length = 1024)]
    password: Password,
}

async fn setup(api: &Api, ask: Ask) -> Answer {
    let said: Setup = ask.read()?;
    within(Some(&said.full_name), TEXT, "full_name")?;
    let new = NewAccount {
        name: said.name,
        full_name: said.full_name,
        mail: said.mail,
        password: Some(NewPassword::plain(said.password.bytes())),
        ..NewAccount::default()
    };
    let id = api.hub().setup(&ask.caller, &said.token, new).await?;
    made(api, &ask, id.0, |row| {
        let path = ask.path(&format!("/users/{}", row.name));
        Reply::made(&User::from(row), &path)
    })
    .await
}
