//! Traces by OpenTelemetry (OTLP over HTTP), where a collector is configured.

use std::time::Duration;

use anyhow::Context as _;
use http::request::Parts;
use opentelemetry::KeyValue;
use opentelemetry::propagation::Extractor;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

use crate::config::sections::Tracing;

/// The target of the spans that are made for the collector; nothing else listens to it.
pub const TARGET: &str = "longshore::trace";

/// The span of a request, which goes on with the trace its client began (W3C Trace Context).
pub fn span(head: &Parts, endpoint: &'static str) -> Span {
    let span = tracing::info_span!(
        target: TARGET,
        "request",
        otel.name = endpoint,
        otel.kind = "server",
        http.request.method = head.method.as_str(),
        url.path = head.uri.path(),
        http.response.status_code = tracing::field::Empty,
    );
    let parent = opentelemetry::global::get_text_map_propagator(|propagator| {
        propagator.extract(&Headers(head))
    });
    // A parent that cannot be set makes this span the first of a trace of its own.
    let _ = span.set_parent(parent);
    span
}

struct Headers<'a>(&'a Parts);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.headers.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0
            .headers
            .keys()
            .map(http::HeaderName::as_str)
            .collect()
    }
}

/// The way to the collector.
#[derive(Debug)]
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Sets the way up; `None` where no collector is configured.
    ///
    /// # Errors
    /// The exporter cannot be made.
    pub fn start(config: &Tracing) -> anyhow::Result<Option<Self>> {
        let Some(endpoint) = &config.endpoint else {
            return Ok(None);
        };
        let headers = config
            .headers
            .as_ref()
            .map(|headers| {
                headers
                    .expose()
                    .split(',')
                    .filter_map(|pair| pair.split_once('='))
                    .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
                    .collect()
            })
            .unwrap_or_default();
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_endpoint(endpoint.as_str())
            .with_timeout(Duration::from_secs(10))
            .with_headers(headers)
            .build()
            .context("tracing.endpoint")?;
        opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(
                config.ratio.get(),
            ))))
            .with_resource(
                Resource::builder()
                    .with_service_name(config.service.clone())
                    .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
                    .build(),
            )
            .build();
        Ok(Some(Self(provider)))
    }

    /// The layer that gives spans to the collector.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'s> LookupSpan<'s>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("longshore"))
            .with_filter(Targets::new().with_target(TARGET, tracing::Level::TRACE))
    }

    /// Sends what is still here. Takes up to some seconds when the collector does not answer.
    pub fn flush(&self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}
