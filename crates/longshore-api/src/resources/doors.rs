//! How people come in who are not known yet, and those back who have forgotten their password: what strangers may ask for.
//!
//! What needs no login is decided by a token from a letter, or goes by letter; the answer says nothing of who is known here.

use longshore_auth::index::password;
use longshore_hub::NewPassword;
use longshore_hub::accounts::NewAccount;
use longshore_hub::comings::{Joining, SignedUp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::accounts::{TEXT, User, made};
use super::settings::Sign;
use crate::answer::{Answer, Reply};
use crate::api::Api;
use crate::ask::Ask;
use crate::endpoint::{Endpoint, Gives, Needs, Way, line, nothing, shape};
use crate::words::{Password, within};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    line(
        "sign-up-get",
        (Way::Get, "/sign-up"),
        "Say how somebody can come in",
        Needs::Nothing,
        Gives::One(shape::<Doors>()),
        |api, ask| Box::pin(doors(api, ask)),
    ),
    line(
        "sign-up",
        (Way::Post, "/sign-up"),
        "Ask for an account of one's own",
        Needs::Anybody,
        Gives::One(shape::<SignUpAnswer>()),
        |api, ask| Box::pin(sign_up(api, ask)),
    )
    .takes(shape::<NewSignUp>()),
    line(
        "sign-up-complete",
        (Way::Post, "/sign-up/complete"),
        "Make the account that an invitation or a confirmed address allows",
        Needs::Anybody,
        Gives::Made(shape::<User>()),
        |api, ask| Box::pin(complete(api, ask)),
    )
    .takes(shape::<SignUpComplete>()),
    line(
        "password-reset-ask",
        (Way::Post, "/password-resets"),
        "Ask for a letter by which a forgotten password can be replaced",
        Needs::Anybody,
        Gives::Nothing,
        |api, ask| Box::pin(reset_ask(api, ask)),
    )
    .takes(shape::<ResetAsk>()),
    line(
        "password-reset",
        (Way::Post, "/password-resets/complete"),
        "Replace a forgotten password",
        Needs::Anybody,
        Gives::Nothing,
        |api, ask| Box::pin(reset(api, ask)),
    )
    .takes(shape::<Reset>()),
    line(
        "mail-confirm",
        (Way::Post, "/mail-confirmations"),
        "Confirm the mail address that an account is to have",
        Needs::Anybody,
        Gives::Nothing,
        |api, ask| Box::pin(confirm(api, ask)),
    )
    .takes(shape::<LetterCode>()),
];

/// How somebody can come in.
#[derive(Serialize, ToSchema)]
struct Doors {
    /// Who may make an account of their own.
    sign_up: Sign,
    /// Whether letters are sent: an account is made when its address was confirmed, and a forgotten password can be replaced.
    mail: bool,
    /// The shortest password, in characters.
    password_shortest: usize,
    /// The longest password, in bytes.
    password_longest: usize,
    /// What passwords are refused beside those: `common`, those that are tried first; `name`, those that are too short without the
    /// name of their user in them.
    password_refused: Vec<&'static str>,
}

/// Somebody who wants an account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSignUp {
    /// The name: lower-case letters and digits, joined by single `.`, `_` or `-`.
    #[schema(min_length = 1, max_length = 64, example = "alice")]
    name: String,
    /// The full name.
    #[serde(default)]
    #[schema(max_length = 200)]
    full_name: String,
    /// The mail address, where letters are sent.
    #[serde(default)]
    #[schema(max_length = 254)]
    mail: String,
    /// The password, where no letters are sent; else it is chosen when the address is confirmed.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 1024)]
    password: Option<Password>,
}

/// What became of a sign-up.
#[derive(Serialize, ToSchema)]
struct SignUpAnswer {
    /// `asked`: a letter goes to the address, whoever's it is. `made`: the account is there.
    state: &'static str,
}

/// Who an invitation or a confirmed address is to become.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignUpComplete {
    /// The code of the letter or invitation.
    #[schema(max_length = 256)]
    token: String,
    /// The name; left out, the one that was said before.
    #[serde(default)]
    #[schema(max_length = 64)]
    name: String,
    /// The full name; left out, the one that was said before.
    #[serde(default)]
    #[schema(max_length = 200)]
    full_name: Option<String>,
    /// The password.
    #[schema(value_type = String, max_length = 1024)]
    password: Password,
}

/// Whose password was forgotten.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ResetAsk {
    /// The name of the account, or its mail address.
    #[schema(min_length = 1, max_length = 320)]
    account: String,
}

/// A password in the place of a forgotten one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Reset {
    /// The code of the letter.
    #[schema(max_length = 256)]
    token: String,
    /// The new password.
    #[schema(value_type = String, max_length = 1024)]
    password: Password,
}

/// The code of a letter.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LetterCode {
    /// The code.
    #[schema(max_length = 256)]
    pub(super) token: String,
}

async fn doors(api: &Api, _: Ask) -> Answer {
    let doors = api.hub().doors().await?;
    let policy = api.index().options().passwords;
    let refused = [
        (policy.refuse_common, "common"),
        (policy.refuse_name, "name"),
    ];
    Reply::json(&Doors {
        sign_up: Sign(doors.sign_up),
        mail: doors.mail,
        password_shortest: policy.min_length,
        password_longest: password::LONGEST,
        password_refused: refused
            .into_iter()
            .filter_map(|(on, word)| on.then_some(word))
            .collect(),
    })
}

async fn sign_up(api: &Api, ask: Ask) -> Answer {
    let new: NewSignUp = ask.read()?;
    within(Some(&new.full_name), TEXT, "full_name")?;
    let account = NewAccount {
        name: new.name,
        full_name: new.full_name,
        mail: new.mail,
        password: new.password.map(|it| NewPassword::plain(it.bytes())),
        ..NewAccount::default()
    };
    let done = api.hub().account_sign_up(&ask.caller, account).await?;
    Reply::json(&SignUpAnswer {
        state: match done {
            SignedUp::Asked => "asked",
            SignedUp::Made(_) => "made",
        },
    })
}

async fn complete(api: &Api, ask: Ask) -> Answer {
    let said: SignUpComplete = ask.read()?;
    let joining = Joining {
        name: said.name,
        full_name: said.full_name,
        password: NewPassword::plain(said.password.bytes()),
    };
    let id = api
        .hub()
        .account_join(&ask.caller, &said.token, joining)
        .await?;
    made(api, &ask, id.0, |row| {
        let path = ask.path(&format!("/users/{}", row.name));
        Reply::made(&User::from(row), &path)
    })
    .await
}

async fn reset_ask(api: &Api, ask: Ask) -> Answer {
    let said: ResetAsk = ask.read()?;
    api.hub().reset_ask(&ask.caller, &said.account).await?;
    nothing()
}

async fn reset(api: &Api, ask: Ask) -> Answer {
    let said: Reset = ask.read()?;
    let password = NewPassword::plain(said.password.bytes());
    api.hub().reset(&ask.caller, &said.token, password).await?;
    nothing()
}

async fn confirm(api: &Api, ask: Ask) -> Answer {
    let said: LetterCode = ask.read()?;
    api.hub().mail_confirm(&ask.caller, &said.token).await?;
    nothing()
}
