//! Whose certificate is whose.

use longshore_auth::certificate::Subject;
use longshore_hub::certificates::NewCertificate;
use longshore_meta::certificates::CertificateRule;
use serde::{Deserialize, Serialize};

use super::ends::ends;
use super::narrow;
use super::operation::{Operation, State, Steps};

/// Makes a rule.
#[derive(Debug)]
pub struct Create;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateArgs {
    /// The account, as it logs in.
    pub account: String,
    /// What the certificate says, such as `dns:ci.acme.example`.
    pub subject: String,
    /// The repositories it leaves, as patterns; none: all of the account's.
    pub repositories: Vec<String>,
    /// What it leaves of `pull`, `push` and `delete`; none: all.
    pub actions: Vec<String>,
    /// What it is for.
    pub description: String,
    /// How many seconds it lives; none: until it is taken back.
    pub lives: Option<u64>,
}

/// A rule that was made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Made {
    /// Its id.
    pub id: i64,
    /// Names of repositories it is for that nothing has: it is for whatever gets them.
    pub by_name: Vec<String>,
}

impl Operation for Create {
    const NAME: &'static str = "certificate-create";
    type Args = CreateArgs;
    type Step = ();
    type Done = Made;

    async fn run(state: &State, args: CreateArgs, _steps: Steps<()>) -> anyhow::Result<Made> {
        let (hub, caller) = (state.hub()?, state.operator());
        let new = NewCertificate {
            narrow: narrow::read(&args.repositories, &args.actions)?,
            expires: ends(caller.now, args.lives)?,
            account: args.account,
            of: None,
            subject: Subject::read(&args.subject)?,
            description: args.description,
        };
        let kept = hub.certificate_create(&caller, new).await?;
        Ok(Made {
            id: kept.id,
            by_name: kept.by_name,
        })
    }
}

/// Lists the rules of an account.
#[derive(Debug)]
pub struct List;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListArgs {
    /// The account, as it logs in.
    pub account: String,
}

/// A rule. Times are microseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its id.
    pub id: i64,
    /// What the certificate says.
    pub subject: String,
    /// What narrows the account's rights.
    pub scope: Option<serde_json::Value>,
    /// What it is for.
    pub description: String,
    /// When it ends.
    pub expires: Option<i64>,
    /// When somebody last came by it, to the hour.
    pub used: Option<i64>,
}

impl From<CertificateRule> for Entry {
    fn from(rule: CertificateRule) -> Self {
        let json = |text: &str| serde_json::from_str(text).unwrap_or_default();
        Entry {
            id: rule.id,
            subject: rule.subject,
            scope: rule.scope.as_deref().map(json),
            description: rule.description,
            expires: rule.expires,
            used: rule.used,
        }
    }
}

impl Operation for List {
    const NAME: &'static str = "certificate-list";
    type Args = ListArgs;
    type Step = ();
    type Done = Vec<Entry>;

    async fn run(state: &State, args: ListArgs, _steps: Steps<()>) -> anyhow::Result<Vec<Entry>> {
        let hub = state.hub()?;
        let rules = hub
            .certificate_list(&state.operator(), &args.account)
            .await?;
        let mut entries = Vec::with_capacity(rules.len());
        for rule in rules {
            let scope = narrow::shown(state, rule.scope.as_deref()).await?;
            entries.push(Entry {
                scope,
                ..Entry::from(rule)
            });
        }
        Ok(entries)
    }
}

/// Takes a rule back.
#[derive(Debug)]
pub struct Delete;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeleteArgs {
    /// The account, as it logs in.
    pub account: String,
    /// The rule.
    pub id: i64,
}

impl Operation for Delete {
    const NAME: &'static str = "certificate-delete";
    type Args = DeleteArgs;
    type Step = ();
    type Done = ();

    async fn run(state: &State, args: DeleteArgs, _steps: Steps<()>) -> anyhow::Result<()> {
        let (hub, by) = (state.hub()?, state.operator());
        Ok(hub.certificate_delete(&by, &args.account, args.id).await?)
    }
}
