//! The OCI Distribution API over any [`Registry`].
//!
//! A request is read in one order, which clients and attackers alike can rely on: route and grammar, then who asks, then
//! whether they may, then whether the thing is there, then whether the request makes sense. Handlers translate, and
//! decide nothing that a registry could decide. A failure becomes a response in one place, `errors`.
//!
//! Absent on purpose: sockets, TLS and time-outs (the server's), storage, and every endpoint that is not of the
//! specification.

mod accept;
mod cookies;
mod device;
mod enter;
mod errors;
mod form;
mod ids;
mod intake;
mod lists;
mod manifests;
mod names;
mod needs;
mod neighbour;
mod observe;
mod options;
mod places;
mod proxies;
mod prune;
mod pull;
mod reply;
mod request;
mod routes;
mod search;
mod signin;
mod site;
mod token;
mod uploads;
mod urls;
mod warnings;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use longshore_auth::Authenticator;
use longshore_core::{Actor, ByteStream, Code, Error, Registry};
use longshore_spec::route::{self, Request, RouteError};
use tracing::{Instrument as _, Span};

pub use device::DeviceEdge;
pub use neighbour::{Asked, Neighbour, Told};
pub use observe::{End, Observed, Observer};
pub use options::{EdgeOptions, Pages, Ping};
pub use proxies::{Network, NetworkError};
pub use routes::ROUTES;
pub use signin::SignInEdge;
pub use site::Site;
pub use token::TokenEdge;
pub use urls::{Prefix, PublicUrl, UrlError};
pub use warnings::{WarningError, Warnings};

use crate::server::{Answering, Body, Handler, Peer};
use enter::Visit;
use errors::{Answer, Fault};
use ids::RequestIds;
use lists::Referrers;
use observe::Watch;
use places::{Place, Places};
use proxies::Sender;
use reply::Reply;
use routes::{endpoint, reading};
use uploads::Opening;
use urls::Urls;

/// Serves a registry over the OCI Distribution API. Cloning copies a pointer.
#[derive(Clone)]
pub struct Edge(Arc<Inner>);

struct Inner {
    registry: Arc<dyn Registry>,
    authenticator: Authenticator,
    options: EdgeOptions,
    observer: Option<Observer>,
    urls: Urls,
    ids: RequestIds,
    places: Option<Arc<Places>>,
    /// What is on every response that does not say otherwise itself: names with their values, one or more.
    always: Vec<(HeaderName, Vec<HeaderValue>)>,
}

impl fmt::Debug for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edge")
            .field("registry", &self.0.registry)
            .finish_non_exhaustive()
    }
}

impl Edge {
    /// An edge in front of `registry`, which asks `authenticator` who callers are and tells `observer` of each request.
    pub fn new(
        registry: Arc<dyn Registry>,
        authenticator: Authenticator,
        options: EdgeOptions,
        observer: Option<Observer>,
    ) -> Self {
        Self(Arc::new(Inner {
            registry,
            authenticator,
            urls: Urls::new(&options),
            ids: RequestIds::new(),
            places: options.requests_per_user.map(Places::new),
            always: always(&options),
            options,
            observer,
        }))
    }

    /// Answers a request that came by `peer`. Every failure is a response too.
    ///
    /// The body is read only once the caller is known to be allowed to send it. Dropped midway, the registry holds what
    /// its operations promise for that case, and the observer is told all the same.
    pub fn call<B>(&self, peer: Peer, request: http::Request<B>) -> Answering
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let body = peer.receive(body);
        let request = self.read(&head);
        let edge = self.clone();
        // Lent and not given: a future has room twice for what it is called with, and all of it is copied into the box.
        Box::pin(async move { edge.serve(&peer, &head, &request, body).await })
    }

    async fn serve(
        &self,
        peer: &Peer,
        head: &Parts,
        request: &Result<Request, RouteError>,
        body: ByteStream,
    ) -> Response<Body> {
        let sender = Sender::of(peer, &head.headers, &self.0.options.trusted_proxies);
        let id = self.0.ids.id(sender.request);
        let now = (self.0.options.now)();
        let watch = Watch::start(self.0.observer.as_ref(), (id, now), sender.address, head);
        let body = watch.count(intake::in_our_words(body));
        let name = request.as_ref().map_or("other", endpoint);
        let span = (self.0.options.span).map_or_else(Span::none, |span| span(head, name));
        let answer = self
            .answer(head, request, &sender, (id, now), body, &watch)
            .instrument(span.clone())
            .await;
        let is_head = head.method == Method::HEAD;
        let (mut response, place) = match answer {
            Ok((reply, place)) => (reply.respond(is_head), place),
            Err(fault) => {
                watch.error(fault.code());
                (fault.respond(is_head, &ids::print(id)), None)
            }
        };
        self.dress(&mut response, id);
        span.record("http.response.status_code", response.status().as_u16());
        watch.follow(response, place)
    }

    /// What is on every response: the request's id, and what is always there.
    fn dress(&self, response: &mut Response<Body>, id: u128) {
        let headers = response.headers_mut();
        headers.insert(names::X_REQUEST_ID, ids::value(id));
        for (name, values) in &self.0.always {
            if let header::Entry::Vacant(place) = headers.entry(name) {
                let mut values = values.iter().cloned();
                if let Some(first) = values.next() {
                    let mut place = place.insert_entry(first);
                    values.for_each(|value| place.append(value));
                }
            }
        }
    }

    /// What the request is about.
    fn read(&self, head: &Parts) -> Result<Request, RouteError> {
        let path = self
            .0
            .urls
            .below(head.uri.path())
            .ok_or(RouteError::NotFound)?;
        let tags = self.0.options.tags_per_push;
        route::parse_with_tags(head.method.as_str(), path, head.uri.query(), tags)
    }

    /// The reply, and the place among its user's requests that it holds until it has been sent.
    async fn answer(
        &self,
        head: &Parts,
        request: &Result<Request, RouteError>,
        sender: &Sender<'_>,
        (id, now): (u128, SystemTime),
        body: ByteStream,
        watch: &Watch,
    ) -> Result<(Reply, Option<Place>), Fault> {
        let request = match request {
            Err(RouteError::NotAllowed { allow }) if head.method == Method::OPTIONS => {
                return Ok((methods(allow), None));
            }
            // Load balancers that were set up for Distribution ask this to see whether somebody is there.
            Err(RouteError::NotFound) if head.uri.path() == "/" && is_reading(&head.method) => {
                return Ok((Reply::new(StatusCode::OK), None));
            }
            Err(error) => return Err((*error).into()),
            Ok(request) => request,
        };
        watch.route(endpoint(request), request.repo());
        if *request == Request::V1Ping {
            // Engines ask with whatever credentials they have, and nothing is told.
            return Ok((search::ping(), None));
        }
        if let Some(place) = &self.0.options.images_at
            && request.repo().is_some()
        {
            return Err(no_images(place));
        }
        let asks = (&self.0.authenticator, &self.0.urls);
        let visit = Visit::enter(asks, head, sender, request, (id, now)).await?;
        watch.identity(&visit.cx, visit.kind);
        visit.admit(asks, request, &self.0.options)?;
        let place = self.place(&visit.cx.actor, request).await?;
        // A layer that does not offer an operation knows no HTTP, but a 405 must name the methods that work.
        match self.dispatch(&visit, request, body).await {
            Ok(reply) => Ok((reply, place)),
            Err(fault) => Err(fault.allowing(reading(request))),
        }
    }

    /// A place among the requests of a named caller. A ping needs none: it is nothing to answer, and clients take a
    /// refused one for a registry that is not there.
    async fn place(&self, actor: &Actor, request: &Request) -> Result<Option<Place>, Fault> {
        let (Some(places), Actor::Named(name)) = (&self.0.places, actor) else {
            return Ok(None);
        };
        if *request == Request::Ping {
            return Ok(None);
        }
        match places.take(name).await {
            Some(place) => Ok(Some(place)),
            None => Err(Error::new(
                Code::TooManyRequests,
                format!(
                    "`{name}` has {} requests under way already; wait until one has ended",
                    places.each()
                ),
            )
            .into()),
        }
    }

    /// What is not a pull is boxed: its futures are large, and each pull would carry room for them.
    async fn dispatch(&self, visit: &Visit<'_>, request: &Request, body: ByteStream) -> Answer {
        match request {
            Request::Ping => Ok(Reply::new(StatusCode::OK).json(names::JSON, b"{}".to_vec())),
            Request::V1Ping => Ok(search::ping()),
            Request::V1Search { words, n } => Box::pin(self.search(visit, words, *n)).await,
            Request::Catalog { n, last } => Box::pin(self.catalog(visit, *n, last.as_ref())).await,
            Request::Tags { repo, n, last } => {
                Box::pin(self.tags(visit, repo, *n, last.as_ref())).await
            }
            Request::Referrers {
                repo,
                digest,
                artifact_type,
                n,
                last,
            } => {
                let kind = artifact_type.as_ref();
                let asked = Referrers {
                    subject: digest,
                    kind,
                    n: *n,
                    last: last.as_ref(),
                };
                Box::pin(self.referrers(visit, repo, asked)).await
            }
            Request::GetBlob { repo, digest, ns } | Request::HeadBlob { repo, digest, ns } => {
                self.blob(visit, repo, digest, ns.as_ref()).await
            }
            Request::DeleteBlob { repo, digest } => {
                Box::pin(self.delete_blob(visit, repo, digest)).await
            }
            Request::GetManifest {
                repo,
                reference,
                ns,
            }
            | Request::HeadManifest {
                repo,
                reference,
                ns,
            } => self.manifest(visit, repo, reference, ns.as_ref()).await,
            Request::PutManifest {
                repo,
                reference,
                tags,
            } => Box::pin(self.push(visit, repo, reference, tags, body)).await,
            Request::DeleteManifest { repo, reference } => {
                Box::pin(self.delete_manifest(visit, repo, reference)).await
            }
            Request::StartUpload {
                repo,
                digest,
                mount,
                algorithm,
            } => {
                let opening = Opening {
                    digest: digest.as_ref(),
                    mount: mount.as_ref(),
                    algorithm: *algorithm,
                };
                Box::pin(self.open_upload(visit, repo, opening, body)).await
            }
            Request::UploadStatus { repo, id } => Box::pin(self.progress(visit, repo, id)).await,
            Request::AppendUpload { repo, id } => {
                Box::pin(self.append(visit, repo, id, body)).await
            }
            Request::FinishUpload { repo, id, digest } => {
                Box::pin(self.finish(visit, repo, id, digest, body)).await
            }
            Request::AbortUpload { repo, id } => Box::pin(self.abort(visit, repo, id)).await,
        }
    }
}

impl Handler for Edge {
    fn handle(&self, peer: Peer, request: http::Request<hyper::body::Incoming>) -> Answering {
        self.call(peer, request)
    }
}

/// The answer for a repository where no images are.
fn no_images(place: &str) -> Fault {
    let what = format!("this node keeps accounts and no images; those are at {place}");
    Error::new(Code::NameUnknown, what).into()
}

fn is_reading(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// The operator's headers and warnings, and our own that are the same for each response.
fn always(options: &EdgeOptions) -> Vec<(HeaderName, Vec<HeaderValue>)> {
    let mut always = options.headers.clone();
    for warning in options.warnings.lines() {
        always.append(header::WARNING, warning.clone());
    }
    always.insert(names::DOCKER_API_VERSION, names::REGISTRY_2);
    always.insert(header::X_CONTENT_TYPE_OPTIONS, names::NOSNIFF);
    let values = |name: &HeaderName| always.get_all(name).iter().cloned().collect();
    always
        .keys()
        .map(|name| (name.clone(), values(name)))
        .collect()
}

/// The answer to `OPTIONS`: what the endpoint understands. It grants no other origin anything; an operator who wants a
/// browser on one to reach the registry configures the headers that say so, and they are on every response.
fn methods(allow: &'static str) -> Reply {
    Reply::new(StatusCode::NO_CONTENT).with(header::ALLOW, HeaderValue::from_static(allow))
}
