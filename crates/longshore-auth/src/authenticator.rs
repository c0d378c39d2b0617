//! One door for all kinds of credentials.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use longshore_core::{Actor, Rights, Verb};

use crate::beside::Beside;
use crate::certificate::Presented;
use crate::challenge;
use crate::header::Credentials;
use crate::htpasswd::Htpasswd;
use crate::identity::{AuthKind, Identity, IdentityKind, Needs, Refusal};
use crate::index::Index;
use crate::options::{AnonymousAccess, HtpasswdOptions, Limits, SetupError, TokenOptions};
use crate::rights::{Via, missing};
use crate::token::Tokens;

/// Checks the credentials of requests. Cloning copies a pointer; clones share what is remembered.
#[derive(Clone)]
pub struct Authenticator(Arc<Inner>);

struct Inner {
    kind: Kind,
    limits: Limits,
}

enum Kind {
    Open,
    Htpasswd(Box<Htpasswd>, AnonymousAccess),
    Token(Box<Tokens>, AnonymousAccess),
    Index(Box<Beside>),
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Authenticator").field(&self.kind()).finish()
    }
}

impl Authenticator {
    /// Asks nobody: every caller is anonymous and may do everything.
    pub fn open() -> Self {
        Self::of(Kind::Open, Limits::default())
    }

    fn of(kind: Kind, limits: Limits) -> Self {
        Authenticator(Arc::new(Inner { kind, limits }))
    }

    /// Asks for Basic credentials and checks them against an htpasswd file, which is read now.
    ///
    /// # Errors
    /// The realm cannot be sent, or the file is missing, unreadable, malformed, or has no line that could let anybody in.
    pub async fn htpasswd(options: HtpasswdOptions, now: SystemTime) -> Result<Self, SetupError> {
        challenge::check_value("realm", &options.realm)?;
        let users = Htpasswd::open(&options, now).await?;
        let limits = without_assertions(&options.limits);
        Ok(Self::of(
            Kind::Htpasswd(Box::new(users), options.anonymous),
            limits,
        ))
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
        let limits = without_assertions(&options.limits);
        Ok(Self::of(
            Kind::Token(Box::new(tokens), options.anonymous),
            limits,
        ))
    }

    /// Asks for Bearer tokens of an index in this process, and takes passwords, personal tokens and robots' secrets too.
    /// Whoever brings nothing may do what everybody may.
    pub fn index(index: Index) -> Self {
        let limits = index.options().limits.clone();
        Self::of(Kind::Index(Box::new(Beside::new(index))), limits)
    }

    /// The kind of credentials asked for.
    pub fn kind(&self) -> AuthKind {
        match &self.0.kind {
            Kind::Open => AuthKind::None,
            Kind::Htpasswd(..) => AuthKind::Htpasswd,
            Kind::Token(..) => AuthKind::Token,
            Kind::Index(_) => AuthKind::Index,
        }
    }

    /// Who asks, by the values of all `Authorization` headers of the request.
    ///
    /// `needs` is what the request is about: where rights are looked up here, they are looked up for that.
    /// `peer` is the address that failures are counted for, so it must be the client's and not that of a proxy in front.
    /// `now` is the time at which the request came in. Dropped midway, nothing is remembered of the attempt.
    ///
    /// # Errors
    /// The credentials are malformed, of the wrong kind or wrong, or there were too many failures before.
    pub async fn identify<'a>(
        &self,
        authorization: impl IntoIterator<Item = &'a [u8]>,
        needs: Needs<'_>,
        peer: IpAddr,
        now: SystemTime,
    ) -> Result<Identity, Refusal> {
        // A client that carries credentials for another place is not turned away where none are needed.
        if matches!(self.0.kind, Kind::Open) {
            return Ok(Identity {
                actor: Actor::Anonymous,
                rights: Rights::Everything,
                way: Via::Nothing.way(0),
                kind: IdentityKind::Anonymous,
                lack: None,
            });
        }
        let credentials = Credentials::parse(authorization, &self.0.limits)?;
        match (&self.0.kind, credentials) {
            (Kind::Index(beside), credentials) => {
                beside.identify(credentials, needs, peer, now).await
            }
            (Kind::Open, _) => Ok(Identity::anonymous(AnonymousAccess::Nothing)),
            (Kind::Htpasswd(_, anonymous) | Kind::Token(_, anonymous), Credentials::None) => {
                Ok(Identity::anonymous(*anonymous))
            }
            (Kind::Htpasswd(users, _), Credentials::Basic { user, password }) => {
                // Boxed: the way of a password is long, and every request would carry room for it.
                Box::pin(users.identify(&user, password, peer, now)).await
            }
            (Kind::Token(tokens, _), Credentials::Bearer(token)) => {
                tokens.identify(token, now).await
            }
            (Kind::Htpasswd(..), Credentials::Bearer(_)) => Err(Refusal::wrong_scheme(
                "a token where passwords are asked for",
            )),
            (Kind::Token(..), Credentials::Basic { .. }) => Err(Refusal::wrong_scheme(
                "a password where tokens are asked for",
            )),
        }
    }

    /// Who asks, by a certificate that the connection was made with and no credentials; nobody where no rule is about it, or nobody
    /// but an index could say.
    ///
    /// # Errors
    /// Rules disagree about it, or its account may not act.
    pub async fn by_certificate(
        &self,
        shown: &Presented,
        needs: Needs<'_>,
        peer: IpAddr,
        now: SystemTime,
    ) -> Result<Option<Identity>, Refusal> {
        match &self.0.kind {
            Kind::Index(beside) => beside.by_certificate(shown, needs, peer, now).await,
            _ => Ok(None),
        }
    }

    /// Which right a verb needs, for whoever lacks it, in words that say nothing of what is there; none where rights have no names.
    pub fn missing(&self, verb: Verb) -> Option<&'static str> {
        matches!(self.0.kind, Kind::Index(_)).then(|| missing(verb))
    }

    /// The value of `WWW-Authenticate` for a `401`; none where nobody is asked.
    ///
    /// `scope` is what the request needs (`repository:acme/app:pull,push`), `error` comes from [`Refusal::error`] or is
    /// `insufficient_scope`. Basic knows neither and leaves them out. `here` says the URL of a path of this server as the
    /// client knows it.
    pub fn challenge(
        &self,
        scope: Option<&str>,
        error: Option<&str>,
        here: impl FnOnce(&str) -> String,
    ) -> Option<String> {
        self.challenge_saying(scope, error.map(|error| (error, None)), here)
    }

    /// The same with a sentence about the error. Clients that know the parameter show it and not a sentence of their own.
    pub fn challenge_saying(
        &self,
        scope: Option<&str>,
        error: Option<(&str, Option<&str>)>,
        here: impl FnOnce(&str) -> String,
    ) -> Option<String> {
        match &self.0.kind {
            Kind::Open => None,
            Kind::Htpasswd(users, _) => Some(challenge::basic(&users.realm)),
            Kind::Token(tokens, _) => Some(challenge::bearer(
                &tokens.realm,
                &tokens.service,
                scope,
                error,
            )),
            Kind::Index(beside) => Some(challenge::bearer(
                &here("/token"),
                beside.service(),
                scope,
                error,
            )),
        }
    }
}

/// Only an index knows issuers.
fn without_assertions(limits: &Limits) -> Limits {
    Limits {
        assertion_bytes: 0,
        ..limits.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use std::time::Duration;

    const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    async fn ask(authenticator: &Authenticator, values: &[&str]) -> Result<Identity, Refusal> {
        let values = values.iter().map(|value| value.as_bytes());
        let now = NOW + Duration::from_secs(2_000_000_000);
        let asked = authenticator.identify(values, Needs::default(), PEER, now);
        is_send(asked).await
    }

    /// An edge serves each connection on a task, so the future must be able to move between threads.
    fn is_send<T: Send>(future: T) -> T {
        future
    }

    fn anonymous(rights: Rights) -> Identity {
        Identity {
            actor: Actor::Anonymous,
            rights,
            way: Via::Nothing.way(0),
            kind: IdentityKind::Anonymous,
            lack: None,
        }
    }

    async fn by_password(access: AnonymousAccess) -> Authenticator {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(
            file.path(),
            format!("alice:{}\n", bcrypt::hash("secret", 4).unwrap()),
        )
        .unwrap();
        let realm = "Longshore".to_owned();
        let options = HtpasswdOptions {
            file: file.path().to_owned(),
            realm,
            anonymous: access,
            limits: Limits::default(),
        };
        Authenticator::htpasswd(options, NOW).await.unwrap()
    }

    async fn by_token(access: AnonymousAccess) -> Authenticator {
        let file = tempfile::NamedTempFile::new().unwrap();
        let key = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        std::fs::write(
            file.path(),
            format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{key}"}}]}}"#),
        )
        .unwrap();
        let options = TokenOptions {
            jwks_file: Some(file.path().to_owned()),
            anonymous: access,
            ..TokenOptions::new(
                "https://auth.example/token",
                "registry.example",
                "auth.example",
            )
        };
        Authenticator::token(options, NOW).await.unwrap()
    }

    #[tokio::test]
    async fn where_nobody_is_asked_everybody_may_do_everything_whatever_they_bring() {
        let open = Authenticator::open();
        for values in [
            &[][..],
            &["Basic !!!"],
            &["Bearer x", "Bearer y"],
            &["Digest x"],
            &["Basic YWxpY2U6c2VjcmV0"],
        ] {
            assert_eq!(
                ask(&open, values).await.unwrap(),
                anonymous(Rights::Everything),
                "{values:?}"
            );
        }
        assert_eq!(
            (open.kind(), open.challenge(Some("x"), None, str::to_owned)),
            (AuthKind::None, None)
        );
    }

    #[tokio::test]
    async fn callers_without_credentials_may_do_what_the_option_says() {
        for (access, rights) in [
            (AnonymousAccess::Nothing, Rights::Nothing),
            (AnonymousAccess::Reader, Rights::reader()),
        ] {
            for authenticator in [by_password(access).await, by_token(access).await] {
                assert_eq!(
                    ask(&authenticator, &[]).await.unwrap(),
                    anonymous(rights.clone())
                );
                assert_eq!(
                    ask(&authenticator, &["Basic Og=="]).await.unwrap(),
                    anonymous(rights.clone())
                );
            }
        }
    }

    #[tokio::test]
    async fn g17_g18_credentials_of_the_wrong_kind_or_form_are_refused_also_where_strangers_may_read()
     {
        let (password, token) = (
            by_password(AnonymousAccess::Reader).await,
            by_token(AnonymousAccess::Reader).await,
        );
        let huge = format!("Basic {}", "A".repeat(1 << 20));
        for values in [
            &["Basic !!!"][..],
            &["Basic bm9jb2xvbg=="],
            &[&huge],
            &["Basic Og==", "Basic Og=="],
            &["Digest x"],
            &["Bearer"],
            &["Bearer "],
            &["bearer a.b.c"],
            &["Basic YWxpY2U6d3Jvbmc="],
        ] {
            for authenticator in [&password, &token] {
                let refusal = ask(authenticator, values).await.unwrap_err();
                assert!(!refusal.is_throttled(), "{refusal:?}");
            }
        }
        assert!(ask(&password, &["basic YWxpY2U6c2VjcmV0"]).await.is_ok());
        assert!(ask(&token, &["Basic YWxpY2U6c2VjcmV0"]).await.is_err());
    }

    #[tokio::test]
    async fn each_kind_challenges_in_its_own_scheme() {
        let (password, token) = (
            by_password(AnonymousAccess::Nothing).await,
            by_token(AnonymousAccess::Nothing).await,
        );
        let scope = Some("repository:acme/app:pull");
        assert_eq!(
            password
                .challenge(scope, Some("invalid_token"), str::to_owned)
                .unwrap(),
            r#"Basic realm="Longshore",charset="UTF-8""#
        );
        assert_eq!(
            token
                .challenge(scope, Some("insufficient_scope"), str::to_owned)
                .unwrap(),
            r#"Bearer realm="https://auth.example/token",service="registry.example",scope="repository:acme/app:pull",error="insufficient_scope""#
        );
        assert_eq!(
            (password.kind(), token.kind()),
            (AuthKind::Htpasswd, AuthKind::Token)
        );
        assert_eq!(
            format!("{token:?} {:?}", password.clone()),
            "Authenticator(Token) Authenticator(Htpasswd)"
        );
    }
}
