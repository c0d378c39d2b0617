//! Metrics and health on an address of their own, so that they need no password and meet no stranger.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use longshore_http::server::Body;

use super::health::Health;
use super::metrics::Sources;

/// What answers at the address.
#[derive(Debug, Clone)]
pub struct Admin {
    metrics: Sources,
    health: Arc<Health>,
    path: Arc<str>,
}

impl Admin {
    /// Answers with these numbers, at `path`, and this health.
    pub fn new(metrics: Sources, health: Arc<Health>, path: &str) -> Self {
        Self {
            metrics,
            health,
            path: path.into(),
        }
    }

    /// Answers one request.
    pub fn answer<B>(&self, request: &Request<B>) -> Response<Body> {
        let path = request.uri().path();
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return plain(
                StatusCode::METHOD_NOT_ALLOWED,
                "only GET and HEAD are answered here\n".to_owned(),
            );
        }
        match path {
            path if path == &*self.path => {
                let mut response = plain(StatusCode::OK, self.metrics.text());
                let version = header::HeaderValue::from_static(
                    "application/openmetrics-text; version=1.0.0; charset=utf-8",
                );
                response.headers_mut().insert(header::CONTENT_TYPE, version);
                response
            }
            "/livez" => plain(StatusCode::OK, "ok\n".to_owned()),
            "/readyz" => match self.health.unready() {
                None => plain(StatusCode::OK, "ok\n".to_owned()),
                Some(why) => plain(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
            },
            // What Distribution answers: an object of what is wrong, empty when nothing is.
            "/debug/health" => {
                let (status, wrong) = match self.health.unready() {
                    None => (StatusCode::OK, serde_json::json!({})),
                    Some(why) => (
                        StatusCode::SERVICE_UNAVAILABLE,
                        serde_json::json!({ "longshore": why }),
                    ),
                };
                let mut response = plain(status, wrong.to_string());
                response.headers_mut().insert(
                    header::CONTENT_TYPE,
                    header::HeaderValue::from_static("application/json; charset=utf-8"),
                );
                response
            }
            _ => plain(
                StatusCode::NOT_FOUND,
                format!(
                    "there are {}, /livez, /readyz and /debug/health here\n",
                    self.path
                ),
            ),
        }
    }
}

fn plain(status: StatusCode, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(Bytes::from(text)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        header::HeaderValue::from_static("no-store"),
    );
    response
}
