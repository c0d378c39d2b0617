//! Certificate rules: whose certificate makes its bearer an account.
//!
//! The rules of users are for whoever manages users, those of robots for whoever gives rights everywhere, whoever's the robot is: a
//! name in a certificate may be anybody's, and a robot's rights can lie anywhere.

use longshore_auth::certificate::Subject;
use longshore_auth::rights::Action;
use longshore_hub::certificates::NewCertificate;
use longshore_hub::narrowing::Kept;
use longshore_meta::certificates::CertificateRule as Row;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::accounts::TEXT;
use super::robots::{Asked, path};
use super::tokens::{Left, narrow};
use crate::answer::{Answer, Reply};
use crate::api::Api;
use crate::ask::Ask;
use crate::endpoint::{Endpoint, Gives, Needs, On, Way, line, nothing, shape};
use crate::problem::Problem;
use crate::words::{moment, time, within};

const OF_USER: Needs = Needs::Right(Action::UserManage, On::System);
const OF_ROBOT: Needs = Needs::Right(Action::RightsManage, On::System);

/// The three lines for the rules of one kind of account.
const fn lines(
    ids: [&'static str; 3],
    [all, one]: [&'static str; 2],
    about: [&'static str; 3],
    needs: Needs,
) -> [Endpoint; 3] {
    [
        line(
            ids[0],
            (Way::Get, all),
            about[0],
            needs,
            Gives::One(shape::<CertificateRules>()),
            |api, ask| Box::pin(list(api, ask)),
        ),
        line(
            ids[1],
            (Way::Post, all),
            about[1],
            needs,
            Gives::Made(shape::<CertificateMade>()),
            |api, ask| Box::pin(create(api, ask)),
        )
        .takes(shape::<CertificateWanted>()),
        line(
            ids[2],
            (Way::Delete, one),
            about[2],
            needs,
            Gives::Nothing,
            |api, ask| Box::pin(delete(api, ask)),
        ),
    ]
}

const USERS: [Endpoint; 3] = lines(
    [
        "user-certificate-list",
        "user-certificate-create",
        "user-certificate-delete",
    ],
    [
        "/users/{user}/certificate-rules",
        "/users/{user}/certificate-rules/{id}",
    ],
    [
        "List whose certificates make their bearer a user",
        "Say whose certificates make their bearer a user",
        "Take such a rule back; what was issued to the user is void",
    ],
    OF_USER,
);
/// The same for the robots of one kind of owner.
macro_rules! of_robots {
    ($before:literal, $path:literal, $whose:literal) => {
        lines(
            [
                concat!($before, "robot-certificate-list"),
                concat!($before, "robot-certificate-create"),
                concat!($before, "robot-certificate-delete"),
            ],
            [
                concat!($path, "/robots/{robot}/certificate-rules"),
                concat!($path, "/robots/{robot}/certificate-rules/{id}"),
            ],
            [
                concat!(
                    "List whose certificates make their bearer a robot of ",
                    $whose
                ),
                concat!(
                    "Say whose certificates make their bearer a robot of ",
                    $whose
                ),
                "Take such a rule back; what was issued to the robot is void",
            ],
            OF_ROBOT,
        )
    };
}
const ROBOTS: [Endpoint; 3] = of_robots!("", "", "the system");
const OF_ORGANISATION: [Endpoint; 3] = of_robots!(
    "organisation-",
    "/organisations/{organisation}",
    "an organisation"
);
const ROBOTS_OF_USER: [Endpoint; 3] = of_robots!("user-", "/users/{user}", "a user");

pub(super) const ENDPOINTS: &[Endpoint] = &[
    USERS[0],
    USERS[1],
    USERS[2],
    ROBOTS[0],
    ROBOTS[1],
    ROBOTS[2],
    OF_ORGANISATION[0],
    OF_ORGANISATION[1],
    OF_ORGANISATION[2],
    ROBOTS_OF_USER[0],
    ROBOTS_OF_USER[1],
    ROBOTS_OF_USER[2],
];

/// The certificate rules of an account, of which there are a hundred at the most.
#[derive(Serialize, ToSchema)]
struct CertificateRules {
    /// Each of them.
    items: Vec<CertificateRule>,
}

/// Whose certificates make their bearer an account.
#[derive(Serialize, ToSchema)]
struct CertificateRule {
    /// The id.
    id: i64,
    /// What the certificate says.
    subject: String,
    /// The actions it leaves of the account's rights; nothing: all.
    actions: Option<Vec<&'static str>>,
    /// The repositories it leaves: those it is for by themselves, by the names they have now, and patterns; nothing: all.
    repositories: Option<Vec<String>>,
    /// Names among `repositories` that nothing had when it was made: it is for whatever is called so.
    by_name: Vec<String>,
    /// What it is for.
    description: String,
    /// When it was made.
    created: String,
    /// When it ends; nothing: when it is taken back. The certificate's own end holds as well.
    expires: Option<String>,
    /// When somebody last came by it, to the hour or so.
    used: Option<String>,
}

impl CertificateRule {
    fn of(row: Row, left: Left) -> Self {
        Self {
            id: row.id,
            subject: row.subject,
            actions: left.actions,
            repositories: left.repositories,
            by_name: left.by_name,
            description: row.description,
            created: time(row.created),
            expires: row.expires.map(time),
            used: row.used.map(time),
        }
    }
}

/// A certificate rule that was made.
#[derive(Serialize, ToSchema)]
struct CertificateMade {
    /// The id.
    id: i64,
    /// Names in `repositories` that nothing has that you may see: it is for whatever is called so.
    by_name: Vec<String>,
}

/// A certificate rule that is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CertificateWanted {
    /// What the certificate says, to the letter: `uri:`, `dns:`, `email:` or `cn:` and the name, or `sha256:` and its fingerprint.
    #[schema(max_length = 1040, example = "dns:ci.acme.example")]
    subject: String,
    /// What it leaves of the account's rights on repositories: `pull`, `push`, `delete`; left out: everything.
    #[serde(default)]
    #[schema(max_items = 3)]
    actions: Option<Vec<String>>,
    /// The repositories it leaves: names of some that are there, which it is for whatever they are called from now on, and patterns of
    /// whole names; left out: all.
    #[serde(default)]
    #[schema(max_items = 20)]
    repositories: Option<Vec<String>>,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 1024)]
    description: String,
    /// When it ends, as RFC 3339 has it; left out: when it is taken back.
    #[serde(default)]
    #[schema(format = DateTime)]
    expires: Option<String>,
}

/// The account in the path, as it logs in.
fn account(ask: &Ask) -> Result<Asked, Problem> {
    match ask.value("robot") {
        "" => Ok(Asked {
            name: ask.name("user")?.to_owned(),
            of: None,
        }),
        _ => Asked::of(ask),
    }
}

async fn list(api: &Api, ask: Ask) -> Answer {
    let account = account(&ask)?;
    let found = api
        .hub()
        .certificate_list(&ask.caller, account.robot())
        .await?;
    let mut items = Vec::with_capacity(found.len());
    for row in found {
        let left = Left::by(api, &ask, row.scope.as_deref()).await?;
        items.push(CertificateRule::of(row, left));
    }
    Reply::json(&CertificateRules { items })
}

async fn create(api: &Api, ask: Ask) -> Answer {
    let wanted: CertificateWanted = ask.read()?;
    within(Some(&wanted.description), TEXT, "description")?;
    let subject = Subject::read(&wanted.subject);
    let account = account(&ask)?;
    let new = NewCertificate {
        account: account.name,
        of: account.of,
        subject: subject.map_err(|error| Problem::invalid(error.to_string()))?,
        narrow: narrow(wanted.repositories.as_deref(), wanted.actions.as_deref())?,
        description: wanted.description,
        expires: moment(wanted.expires.as_deref(), "expires")?,
    };
    let hub = ask.hub(api.hub());
    let Kept { id, by_name } = hub.certificate_create(&ask.caller, new).await?;
    let place = match ask.value("robot") {
        "" => ask.path(&format!(
            "/users/{}/certificate-rules/{id}",
            ask.value("user")
        )),
        robot => path(&ask, &format!("{robot}/certificate-rules/{id}")),
    };
    Reply::made(&CertificateMade { id, by_name }, &place)
}

async fn delete(api: &Api, ask: Ask) -> Answer {
    let id = ask.id()?;
    let hub = ask.hub(api.hub());
    let account = account(&ask)?;
    hub.certificate_delete(&ask.caller, account.robot(), id)
        .await?;
    nothing()
}
