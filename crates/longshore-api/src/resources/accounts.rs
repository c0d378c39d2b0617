//! Users.

use longshore_auth::rights::Action;
use longshore_hub::accounts::NewAccount;
use longshore_hub::edits::Edit;
use longshore_hub::{NewPassword, Thing, given};
use longshore_meta::principals::{Kind, Principal};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::answer::{Answer, Reply};
use crate::api::Api;
use crate::ask::Ask;
use crate::endpoint::{Endpoint, Gives, Needs, On, Way, line, nothing, shape};
use crate::page::{after, page};
use crate::problem::Problem;
use crate::words::{Password, Standing, time, within};

/// The longest of the texts about an account, in bytes.
pub(super) const TEXT: usize = 4096;
const MANAGE: Needs = Needs::Right(Action::UserManage, On::System);

pub(super) const ENDPOINTS: &[Endpoint] = &[
    line(
        "user-list",
        (Way::Get, "/users"),
        "List users",
        Needs::Right(Action::UserList, On::System),
        Gives::Page(shape::<User>()),
        |api, ask| Box::pin(list(api, ask)),
    ),
    line(
        "user-create",
        (Way::Post, "/users"),
        "Make a user, with a namespace of their name",
        MANAGE,
        Gives::Made(shape::<User>()),
        |api, ask| Box::pin(create(api, ask)),
    )
    .takes(shape::<NewUser>()),
    line(
        "user-get",
        (Way::Get, "/users/{user}"),
        "Show a user",
        Needs::RightOrSelf(Action::UserList),
        Gives::One(shape::<User>()),
        |api, ask| Box::pin(get(api, ask)),
    )
    .marked(),
    line(
        "user-edit",
        (Way::Patch, "/users/{user}"),
        "Change what is said of a user, or switch them off or on",
        MANAGE,
        Gives::One(shape::<User>()),
        |api, ask| Box::pin(edit(api, ask)),
    )
    .takes(shape::<UserEdit>())
    .marked(),
    line(
        "user-delete",
        (Way::Delete, "/users/{user}"),
        "Delete a user whose namespaces are empty",
        MANAGE,
        Gives::Nothing,
        |api, ask| Box::pin(delete(api, ask)),
    )
    .marked(),
    line(
        "user-password-put",
        (Way::Put, "/users/{user}/password"),
        "Set a user's password; what was issued by the one before is void, but personal tokens",
        Needs::RightOrPassword(Action::UserManage),
        Gives::Nothing,
        |api, ask| Box::pin(password(api, ask)),
    )
    .takes(shape::<PasswordWanted>()),
];

/// A user.
#[derive(Serialize, ToSchema)]
pub(super) struct User {
    /// The id: it outlives the name.
    id: i64,
    /// The name.
    name: String,
    /// The full name.
    full_name: String,
    /// The mail address.
    mail: String,
    /// What it is for.
    description: String,
    /// Whether it can do anything.
    state: Standing,
    /// When it was made.
    created: String,
    /// When they last logged in: to the minute by a password, a directory or a provider, to the hour by all else.
    seen: Option<String>,
}

impl From<Principal> for User {
    fn from(row: Principal) -> Self {
        Self {
            id: row.id.0,
            name: row.name,
            full_name: row.full_name,
            mail: row.mail,
            description: row.description,
            state: row.state.into(),
            created: time(row.created),
            seen: row.seen.map(time),
        }
    }
}

/// A user who is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewUser {
    /// The name: lower-case letters and digits, joined by single `.`, `_` or `-`.
    #[schema(min_length = 1, max_length = 64, example = "alice")]
    name: String,
    /// The full name.
    #[serde(default)]
    #[schema(max_length = 1024)]
    full_name: String,
    /// The mail address.
    #[serde(default)]
    #[schema(max_length = 1024)]
    mail: String,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 1024)]
    description: String,
    /// The password; left out: the user logs in by other means.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 1024)]
    password: Option<Password>,
    /// Whether the user may do everything here. Nobody gives that who may not do everything.
    #[serde(default)]
    administrator: bool,
}

/// A password that is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordWanted {
    /// The password.
    #[schema(value_type = String, max_length = 1024)]
    password: Password,
}

/// What of a user is to be otherwise; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UserEdit {
    /// The full name.
    #[serde(default)]
    #[schema(max_length = 1024)]
    full_name: Option<String>,
    /// The mail address.
    #[serde(default)]
    #[schema(max_length = 1024)]
    mail: Option<String>,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 1024)]
    description: Option<String>,
    /// Whether it can do anything. What was issued to whom is switched off is void.
    #[serde(default)]
    enabled: Option<bool>,
}

impl UserEdit {
    pub(super) fn check(self) -> Result<Edit, Problem> {
        within(self.full_name.as_deref(), TEXT, "full_name")?;
        within(self.mail.as_deref(), TEXT, "mail")?;
        within(self.description.as_deref(), TEXT, "description")?;
        Ok(Edit {
            full_name: self.full_name,
            mail: self.mail,
            description: self.description,
            enabled: self.enabled,
        })
    }
}

async fn list(api: &Api, ask: Ask) -> Answer {
    let from: String = after(&ask, |key| Some(key.to_owned()))?;
    let limit = ask.query.limit();
    let found = api.hub().accounts_of(&ask.caller, Kind::User, &from, limit);
    page(&ask, found.await?, User::from, Clone::clone)
}

async fn create(api: &Api, ask: Ask) -> Answer {
    let new: NewUser = ask.read()?;
    within(Some(&new.full_name), TEXT, "full_name")?;
    within(Some(&new.mail), TEXT, "mail")?;
    within(Some(&new.description), TEXT, "description")?;
    let account = NewAccount {
        name: new.name.clone(),
        full_name: new.full_name,
        mail: new.mail,
        description: new.description,
        password: new.password.map(|it| NewPassword::plain(it.bytes())),
        administrator: new.administrator,
        ..NewAccount::default()
    };
    let hub = ask.hub(api.hub());
    let id = hub.user_create(&ask.caller, account).await?;
    made(api, &ask, id.0, |row| {
        Reply::made(&User::from(row), &ask.path(&format!("/users/{}", new.name)))
    })
    .await
}

/// Shows what was just made by its id: whoever may make it need not be able to see all there are.
pub(super) async fn made(
    api: &Api,
    _: &Ask,
    id: i64,
    show: impl FnOnce(Principal) -> Answer,
) -> Answer {
    let mut found = api.hub().names(&[id]).await?;
    match found.pop().flatten() {
        Some(row) => show(row),
        None => nothing(),
    }
}

fn shown(row: Principal) -> Answer {
    let mark = given::account(&row);
    Ok(Reply::json(&User::from(row))?.marked(&mark))
}

async fn get(api: &Api, ask: Ask) -> Answer {
    let name = ask.name("user")?;
    shown(api.hub().user_get(&ask.caller, name).await?)
}

async fn edit(api: &Api, ask: Ask) -> Answer {
    let name = ask.name("user")?;
    let edit = ask.read::<UserEdit>()?.check()?;
    let hub = ask.hub_for(api.hub(), Thing::Account(name.to_owned()));
    let id = hub
        .account_edit(&ask.caller, Kind::User, name, edit)
        .await?;
    if edit_ends(&ask) {
        api.index().forget(id);
    }
    made(api, &ask, id, shown).await
}

/// Whether what was issued may be void now.
pub(super) fn edit_ends(ask: &Ask) -> bool {
    ask.read::<UserEdit>()
        .is_ok_and(|edit| edit.enabled.is_some())
}

async fn delete(api: &Api, ask: Ask) -> Answer {
    let name = ask.name("user")?;
    let hub = ask.hub_for(api.hub(), Thing::Account(name.to_owned()));
    hub.account_delete(&ask.caller, Some(Kind::User), name)
        .await?;
    nothing()
}

async fn password(api: &Api, ask: Ask) -> Answer {
    let said: PasswordWanted = ask.read()?;
    let (name, new) = (ask.name("user")?, NewPassword::plain(said.password.bytes()));
    let hub = ask.hub(api.hub());
    hub.password_set(&ask.caller, name, new).await?;
    nothing()
}
