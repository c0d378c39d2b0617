//! How users are known to directories and providers, and second factors that somebody has lost.

use longshore_auth::rights::Action;
use longshore_hub::identities::Link;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::answer::{Answer, Reply};
use crate::api::Api;
use crate::ask::Ask;
use crate::endpoint::{Endpoint, Gives, Needs, On, Way, line, nothing, shape};
use crate::problem::Problem;
use crate::words::within;

const MANAGE: Needs = Needs::Right(Action::UserManage, On::System);
/// The longest name of a source or of somebody there, in bytes.
const NAME: usize = 256;

pub(super) const ENDPOINTS: &[Endpoint] = &[
    line(
        "identity-list",
        (Way::Get, "/users/{user}/identities"),
        "List how a user is known to directories and providers",
        Needs::RightOrSelf(Action::UserList),
        Gives::One(shape::<Identities>()),
        |api, ask| Box::pin(list(api, ask)),
    ),
    line(
        "identity-put",
        (Way::Put, "/users/{user}/identities/{source}"),
        "Say that whoever first comes from a source by a name is that user",
        MANAGE,
        Gives::Nothing,
        |api, ask| Box::pin(put(api, ask)),
    )
    .takes(shape::<Expected>()),
    line(
        "identity-delete",
        (Way::Delete, "/users/{user}/identities/{source}"),
        "Say that a user is nobody of a source any more; what was issued to them is void",
        MANAGE,
        Gives::Nothing,
        |api, ask| Box::pin(delete(api, ask)),
    ),
    line(
        "user-second-factor-delete",
        (Way::Delete, "/users/{user}/second-factor"),
        "Take the second factor of somebody away who has lost it",
        MANAGE,
        Gives::Nothing,
        |api, ask| Box::pin(factor(api, ask)),
    ),
];

/// How a user is known elsewhere.
#[derive(Serialize, ToSchema)]
struct Identities {
    /// In the order of their sources.
    items: Vec<Identity>,
}

/// How a user is known to one source.
#[derive(Serialize, ToSchema)]
struct Identity {
    /// The source, such as `ldap:corp` or `oidc:google`.
    source: String,
    /// Who it is there; nothing: whoever comes first by `name`.
    subject: Option<String>,
    /// By which name it logs in there.
    name: String,
}

impl From<Link> for Identity {
    fn from(link: Link) -> Self {
        Self {
            source: link.source,
            subject: link.subject,
            name: link.name,
        }
    }
}

/// Who is expected.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// By which name they log in there.
    #[schema(min_length = 1, max_length = 256)]
    name: String,
}

fn source(ask: &Ask) -> Result<&str, Problem> {
    let source = ask.value("source");
    within(Some(source), NAME, "source")?;
    Ok(source)
}

async fn list(api: &Api, ask: Ask) -> Answer {
    let name = ask.name("user")?;
    let hub = api.hub();
    let user = hub.user_get(&ask.caller, name).await?;
    let found = hub.identities(&user.name).await?;
    Reply::json(&Identities {
        items: found.into_iter().map(Identity::from).collect(),
    })
}

async fn put(api: &Api, ask: Ask) -> Answer {
    let (name, source) = (ask.name("user")?, source(&ask)?);
    let Expected { name: there } = ask.read()?;
    within(Some(&there), NAME, "name")?;
    if there.is_empty() {
        return Err(Problem::invalid("`name` is empty"));
    }
    let hub = ask.hub(api.hub());
    hub.identity_expect(&ask.caller, name, source, &there)
        .await?;
    nothing()
}

async fn delete(api: &Api, ask: Ask) -> Answer {
    let (name, source) = (ask.name("user")?, source(&ask)?);
    let hub = ask.hub(api.hub());
    hub.identity_forget(&ask.caller, name, source).await?;
    nothing()
}

async fn factor(api: &Api, ask: Ask) -> Answer {
    let name = ask.name("user")?;
    let hub = ask.hub(api.hub());
    hub.factor_remove(&ask.caller, name).await?;
    nothing()
}
