//! Log lines, to standard error.

use std::io;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use super::traces::{self, Traces};
use crate::config::sections::{Log, LogFormat, LogLevel};

/// What a module says by itself is in English and short; what others' modules say below a warning is left out.
fn filter(log: &Log) -> anyhow::Result<Targets> {
    let words = log.filter.clone().unwrap_or_else(|| {
        let level = match log.level {
            LogLevel::Error => "error",
            LogLevel::Warn => "warn",
            LogLevel::Info => "info",
            LogLevel::Debug => "debug",
            LogLevel::Trace => "trace",
        };
        format!("{level},hyper=warn,h2=warn,rustls=warn,reqwest=warn,opentelemetry=warn")
    });
    words
        .parse()
        .map_err(|error| anyhow::anyhow!("log.filter: {error}"))
}

/// Sends what the program says to standard error, in the form and from the level that the configuration asks for, and
/// spans to the collector where there is one.
///
/// # Errors
/// The filter cannot be understood, or there is a subscriber already.
pub fn install(log: &Log, traces: Option<&Traces>) -> anyhow::Result<()> {
    // Spans exist for the collector alone: on a line they would only repeat what the access line says.
    let lines = match log.format {
        LogFormat::Text => fmt::layer()
            .with_writer(io::stderr)
            .with_target(false)
            .with_ansi(false)
            .boxed(),
        LogFormat::Json => fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .with_writer(io::stderr)
            .boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter(log)?))
        .with(traces.map(traces::Traces::layer))
        .try_init()
        .map_err(|error| anyhow::anyhow!("the log cannot be set up: {error}"))
}
