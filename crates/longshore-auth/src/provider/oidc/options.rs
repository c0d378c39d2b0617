//! What is told about a login provider.

use std::fmt;

use zeroize::Zeroizing;

use crate::options::SetupError;
use crate::provider::Pattern;

/// A provider of logins (OpenID Connect Core 1.0), to which this registry is a client.
#[derive(Clone)]
pub struct OidcOptions {
    /// Its name here, which people see on the button.
    pub name: String,
    /// Its URL, to the letter as it calls itself. Together with `sub` it is who somebody is.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// Our secret there; none for a client without.
    pub client_secret: Option<Zeroizing<String>>,
    /// How we show the secret.
    pub client_auth: ClientAuth,
    /// Where people come back to, to the letter as it is registered there.
    pub redirect_url: String,
    /// What we ask for beside `openid`.
    pub scopes: Vec<String>,
    /// The claim that is the user's name here.
    pub name_claim: String,
    /// The claim with the groups, by name or path; none: the provider has no say in them.
    pub groups_claim: Option<String>,
    /// The claim, by name or path, and what it must say for an administrator of this system.
    pub admin_claim: Option<(String, Pattern)>,
    /// Groups of which somebody must be in one to come in at all; empty: everybody may.
    pub allowed_groups: Vec<String>,
    /// Whether claims are also fetched from the provider's own page about the user.
    pub userinfo: bool,
    /// Whether somebody who was never here gets an account by logging in.
    pub onboard: bool,
}

/// How a client shows its secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuth {
    /// In the `Authorization` header (`client_secret_basic`).
    Basic,
    /// In the form (`client_secret_post`).
    Post,
}

impl OidcOptions {
    /// A provider of this name and URL, to which we are `client_id` and people come back to `redirect_url`; the rest as
    /// most providers have it.
    pub fn new(
        name: impl Into<String>,
        issuer: impl Into<String>,
        client_id: impl Into<String>,
        redirect_url: impl Into<String>,
    ) -> Self {
        OidcOptions {
            name: name.into(),
            issuer: issuer.into(),
            client_id: client_id.into(),
            client_secret: None,
            client_auth: ClientAuth::Basic,
            redirect_url: redirect_url.into(),
            scopes: ["profile", "email"].map(str::to_owned).to_vec(),
            name_claim: "preferred_username".to_owned(),
            groups_claim: None,
            admin_claim: None,
            allowed_groups: Vec::new(),
            userinfo: true,
            onboard: true,
        }
    }

    pub(super) fn check(&self) -> Result<(), SetupError> {
        let wrong = |option, problem: &str| SetupError::Option {
            option,
            problem: problem.to_owned(),
        };
        let is_word =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_word(&self.name) || self.name.len() > 64 {
            return Err(wrong("name", "it must be 1 to 64 letters without spaces"));
        }
        if !is_word(&self.client_id) {
            return Err(wrong("client_id", "it is missing"));
        }
        if self
            .client_secret
            .as_ref()
            .is_some_and(|secret| secret.is_empty())
        {
            return Err(wrong(
                "client_secret",
                "it is empty; leave it out for a client without",
            ));
        }
        if !self.scopes.iter().all(|scope| is_word(scope)) {
            return Err(wrong("scopes", "a scope has no spaces and is not empty"));
        }
        if !self.allowed_groups.is_empty() && self.groups_claim.is_none() {
            return Err(wrong(
                "allowed_groups",
                "nobody is in a group while `groups_claim` is not set",
            ));
        }
        if self
            .admin_claim
            .as_ref()
            .is_some_and(|(_, pattern)| pattern.fits_all())
        {
            return Err(wrong(
                "admin_claim",
                "everybody would administer this system",
            ));
        }
        let redirect = url::Url::parse(&self.redirect_url)
            .ok()
            .filter(|url| url.fragment().is_none());
        let is_safe = redirect.is_some_and(|url| match url.scheme() {
            "https" => true,
            "http" => matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")),
            _ => false,
        });
        if is_safe {
            Ok(())
        } else {
            Err(wrong(
                "redirect_url",
                "it must be an `https` URL of this registry; `http` is for loopback only",
            ))
        }
    }
}

impl fmt::Debug for OidcOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OidcOptions")
            .field("name", &self.name)
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
