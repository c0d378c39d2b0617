//! Invitations: to make an account, or into an organisation.

use std::time::Duration;

use longshore_auth::rights::{Action, Object};
use longshore_hub::comings::NewInvitation;
use longshore_hub::views::Listed;
use longshore_meta::invitations::Invitation;
use longshore_meta::namespaces::NamespaceId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::organisations::{MANAGE, home};
use crate::answer::{Answer, Reply};
use crate::api::Api;
use crate::ask::Ask;
use crate::endpoint::{Endpoint, Gives, Needs, On, Way, line, nothing, shape};
use crate::page::{after, page};
use crate::problem::Problem;
use crate::words::time;

const USERS: Needs = Needs::Right(Action::UserManage, On::System);

pub(super) const ENDPOINTS: &[Endpoint] = &[
    line(
        "invitation-list",
        (Way::Get, "/invitations"),
        "List open invitations to make an account",
        USERS,
        Gives::Page(shape::<Invited>()),
        |api, ask| Box::pin(list(api, ask)),
    ),
    line(
        "invitation-create",
        (Way::Post, "/invitations"),
        "Invite somebody to make an account",
        USERS,
        Gives::Made(shape::<InvitedNow>()),
        |api, ask| Box::pin(create(api, ask)),
    )
    .takes(shape::<Invite>())
    .shows_once(),
    line(
        "invitation-delete",
        (Way::Delete, "/invitations/{id}"),
        "Withdraw an invitation",
        USERS,
        Gives::Nothing,
        |api, ask| Box::pin(delete(api, ask)),
    ),
    line(
        "organisation-invitation-list",
        (Way::Get, "/organisations/{organisation}/invitations"),
        "List open invitations into an organisation",
        MANAGE,
        Gives::Page(shape::<Invited>()),
        |api, ask| Box::pin(list_of(api, ask)),
    ),
    line(
        "organisation-invitation-create",
        (Way::Post, "/organisations/{organisation}/invitations"),
        "Invite somebody into an organisation",
        MANAGE,
        Gives::Made(shape::<InvitedNow>()),
        |api, ask| Box::pin(create_of(api, ask)),
    )
    .takes(shape::<InviteInto>())
    .shows_once(),
    line(
        "organisation-invitation-delete",
        (
            Way::Delete,
            "/organisations/{organisation}/invitations/{id}",
        ),
        "Withdraw an invitation into an organisation",
        MANAGE,
        Gives::Nothing,
        |api, ask| Box::pin(delete_of(api, ask)),
    ),
];

/// An invitation.
#[derive(Serialize, ToSchema)]
#[schema(as = Invitation)]
struct Invited {
    /// Its id.
    id: i64,
    /// The address it was sent to; empty: it was shown.
    mail: String,
    /// The name that the account is to have; empty: whoever comes chooses.
    name: String,
    /// The full name.
    full_name: String,
    /// When it was made.
    created: String,
    /// When it ends.
    expires: String,
}

/// An invitation that was made.
#[derive(Serialize, ToSchema)]
#[schema(as = NewInvitation)]
struct InvitedNow {
    #[serde(flatten)]
    invitation: Invited,
    /// Its code, where that does not go by mail. It is shown this once.
    token: Option<String>,
}

impl From<Invitation> for Invited {
    fn from(row: Invitation) -> Self {
        Self {
            id: row.id,
            mail: row.mail,
            name: row.name,
            full_name: row.full_name,
            created: time(row.created),
            expires: time(row.expires),
        }
    }
}

/// Whom to invite to make an account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Invite {
    /// The address that it is sent to. Left out, or where no letters are sent, its code is shown instead.
    #[serde(default)]
    #[schema(max_length = 254)]
    mail: String,
    /// The name that the account is to have; left out, whoever comes chooses.
    #[serde(default)]
    #[schema(max_length = 64)]
    name: String,
    /// The full name.
    #[serde(default)]
    #[schema(max_length = 200)]
    full_name: String,
    /// How many days it is good; a week where this is left out.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 30)]
    days: Option<u8>,
}

/// Whom to invite into an organisation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InviteInto {
    /// The address that it is sent to; refused where no letters are sent. Left out, its code is shown instead.
    #[serde(default)]
    #[schema(max_length = 254)]
    mail: String,
    /// The name that an account is to have; left out, whoever comes chooses, or has one.
    #[serde(default)]
    #[schema(max_length = 64)]
    name: String,
    /// A team of the organisation.
    #[serde(default)]
    #[schema(max_length = 64)]
    team: Option<String>,
    /// How many days it is good; a week where this is left out.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 30)]
    days: Option<u8>,
}

fn lives(days: Option<u8>) -> Result<Option<Duration>, Problem> {
    match days {
        Some(0) => Err(Problem::invalid("`days` is 1 to 30")),
        days => Ok(days.map(|days| Duration::from_hours(24 * u64::from(days)))),
    }
}

async fn place(api: &Api, ask: &Ask) -> Result<Option<NamespaceId>, Problem> {
    match home(api, ask).await? {
        Object::Namespace(id) => Ok(Some(id)),
        _ => Ok(None),
    }
}

async fn listed(api: &Api, ask: &Ask, place: Option<NamespaceId>) -> Answer {
    let from: i64 = after(ask, |key| key.parse().ok())?;
    let limit = ask.query.limit();
    let found = api
        .hub()
        .invitation_list(&ask.caller, place, from, limit + 1)
        .await?;
    let more = found.len() > limit;
    let items: Vec<_> = found.into_iter().take(limit).collect();
    let next = items.last().filter(|_| more).map(|it| it.id);
    page(ask, Listed { items, next }, Invited::from, i64::to_string)
}

async fn made(
    api: &Api,
    ask: &Ask,
    place: Option<NamespaceId>,
    (new, path): (NewInvitation, String),
) -> Answer {
    let hub = ask.hub(api.hub());
    let made = hub.invitation_create(&ask.caller, place, new).await?;
    let id = made.invitation.id;
    let shown = InvitedNow {
        invitation: made.invitation.into(),
        token: made.secret.map(|it| it.as_str().to_owned()),
    };
    Reply::made(&shown, &ask.path(&format!("{path}/{id}")))
}

async fn list(api: &Api, ask: Ask) -> Answer {
    listed(api, &ask, None).await
}

async fn create(api: &Api, ask: Ask) -> Answer {
    let said: Invite = ask.read()?;
    let new = NewInvitation {
        mail: said.mail,
        name: said.name,
        full_name: said.full_name,
        team: None,
        lives: lives(said.days)?,
    };
    made(api, &ask, None, (new, "/invitations".to_owned())).await
}

async fn delete(api: &Api, ask: Ask) -> Answer {
    let hub = ask.hub(api.hub());
    hub.invitation_withdraw(&ask.caller, None, ask.id()?)
        .await?;
    nothing()
}

async fn list_of(api: &Api, ask: Ask) -> Answer {
    let place = place(api, &ask).await?;
    listed(api, &ask, place).await
}

async fn create_of(api: &Api, ask: Ask) -> Answer {
    let place = place(api, &ask).await?;
    let said: InviteInto = ask.read()?;
    let new = NewInvitation {
        mail: said.mail,
        name: said.name,
        full_name: String::new(),
        team: said.team,
        lives: lives(said.days)?,
    };
    let path = format!("/organisations/{}/invitations", ask.value("organisation"));
    made(api, &ask, place, (new, path)).await
}

async fn delete_of(api: &Api, ask: Ask) -> Answer {
    let place = place(api, &ask).await?;
    let hub = ask.hub(api.hub());
    hub.invitation_withdraw(&ask.caller, place, ask.id()?)
        .await?;
    nothing()
}
