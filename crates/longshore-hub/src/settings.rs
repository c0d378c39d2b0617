//! Settings of the system.

use longshore_auth::rights::ground::READ_ONLY;
use longshore_auth::rights::{Action, Object};
use longshore_core::Result;
use longshore_meta::Tx;
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::settings::setting_put;
use serde_json::json;

use crate::caller::Caller;
use crate::hub::{Done, Hub};
use crate::permit::Permit;

const SETTINGS: u8 = Action::SystemSettings as u8;
/// The setting that says who may make an account of their own.
pub(crate) const SIGN_UP: &str = "index.sign_up";

/// Who may make an account of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SignUp {
    /// Nobody: those who manage users make them.
    #[default]
    Closed,
    /// Whoever was invited.
    Invitation,
    /// Everybody.
    Open,
}

impl SignUp {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            SignUp::Closed => "closed",
            SignUp::Invitation => "invitation",
            SignUp::Open => "open",
        }
    }

    /// What a row says; closed where there is none.
    pub(crate) fn read(word: Option<&str>) -> Self {
        match word {
            Some("open") => SignUp::Open,
            Some("invitation") => SignUp::Invitation,
            _ => SignUp::Closed,
        }
    }
}

impl Hub {
    /// Who may make an account of their own.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn sign_up(&self) -> Result<SignUp> {
        let word = self.setting(SIGN_UP).await?;
        Ok(SignUp::read(word.as_deref()))
    }

    /// Says who may make an account of their own.
    ///
    /// # Errors
    /// `Denied` or `Unavailable`.
    pub async fn sign_up_set(&self, caller: &Caller, to: SignUp) -> Result<()> {
        self.act(caller, Object::System, to, |tx, permit, to| {
            Box::pin(setting(tx, permit, SIGN_UP, to.word()))
        })
        .await
    }

    /// Makes the whole system read-only, or ends that.
    ///
    /// # Errors
    /// `Denied` or `Unavailable`.
    pub async fn read_only_set(&self, caller: &Caller, read_only: bool) -> Result<()> {
        self.act(
            caller,
            Object::System,
            read_only,
            |tx, permit, read_only| {
                let word = if *read_only { "true" } else { "false" };
                Box::pin(setting(tx, permit, READ_ONLY, word))
            },
        )
        .await
    }
}

/// Changes a setting.
///
/// # Errors
/// `Unavailable`.
pub async fn setting(
    tx: &mut Tx<'_>,
    _: &Permit<SETTINGS>,
    name: &str,
    value: &str,
) -> Result<Done<()>> {
    setting_put(tx, name, value).await?;
    Ok(Done {
        value: (),
        object: name.to_owned(),
        namespace: NamespaceId(0),
        detail: json!({ "value": value }),
    })
}
