//! Organisations, their teams and members, and the end of accounts.

use longshore_auth::rights::Object;
use longshore_hub::accounts::NewAccount;
use longshore_hub::views::Listed;
use longshore_meta::principals::{Kind, Principal};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::operation::{Operation, PART, State, Steps};
use super::places::turned;

/// Makes, shows and changes organisations, teams and members.
#[derive(Debug)]
pub struct People;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Make an organisation.
    OrgCreate {
        /// Its name.
        name: String,
        /// What it is for.
        description: String,
        /// The user who owns it; empty: nobody yet.
        owner: String,
    },
    /// List organisations.
    OrgList,
    /// Show one, with its teams and members.
    OrgShow {
        /// Its name.
        name: String,
    },
    /// Give a user or an organisation another name.
    Rename {
        /// Its name.
        name: String,
        /// The name to be.
        to: String,
    },
    /// Delete a user or an organisation.
    Delete {
        /// Its name.
        name: String,
    },
    /// Add a member to an organisation or a team, or take it out.
    Member {
        /// The organisation.
        org: String,
        /// The team.
        team: Option<String>,
        /// The user.
        user: String,
        /// Whether it is to be a member.
        member: bool,
    },
    /// Make a team.
    TeamCreate {
        /// The organisation.
        org: String,
        /// The team.
        team: String,
        /// What it is for.
        description: String,
    },
    /// List the teams of an organisation.
    TeamList {
        /// The organisation.
        org: String,
    },
    /// Show a team with its members.
    TeamShow {
        /// The organisation.
        org: String,
        /// The team.
        team: String,
    },
    /// Delete a team.
    TeamDelete {
        /// The organisation.
        org: String,
        /// The team.
        team: String,
    },
}

fn shown(row: &Principal) -> Value {
    json!({
        "id": row.id.0,
        "name": row.name,
        "state": row.state.word(),
        "description": row.description,
        "created": row.created,
    })
}

async fn members(state: &State, org: &str, team: Option<&str>) -> anyhow::Result<Value> {
    let (hub, caller) = (state.hub()?, &state.operator());
    let home = &Object::Namespace(home(state, org).await?);
    let found = Listed::whole(i64::MIN, |after| async move {
        hub.member_list(caller, home, team, after, PART).await
    });
    let names = found.await?.into_iter().map(|it| it.name);
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    // A directory and a person may both say that somebody is in it.
    names.dedup();
    Ok(json!(names))
}

async fn home(state: &State, org: &str) -> anyhow::Result<longshore_meta::namespaces::NamespaceId> {
    let found = state.hub()?.namespace_id(org).await;
    found.map_err(|_| anyhow::anyhow!("there is no organisation `{org}`"))
}

async fn teams(state: &State, org: &str) -> anyhow::Result<Vec<Value>> {
    let (hub, caller) = (state.hub()?, &state.operator());
    let home = &Object::Namespace(home(state, org).await?);
    let found = Listed::whole(String::new(), |after| async move {
        hub.team_list(caller, home, &after, PART).await
    });
    Ok(found.await?.iter().map(shown).collect())
}

impl Operation for People {
    const NAME: &'static str = "people";
    type Args = Ask;
    type Step = ();
    type Done = Value;

    async fn run(state: &State, args: Ask, _steps: Steps<()>) -> anyhow::Result<Value> {
        let (hub, caller) = (state.hub()?, &state.operator());
        match args {
            Ask::OrgCreate {
                name,
                description,
                owner,
            } => {
                let new = NewAccount {
                    name: name.clone(),
                    description,
                    owner,
                    ..NewAccount::default()
                };
                let id = hub.organisation_create(caller, new).await?;
                Ok(json!({ "name": name, "id": id.0 }))
            }
            Ask::OrgList => {
                let found = Listed::whole(String::new(), |after| async move {
                    hub.accounts_of(caller, Kind::Organisation, &after, PART)
                        .await
                });
                Ok(found.await?.iter().map(shown).collect())
            }
            Ask::OrgShow { name } => {
                let teams = teams(state, &name).await?;
                let members = members(state, &name, None).await?;
                Ok(json!({ "name": name, "members": members, "teams": teams }))
            }
            Ask::Rename { name, to } => {
                let moved = hub.account_rename(caller, None, &name, &to).await?;
                Ok(turned(json!({ "name": to, "before": name }), &moved))
            }
            Ask::Delete { name } => {
                hub.account_delete(caller, None, &name).await?;
                Ok(json!({ "deleted": name }))
            }
            Ask::Member {
                org,
                team,
                user,
                member,
            } => {
                let home = home(state, &org).await?;
                let of = team.as_deref();
                hub.member_set(caller, home, of, &user, member).await?;
                Ok(json!({ "organisation": org, "team": team, "user": user, "member": member }))
            }
            Ask::TeamCreate {
                org,
                team,
                description,
            } => {
                let new = NewAccount {
                    name: team.clone(),
                    description,
                    ..NewAccount::default()
                };
                let home = home(state, &org).await?;
                let id = hub.team_create(caller, home, new).await?;
                Ok(json!({ "name": format!("{org}/{team}"), "id": id.0 }))
            }
            Ask::TeamList { org } => Ok(json!(teams(state, &org).await?)),
            Ask::TeamShow { org, team } => {
                let members = members(state, &org, Some(&team)).await?;
                Ok(json!({ "name": format!("{org}/{team}"), "members": members }))
            }
            Ask::TeamDelete { org, team } => {
                let home = home(state, &org).await?;
                let home = Object::Namespace(home);
                hub.team_delete(caller, &home, &team).await?;
                Ok(json!({ "deleted": format!("{org}/{team}") }))
            }
        }
    }
}
