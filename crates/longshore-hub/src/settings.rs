//! Settings of the system.

use std::str::FromStr;

use longshore_auth::rights::ground::READ_ONLY;
use longshore_auth::rights::{Action, Object};
use longshore_core::{Code, Error, Result};
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
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Closed, Self::Invitation, Self::Open];

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
        word.and_then(|word| word.parse().ok()).unwrap_or_default()
    }
}

/// The words of [`SignUp`], wherever they come from.
impl FromStr for SignUp {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|it| it.word() == text);
        found.ok_or_else(|| {
            let [first, second, last] = Self::ALL.map(Self::word);
            Error::new(
                Code::QueryInvalid,
                format!("`{text}` is none of {first}, {second} and {last}"),
            )
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_for_who_may_sign_up_is_read_as_it_is_written_and_nothing_else_opens() {
        for word in SignUp::ALL {
            assert_eq!(word.word().parse::<SignUp>().unwrap(), word);
            assert_eq!(SignUp::read(Some(word.word())), word);
        }
        for other in ["", "Open", "open ", "everybody"] {
            let error = other.parse::<SignUp>().unwrap_err();
            let words = format!("`{other}` is none of closed, invitation and open");
            assert_eq!(error.public(), words);
            assert_eq!(SignUp::read(Some(other)), SignUp::Closed);
        }
        assert_eq!(SignUp::read(None), SignUp::Closed);
    }
}
