//! Namespaces and repositories: made, shown, changed, renamed, removed.

use anyhow::Context as _;
use longshore_auth::rights::Object;
use longshore_hub::given::{self, Given};
use longshore_hub::gives::BindingSeen;
use longshore_hub::repositories::Said;
use longshore_hub::views::Listed;
use longshore_hub::{Moved, Thing};
use longshore_meta::namespaces::{Namespace, Visibility};
use longshore_meta::profiles::Profile;
use longshore_spec::name::RepoName;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::operation::{Operation, PART, State, Steps};

/// Makes, shows and changes namespaces and repositories.
#[derive(Debug)]
pub struct Places;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Make a namespace of the system, or a group in a namespace.
    NamespaceCreate {
        /// Its path.
        path: String,
    },
    /// List all namespaces.
    NamespaceList,
    /// Show one.
    NamespaceShow {
        /// Its path.
        path: String,
    },
    /// Change one; what is `None` stays.
    NamespaceSet {
        /// Its path.
        path: String,
        /// `private`, `internal` or `public`.
        visibility: Option<String>,
        /// Whether nothing in it can be changed.
        read_only: Option<bool>,
        /// What it is for.
        description: Option<String>,
    },
    /// Give a group another path.
    NamespaceMove {
        /// Its path.
        path: String,
        /// The path to be.
        to: String,
    },
    /// Remove one.
    NamespaceRemove {
        /// Its path.
        path: String,
    },
    /// Delete all repositories and groups in one.
    NamespacePurge {
        /// Its path.
        path: String,
    },
    /// Make a repository without content.
    RepoCreate {
        /// Its name.
        name: String,
    },
    /// List repositories.
    RepoList {
        /// In this namespace; empty: all.
        path: String,
    },
    /// Show one.
    RepoShow {
        /// Its name.
        name: String,
    },
    /// Change one; what is `None` stays.
    RepoSet {
        /// Its name.
        name: String,
        /// `private`, `internal`, `public`, or `inherit`.
        visibility: Option<String>,
        /// Whether nothing in it can be changed.
        read_only: Option<bool>,
        /// What is said of it.
        says: Says,
    },
    /// Give a repository another name.
    RepoMove {
        /// Its name.
        name: String,
        /// The name to be.
        to: String,
    },
    /// Delete a repository with all that is in it.
    RepoRemove {
        /// Its name.
        name: String,
    },
}

/// What is to be said of a repository otherwise; what is `None` or named nowhere stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Says {
    /// What it is, in a line.
    pub description: Option<String>,
    /// What it is, in Markdown.
    pub readme: Option<String>,
    /// Addresses to add.
    pub links: Vec<String>,
    /// Addresses to take away.
    pub links_away: Vec<String>,
    /// Words and their values, to add or to have another value.
    pub labels: Vec<(String, String)>,
    /// Words to take away.
    pub labels_away: Vec<String>,
}

impl Says {
    /// The same, where this is said of it now.
    fn of(self, now: &Profile) -> anyhow::Result<Said> {
        let mut said = Said {
            description: self.description,
            readme: self.readme,
            ..Said::default()
        };
        if !self.links.is_empty() || !self.links_away.is_empty() {
            let mut links: Vec<String> = serde_json::from_str(&now.links)?;
            for link in self.links_away {
                let at = links.iter().position(|it| *it == link);
                let at = at.with_context(|| format!("it has no link `{link}`"))?;
                links.remove(at);
            }
            for link in self.links {
                if !links.contains(&link) {
                    links.push(link);
                }
            }
            said.links = Some(links);
        }
        if !self.labels.is_empty() || !self.labels_away.is_empty() {
            let mut labels: serde_json::Map<String, Value> = serde_json::from_str(&now.labels)?;
            for label in self.labels_away {
                let had = labels.remove(&label);
                anyhow::ensure!(had.is_some(), "it has no label `{label}`");
            }
            let new = self.labels.into_iter();
            labels.extend(new.map(|(name, value)| (name, Value::String(value))));
            said.labels = Some(labels);
        }
        Ok(said)
    }
}

fn shown(row: &Namespace) -> Value {
    json!({
        "id": row.id.0,
        "path": row.path,
        "visibility": row.visibility.word(),
        "read_only": row.read_only,
        "description": row.description,
        "created": row.created,
    })
}

/// The same, and which bindings mean something else by it.
pub(super) fn turned(mut told: Value, moved: &Moved) -> Value {
    let list = |list: &[BindingSeen]| -> Value {
        let shown = list.iter().map(|it| {
            json!({ "id": it.row.id, "subject": it.subject, "role": it.row.role_name, "deny": it.row.deny, "repositories": it.row.repos })
        });
        shown.collect()
    };
    if let Some(told) = told.as_object_mut() {
        told.insert("bindings_lost".to_owned(), list(&moved.lost));
        told.insert("bindings_found".to_owned(), list(&moved.found));
    }
    told
}

fn visibility(word: &str) -> anyhow::Result<Visibility> {
    let read = word.parse();
    read.map_err(|()| {
        anyhow::anyhow!("`{word}` is no visibility: there are private, internal and public")
    })
}

fn repo(name: &str) -> anyhow::Result<RepoName> {
    let read = name.parse();
    read.with_context(|| format!("`{name}` is no name of a repository"))
}

impl Operation for Places {
    const NAME: &'static str = "places";
    type Args = Ask;
    type Step = ();
    type Done = Value;

    async fn run(state: &State, args: Ask, _steps: Steps<()>) -> anyhow::Result<Value> {
        let (hub, caller) = (state.hub()?, &state.operator());
        match args {
            Ask::NamespaceCreate { path } => {
                let id = match path.rsplit_once('/') {
                    None => hub.namespace_create(caller, &path).await?,
                    Some((parent, name)) => {
                        let parent = state.place(parent).await?;
                        hub.group_create(caller, parent, name).await?
                    }
                };
                Ok(json!({ "path": path, "id": id.0 }))
            }
            Ask::NamespaceList => {
                let found = Listed::whole(String::new(), |after| async move {
                    hub.namespace_list(caller, None, &after, PART).await
                });
                Ok(found.await?.iter().map(shown).collect())
            }
            Ask::NamespaceShow { path } => {
                let object = Object::Namespace(state.place(&path).await?);
                Ok(shown(&hub.namespace_get(caller, &object).await?))
            }
            Ask::NamespaceSet {
                path,
                visibility: word,
                read_only,
                description,
            } => {
                let id = state.place(&path).await?;
                let to = word.as_deref().map(visibility).transpose()?;
                if to.is_some() || read_only.is_some() {
                    hub.namespace_settings(caller, id, to, read_only).await?;
                }
                if let Some(text) = description {
                    hub.namespace_describe(caller, id, &text).await?;
                }
                Ok(shown(&hub.namespace_row(id).await?))
            }
            Ask::NamespaceMove { path, to } => {
                let id = state.place(&path).await?;
                let moved = hub.namespace_move(caller, id, &to).await?;
                Ok(turned(json!({ "path": to, "before": path }), &moved))
            }
            Ask::NamespaceRemove { path } => {
                let id = state.place(&path).await?;
                hub.namespace_remove(caller, id).await?;
                Ok(json!({ "removed": path }))
            }
            Ask::NamespacePurge { path } => {
                let id = state.place(&path).await?;
                let count = hub.namespace_purge(caller, id).await?;
                Ok(json!({ "purged": path, "repositories": count }))
            }
            other => repository(state, other).await,
        }
    }
}

async fn repository(state: &State, args: Ask) -> anyhow::Result<Value> {
    let (hub, caller) = (state.hub()?, &state.operator());
    let name = match args {
        Ask::RepoCreate { name } => {
            let name = repo(&name)?;
            hub.repository_create(caller, &name).await?;
            name
        }
        Ask::RepoList { path } => {
            let path = &path;
            let found = Listed::whole(String::new(), |after| async move {
                hub.repository_names(caller, path, &after, PART).await
            });
            return Ok(json!(found.await?));
        }
        Ask::RepoSet {
            name,
            visibility: word,
            read_only,
            says,
        } => {
            let name = repo(&name)?;
            if says != Says::default() {
                // What cannot be said is found out before anything is changed.
                let now = hub.repository_get(caller, &name).await?;
                says.clone().of(&now.profile)?;
            }
            if word.is_some() || read_only.is_some() {
                let to = match word.as_deref() {
                    None => None,
                    Some("inherit") => Some(None),
                    Some(word) => Some(Some(visibility(word)?)),
                };
                hub.repository_set(caller, &name, to, read_only).await?;
            }
            if says != Says::default() {
                let now = hub.repository_get(caller, &name).await?;
                // Links and labels are added to what is there: so nobody else may have changed it meanwhile.
                let mark = given::repository(&now.name, Some(&now.profile));
                let unchanged = Some((Thing::Repository(now.name.clone()), vec![mark]));
                let given = Given {
                    unchanged,
                    once: None,
                };
                let hub = hub.given(given);
                let said = says.of(&now.profile)?;
                hub.repository_describe(caller, &now.name, said).await?;
            }
            name
        }
        Ask::RepoMove { name, to } => {
            let to = repo(&to)?;
            let moved = hub.repository_rename(caller, &repo(&name)?, &to).await?;
            let word = moved.hidden.map(Visibility::word);
            let told = json!({ "name": to, "before": name, "visibility": word });
            return Ok(turned(told, &moved));
        }
        Ask::RepoRemove { name } => {
            hub.repository_remove(caller, &repo(&name)?).await?;
            return Ok(json!({ "removed": name }));
        }
        Ask::RepoShow { name } => repo(&name)?,
        _ => anyhow::bail!("that is not asked about repositories"),
    };
    let found = hub.repository_get(caller, &name).await?;
    Ok(json!({
        "id": found.id,
        "name": found.name,
        "visibility": found.profile.visibility.map(Visibility::word),
        "read_only": found.profile.read_only,
        "description": found.profile.description,
        "readme": found.profile.readme,
        "links": serde_json::from_str::<Value>(&found.profile.links)?,
        "labels": serde_json::from_str::<Value>(&found.profile.labels)?,
        "manifests": found.manifests,
        "tags": found.tags,
        "stars": found.profile.stars,
        "pulls": found.profile.pulls,
    }))
}
