//! Who is asked for what credentials.

use longshore_auth::index::Index;
use longshore_auth::{AnonymousAccess, Authenticator, HtpasswdOptions, TokenOptions};

use super::{count, now, size};
use crate::config::{Anonymous, Auth, Config, Limits};

/// Who is asked for what credentials.
///
/// # Errors
/// A file of it is missing or broken, or an option cannot be used.
pub async fn authenticator(
    config: &Config,
    index: Option<&Index>,
) -> anyhow::Result<Authenticator> {
    Ok(match &config.auth {
        Auth::None => Authenticator::open(),
        Auth::Htpasswd(htpasswd) => {
            let options = HtpasswdOptions {
                file: htpasswd.path.clone(),
                realm: htpasswd.realm.clone(),
                anonymous: anonymous(htpasswd.anonymous),
                limits: auth_limits(&config.limits),
            };
            Authenticator::htpasswd(options, now()).await?
        }
        Auth::Index(_) => match index {
            Some(index) => Authenticator::index(index.clone()),
            None => anyhow::bail!("there is no index to ask"),
        },
        Auth::Token(token) => {
            let options = TokenOptions {
                realm: token.realm.to_string(),
                service: token.service.clone(),
                audience: Some(token.audience.clone()),
                issuer: token.issuer.clone(),
                root_bundle: token.keys_file.clone(),
                jwks_file: token.jwks_file.clone(),
                jwks_url: token.jwks_url.as_ref().map(ToString::to_string),
                jwks_refresh: token.jwks_refresh,
                leeway: token.leeway,
                anonymous: anonymous(token.anonymous),
                limits: auth_limits(&config.limits),
            };
            Authenticator::token(options, now()).await?
        }
    })
}

fn anonymous(anonymous: Anonymous) -> AnonymousAccess {
    match anonymous {
        Anonymous::None => AnonymousAccess::Nothing,
        Anonymous::Pull => AnonymousAccess::Reader,
    }
}

pub(super) fn auth_limits(limits: &Limits) -> longshore_auth::Limits {
    longshore_auth::Limits {
        token_bytes: size(limits.token.get()),
        token_access: count(limits.token_access),
        password_bytes: size(limits.password.get()),
        password_checks: count(limits.password_checks),
        password_queue: count(limits.password_queue),
        failed_logins: limits.failed_logins.get(),
        failed_logins_per_ip: limits.failed_logins_per_ip.get(),
        failed_logins_time: limits.failed_logins_time,
        failed_login_wait: limits.failed_login_wait,
        failed_login_wait_max: limits.failed_login_wait_max,
        ..longshore_auth::Limits::default()
    }
}
