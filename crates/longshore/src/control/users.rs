//! Users: made, given passwords, switched off and on, changed, shown.

use longshore_hub::NewPassword;
use longshore_hub::accounts::NewAccount;
use longshore_hub::edits::Edit;
use longshore_hub::robots::RobotEdit;
use longshore_hub::views::Listed;
use longshore_meta::principals::{Kind, Principal};
use serde::{Deserialize, Serialize};

use super::operation::{Operation, PART, State, Steps};

/// Makes a user.
#[derive(Debug)]
pub struct Create;

/// What is asked. It travels over the socket, which only the operator can open.
#[derive(Clone, Serialize, Deserialize)]
pub struct CreateArgs {
    /// The name.
    pub name: String,
    /// The password; none: the user can log in by tokens only.
    pub password: Option<String>,
    /// Whether the user may do everything here.
    pub admin: bool,
    /// The full name.
    pub full_name: String,
    /// The mail address.
    pub mail: String,
}

impl std::fmt::Debug for CreateArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreateArgs")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Operation for Create {
    const NAME: &'static str = "user-create";
    type Args = CreateArgs;
    type Step = ();
    type Done = ();

    async fn run(state: &State, args: CreateArgs, _steps: Steps<()>) -> anyhow::Result<()> {
        let new = NewAccount {
            name: args.name,
            full_name: args.full_name,
            mail: args.mail,
            password: args.password.map(NewPassword::plain),
            administrator: args.admin,
            ..NewAccount::default()
        };
        state.hub()?.user_create(&state.operator(), new).await?;
        Ok(())
    }
}

/// Sets a user's password.
#[derive(Debug)]
pub struct Passwd;

/// What is asked. It travels over the socket, which only the operator can open.
#[derive(Clone, Serialize, Deserialize)]
pub struct PasswdArgs {
    /// The user.
    pub name: String,
    /// The new password.
    pub password: String,
}

impl std::fmt::Debug for PasswdArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswdArgs")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Operation for Passwd {
    const NAME: &'static str = "user-passwd";
    type Args = PasswdArgs;
    type Step = ();
    type Done = ();

    async fn run(state: &State, args: PasswdArgs, _steps: Steps<()>) -> anyhow::Result<()> {
        let (hub, caller) = (state.hub()?, &state.operator());
        let password = NewPassword::plain(args.password);
        hub.password_set(caller, &args.name, password).await?;
        Ok(())
    }
}

/// Switches a user or a robot off or on.
#[derive(Debug)]
pub struct Switch;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SwitchArgs {
    /// The user or robot.
    pub name: String,
    /// Whether it may log in.
    pub on: bool,
}

impl Operation for Switch {
    const NAME: &'static str = "user-switch";
    type Args = SwitchArgs;
    type Step = ();
    type Done = ();

    async fn run(state: &State, args: SwitchArgs, _steps: Steps<()>) -> anyhow::Result<()> {
        let (hub, caller) = (state.hub()?, &state.operator());
        if args.name.contains('+') {
            let edit = RobotEdit {
                enabled: Some(args.on),
                ..RobotEdit::default()
            };
            hub.robot_edit(caller, &args.name, edit).await?;
        } else {
            let edit = Edit {
                enabled: Some(args.on),
                ..Edit::default()
            };
            hub.account_edit(caller, Kind::User, &args.name, edit)
                .await?;
        }
        Ok(())
    }
}

/// Lists users.
#[derive(Debug)]
pub struct List;

/// What is asked.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ListArgs {}

/// A user. Times are microseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The id: it outlives the name.
    pub id: i64,
    /// The name.
    pub name: String,
    /// The full name.
    pub full_name: String,
    /// The mail address.
    pub mail: String,
    /// What it is for.
    pub description: String,
    /// `active`, `disabled` or `waiting`.
    pub state: String,
    /// When it was made.
    pub created: i64,
    /// When it was last seen: to the minute by a password, a directory or a provider, to the hour by all else.
    pub seen: Option<i64>,
}

impl Operation for List {
    const NAME: &'static str = "user-list";
    type Args = ListArgs;
    type Step = ();
    type Done = Vec<User>;

    async fn run(state: &State, _args: ListArgs, _steps: Steps<()>) -> anyhow::Result<Vec<User>> {
        let (hub, caller) = (state.hub()?, &state.operator());
        let found = Listed::whole(String::new(), |after| async move {
            hub.accounts_of(caller, Kind::User, &after, PART).await
        });
        Ok(found.await?.into_iter().map(User::from).collect())
    }
}

impl From<Principal> for User {
    fn from(user: Principal) -> Self {
        User {
            id: user.id.0,
            name: user.name,
            full_name: user.full_name,
            mail: user.mail,
            description: user.description,
            state: user.state.word().to_owned(),
            created: user.created,
            seen: user.seen,
        }
    }
}

/// Shows a user.
#[derive(Debug)]
pub struct Show;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShowArgs {
    /// The user.
    pub name: String,
}

impl Operation for Show {
    const NAME: &'static str = "user-show";
    type Args = ShowArgs;
    type Step = ();
    type Done = User;

    async fn run(state: &State, args: ShowArgs, _steps: Steps<()>) -> anyhow::Result<User> {
        let (hub, caller) = (state.hub()?, &state.operator());
        Ok(hub.user_get(caller, &args.name).await?.into())
    }
}

/// Changes what is said of a user.
#[derive(Debug)]
pub struct Change;

/// What is to be otherwise; what is `None` stays.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChangeArgs {
    /// The user.
    pub name: String,
    /// The full name.
    pub full_name: Option<String>,
    /// The mail address.
    pub mail: Option<String>,
    /// What it is for.
    pub description: Option<String>,
}

impl Operation for Change {
    const NAME: &'static str = "user-edit";
    type Args = ChangeArgs;
    type Step = ();
    type Done = User;

    async fn run(state: &State, args: ChangeArgs, _steps: Steps<()>) -> anyhow::Result<User> {
        let (hub, caller) = (state.hub()?, &state.operator());
        let edit = Edit {
            full_name: args.full_name,
            mail: args.mail,
            description: args.description,
            enabled: None,
        };
        hub.account_edit(caller, Kind::User, &args.name, edit)
            .await?;
        Ok(hub.user_get(caller, &args.name).await?.into())
    }
}
