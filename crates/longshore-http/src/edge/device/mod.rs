//! Logins of command lines by a browser (RFC 8628), and the page where people log in by name and password.
//!
//! `POST /auth/device/code` begins one; the command line then asks at `/token`. A person types its code at `/device`, where they
//! must be logged in, are shown who asks, and say yes or no. `/auth/login` is for those whose password is here or in a
//! directory; providers have their own way in. `POST /auth/revoke` takes a token back that is shown (RFC 7009). `/.well-known/oauth-authorization-server` says where all of that is (RFC 8414).
//!
//! A form counts only with a mark that belongs to the browser's session (or, before there is one, to a cookie that the form came
//! with), and never when a browser says that another site sent it. Absent on purpose: who somebody is and what a code gives,
//! which are the index's and the hub's.

mod begin;
mod fields;
mod login;
mod page;
mod revoke;
mod words;

use std::error::Error as StdError;
use std::fmt;
use std::time::SystemTime;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, header};
use longshore_auth::index::{Index, Known, UserCode};
use longshore_core::error::Chain;
use longshore_core::{Actor, ByteStream, Code, Error};
use longshore_hub::devices::CODE_LIVES;
use longshore_hub::{Caller, Hub};

use self::fields::{Fields, page_fields, unreadable};
use self::page::Page;
use self::words::Words;
use super::cookies::{DEVICE_COOKIE, SESSION_COOKIE, cookie, kept};
use super::errors::Fault;
use super::observe::Watch;
use super::proxies::Sender;
use super::reply::Reply;
use super::routes::SIGN_IN;
use super::urls::value;
use super::{Edge, ids, intake, names};
use crate::server::{Body, Peer};

/// Where a code is typed.
pub(super) const DEVICE: &str = "/device";
const BEGIN: &str = "/auth/device/code";
const LOGIN: &str = "/auth/login";
const LOGOUT: &str = "/auth/logout";
const REVOKE: &str = "/auth/revoke";
const STYLE: &str = "/auth/style.css";
const METADATA: &str = "/.well-known/oauth-authorization-server";

/// Logs command lines in. Cloning copies pointers.
#[derive(Clone)]
pub struct DeviceEdge {
    edge: Edge,
    hub: Hub,
}

impl fmt::Debug for DeviceEdge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceEdge").finish_non_exhaustive()
    }
}

/// A request on its way.
struct Asked<'a> {
    head: &'a Parts,
    sender: &'a Sender<'a>,
    now: SystemTime,
    request: u128,
    words: &'static Words,
    watch: &'a Watch,
}

/// Somebody at a browser.
struct Person {
    known: Known,
    session: String,
}

impl DeviceEdge {
    /// Logins by the use cases of `hub`, which observe, name and count requests as `edge` does.
    pub fn new(edge: Edge, hub: Hub) -> Self {
        DeviceEdge { edge, hub }
    }

    fn index(&self) -> &Index {
        self.hub.index()
    }

    /// Whether a path is one of these.
    pub fn is_for(&self, path: &str) -> bool {
        let path = self.edge.0.urls.below(path);
        path.is_some_and(|path| {
            [DEVICE, BEGIN, LOGIN, LOGOUT, REVOKE, STYLE, METADATA].contains(&path)
        })
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
        // A code in a query is a secret for ten minutes.
        watch.target(head.uri.path().parse().ok());
        watch.route(SIGN_IN, None);
        let body = watch.count(intake::in_our_words(body));
        let asked = Asked {
            head: &head,
            sender: &sender,
            now,
            request: id,
            words: Words::of(&head.headers),
            watch: &watch,
        };
        let is_head = head.method == Method::HEAD;
        let mut response = match Box::pin(self.answer(&asked, body)).await {
            Ok(response) if is_head => response.map(|_| Body::empty()),
            Ok(response) => response,
            Err(fault) => {
                watch.error(fault.code());
                fault.respond(is_head, &ids::print(id))
            }
        };
        self.edge.dress(&mut response, id);
        watch.follow(response, None)
    }

    async fn answer(&self, asked: &Asked<'_>, body: ByteStream) -> Result<Response<Body>, Fault> {
        let path = self.edge.0.urls.below(asked.head.uri.path());
        let is_read = matches!(asked.head.method, Method::GET | Method::HEAD);
        let is_post = asked.head.method == Method::POST;
        match path.unwrap_or_default() {
            METADATA if is_read => Ok(self.metadata(asked).respond(false)),
            STYLE if is_read => Ok(page::style()),
            BEGIN if is_post => self.begin(asked, body).await,
            DEVICE if is_read => self.shown(asked).await,
            DEVICE if is_post => self.decided(asked, body).await,
            LOGIN if is_read => Ok(self.login_page(asked, StatusCode::OK, None, None)?),
            LOGIN if is_post => self.login(asked, body).await,
            LOGOUT if is_post => self.logout(asked, body).await,
            REVOKE if is_post => self.revoke(asked, body).await,
            METADATA | STYLE => Err(not_allowed("GET, HEAD")),
            BEGIN | LOGOUT | REVOKE => Err(not_allowed("POST")),
            _ => Err(not_allowed("GET, HEAD, POST")),
        }
    }

    /// The page where a code is typed, or who asks under one.
    async fn shown(&self, asked: &Asked<'_>) -> Result<Response<Body>, Fault> {
        let query = asked.head.uri.query().unwrap_or_default();
        let fields = Fields::read(query).unwrap_or_default();
        let Some(person) = self.person(asked).await? else {
            return Ok(self.to_login(asked, fields.typed().as_ref()));
        };
        let mark = self.index().form_mark("logout", &person.session);
        let page = self.page(asked, Some((&person.known.name, &mark)));
        if fields.user_code.is_none() {
            return Ok(page.ask(StatusCode::OK, None));
        }
        let words = asked.words;
        let Some(code) = fields.typed() else {
            return Ok(page.ask(StatusCode::NOT_FOUND, Some(words.no_code)));
        };
        match self.hub.device_look(&asked.caller(&person), &code).await {
            Ok(waiting) => {
                let form = form_of(&code);
                let mark = self.index().form_mark(&form, &person.session);
                Ok(page.decide(&code, &waiting, &mark))
            }
            Err(error) => trouble(&page, &error),
        }
    }

    /// Yes or no.
    async fn decided(&self, asked: &Asked<'_>, body: ByteStream) -> Result<Response<Body>, Fault> {
        let fields = page_fields(asked, body).await?;
        let Some(person) = self.person(asked).await? else {
            return Ok(self.to_login(asked, fields.typed().as_ref()));
        };
        let mark = self.index().form_mark("logout", &person.session);
        let page = self.page(asked, Some((&person.known.name, &mark)));
        let words = asked.words;
        let Some(code) = fields.typed() else {
            return Ok(page.ask(StatusCode::NOT_FOUND, Some(words.no_code)));
        };
        let said = fields.mark.as_deref().unwrap_or_default();
        if !self.is_ours(asked) || !self.is_mark(&form_of(&code), &person.session, said) {
            return Ok(page.ask(StatusCode::FORBIDDEN, Some(words.stale)));
        }
        let approve = match fields.decision.as_deref() {
            Some("approve") => true,
            Some("deny") => false,
            _ => return Err(unreadable("`decision` is approve or deny")),
        };
        let caller = asked.caller(&person);
        match self.hub.device_decide(&caller, &code, approve).await {
            Ok(()) => Ok(page.decided(approve)),
            Err(error) => trouble(&page, &error),
        }
    }

    /// Who is at the browser; nobody where it has no session that holds.
    async fn person(&self, asked: &Asked<'_>) -> Result<Option<Person>, Fault> {
        let Some(held) = kept(asked.head, SESSION_COOKIE) else {
            return Ok(None);
        };
        let peer = asked.sender.address;
        let known = self.index().by_session(held.as_bytes(), peer, asked.now);
        match known.await {
            Ok(known) => {
                asked.watch.actor(&Actor::Named(known.name.clone()));
                Ok(Some(Person {
                    known,
                    session: held.to_owned(),
                }))
            }
            Err(refusal) if refusal.code == Code::Unauthorized => Ok(None),
            Err(refusal) => Err(Error::from(refusal).into()),
        }
    }

    fn page<'a>(&'a self, asked: &Asked<'a>, user: Option<(&'a str, &'a str)>) -> Page<'a> {
        Page {
            words: asked.words,
            base: self.edge.0.urls.base(),
            user,
        }
    }

    fn is_ours(&self, asked: &Asked<'_>) -> bool {
        let urls = &self.edge.0.urls;
        asked.is_ours(&urls.here(asked.head, asked.sender, DEVICE))
    }

    fn is_mark(&self, form: &str, held: &str, said: &str) -> bool {
        !held.is_empty() && self.index().is_form_mark(form, held, said)
    }

    /// To the login, and back to the code afterwards.
    fn to_login(&self, asked: &Asked<'_>, code: Option<&UserCode>) -> Response<Body> {
        let waiting = code.map_or_else(
            || cookie(DEVICE_COOKIE, "", 0),
            |code| cookie(DEVICE_COOKIE, &code.shown(), CODE_LIVES.as_secs()),
        );
        self.to(asked, LOGIN, None)
            .also(header::SET_COOKIE, waiting)
            .respond(false)
    }

    fn to(&self, asked: &Asked<'_>, path: &str, code: Option<&UserCode>) -> Reply {
        let code = code.map_or_else(String::new, |code| format!("?user_code={}", code.shown()));
        let urls = &self.edge.0.urls;
        let target = urls.here(asked.head, asked.sender, &format!("{path}{code}"));
        Reply::new(StatusCode::SEE_OTHER)
            .with(header::LOCATION, value(target))
            .with(header::CACHE_CONTROL, names::NO_STORE)
    }
}

impl Asked<'_> {
    fn caller(&self, person: &Person) -> Caller {
        Caller {
            who: person.known.who(self.sender.address),
            name: person.known.name.to_string(),
            request: self.request,
            now: self.now,
        }
    }

    /// Whether the browser says that a page at `here` sent this, or says nothing about it (Fetch Metadata, 2.3; RFC 6454, 7). Of
    /// an origin the host counts: who ends TLS before us may tell us of another scheme.
    fn is_ours(&self, here: &str) -> bool {
        let headers = &self.head.headers;
        let site = headers.get("sec-fetch-site");
        let mut origins = headers.get_all(header::ORIGIN).iter();
        site.is_none_or(|site| site == HeaderValue::from_static("same-origin"))
            && origins.all(|origin| {
                let host = origin.to_str().ok().and_then(host_of);
                host.is_some() && host == host_of(here)
            })
    }
}

/// The host and port of a URL.
fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    rest.split('/').next()
}

/// The mark of one code's form is none for another's.
fn form_of(code: &UserCode) -> String {
    format!("device {}", code.shown())
}

/// A failure as a page, where it is one that people make.
fn trouble(page: &Page<'_>, error: &Error) -> Result<Response<Body>, Fault> {
    let words = page.words;
    match error.code() {
        Code::NameUnknown => Ok(page.ask(StatusCode::NOT_FOUND, Some(words.no_code))),
        Code::TooManyRequests => {
            let status = StatusCode::TOO_MANY_REQUESTS;
            Ok(page.ask(status, Some(words.too_many)))
        }
        Code::Denied => Ok(page.ask(StatusCode::FORBIDDEN, Some(words.refused))),
        code => {
            tracing::error!(error = %Chain(error), "a login of a command line failed");
            Err(Error::new(code, "this cannot be done just now; try again in a moment").into())
        }
    }
}

fn not_allowed(methods: &'static str) -> Fault {
    let (status, code) = (StatusCode::METHOD_NOT_ALLOWED, Code::Unsupported.wire().1);
    Fault::new(status, code, format!("only {methods} can be used here")).allowing(methods)
}
