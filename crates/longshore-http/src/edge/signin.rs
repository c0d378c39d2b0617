//! Logins by a provider (OpenID Connect): where a browser is sent, where it comes back to, and the session it gets.
//!
//! `GET /auth/oidc` lists the providers; `/auth/oidc/NAME/start` sends the browser to one, `/auth/oidc/NAME/callback` ends the
//! login. `GET /auth/session` says who it is, `DELETE` ends the session. What the browser keeps are cookies that no other
//! host and no script can set or read; nothing that somebody else chose decides where it is sent at the end.
//!
//! Absent on purpose: pages, and who somebody is, which is the index's.

use std::error::Error as StdError;
use std::fmt;
use std::time::SystemTime;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, header};
use longshore_auth::index::{Index, SESSION_LIVES, UserCode};
use longshore_auth::provider::oidc::{Oidc, OidcError, TICKET_LIVES};
use longshore_core::error::Chain;
use longshore_core::{Actor, Code, Error};
use serde_json::json;

use super::cookies::{DEVICE_COOKIE, SESSION_COOKIE, TICKET_COOKIE, cookie, kept};
use super::device::DEVICE;
use super::errors::Fault;
use super::observe::Watch;
use super::proxies::Sender;
use super::reply::Reply;
use super::routes::SIGN_IN;
use super::urls::value;
use super::{Edge, ids, names};
use crate::server::{Body, Peer};

/// Where logins are, below the prefix of the edge.
const OIDC: &str = "/auth/oidc";
const SESSION: &str = "/auth/session";
/// The header that a page's script sets and that a form or link of another site cannot.
const SAME_SITE: &str = "x-longshore-request";

/// Logs browsers in to an index. Cloning copies pointers.
#[derive(Clone)]
pub struct SignInEdge {
    edge: Edge,
    index: Index,
}

impl fmt::Debug for SignInEdge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInEdge").finish_non_exhaustive()
    }
}

/// A request on its way.
struct Asked<'a> {
    head: &'a Parts,
    sender: &'a Sender<'a>,
    now: SystemTime,
    watch: &'a Watch,
}

impl SignInEdge {
    /// Logins to `index`, which observe, name and count requests as `edge` does.
    pub fn new(edge: Edge, index: Index) -> Self {
        SignInEdge { edge, index }
    }

    /// Whether a path is one of these.
    pub fn is_for(&self, path: &str) -> bool {
        let path = self.edge.0.urls.below(path);
        path.is_some_and(|path| {
            let rest = path.strip_prefix(OIDC);
            path == SESSION || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// Answers a request that came by `peer`. Every failure is a response too.
    pub async fn call<B>(&self, peer: Peer, request: http::Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let (head, _) = request.into_parts();
        let inner = &self.edge.0;
        let sender = Sender::of(&peer, &head.headers, &inner.options.trusted_proxies);
        let id = inner.ids.id(sender.request);
        let now = (inner.options.now)();
        let watch = Watch::start(inner.observer.as_ref(), (id, now), sender.address, &head);
        // What a provider sends back is a secret until it is used.
        watch.target(head.uri.path().parse().ok());
        watch.route(SIGN_IN, None);
        let asked = Asked {
            head: &head,
            sender: &sender,
            now,
            watch: &watch,
        };
        let is_head = head.method == Method::HEAD;
        let mut response = match self.answer(&asked).await {
            Ok(reply) => reply.respond(is_head),
            Err(fault) => {
                watch.error(fault.code());
                fault.respond(is_head, &ids::print(id))
            }
        };
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, names::NO_STORE);
        response.headers_mut().insert(
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        );
        self.edge.dress(&mut response, id);
        watch.follow(response, None)
    }

    async fn answer(&self, asked: &Asked<'_>) -> Result<Reply, Fault> {
        let path = self.edge.0.urls.below(asked.head.uri.path());
        let path = path.unwrap_or_default();
        if path == SESSION {
            return self.session(asked).await;
        }
        if !matches!(asked.head.method, Method::GET | Method::HEAD) {
            return Err(not_allowed("GET, HEAD"));
        }
        let rest = path.strip_prefix(OIDC).unwrap_or_default();
        let Some(rest) = rest.strip_prefix('/') else {
            return Ok(self.list(asked));
        };
        let provider = |name: &str| self.index.provider(name).ok_or_else(missing);
        match rest.split_once('/') {
            Some((name, "start")) => self.start(provider(name)?, asked).await,
            Some((name, "callback")) => self.callback(provider(name)?, asked).await,
            _ => Err(missing()),
        }
    }

    /// The providers, for the buttons of a page.
    fn list(&self, asked: &Asked<'_>) -> Reply {
        let urls = &self.edge.0.urls;
        let providers: Vec<_> = self
            .index
            .providers()
            .map(|name| {
                let start = format!("{OIDC}/{name}/start");
                json!({ "name": name, "start": urls.here(asked.head, asked.sender, &start) })
            })
            .collect();
        let text = json!({ "providers": providers }).to_string();
        Reply::new(StatusCode::OK).json(names::JSON, text.into_bytes())
    }

    async fn start(&self, provider: &Oidc, asked: &Asked<'_>) -> Result<Reply, Fault> {
        let started = provider
            .start(asked.now)
            .await
            .map_err(|error| refused(&error))?;
        let cookie = cookie(TICKET_COOKIE, &started.cookie, TICKET_LIVES.as_secs());
        Ok(Reply::new(StatusCode::SEE_OTHER)
            .with(header::LOCATION, value(started.url))
            .also(header::SET_COOKIE, cookie))
    }

    async fn callback(&self, provider: &Oidc, asked: &Asked<'_>) -> Result<Reply, Fault> {
        if asked.head.method == Method::HEAD {
            // What looks ahead at links must not use the login up.
            return Err(not_allowed("GET"));
        }
        let query = asked.head.uri.query().unwrap_or_default();
        let ticket = kept(asked.head, TICKET_COOKIE);
        let person = provider
            .finish(query, ticket, asked.now)
            .await
            .map_err(|error| refused(&error))?;
        let known = self.index.received(&person, asked.now).await;
        let known = known.map_err(|refusal| {
            tracing::info!(peer = %asked.sender.address, why = refusal.why, "a login by a provider was refused");
            let code = if refusal.code == Code::Unauthorized { Code::Denied } else { refusal.code };
            Fault::from(Error::new(code, refusal.public))
        })?;
        asked.watch.actor(&Actor::Named(known.name.clone()));
        let agent = asked.head.headers.get(header::USER_AGENT);
        let agent = agent.and_then(|it| it.to_str().ok()).unwrap_or_default();
        let session = self.index.session_begin(&known, agent, asked.now).await;
        let session = session.map_err(|error| {
            tracing::error!(error = %Chain(&error), "a session could not be begun");
            Fault::from(Error::new(
                Code::Unavailable,
                "no session can be begun just now",
            ))
        })?;
        // Of what somebody else may have chosen only a code is read, and only for our own page.
        let code = kept(asked.head, DEVICE_COOKIE).and_then(UserCode::read);
        let home = code.map_or_else(
            || "/".to_owned(),
            |code| format!("{DEVICE}?user_code={}", code.shown()),
        );
        let home = self.edge.0.urls.here(asked.head, asked.sender, &home);
        let session = cookie(SESSION_COOKIE, session.as_str(), SESSION_LIVES.as_secs());
        Ok(Reply::new(StatusCode::SEE_OTHER)
            .with(header::LOCATION, value(home))
            .also(header::SET_COOKIE, session)
            .also(header::SET_COOKIE, cookie(DEVICE_COOKIE, "", 0))
            .also(header::SET_COOKIE, cookie(TICKET_COOKIE, "", 0)))
    }

    /// Who the browser is; ends its session where it asks for that.
    async fn session(&self, asked: &Asked<'_>) -> Result<Reply, Fault> {
        let held = kept(asked.head, SESSION_COOKIE).unwrap_or_default();
        match asked.head.method {
            Method::GET | Method::HEAD => {
                let peer = asked.sender.address;
                let known = self
                    .index
                    .by_session(held.as_bytes(), peer, asked.now)
                    .await;
                let known = known.map_err(|refusal| match refusal.code {
                    Code::Unauthorized => {
                        Error::new(Code::Unauthorized, "nobody is logged in here")
                    }
                    _ => Error::from(refusal),
                })?;
                asked.watch.actor(&Actor::Named(known.name.clone()));
                let text = json!({ "name": &*known.name }).to_string();
                Ok(Reply::new(StatusCode::OK).json(names::JSON, text.into_bytes()))
            }
            Method::DELETE => {
                if !asked.head.headers.contains_key(SAME_SITE) {
                    let what = format!("send the header `{SAME_SITE}`, which other sites cannot");
                    return Err(Error::new(Code::Denied, what).into());
                }
                self.index.session_end(held.as_bytes()).await?;
                Ok(Reply::new(StatusCode::NO_CONTENT)
                    .also(header::SET_COOKIE, cookie(SESSION_COOKIE, "", 0)))
            }
            _ => Err(not_allowed("GET, HEAD, DELETE")),
        }
    }
}

fn missing() -> Fault {
    let error = Error::new(Code::NameUnknown, "there is no such login provider here");
    Fault::from(error).status(StatusCode::NOT_FOUND)
}

fn not_allowed(methods: &'static str) -> Fault {
    let (status, code) = (StatusCode::METHOD_NOT_ALLOWED, Code::Unsupported.wire().1);
    Fault::new(status, code, format!("only {methods} can be used here")).allowing(methods)
}

fn refused(error: &OidcError) -> Fault {
    let code = match error {
        OidcError::Unavailable(why) => {
            tracing::warn!(why, "a login provider cannot be asked");
            Code::Unavailable
        }
        OidcError::Refused(why) | OidcError::Denied(why) => {
            tracing::info!(why, "a login by a provider was refused");
            Code::Denied
        }
        _ => Code::Denied,
    };
    Error::new(code, error.to_string()).into()
}
