//! What people change of their own account.

use longshore_hub::NewPassword;
use serde::Deserialize;
use utoipa::ToSchema;

use super::doors::LetterCode;
use crate::answer::Answer;
use crate::api::Api;
use crate::ask::Ask;
use crate::endpoint::{Endpoint, Gives, Needs, Way, line, nothing, shape};
use crate::words::Password;

pub(super) const ENDPOINTS: &[Endpoint] = &[
    line(
        "own-edit",
        (Way::Patch, "/session"),
        "Change what is said of oneself",
        Needs::Login,
        Gives::Nothing,
        |api, ask| Box::pin(edit(api, ask)),
    )
    .takes(shape::<OwnEdit>()),
    line(
        "own-deactivate",
        (Way::Post, "/session/deactivate"),
        "Switch one's own account off; whoever manages users switches it on again, and tokens of before stay void",
        Needs::Login,
        Gives::Nothing,
        |api, ask| Box::pin(deactivate(api, ask)),
    )
    .takes(shape::<Deactivation>()),
    line(
        "own-password-put",
        (Way::Put, "/session/password"),
        "Change one's own password",
        Needs::Login,
        Gives::Nothing,
        |api, ask| Box::pin(password(api, ask)),
    )
    .takes(shape::<PasswordChange>()),
    line(
        "own-mail-change",
        (Way::Post, "/session/mail"),
        "Ask for another mail address, which a letter to it confirms",
        Needs::Login,
        Gives::Nothing,
        |api, ask| Box::pin(mail(api, ask)),
    )
    .takes(shape::<MailChange>()),
    line(
        "invitation-accept",
        (Way::Post, "/session/invitations"),
        "Accept an invitation into an organisation",
        Needs::Login,
        Gives::Nothing,
        |api, ask| Box::pin(accept(api, ask)),
    )
    .takes(shape::<LetterCode>()),
];

/// What is to be said of oneself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OwnEdit {
    /// The full name, in one line.
    #[schema(max_length = 200)]
    full_name: String,
}

/// The end of one's own account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Deactivation {
    /// The password of now.
    #[schema(value_type = String, max_length = 1024)]
    password: Password,
}

/// Another password of one's own.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    /// The password of now.
    #[schema(value_type = String, max_length = 1024)]
    old: Password,
    /// The password that is to be.
    #[schema(value_type = String, max_length = 1024)]
    password: Password,
}

/// Another mail address of one's own.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MailChange {
    /// The address.
    #[schema(max_length = 254)]
    mail: String,
}

async fn edit(api: &Api, ask: Ask) -> Answer {
    let said: OwnEdit = ask.read()?;
    let hub = ask.hub(api.hub());
    hub.own_name_set(&ask.caller, &said.full_name).await?;
    nothing()
}

async fn deactivate(api: &Api, ask: Ask) -> Answer {
    let said: Deactivation = ask.read()?;
    api.hub()
        .leave(&ask.caller, said.password.bytes().into())
        .await?;
    nothing()
}

async fn password(api: &Api, ask: Ask) -> Answer {
    let said: PasswordChange = ask.read()?;
    let new = NewPassword::plain(said.password.bytes());
    api.hub()
        .password_change(&ask.caller, said.old.bytes().into(), new)
        .await?;
    nothing()
}

async fn mail(api: &Api, ask: Ask) -> Answer {
    let said: MailChange = ask.read()?;
    api.hub().mail_change(&ask.caller, &said.mail).await?;
    nothing()
}

async fn accept(api: &Api, ask: Ask) -> Answer {
    let said: LetterCode = ask.read()?;
    api.hub()
        .invitation_accept(&ask.caller, &said.token)
        .await?;
    nothing()
}
