//! One door for all kinds of credentials.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use longshore_core::{Actor, Rights};

use crate::challenge;
use crate::header::Credentials;
use crate::htpasswd::Htpasswd;
use crate::identity::{AuthKind, Identity, IdentityKind, Refusal};
use crate::options::{AnonymousAccess, HtpasswdOptions, SetupError, TokenOptions};
use crate::token::Tokens;

/// Checks the credentials of requests. Cloning copies a pointer; clones share what is remembered.
#[derive(Clone)]
pub struct Authenticator(Arc<Kind>);

enum Kind {
    Open,
    Htpasswd(Htpasswd, AnonymousAccess),
    Token(Tokens, AnonymousAccess),
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Authenticator").field(&self.kind()).finish()
    }
}

impl Authenticator {
    /// Asks nobody: every caller is anonymous and may do everything.
    pub fn open() -> Self {
        Authenticator(Arc::new(Kind::Open))
    }

    /// Asks for Basic credentials and checks them against an htpasswd file, which is read now.
    ///
    /// # Errors
    /// The realm cannot be sent, or the file is missing, unreadable, malformed, or has no line that could let anybody in.
    pub async fn htpasswd(options: HtpasswdOptions, now: SystemTime) -> Result<Self, SetupError> {
        challenge::check_value("realm", &options.realm)?;
        let users = Htpasswd::open(&options, now).await?;
        Ok(Authenticator(Arc::new(Kind::Htpasswd(
            users,
            options.anonymous,
        ))))
    }

    /// Asks for Bearer tokens of an outside token server. Files are read now; the JWKS URL is asked now, and asked again
    /// later when it does not answer: a token server may start after the registry that holds its image.
    ///
    /// # Errors
    /// An option cannot be used, no source of keys is given, or a file is missing, unreadable or malformed.
    pub async fn token(options: TokenOptions, now: SystemTime) -> Result<Self, SetupError> {
        challenge::check_value("realm", &options.realm)?;
        challenge::check_value("service", &options.service)?;
        challenge::check_value("issuer", &options.issuer)?;
        let tokens = Tokens::open(&options, now).await?;
        Ok(Authenticator(Arc::new(Kind::Token(
            tokens,
            options.anonymous,
        ))))
    }

    /// The kind of credentials asked for.
    pub fn kind(&self) -> AuthKind {
        match &*self.0 {
            Kind::Open => AuthKind::None,
            Kind::Htpasswd(..) => AuthKind::Htpasswd,
            Kind::Token(..) => AuthKind::Token,
        }
    }

    /// Who asks, by the values of all `Authorization` headers of the request.
    ///
    /// `peer` is the address that failures are counted for, so it must be the client's and not that of a proxy in front.
    /// `now` is the time at which the request came in. Dropped midway, nothing is remembered of the attempt.
    ///
    /// # Errors
    /// The credentials are malformed, of the wrong kind or wrong, or there were too many failures before.
    pub async fn identify<'a>(
        &self,
        authorization: impl IntoIterator<Item = &'a [u8]>,
        peer: IpAddr,
        now: SystemTime,
    ) -> Result<Identity, Refusal> {
        // A client that carries credentials for another place is not turned away where none are needed.
        if matches!(&*self.0, Kind::Open) {
            return Ok(Identity {
                actor: Actor::Anonymous,
                rights: Rights::Everything,
                kind: IdentityKind::Anonymous,
            });
        }
        let credentials = Credentials::parse(authorization)?;
        match (&*self.0, credentials) {
            (Kind::Open, _) => Ok(Identity::anonymous(AnonymousAccess::Nothing)),
            (Kind::Htpasswd(_, anonymous) | Kind::Token(_, anonymous), Credentials::None) => {
                Ok(Identity::anonymous(*anonymous))
            }
            (Kind::Htpasswd(users, _), Credentials::Basic { user, password }) => {
                users.identify(&user, password, peer, now).await
            }
            (Kind::Token(tokens, _), Credentials::Bearer(token)) => {
                tokens.identify(&token, now).await
            }
            (Kind::Htpasswd(..), Credentials::Bearer(_)) => Err(Refusal::wrong_scheme(
                "a token where passwords are asked for",
            )),
            (Kind::Token(..), Credentials::Basic { .. }) => Err(Refusal::wrong_scheme(
                "a password where tokens are asked for",
            )),
        }
    }

    /// The value of `WWW-Authenticate` for a `401`; none where nobody is asked.
    ///
    /// `scope` is what the request needs (`repository:acme/app:pull,push`), `error` comes from [`Refusal::error`] or is
    /// `insufficient_scope`. Basic knows neither and leaves them out.
    pub fn challenge(&self, scope: Option<&str>, error: Option<&str>) -> Option<String> {
        match &*self.0 {
            Kind::Open => None,
            Kind::Htpasswd(users, _) => Some(challenge::basic(&users.realm)),
            Kind::Token(tokens, _) => Some(challenge::bearer(
                &tokens.realm,
                tokens.service(),
                scope,
                error,
            )),
        }
    }
}
