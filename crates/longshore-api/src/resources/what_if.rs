//! What would be allowed after changes that nobody has made.

use longshore_auth::rights::Object;
use longshore_hub::views::{RoleSaid, Suppositions};
use serde::Deserialize;
use utoipa::ToSchema;

use super::bindings::NewBinding;
use super::explain::{Why, action, object, whom};
use super::roles::actions;
use crate::answer::{Answer, Reply};
use crate::api::Api;
use crate::ask::Ask;
use crate::endpoint::{Endpoint, Gives, Needs, Way, line, shape};
use crate::problem::Problem;
use crate::words::{Field, Seen};

/// How many changes are supposed at the most, of all sorts together.
const MOST: usize = 100;

pub(super) const ENDPOINTS: &[Endpoint] = &[line(
    "what-if",
    (Way::Post, "/what-if"),
    "Say what the answer would be after changes that are not made",
    Needs::Question,
    Gives::One(shape::<Why>()),
    |api, ask| Box::pin(what_if(api, ask)),
)
.takes(shape::<Supposed>())];

/// A question, and what is supposed: at most 100 changes, of all sorts together. All of it is so at the same time; what somebody leaves they leave before they join anything.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Supposed {
    /// Whom it is about: as they log in (`ann`, `acme+ci`, `robot+ci`), or as `user:NAME`, `organisation:NAME`,
    /// `team:ORGANISATION/NAME`, `robot:OWNER+NAME`; or `anonymous`. Yourself where it is left out.
    #[serde(default)]
    #[schema(max_length = 256)]
    subject: Option<String>,
    /// The name of an action.
    #[schema(max_length = 64, example = "repository:pull")]
    action: String,
    /// A repository, a repository and a tag (`acme/web:1`), a namespace with a slash after it, or `system`.
    #[schema(max_length = 400, example = "acme/web")]
    object: String,
    /// A binding more.
    #[serde(default)]
    with: Option<NewBinding>,
    /// Where that would be: a namespace with a slash after it, or `system`.
    #[serde(default)]
    #[schema(max_length = 256, example = "acme/")]
    at: Option<String>,
    /// More bindings more.
    #[serde(default)]
    #[schema(max_items = 100)]
    bindings: Vec<BindingThere>,
    /// Bindings that are not to count, by their ids.
    #[serde(default)]
    #[schema(max_items = 100)]
    without: Vec<i64>,
    /// Roles that allow something else.
    #[serde(default)]
    #[schema(max_items = 100)]
    roles: Vec<RoleThere>,
    /// What the one whom it is about is in then: `organisation:NAME` or `team:ORGANISATION/NAME`. Whoever gets into a team is in its
    /// organisation.
    #[serde(default)]
    #[schema(max_items = 100)]
    joins: Vec<String>,
    /// What they are in no more, whoever says that they are. Whoever leaves an organisation leaves its teams.
    #[serde(default)]
    #[schema(max_items = 100)]
    leaves: Vec<String>,
    /// Who may see namespaces and repositories.
    #[serde(default)]
    #[schema(max_items = 100)]
    visibility: Vec<SeenThere>,
    /// What is read-only, and what is not.
    #[serde(default)]
    #[schema(max_items = 100)]
    read_only: Vec<ReadOnlyThere>,
}

/// A binding that is supposed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BindingThere {
    /// Where it would be: a namespace with a slash after it, or `system`.
    #[schema(max_length = 256, example = "acme/")]
    at: String,
    /// The binding.
    binding: NewBinding,
}

/// A role that is supposed to allow something else; or one that is not there yet, where a binding that is supposed gives it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RoleThere {
    /// A namespace with a slash after it, whose owner's role it is; or `system` for one that all may use.
    #[schema(max_length = 256, example = "acme/")]
    at: String,
    /// The name of the role. Those that are built in stay as they are.
    #[schema(max_length = 64, example = "puller")]
    role: String,
    /// What it allows then, by names of actions.
    #[schema(min_items = 1, max_items = 64)]
    actions: Vec<String>,
}

/// Who is supposed to see something.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SeenThere {
    /// A repository, or a namespace with a slash after it.
    #[schema(max_length = 400, example = "acme/")]
    at: String,
    /// Who may see it; `null` for a repository: as its namespace says. It cannot be more than that.
    #[serde(default)]
    #[schema(value_type = Option<Seen>, required = true)]
    visibility: Field<Seen>,
}

/// Something that is supposed to be read-only, or not to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReadOnlyThere {
    /// A repository, a namespace with a slash after it, or `system` for everything.
    #[schema(max_length = 400, example = "acme/")]
    at: String,
    /// Whether it is.
    read_only: bool,
}

impl Supposed {
    /// Checks that no more is supposed than is looked up for one question.
    fn few(&self) -> Result<(), Problem> {
        let all = [
            usize::from(self.with.is_some()),
            self.bindings.len(),
            self.without.len(),
            self.roles.len(),
            self.joins.len(),
            self.leaves.len(),
            self.visibility.len(),
            self.read_only.len(),
        ];
        let all: usize = all.into_iter().sum();
        if all > MOST {
            return Err(Problem::invalid(format!(
                "at most {MOST} changes are supposed at a time, of all sorts together; these are {all}"
            )));
        }
        Ok(())
    }

    /// Whether a place is named, which has to be looked up.
    fn has_places(&self) -> bool {
        self.at.is_some()
            || !self.bindings.is_empty()
            || !self.roles.is_empty()
            || !self.visibility.is_empty()
            || !self.read_only.is_empty()
    }
}

/// A place where roles are and bindings can be.
async fn place(api: &Api, ask: &Ask, text: &str) -> Result<Object, Problem> {
    match object(api, ask, text).await? {
        Object::Repository(_) | Object::Tag(..) => Err(Problem::invalid(
            "`at` is a namespace with a slash after it, or `system`",
        )),
        place => Ok(place),
    }
}

async fn suppositions(api: &Api, ask: &Ask, asked: Supposed) -> Result<Suppositions, Problem> {
    let mut changes = Suppositions {
        without: asked.without,
        joins: asked.joins,
        leaves: asked.leaves,
        ..Suppositions::default()
    };
    let mut bindings = asked.bindings;
    match (asked.with, asked.at) {
        (None, None) => {}
        (Some(binding), Some(at)) => bindings.push(BindingThere { at, binding }),
        _ => {
            return Err(Problem::invalid(
                "`with` and `at` go together: a binding, and where it would be",
            ));
        }
    }
    for it in bindings {
        let at = place(api, ask, &it.at).await?;
        changes.with.push((at, it.binding.read()?));
    }
    for it in asked.roles {
        changes.roles.push(RoleSaid {
            at: place(api, ask, &it.at).await?,
            actions: actions(&it.actions)?,
            name: it.role,
        });
    }
    for it in asked.visibility {
        let word = match it.visibility {
            Field::To(word) => Some(word.into()),
            Field::Nothing => None,
            Field::Left => {
                return Err(Problem::invalid(
                    "an entry of `visibility` says `at` and `visibility`",
                ));
            }
        };
        let at = object(api, ask, &it.at).await?;
        changes.visibility.push((at, word));
    }
    for it in asked.read_only {
        let at = object(api, ask, &it.at).await?;
        changes.read_only.push((at, it.read_only));
    }
    Ok(changes)
}

async fn what_if(api: &Api, ask: Ask) -> Answer {
    let asked: Supposed = ask.read()?;
    asked.few()?;
    let (action, about) = (
        action(&asked.action)?,
        object(api, &ask, &asked.object).await?,
    );
    let whom = whom(asked.subject.as_deref());
    if asked.has_places() {
        // Before the first of them is: whoever may not ask costs no more than that.
        api.hub().may_suppose(&ask.caller, &about).await?;
    }
    let changes = suppositions(api, &ask, asked).await?;
    let found = api
        .hub()
        .supposing(&ask.caller, &whom, (action, &about), &changes)
        .await?;
    Reply::json(&Why::from(found))
}
