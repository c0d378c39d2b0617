//! Login providers: the keys of `[index.oidc.NAME]` and what they amount to.

use longshore_auth::SetupError;
use longshore_auth::provider::oidc::{ClientAuth, Oidc as Provider, OidcOptions};
use longshore_auth::provider::{Pattern, Web};
use longshore_hub::arrivals::Rules;
use zeroize::Zeroizing;

use super::key::section;
use super::ldap::team_rules;
use super::problem::Problem;
use super::reader::Reader;
use super::secret::Secret;
use super::settings::Settings;
use super::value::choice;

choice! {
    /// How a client shows its secret.
    Shows {
        /// In a header.
        Basic = "basic",
        /// In the form.
        Post = "post",
    }
}

section! {
    /// A login provider (OpenID Connect) where people log in with a browser. NAME is yours: lower-case letters, digits and `-`;
    /// it is part of the address where they come back to, `PUBLIC_URL/auth/oidc/NAME/callback`, which the provider must know.
    OidcKeys at "index.oidc.NAME" since "0.1.0" {
        /// Its URL, to the letter as it calls itself; it is part of who its people are, so it must stay.
        issuer: Option<String> = None,
        /// The name of this registry there.
        client_id: Option<String> = None,
        /// The secret of this registry there; unset for a client without.
        client_secret: Option<Secret> = None,
        /// How the secret is shown: `basic` (in a header) or `post` (in the form).
        client_auth: Shows = Shows::Basic,
        /// What is asked for beside `openid`.
        scopes: Vec<String> = vec!["profile".to_owned(), "email".to_owned()],
        /// The claim that is the user's name here.
        name_claim: String = "preferred_username".to_owned(),
        /// The claim with the groups, by name or path; unset, the provider has no say in them.
        groups_claim: Option<String> = None,
        /// Whom the provider makes an administrator of this system: `CLAIM=PATTERN`, as in `groups=registry-admins`.
        admin_claim: Option<String> = None,
        /// Groups of which somebody must be in one to come in at all; empty: everybody may.
        allowed_groups: Vec<String> = Vec::new(),
        /// Which groups make members of which organisations and teams, as in `[index.ldap.NAME]`.
        teams: Vec<String> = Vec::new(),
        /// Fetch claims from the provider's own page about the user too.
        userinfo: bool = true,
        /// Make an account for somebody who logs in for the first time.
        onboard: bool = true,
    }
}

/// A login provider.
#[derive(Debug, Clone)]
pub struct Oidc {
    /// How it is asked.
    pub options: OidcOptions,
    /// What is done with its people.
    pub rules: Rules,
}

impl PartialEq for Oidc {
    fn eq(&self, other: &Self) -> bool {
        // Two of one name are from one table; the rest is in the settings.
        self.options.name == other.options.name && self.rules == other.rules
    }
}

/// The providers that the keys amount to.
pub(super) fn choose(
    settings: &Settings,
    web: &Web,
    origins: &Reader,
) -> Result<Vec<Oidc>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut found: Vec<Oidc> = Vec::new();
    for (name, keys) in &settings.oidc.0 {
        let section = format!("index.oidc.{name}");
        let wrong = |key: &str, what: String| {
            let place = [format!("{section}.{key}"), section.clone()];
            let places: Vec<&str> = place.iter().map(String::as_str).collect();
            Problem::new(origins.place_of_any(&places), what)
        };
        let before = problems.len();
        let mut missing = |key: &str, hint: &str| {
            problems.push(wrong(key, format!("`{section}.{key}` is missing")).hint(hint));
        };
        if keys.issuer.is_none() {
            missing(
                "issuer",
                "say the provider's URL, as in \"https://id.example\"",
            );
        }
        if keys.client_id.is_none() {
            missing(
                "client_id",
                "register this registry at the provider, which gives it a name",
            );
        }
        let Some(public) = &settings.place.public_url else {
            problems.push(
                wrong("", format!("`{section}` needs `public_url`"))
                    .hint("people come back to it from the provider, so it must be said"),
            );
            continue;
        };
        let admin = keys.admin_claim.as_ref().map(|text| {
            let (claim, pattern) = text.split_once('=')?;
            Some((claim.to_owned(), Pattern::new(pattern).ok()?))
        });
        if admin == Some(None) {
            problems.push(
                wrong(
                    "admin_claim",
                    format!("`{section}.admin_claim` is no claim and pattern"),
                )
                .hint("write CLAIM=PATTERN, as in \"groups=registry-admins\""),
            );
        }
        let rules = Rules {
            onboard: keys.onboard,
            teams: team_rules(&keys.teams, |text, error| {
                problems.push(
                    wrong("teams", format!("`{section}.teams`: `{text}` is no rule"))
                        .hint(error.to_string()),
                );
            }),
        };
        if !keys.teams.is_empty() && keys.groups_claim.is_none() {
            problems.push(
                wrong(
                    "teams",
                    format!("`{section}.teams` is set, and there are no groups"),
                )
                .hint("set `groups_claim`"),
            );
        }
        let prefix = settings.http.prefix.as_deref().unwrap_or_default();
        let base = format!(
            "{}{}",
            public.as_str().trim_end_matches('/'),
            prefix.trim_end_matches('/')
        );
        let options = options(name, keys, &base, admin.flatten());
        if found
            .iter()
            .any(|other| other.options.issuer == options.issuer)
        {
            problems.push(wrong(
                "issuer",
                format!("`{section}.issuer` is another table's too"),
            ));
        }
        if problems.len() == before
            && let Err(SetupError::Option { option, problem }) =
                Provider::new(options.clone(), web.clone(), &[0; 32])
        {
            problems.push(wrong(option, format!("`{section}.{option}`: {problem}")));
        }
        found.push(Oidc { options, rules });
    }
    if problems.is_empty() {
        Ok(found)
    } else {
        Err(problems)
    }
}

/// The keys as the library knows them.
fn options(
    name: &str,
    keys: &OidcKeys,
    base: &str,
    admin_claim: Option<(String, Pattern)>,
) -> OidcOptions {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let back = format!("{base}/auth/oidc/{name}/callback");
    OidcOptions {
        client_secret: keys
            .client_secret
            .as_ref()
            .map(|secret| Zeroizing::new(secret.expose().to_owned())),
        client_auth: match keys.client_auth {
            Shows::Basic => ClientAuth::Basic,
            Shows::Post => ClientAuth::Post,
        },
        scopes: keys.scopes.clone(),
        name_claim: keys.name_claim.clone(),
        groups_claim: keys.groups_claim.clone(),
        admin_claim,
        allowed_groups: keys.allowed_groups.clone(),
        userinfo: keys.userinfo,
        onboard: keys.onboard,
        ..OidcOptions::new(name, text(&keys.issuer), text(&keys.client_id), back)
    }
}
