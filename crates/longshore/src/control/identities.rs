//! How accounts are known to directories, and second factors that were lost.

use longshore_hub::identities::Link;
use serde::{Deserialize, Serialize};

use super::operation::{Operation, State, Steps};
use crate::config::Auth;

/// Says that whoever first comes from a source by a name is an account.
#[derive(Debug)]
pub struct Expect;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExpectArgs {
    /// The account.
    pub account: String,
    /// The source, as in `ldap:corp`, or a provider's URL.
    pub source: String,
    /// By which name they log in there; none: by that of the account.
    pub name: Option<String>,
}

impl Operation for Expect {
    const NAME: &'static str = "identity-expect";
    type Args = ExpectArgs;
    type Step = ();
    type Done = ();

    async fn run(state: &State, args: ExpectArgs, _steps: Steps<()>) -> anyhow::Result<()> {
        let Auth::Index(index) = &state.config.auth else {
            anyhow::bail!("this server asks no directories and providers");
        };
        let directories = index
            .ldap
            .iter()
            .map(|it| format!("ldap:{}", it.options.name));
        let providers = index.oidc.iter().map(|it| it.options.issuer.clone());
        let known: Vec<String> = directories.chain(providers).collect();
        anyhow::ensure!(
            known.contains(&args.source),
            "there is no source `{}`; those that are configured: {}",
            args.source,
            if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            }
        );
        let name = args.name.as_deref().unwrap_or(&args.account);
        let hub = state.hub()?;
        hub.identity_expect(&state.operator(), &args.account, &args.source, name)
            .await?;
        Ok(())
    }
}

/// Says that an account is nobody of a source any more.
#[derive(Debug)]
pub struct Forget;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ForgetArgs {
    /// The account.
    pub account: String,
    /// The source.
    pub source: String,
}

impl Operation for Forget {
    const NAME: &'static str = "identity-forget";
    type Args = ForgetArgs;
    type Step = ();
    type Done = ();

    async fn run(state: &State, args: ForgetArgs, _steps: Steps<()>) -> anyhow::Result<()> {
        let hub = state.hub()?;
        hub.identity_forget(&state.operator(), &args.account, &args.source)
            .await?;
        Ok(())
    }
}

/// Says how an account is known elsewhere.
#[derive(Debug)]
pub struct List;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListArgs {
    /// The account.
    pub account: String,
}

impl Operation for List {
    const NAME: &'static str = "identity-list";
    type Args = ListArgs;
    type Step = ();
    type Done = Vec<Link>;

    async fn run(state: &State, args: ListArgs, _steps: Steps<()>) -> anyhow::Result<Vec<Link>> {
        Ok(state.hub()?.identities(&args.account).await?)
    }
}

/// Takes the second factor of somebody away who has lost it.
#[derive(Debug)]
pub struct RemoveFactor;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RemoveFactorArgs {
    /// The account.
    pub account: String,
}

impl Operation for RemoveFactor {
    const NAME: &'static str = "second-factor-remove";
    type Args = RemoveFactorArgs;
    type Step = ();
    type Done = ();

    async fn run(state: &State, args: RemoveFactorArgs, _steps: Steps<()>) -> anyhow::Result<()> {
        Ok(state
            .hub()?
            .factor_remove(&state.operator(), &args.account)
            .await?)
    }
}
