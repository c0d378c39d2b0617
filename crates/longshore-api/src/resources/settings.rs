//! Settings of the system.

use std::borrow::Cow;

use longshore_auth::rights::Action;
use longshore_hub::Thing;
use longshore_hub::settings::SignUp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::answer::{Answer, Reply};
use crate::api::Api;
use crate::ask::Ask;
use crate::endpoint::{Endpoint, Gives, Needs, On, Way, line, nothing, shape};
use crate::problem::Problem;

pub(super) const ENDPOINTS: &[Endpoint] = &[
    line(
        "settings-get",
        (Way::Get, "/settings"),
        "Show the settings of the system",
        Needs::Right(Action::SystemRead, On::System),
        Gives::One(shape::<Settings>()),
        |api, ask| Box::pin(get(api, ask)),
    )
    .marked(),
    line(
        "settings-edit",
        (Way::Patch, "/settings"),
        "Change a setting of the system",
        Needs::Right(Action::SystemSettings, On::System),
        Gives::Nothing,
        |api, ask| Box::pin(edit(api, ask)),
    )
    .takes(shape::<SettingsEdit>())
    .marked(),
];

/// Who may make an account of their own, by the words that the hub has for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sign(pub(super) SignUp);

impl Serialize for Sign {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.0.word())
    }
}

impl<'de> Deserialize<'de> for Sign {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let word = String::deserialize(from)?;
        let found = word.parse().map(Self);
        found.map_err(|error: longshore_core::Error| D::Error::custom(error.public()))
    }
}

impl PartialSchema for Sign {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("Who may make an account of their own."))
            .enum_values(Some(SignUp::ALL.map(SignUp::word)))
            .into()
    }
}

impl ToSchema for Sign {
    fn name() -> Cow<'static, str> {
        "SignUp".into()
    }
}

/// The settings of the system.
#[derive(Serialize, ToSchema)]
struct Settings {
    /// Who may make an account of their own.
    sign_up: Sign,
    /// Whether nothing in it can be changed.
    read_only: bool,
}

/// A setting that is to be otherwise: one at a time.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SettingsEdit {
    /// Who may make an account of their own.
    #[serde(default)]
    sign_up: Option<Sign>,
    /// Whether nothing in it can be changed.
    #[serde(default)]
    read_only: Option<bool>,
}

async fn get(api: &Api, ask: Ask) -> Answer {
    let ((sign_up, read_only), mark) = api.hub().settings(&ask.caller).await?;
    let reply = Reply::json(&Settings {
        sign_up: Sign(sign_up),
        read_only,
    })?;
    Ok(reply.marked(&mark))
}

async fn edit(api: &Api, ask: Ask) -> Answer {
    let edit: SettingsEdit = ask.read()?;
    let hub = ask.hub_for(api.hub(), Thing::Settings);
    match (edit.sign_up, edit.read_only) {
        (Some(sign), None) => {
            hub.sign_up_set(&ask.caller, sign.0).await?;
        }
        (None, Some(read_only)) => hub.read_only_set(&ask.caller, read_only).await?,
        _ => {
            return Err(Problem::invalid(
                "say one of `sign_up` and `read_only`: each change is one line of the audit log",
            ));
        }
    }
    nothing()
}
