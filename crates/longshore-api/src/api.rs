//! From a request to an answer: who asks, what for, whether the request makes sense; then the handler.
//!
//! The order is the same for each request: the path and the method; who asks; whether strangers may at all; the query and the
//! headers; the body. No body is read from a stranger who could not do anything with it.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use longshore_auth::certificate::Presented;
use longshore_auth::index::{Index, Known};
use longshore_auth::rights::Who;
use longshore_core::{Actor, ByteStream, Error, Finder};
use longshore_hub::{Caller, Hub};

use crate::answer::{Answer, Reply};
use crate::ask::Ask;
use crate::endpoint::{Endpoint, Needs};
use crate::problem::{NOT_ACCEPTABLE, Problem, UNAUTHENTICATED};
use crate::query::Query;
use crate::{PREFIX, body, once, problem, route};

/// The JSON API. Cloning copies a pointer.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

struct Inner {
    hub: Hub,
    finder: Arc<dyn Finder>,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

/// A request, and what is known of it.
pub struct Asking {
    /// Method, target and headers.
    pub head: Parts,
    /// The body, not read yet.
    pub body: ByteStream,
    /// The path, below what stands before all paths here.
    pub path: String,
    /// What clients put before such a path.
    pub base: String,
    /// The address it came from.
    pub address: IpAddr,
    /// Its id.
    pub request: u128,
    /// When it came in.
    pub now: SystemTime,
    /// What the certificate says that the client itself has shown, if any.
    pub certificate: Option<Presented>,
}

impl fmt::Debug for Asking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asking")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// An answer, and what is to be told of it.
#[derive(Debug)]
pub struct Answered {
    /// The response; to `HEAD` with the body that `GET` would have.
    pub response: Response<Bytes>,
    /// Who asked.
    pub actor: Actor,
    /// The code of the failure, where it is one.
    pub error: Option<&'static str>,
}

/// A code of a second factor, beside a name and a password.
const SECOND_FACTOR: HeaderName = HeaderName::from_static("longshore-code");

/// What is on every answer: it is for whoever asked, and nothing of it runs.
const ALWAYS: [(HeaderName, &str); 5] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::VARY, "Authorization"),
];

impl Api {
    /// An API of `hub`, which asks its index who callers are, and `finder` what they look for.
    pub fn new(hub: Hub, finder: Arc<dyn Finder>) -> Self {
        Self(Arc::new(Inner { hub, finder }))
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.0.hub
    }

    pub(crate) fn index(&self) -> &Index {
        self.0.hub.index()
    }

    pub(crate) fn finder(&self) -> &dyn Finder {
        &*self.0.finder
    }

    /// Whether a path is this API's.
    pub fn is_for(path: &str) -> bool {
        let rest = path.strip_prefix(PREFIX);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Answers a request. Every failure is a response too.
    pub async fn call(&self, asking: Asking) -> Answered {
        let mut actor = Actor::Anonymous;
        let request = format!("{:032x}", asking.request);
        let method = asking.head.method.clone();
        let wanted = asking.head.headers.get(header::IF_NONE_MATCH).cloned();
        let (mut response, error) = match self.answer(asking, &mut actor).await {
            Ok(reply) => (respond(reply, &method, wanted.as_ref()), None),
            Err(problem) => {
                let code = problem.sort().code;
                (problem.respond(&request), Some(code))
            }
        };
        for (name, value) in ALWAYS {
            let value = HeaderValue::from_static(value);
            response.headers_mut().entry(name).or_insert(value);
        }
        Answered {
            response,
            actor,
            error,
        }
    }

    async fn answer(&self, asking: Asking, actor: &mut Actor) -> Answer {
        let (head, path) = (&asking.head, &asking.path);
        let below = path.strip_prefix(PREFIX).unwrap_or_default();
        let (endpoint, values) = route::find(&head.method, below)?;
        let known = self
            .who(
                &head.headers,
                asking.certificate.as_ref(),
                (asking.address, asking.now),
            )
            .await?;
        if let Some(known) = &known {
            *actor = known.actor();
        }
        let is_stranger = known.is_none();
        if is_stranger && (endpoint.changes() || matches!(endpoint.needs, Needs::Login)) {
            return Err(Problem::new(UNAUTHENTICATED, "log in to do this"));
        }
        let query = Query::read(head.uri.query(), endpoint.query)?;
        accepts_json(&head.headers)?;
        let marks = marks(&head.headers, endpoint)?;
        let body = if endpoint.body.is_some() {
            body::is_json(&head.headers)?;
            body::whole(asking.body, endpoint.most).await?
        } else {
            no_body(asking.body).await?
        };
        let once = once::read(
            &head.headers,
            endpoint,
            &[
                path.as_bytes(),
                head.uri.query().unwrap_or_default().as_bytes(),
                &body,
            ],
        )?;
        let ask = Ask {
            endpoint,
            caller: caller(known, asking.address, asking.request, asking.now),
            target: format!("{}{path}", asking.base),
            base: format!("{}{PREFIX}", asking.base),
            query,
            raw_query: head.uri.query().unwrap_or_default().to_owned(),
            body,
            marks,
            once: once.clone(),
            values,
            index: self.index().clone(),
        };
        let caller = ask.caller.clone();
        if let Some(once) = &once
            && let Some(reply) = once::before(&self.0.hub, &caller, once).await?
        {
            return Ok(reply);
        }
        match (endpoint.run)(self, ask).await {
            Ok(reply) => {
                if let Some(once) = once.filter(|_| !endpoint.secret) {
                    once::keep(&self.0.hub, &caller, &once, &reply).await;
                }
                Ok(reply)
            }
            Err(problem) if is_stranger => Err(problem.for_stranger()),
            Err(problem) => Err(problem),
        }
    }

    /// Who asks.
    async fn who(
        &self,
        headers: &HeaderMap,
        certificate: Option<&Presented>,
        (address, now): (IpAddr, SystemTime),
    ) -> Result<Option<Known>, Problem> {
        let values = headers.get_all(header::AUTHORIZATION).iter();
        let values = values.map(HeaderValue::as_bytes);
        let has_header = headers.contains_key(header::AUTHORIZATION);
        let code = headers.get(SECOND_FACTOR);
        let code = code.map(|code| code.to_str().unwrap_or_default());
        let index = self.index();
        let known = match (code, certificate.filter(|_| !has_header)) {
            (Some(code), _) => {
                let known = index.by_any_header_with_code(values, code, address, now);
                Box::pin(known).await
            }
            (None, Some(shown)) => index.by_certificate(shown, address, now).await,
            (None, None) => index.by_any_header(values, address, now).await,
        };
        known.map_err(|refusal| {
            tracing::info!(peer = %address, why = refusal.why, "credentials were refused");
            if refusal.wants_factor() {
                return Problem::new(problem::SECOND_FACTOR, "this account has a second factor");
            }
            Error::from(refusal).into()
        })
    }
}

fn caller(known: Option<Known>, address: IpAddr, request: u128, now: SystemTime) -> Caller {
    let (who, name) = match known {
        Some(known) => (known.who(address), known.name.to_string()),
        None => (Who::stranger(address), String::new()),
    };
    Caller {
        who,
        name,
        request,
        now,
    }
}

/// What takes no body gets none: a client that sends one means something else.
async fn no_body(stream: ByteStream) -> Result<Bytes, Problem> {
    let body = body::whole(stream, body::MOST).await?;
    if body.is_empty() {
        return Ok(body);
    }
    Err(Problem::invalid("this takes no body"))
}

fn accepts_json(headers: &HeaderMap) -> Result<(), Problem> {
    let mut said = headers.get_all(header::ACCEPT).iter().peekable();
    if said.peek().is_none() {
        return Ok(());
    }
    let kinds = said.flat_map(|value| value.to_str().unwrap_or_default().split(','));
    let mut ranges = kinds.map(|kind| kind.split(';').next().unwrap_or_default().trim());
    let fits = |range: &str| {
        matches!(
            range.to_ascii_lowercase().as_str(),
            "" | "*/*"
                | "application/*"
                | "application/json"
                | "application/problem+json"
                | "application/jsonl"
        )
    };
    if ranges.any(fits) {
        Ok(())
    } else {
        Err(Problem::new(
            NOT_ACCEPTABLE,
            "what is answered here is JSON, and Accept leaves that out",
        ))
    }
}

/// The marks in `If-Match`.
fn marks(headers: &HeaderMap, endpoint: &Endpoint) -> Result<Option<Vec<String>>, Problem> {
    let lines: Vec<_> = headers.get_all(header::IF_MATCH).iter().collect();
    if lines.is_empty() || !endpoint.changes() {
        return Ok(None);
    }
    if !endpoint.marked {
        return Err(Problem::invalid(
            "If-Match can be sent with changes of what has an ETag only; this has none",
        ));
    }
    let mut marks = Vec::new();
    for line in lines {
        for mark in line.to_str().unwrap_or_default().split(',') {
            let mark = mark.trim();
            let bare = mark.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
            match bare {
                Some(bare) => marks.push(bare.to_owned()),
                None if mark == "*" => marks.push(mark.to_owned()),
                None => {
                    return Err(Problem::invalid(
                        "If-Match is a list of entity tags, as they were in ETag",
                    ));
                }
            }
        }
    }
    Ok(Some(marks))
}

fn respond(reply: Reply, method: &Method, wanted: Option<&HeaderValue>) -> Response<Bytes> {
    let mut response = Response::new(reply.body);
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    let is_read = *method == Method::GET || *method == Method::HEAD;
    let mark = response.headers().get(header::ETAG);
    let is_known = match (wanted.and_then(|it| it.to_str().ok()), mark) {
        (Some(wanted), Some(mark)) => wanted
            .split(',')
            .any(|it| it.trim() == "*" || it.trim().trim_start_matches("W/").as_bytes() == mark),
        _ => false,
    };
    if is_read && is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Bytes::new();
        response.headers_mut().remove(header::CONTENT_TYPE);
    }
    response
}
