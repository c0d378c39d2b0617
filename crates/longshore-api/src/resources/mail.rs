//! Letters: which wait, and whether one can be sent.

use longshore_auth::rights::Action;
use longshore_hub::mail::WaitingMail;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::answer::Answer;
use crate::api::Api;
use crate::ask::Ask;
use crate::endpoint::{Endpoint, Gives, Needs, On, Way, line, nothing, shape};
use crate::page::{after, page};
use crate::words::time;

pub(super) const ENDPOINTS: &[Endpoint] = &[
    line(
        "mail-list",
        (Way::Get, "/mail"),
        "List letters that wait to be sent, and why they were not; never what is in them",
        Needs::Right(Action::SystemRead, On::System),
        Gives::Page(shape::<Letter>()),
        |api, ask| Box::pin(list(api, ask)),
    ),
    line(
        "mail-test",
        (Way::Post, "/mail/test"),
        "Send a letter to an address now, and say what is wrong where that fails; it takes a minute at most",
        Needs::Right(Action::SystemOperate, On::System),
        Gives::Nothing,
        |api, ask| Box::pin(test(api, ask)),
    )
    .takes(shape::<LetterTo>()),
];

/// A letter that waits.
#[derive(Serialize, ToSchema)]
struct Letter {
    /// The id.
    id: i64,
    /// Which: `invitation`, `sign-up`, `password-reset`, `confirmation` or `notice`.
    kind: String,
    /// When it was asked for.
    created: String,
    /// When it is tried next.
    due: String,
    /// How often it was tried.
    tries: i64,
    /// What failed the last time.
    why: Option<String>,
}

impl From<WaitingMail> for Letter {
    fn from(it: WaitingMail) -> Self {
        Self {
            id: it.id,
            kind: it.letter,
            created: time(it.created),
            due: time(it.due),
            tries: it.tries,
            why: it.why,
        }
    }
}

/// Where a letter is to go.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LetterTo {
    /// The address.
    #[schema(min_length = 3, max_length = 254, example = "ann@example.org")]
    address: String,
}

async fn list(api: &Api, ask: Ask) -> Answer {
    let from: i64 = after(&ask, |key| key.parse().ok())?;
    let found = api.hub().mail_list(&ask.caller, from, ask.query.limit());
    page(&ask, found.await?, Letter::from, ToString::to_string)
}

async fn test(api: &Api, ask: Ask) -> Answer {
    let to: LetterTo = ask.read()?;
    let hub = ask.hub(api.hub());
    hub.mail_try(&ask.caller, &to.address).await?;
    nothing()
}
