//! The token service of an index, and the keys that its tokens are checked with.
//!
//! Source: the Docker registry token specification ("Requesting a token", "OAuth2"), RFC 6749. `GET` takes Basic
//! credentials, `POST` a form; both give the same token. What is asked and not allowed is left out of the token, and is no
//! error. Credentials in a query are not read, and not logged either.
//!
//! Absent on purpose: who somebody is and what they may do, which is the index's.

mod answer;
mod ask;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, header};
use longshore_auth::Refusal;
use longshore_auth::index::{Ask, Index, Issued, Known, TokenError};
use longshore_core::error::Chain;
use longshore_core::{Actor, ByteStream, Code, Error, Origin};
use longshore_hub::Hub;
use longshore_hub::devices::DevicePoll;
use longshore_hub::elsewhere::Pushes;
use zeroize::Zeroizing;

pub(super) use self::answer::{OAuthError, Problem};
use self::answer::{given, logged_in};
pub(super) use self::ask::DEVICE_GRANT;
use self::ask::{Form, Parameters, Wanted};
use super::errors::{Fault, seconds};
use super::form::{is_form, read};
use super::intake;
use super::observe::Watch;
use super::proxies::Sender;
use super::reply::Reply;
use super::routes::{KEYS, TOKEN};
use super::urls::value;
use super::{Edge, ids};
use crate::server::{Body, Peer};

/// Where tokens are given out, below the prefix of the edge.
const PATH: &str = "/token";
/// Where the keys are, as a JWK set, in two places; and as certificates.
const JWKS: [&str; 2] = ["/token/jwks.json", "/.well-known/jwks.json"];
const CERTIFICATES: &str = "/token/certificates.pem";
/// Keys are shown long before they sign, so a minute does no harm.
const A_MINUTE: HeaderValue = HeaderValue::from_static("max-age=60");
const PEM: HeaderValue = HeaderValue::from_static("application/x-pem-file");
const JWK_SET: HeaderValue = HeaderValue::from_static("application/jwk-set+json");

/// Gives out the tokens of an index. Cloning copies pointers.
#[derive(Clone)]
pub struct TokenEdge {
    edge: Edge,
    index: Index,
    /// The use cases, where command lines log in by a browser.
    hub: Option<Hub>,
}

impl fmt::Debug for TokenEdge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenEdge").finish_non_exhaustive()
    }
}

/// A request on its way.
struct Asked<'a> {
    head: &'a Parts,
    sender: &'a Sender<'a>,
    now: SystemTime,
    request: u128,
    watch: &'a Watch,
}

/// How a request failed, and in whose words that is said: `POST` is OAuth's.
enum Failure {
    Plain(Fault),
    OAuth(OAuthError),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Failure::Plain(fault)
    }
}

impl From<OAuthError> for Failure {
    fn from(error: OAuthError) -> Self {
        Failure::OAuth(error)
    }
}

impl TokenEdge {
    /// A token service of `index`, which observes, names and counts requests as `edge` does.
    pub fn new(edge: Edge, index: Index) -> Self {
        TokenEdge {
            edge,
            index,
            hub: None,
        }
    }

    /// The same, which also answers command lines that wait for a browser.
    #[must_use]
    pub fn with_devices(self, hub: Hub) -> Self {
        TokenEdge {
            hub: Some(hub),
            ..self
        }
    }

    /// Whether a path is one of the token service's.
    pub fn is_for(&self, path: &str) -> bool {
        let Some(path) = self.edge.0.urls.below(path) else {
            return false;
        };
        path == PATH || path == CERTIFICATES || JWKS.contains(&path)
    }

    /// Answers a request that came by `peer`. Every failure is a response too.
    pub async fn call<B>(&self, peer: Peer, request: http::Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let body = peer.receive(body);
        let inner = &self.edge.0;
        let sender = Sender::of(&peer, &head.headers, &inner.options.trusted_proxies);
        let id = inner.ids.id(sender.request);
        let now = (inner.options.now)();
        let watch = Watch::start(inner.observer.as_ref(), (id, now), sender.address, &head);
        watch.target(ask::without_secrets(&head.uri));
        let body = watch.count(intake::in_our_words(body));
        let is_head = head.method == Method::HEAD;
        let asked = Asked {
            head: &head,
            sender: &sender,
            now,
            request: id,
            watch: &watch,
        };
        let mut response = match self.answer(&asked, body).await {
            Ok(reply) => reply.respond(is_head),
            Err(Failure::Plain(fault)) => {
                watch.error(fault.code());
                fault.respond(is_head, &ids::print(id))
            }
            Err(Failure::OAuth(error)) => {
                watch.error(error.code);
                error.respond(&ids::print(id))
            }
        };
        self.edge.dress(&mut response, id);
        watch.follow(response, None)
    }

    async fn answer(&self, asked: &Asked<'_>, body: ByteStream) -> Result<Reply, Failure> {
        let Asked { head, watch, .. } = asked;
        let path = self.edge.0.urls.below(head.uri.path()).unwrap_or_default();
        if path != PATH {
            watch.route(KEYS, None);
            return Ok(self.keys(path, &head.method)?);
        }
        watch.route(TOKEN, None);
        match head.method {
            Method::GET => Ok(self.get(asked).await?),
            Method::POST => self.post(asked, body).await,
            _ => Err(not_allowed("GET, POST").into()),
        }
    }

    fn keys(&self, path: &str, method: &Method) -> Result<Reply, Fault> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Err(not_allowed("GET, HEAD"));
        }
        let issuer = self.index.issuer();
        let (kind, text): (_, Arc<str>) = if path == CERTIFICATES {
            (PEM, issuer.certificates())
        } else {
            (JWK_SET, issuer.jwks())
        };
        let bytes = text.as_bytes().to_vec();
        Ok(Reply::new(StatusCode::OK)
            .json(kind, bytes)
            .with(header::CACHE_CONTROL, A_MINUTE))
    }

    /// `GET /token`: Basic credentials or none.
    async fn get(&self, asked: &Asked<'_>) -> Result<Reply, Fault> {
        let parameters = Parameters::of_query(asked.head.uri.query()).map_err(unreadable)?;
        let ask = parameters.ask().map_err(unreadable)?;
        let credentials = asked
            .head
            .headers
            .get_all(header::AUTHORIZATION)
            .iter()
            .map(HeaderValue::as_bytes);
        let (address, now) = (asked.sender.address, asked.now);
        let has_header = asked.head.headers.contains_key(header::AUTHORIZATION);
        let known = match asked.sender.presented(now).filter(|_| !has_header) {
            Some(shown) => self.index.by_certificate(shown, address, now).await,
            None => self.index.by_header(credentials, address, now).await,
        };
        let known = known.map_err(|refusal| {
            asked
                .not_looked_at(&refusal)
                .unwrap_or_else(|| self.turned_away(&refusal))
        })?;
        let issued = self.give(asked, known.as_ref(), &ask).await;
        Ok(given(&issued.map_err(failed)?, false))
    }

    /// `POST /token`: a form of OAuth 2.
    async fn post(&self, asked: &Asked<'_>, body: ByteStream) -> Result<Reply, Failure> {
        if !is_form(&asked.head.headers) {
            let what = "send the parameters as application/x-www-form-urlencoded";
            let fault = Fault::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                Code::Unsupported.wire().1,
                what,
            );
            return Err(fault.into());
        }
        let bytes = read(body).await?;
        let form = Form::read(&bytes).map_err(OAuthError::request)?;
        if let Wanted::Device(code) = &form.wanted {
            return self.device(asked, code, form.parameters.client()).await;
        }
        let ask = form.parameters.ask().map_err(OAuthError::scope)?;
        let known = self.grant(&form.wanted, asked).await.map_err(|refusal| {
            match asked.not_looked_at(&refusal) {
                Some(fault) => Failure::Plain(fault),
                None => Failure::OAuth(OAuthError::grant(refusal.public)),
            }
        })?;
        let issued = self.give(asked, Some(&known), &ask).await;
        let issued = issued.map_err(|error| match error {
            TokenError::Service(_) => Failure::OAuth(OAuthError::target(error.to_string())),
            error => Failure::Plain(failed(error)),
        })?;
        Ok(given(&issued, true))
    }

    async fn grant(&self, wanted: &Wanted, asked: &Asked<'_>) -> Result<Known, Refusal> {
        let (peer, now) = (asked.sender.address, asked.now);
        match wanted {
            Wanted::Password { user, password } => {
                let password = Zeroizing::new(password.as_bytes().to_vec());
                Box::pin(self.index.login_checked(user, password, peer, now)).await
            }
            // A device's code was answered before.
            Wanted::Refresh(token) | Wanted::Device(token) => {
                self.index.by_refresh(token.as_bytes(), peer, now).await
            }
        }
    }

    /// `POST /token` of a command line that waits for a browser (RFC 8628, 3.4).
    async fn device(&self, asked: &Asked<'_>, code: &str, client: &str) -> Result<Reply, Failure> {
        let Some(hub) = &self.hub else {
            return Err(OAuthError::request(Problem::Grant).into());
        };
        if client.is_empty() {
            let problem = Problem::Malformed("`client_id` is missing");
            return Err(OAuthError::request(problem).into());
        }
        let polled = hub
            .device_poll(
                (code, client),
                asked.sender.address,
                asked.request,
                asked.now,
            )
            .await
            .map_err(Fault::from)?;
        match polled {
            DevicePoll::Given(login) => {
                let user = login.user.as_str().into();
                asked.watch.actor(&Actor::Named(user));
                Ok(logged_in(&login, asked.now))
            }
            other => Err(OAuthError::device(&other).into()),
        }
    }

    /// A token for `known`, who is noted.
    async fn give(
        &self,
        asked: &Asked<'_>,
        known: Option<&Known>,
        ask: &Ask,
    ) -> Result<Issued, TokenError> {
        if let Some(known) = known {
            asked.watch.actor(&Actor::Named(known.name.clone()));
        }
        let issued = self
            .index
            .issue(known, ask, asked.sender.address, asked.now)
            .await?;
        if let Some(hub) = self.hub.as_ref().filter(|_| !issued.pushes.is_empty()) {
            let pushes = Pushes {
                names: issued.pushes.clone(),
                actor: known.map_or_else(String::new, |known| known.name.to_string()),
                origin: Origin {
                    way: known.map(Known::way).unwrap_or_default(),
                    address: Some(asked.sender.address),
                },
                request: asked.request,
                now: asked.now,
            };
            // The push is theirs to make all the same, and the next one is noted.
            if let Err(error) = hub.pushes_elsewhere(&pushes).await {
                tracing::warn!(error = %Chain(&error), "a repository that is pushed elsewhere could not be noted here; the next push does so");
            }
        }
        Ok(issued)
    }

    fn turned_away(&self, refusal: &Refusal) -> Fault {
        let realm = &self.index.options().service;
        let (status, code) = (StatusCode::UNAUTHORIZED, Code::Unauthorized.wire().1);
        Fault::new(status, code, refusal.public)
            .reason(refusal.reason)
            .with(
                header::WWW_AUTHENTICATE,
                value(format!("Basic realm=\"{realm}\",charset=\"UTF-8\"")),
            )
    }
}

impl Asked<'_> {
    /// Notes that credentials were refused, and gives the answer where they were not looked at.
    fn not_looked_at(&self, refusal: &Refusal) -> Option<Fault> {
        tracing::info!(peer = %self.sender.address, why = refusal.why, "credentials were refused");
        let wait = refusal.retry_after?;
        let fault = Fault::from(Error::new(refusal.code, refusal.public));
        Some(fault.with(header::RETRY_AFTER, seconds(wait)))
    }
}

fn not_allowed(methods: &'static str) -> Fault {
    Fault::new(
        StatusCode::METHOD_NOT_ALLOWED,
        Code::Unsupported.wire().1,
        format!("only {methods} can be used here"),
    )
    .allowing(methods)
}

/// Parameters that cannot be understood.
fn unreadable(why: impl Into<String>) -> Fault {
    bad(Error::new(Code::Unsupported, why))
}

/// A request that cannot be understood is a 400, whatever its code's own status.
fn bad(error: Error) -> Fault {
    Fault::from(error).status(StatusCode::BAD_REQUEST)
}

fn failed(error: TokenError) -> Fault {
    match error {
        TokenError::Service(_) => bad(Error::new(Code::Unsupported, error.to_string())),
        error => {
            tracing::error!(error = %Chain(&error), "a token could not be given");
            Error::new(Code::Unavailable, "no token can be given just now").into()
        }
    }
}
