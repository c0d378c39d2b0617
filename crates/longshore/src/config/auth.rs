//! Who may come in: the keys of `[auth]` and the one choice they amount to.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::index::Index;
use super::key::section;
use super::origin::Origin;
use super::problem::Problem;
use super::reader::Reader;
use super::settings::Settings;
use super::value::choice;
use super::{Htpasswd, Roles, TokenService};

choice! {
    /// What those who did not log in may do where logins are configured.
    Anonymous {
        /// Nothing.
        None = "none",
        /// Pull.
        Pull = "pull",
    }
}

section! {
    /// Who may come in. Without `[auth.htpasswd]` or `[auth.token]`, everybody may do everything.
    AuthKeys at "auth" since "0.1.0" {
        /// What those who did not log in may do where logins are configured: `none` (nothing) or `pull`.
        anonymous: Anonymous = Anonymous::None,
    }
}

section! {
    /// Names and passwords from a file that `htpasswd -B` writes.
    HtpasswdKeys at "auth.htpasswd" since "0.1.0" {
        /// The file; bcrypt and argon2 hashes. It is read again when it changes.
        path: Option<PathBuf> = None,
        /// What clients show when they ask for the password.
        realm: String = "Longshore".to_owned(),
    }
}

section! {
    /// Tokens that another service issues, as the Docker token specification says.
    TokenKeys at "auth.token" since "0.1.0" {
        /// The address of a Longshore index that issues the tokens. From it follow `realm`, `issuer` and `jwks_url`, and
        /// `service` from `public_url`, where they are not set.
        index: Option<Url> = None,
        /// The address of the token service, where clients fetch tokens.
        realm: Option<Url> = None,
        /// The name of this registry at the token service.
        service: Option<String> = None,
        /// Who must have issued a token (`iss`).
        issuer: Option<String> = None,
        /// Whom a token must be for (`aud`); unset, the `service`.
        audience: Option<String> = None,
        /// A file with the certificates or public keys of the token service, PEM.
        keys_file: Option<PathBuf> = None,
        /// A file with the keys of the token service, a JSON Web Key Set.
        jwks_file: Option<PathBuf> = None,
        /// Where the token service publishes its JSON Web Key Set.
        jwks_url: Option<Url> = None,
        /// How often `jwks_url` is fetched, while tokens come in; less than 5 minutes, after which keys that
        /// could not be fetched again are used no more. A token that names another key has it fetched at once, every 3 seconds
        /// at most.
        jwks_refresh: Duration = Duration::from_mins(1),
        /// How far the clocks of token service and registry may differ: tokens are good for so much longer.
        leeway: Duration = LEEWAY,
    }
}

/// How clients prove who they are.
#[derive(Debug, Clone, PartialEq)]
pub enum Auth {
    /// They need not: everybody may do everything.
    None,
    /// By name and password from a file.
    Htpasswd(Htpasswd),
    /// By a token of another service.
    Token(Box<TokenService>),
    /// By the index in this process.
    Index(Box<Index>),
}

/// How long what was revoked may go on at a registry that cannot ask the index.
const REVOKED_WITHIN: Duration = Duration::from_mins(5);
/// How far clocks of registries may differ where nobody says otherwise.
const LEEWAY: Duration = Duration::from_mins(1);

/// What the operator should know although it can be used: that something which was revoked goes on for longer than it need.
pub fn note(auth: &Auth) -> Option<String> {
    match auth {
        Auth::Index(index)
            if (!index.keys.services.is_empty() || index.keys.roles == Roles::Index)
                && index.keys.token_ttl + LEEWAY > REVOKED_WITHIN =>
        {
            let (life, all) = (
                index.keys.token_ttl.as_secs(),
                (index.keys.token_ttl + LEEWAY).as_secs(),
            );
            Some(format!(
                "`index.token_ttl` is {life} seconds: at registries that cannot ask this index, what was revoked goes on for up to {all} seconds, as clocks may differ by a minute; 4 minutes or less keeps that below 5"
            ))
        }
        Auth::Token(token) if token.leeway > LEEWAY => {
            let leeway = token.leeway.as_secs();
            Some(format!(
                "`auth.token.leeway` is {leeway} seconds: tokens are good for so much longer than they say, and so is what was revoked; set the clocks right, and a minute is more than enough"
            ))
        }
        _ => None,
    }
}

/// The choice the keys amount to.
pub fn choose(settings: &Settings, origins: &Reader) -> Result<Auth, Vec<Problem>> {
    let at = |path: &str| origins.place(path);
    if settings.index.enabled {
        return super::index::choose(settings, origins).map(|index| Auth::Index(Box::new(index)));
    }
    for (section, what) in [
        ("index.ldap", "a directory"),
        ("index.oidc", "a login provider"),
        ("index.mail", "a mail server"),
    ] {
        if origins.is_set(section) {
            let what = format!("{what} is configured, and nobody asks it");
            return Err(vec![
                Problem::new(at(section), what).hint("the index does: set `index.enabled = true`"),
            ]);
        }
    }
    match (
        origins.is_set("auth.htpasswd"),
        origins.is_set("auth.token"),
    ) {
        (false, false)
            if settings.auth.anonymous == Anonymous::None && origins.is_set("auth.anonymous") =>
        {
            Err(vec![
                Problem::new(
                    at("auth.anonymous"),
                    "`auth.anonymous` keeps out who did not log in, but nobody can log in",
                )
                .hint("configure [auth.htpasswd] or [auth.token]"),
            ])
        }
        (false, false) if settings.auth.anonymous == Anonymous::Pull => Err(vec![
            Problem::new(
                at("auth.anonymous"),
                "`auth.anonymous` allows only pulls, but nobody can log in to push",
            )
            .hint("configure [auth.htpasswd] or [auth.token], or set `storage.read_only`"),
        ]),
        (false, false) => Ok(Auth::None),
        (true, true) => Err(vec![
            Problem::new(
                at("auth.token"),
                "`auth.htpasswd` and `auth.token` are both set",
            )
            .hint("a registry asks for one kind of login; keep one section"),
        ]),
        (true, false) => match &settings.htpasswd.path {
            Some(path) => Ok(Auth::Htpasswd(Htpasswd {
                path: path.clone(),
                realm: settings.htpasswd.realm.clone(),
                anonymous: settings.auth.anonymous,
            })),
            None => Err(vec![missing("auth.htpasswd.path", at("auth.htpasswd"))]),
        },
        (false, true) => token_service(settings, &at).map(|service| Auth::Token(Box::new(service))),
    }
}

fn token_service(
    settings: &Settings,
    at: &dyn Fn(&str) -> Origin,
) -> Result<TokenService, Vec<Problem>> {
    let keys = &by_convention(settings);
    let mut problems = Vec::new();
    if keys.keys_file.is_none() && keys.jwks_file.is_none() && keys.jwks_url.is_none() {
        problems.push(
            Problem::new(
                at("auth.token"),
                "[auth.token] names no keys to check tokens with",
            )
            .hint("set `index`, or `keys_file`, `jwks_file` or `jwks_url`"),
        );
    }
    for (path, missing_key) in [
        ("auth.token.realm", keys.realm.is_none()),
        ("auth.token.service", keys.service.is_none()),
        ("auth.token.issuer", keys.issuer.is_none()),
    ] {
        if missing_key {
            problems.push(missing(path, at("auth.token")));
        }
    }
    if keys.jwks_refresh.is_zero() || keys.jwks_refresh >= longshore_auth::KEYS_USED_FOR {
        problems.push(
            Problem::new(
                at("auth.token.jwks_refresh"),
                "`auth.token.jwks_refresh` must be more than nothing and less than 5 minutes",
            )
            .hint("keys that could not be fetched again for 5 minutes are used no more"),
        );
    }
    match (&keys.realm, &keys.service, &keys.issuer) {
        (Some(realm), Some(service), Some(issuer)) if problems.is_empty() => Ok(TokenService {
            realm: realm.clone(),
            service: service.clone(),
            issuer: issuer.clone(),
            audience: keys.audience.clone().unwrap_or_else(|| service.clone()),
            keys_file: keys.keys_file.clone(),
            jwks_file: keys.jwks_file.clone(),
            jwks_url: keys.jwks_url.clone(),
            jwks_refresh: keys.jwks_refresh,
            leeway: keys.leeway,
            anonymous: settings.auth.anonymous,
            index: keys.index.clone(),
        }),
        _ => Err(problems),
    }
}

/// What follows from the address of a Longshore index where it is not said otherwise.
fn by_convention(settings: &Settings) -> TokenKeys {
    let mut keys = settings.token.clone();
    let Some(index) = &keys.index else {
        return keys;
    };
    let base = index.as_str().trim_end_matches('/').to_owned();
    let below = |path: &str| Url::parse(&format!("{base}{path}")).ok();
    keys.realm = keys.realm.or_else(|| below("/token"));
    if keys.keys_file.is_none() && keys.jwks_file.is_none() {
        keys.jwks_url = keys.jwks_url.or_else(|| below("/token/jwks.json"));
    }
    keys.issuer = keys.issuer.or(Some(base));
    let public = settings.place.public_url.as_ref();
    keys.service = keys.service.or_else(|| public.and_then(super::index::host));
    keys
}

fn missing(path: &str, at: Origin) -> Problem {
    Problem::new(at, format!("`{path}` is missing"))
}
