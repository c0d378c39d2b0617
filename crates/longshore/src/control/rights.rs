//! Roles and bindings: who may do what where.

use longshore_auth::rights::{ActionSet, Object};
use longshore_hub::gives::{BindingSeen, Give, explicit};
use longshore_hub::views::Listed;
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::roles::Role;
use longshore_meta::time::micros;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ends::ends;
use super::operation::{Operation, PART, State, Steps};

/// Makes, shows and takes back roles and bindings.
#[derive(Debug)]
pub struct Rights;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// List roles.
    RoleList {
        /// Those made for this namespace's owner; `**`: those of all.
        of: String,
    },
    /// Make a role, or say what it allows from now on.
    RoleSet {
        /// For this namespace's owner; `**`: for all.
        of: String,
        /// Its name.
        name: String,
        /// The actions it allows.
        actions: Vec<String>,
        /// What it is for.
        description: String,
    },
    /// Remove a role.
    RoleRemove {
        /// Of this namespace's owner; `**`: of all.
        of: String,
        /// Its name.
        name: String,
    },
    /// List bindings.
    BindingList {
        /// On this namespace; `**`: everywhere.
        place: String,
    },
    /// Give or deny a role.
    BindingGive {
        /// Whom it is for.
        subject: String,
        /// The role.
        role: String,
        /// The namespace; `**`: everywhere.
        place: String,
        /// Whether it denies.
        deny: bool,
        /// Patterns of repositories.
        repositories: Vec<String>,
        /// Patterns of tags.
        tags: Vec<String>,
        /// Networks.
        networks: Vec<String>,
        /// Hours, as JSON.
        hours: Option<String>,
        /// How many seconds it counts; none: until it is taken back.
        lives: Option<u64>,
    },
    /// Take a binding back.
    BindingRemove {
        /// The namespace; `**`: everywhere.
        place: String,
        /// Its id.
        id: i64,
    },
}

fn role(row: &Role) -> Value {
    json!({
        "id": row.id,
        "name": row.name,
        "builtin": row.builtin,
        "actions": row.actions.split(' ').collect::<Vec<_>>(),
        "description": row.description,
    })
}

fn binding(seen: &BindingSeen, place: &str) -> Value {
    let row = &seen.row;
    json!({
        "id": row.id,
        "effect": if row.deny { "deny" } else { "allow" },
        "subject": seen.subject,
        "role": row.role_name,
        "place": place,
        "repository": seen.repository,
        "repositories": row.repos,
        "tags": row.tags,
        "networks": row.networks,
        "hours": row.hours,
        "expires": row.expires,
        "source": row.source,
    })
}

fn words(list: &[String]) -> Option<String> {
    (!list.is_empty()).then(|| list.join(" "))
}

/// The bindings that are to be made: one for each repository that is named, and one for all patterns.
fn parts(repositories: &[String]) -> Vec<Option<String>> {
    let is_pattern = |word: &&String| word.contains('*');
    let (patterns, names): (Vec<&String>, Vec<_>) = repositories.iter().partition(is_pattern);
    let mut parts: Vec<_> = names.into_iter().cloned().map(Some).collect();
    let patterns: Vec<String> = patterns.into_iter().cloned().collect();
    if !patterns.is_empty() || parts.is_empty() {
        parts.push(words(&patterns));
    }
    parts
}

/// What is asked about: a namespace, or everything (`**`).
async fn object(state: &State, path: &str) -> anyhow::Result<Object> {
    Ok(match state.place(path).await? {
        NamespaceId::EVERYWHERE => Object::System,
        id => Object::Namespace(id),
    })
}

impl Operation for Rights {
    const NAME: &'static str = "rights";
    type Args = Ask;
    type Step = ();
    type Done = Value;

    async fn run(state: &State, args: Ask, _steps: Steps<()>) -> anyhow::Result<Value> {
        let (hub, caller) = (state.hub()?, &state.operator());
        match args {
            Ask::RoleList { of } => {
                let of = state.place(&of).await?;
                let found = Listed::whole(String::new(), |after: String| async move {
                    if of == NamespaceId::EVERYWHERE {
                        return hub.roles_of_all(&after, PART).await;
                    }
                    hub.roles_in(caller, &Object::Namespace(of), &after, PART)
                        .await
                });
                Ok(found.await?.iter().map(role).collect())
            }
            Ask::RoleSet {
                of,
                name,
                actions,
                description,
            } => {
                let of = state.place(&of).await?;
                let text = actions.join(" ");
                let actions = ActionSet::parse(&text)
                    .map_err(|word| anyhow::anyhow!("there is no action `{word}`"))?;
                anyhow::ensure!(
                    !actions.is_empty(),
                    "a role that allows nothing is none; name actions with --action"
                );
                let id = hub.role_set(caller, of, &name, actions, &description);
                Ok(json!({ "name": name, "id": id.await?, "actions": actions.to_string() }))
            }
            Ask::RoleRemove { of, name } => {
                let of = state.place(&of).await?;
                hub.role_remove(caller, of, &name).await?;
                Ok(json!({ "removed": name }))
            }
            Ask::BindingList { place } => {
                let object = &object(state, &place).await?;
                let found = Listed::whole(0, |after| async move {
                    hub.bindings_on(caller, object, after, PART).await
                });
                let found = found.await?;
                Ok(found.iter().map(|it| binding(it, &place)).collect())
            }
            Ask::BindingGive {
                subject,
                role,
                place,
                deny,
                repositories,
                tags,
                networks,
                hours,
                lives,
            } => {
                let plain = Give {
                    subject: explicit(&subject),
                    role,
                    deny,
                    repository: None,
                    repositories: None,
                    tags: words(&tags),
                    networks: words(&networks),
                    hours,
                    expires: ends(caller.now, lives)?.map(micros),
                };
                let object = object(state, &place).await?;
                let mut given = Vec::new();
                for repositories in parts(&repositories) {
                    let give = Give {
                        repositories,
                        ..plain.clone()
                    };
                    let id = hub.binding_give(caller, &object, give).await?;
                    given.push(binding(&hub.binding_row(id).await?, &place));
                }
                let id = given.first().and_then(|it| it.get("id")).cloned();
                Ok(json!({ "id": id, "bindings": given }))
            }
            Ask::BindingRemove { place, id } => {
                let place = state.place(&place).await?;
                hub.binding_remove(caller, place, id).await?;
                Ok(json!({ "removed": id }))
            }
        }
    }
}
