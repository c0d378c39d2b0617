//! The metrics: one table of them, and the text that Prometheus reads.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use longshore_http::server::ServerStats;
use longshore_hub::Hub;
use longshore_layers::Outcome;
use longshore_layers::meter::{self, Meter};
use longshore_store::{GcStats, Store};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::access::AccessLog;
use super::requests::{self, Requests};

/// What a metric counts like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// It sorts durations, in seconds.
    Histogram,
}

impl Kind {
    /// The word for it in the text format.
    pub const fn word(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        }
    }
}

/// A metric, as the reference page has it.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What it counts like.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it means, in one sentence.
    pub help: &'static str,
}

macro_rules! metrics {
    ($($ident:ident = $name:literal, $kind:ident, [$($label:literal),*], $help:literal;)+) => {
        $(const $ident: Metric = Metric { name: $name, kind: Kind::$kind, labels: &[$($label),*], help: $help };)+
        /// Every metric there is.
        pub const METRICS: &[Metric] = &[$($ident),+];
    };
}

metrics! {
    BUILD = "longshore_build_info", Gauge, ["version"], "Always 1; says which version runs.";
    REQUESTS = "longshore_http_requests_total", Counter, ["route", "method", "code"], "Requests that came to their end.";
    REQUEST_SECONDS = "longshore_http_request_seconds", Histogram, ["route"], "From a request's head to the end of its answer.";
    RECEIVED = "longshore_http_received_bytes_total", Counter, [], "Bytes of request bodies.";
    SENT = "longshore_http_sent_bytes_total", Counter, [], "Bytes of answers' bodies.";
    CUT = "longshore_http_cut_total", Counter, [], "Answers that did not reach their end: the client left or the content could not be read.";
    LINES = "longshore_access_lines_dropped_total", Counter, [], "Access lines dropped because nobody read the log fast enough.";
    CONNECTIONS = "longshore_connections", Gauge, [], "Connections open now.";
    ACCEPTED = "longshore_connections_accepted_total", Counter, [], "Connections taken.";
    REFUSED = "longshore_connections_refused_total", Counter, [], "Connections turned away because there were too many.";
    TLS = "longshore_tls_failures_total", Counter, [], "TLS handshakes that failed or took too long.";
    MALFORMED = "longshore_malformed_heads_total", Counter, [], "Request heads that broke HTTP and were refused.";
    PANICS = "longshore_panics_total", Counter, [], "Requests whose handler panicked; each is a bug worth a report.";
    SENDFILE = "longshore_sendfile_bytes_total", Counter, [], "Bytes the kernel sent from files without their passing through this process.";
    RUNNING = "longshore_operations", Gauge, ["operation"], "Operations of the registry under way.";
    OPERATIONS = "longshore_operations_total", Counter, ["operation", "outcome"], "Operations of the registry that came to their end.";
    OPERATION_SECONDS = "longshore_operation_seconds", Histogram, ["operation"], "How long operations of the registry took.";
    FULL = "longshore_storage_full", Gauge, [], "1 while pushes are refused because the disk is full, else 0.";
    DAMAGED = "longshore_content_damaged_total", Counter, [], "Stored copies of blobs and manifests that were found missing or with wrong bytes.";
    HEALED = "longshore_content_healed_total", Counter, [], "Damaged or lost blobs that a push made whole again.";
    UNREADABLE = "longshore_content_unreadable_total", Counter, [], "Blobs whose bytes the disk did not give.";
    SCRUBBED = "longshore_scrub_blobs_total", Counter, [], "Blobs that were read again and found whole.";
    SCRUBBED_BYTES = "longshore_scrub_bytes_total", Counter, [], "Bytes of blobs that were read again and found whole.";
    SCRUB_PASSES = "longshore_scrub_passes_total", Counter, [], "How often everything stored was read again to the end.";
    GC_RUNS = "longshore_gc_runs_total", Counter, ["outcome"], "Runs of collection: `done`, or `broken` off by a failure.";
    GC_FREED = "longshore_gc_freed_blobs_total", Counter, [], "Blobs whose bytes were removed because nobody needed them.";
    GC_FREED_BYTES = "longshore_gc_freed_bytes_total", Counter, [], "Their bytes.";
    GC_WAITING = "longshore_gc_waiting_blobs", Gauge, [], "Blobs out of sight whose bytes are removed when their quarantine ends.";
    GC_WAITING_BYTES = "longshore_gc_waiting_bytes", Gauge, [], "Their bytes.";
    GC_COLLECTED = "longshore_gc_collected_manifests_total", Counter, [], "Manifests without a tag that were moved into the trash.";
    GC_EXPIRED = "longshore_gc_expired_manifests_total", Counter, [], "Manifests that left the trash for good.";
    GC_ORPHANS = "longshore_gc_orphans_total", Counter, [], "Files that an unclean stop left behind and that were removed.";
    GC_FAILED = "longshore_gc_failed_total", Counter, [], "Things that collection could not deal with and tries again; the log says why.";
    GC_PAUSED = "longshore_gc_paused", Gauge, [], "1 while nothing is collected because the clock is not believed.";
    TRASH = "longshore_trash_manifests", Gauge, [], "Manifests in the trash, as of the last run of collection.";
    MAIL_SENT = "longshore_mail_sent_total", Counter, [], "Letters that the mail server took.";
    MAIL_DEFERRED = "longshore_mail_deferred_total", Counter, [], "Tries to send a letter that failed and are made again; the log says why.";
    MAIL_FAILED = "longshore_mail_failed_total", Counter, [], "Letters that were given up; the log and the audit log say why.";
    MAIL_WAITING = "longshore_mail_waiting", Gauge, [], "Letters that wait to be sent.";
    AUDIT_BROKEN = "longshore_audit_broken", Gauge, [], "1 where the audit log was found not to be what was signed, so that nothing more is signed, else 0.";
    MEMORY = "process_resident_memory_bytes", Gauge, [], "Memory of the process, mapped files included.";
    CPU = "process_cpu_seconds_total", Counter, [], "Processor time of the process.";
    FILES = "process_open_fds", Gauge, [], "Open files of the process.";
}

/// Where the numbers come from.
#[derive(Debug, Clone)]
pub struct Sources {
    /// Requests.
    pub requests: Arc<Requests>,
    /// Operations.
    pub meter: Arc<Meter>,
    /// Connections.
    pub server: Arc<ServerStats>,
    /// The registry that keeps things, where there is one.
    pub store: Option<Store>,
    /// Access lines, where they are written.
    pub access: Option<AccessLog>,
    /// The use cases of accounts, where this node has them.
    pub hub: Option<Hub>,
}

impl Sources {
    /// All numbers, in the OpenMetrics text format that Prometheus reads.
    pub fn text(&self) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self.clone()));
        let mut out = String::with_capacity(16 << 10);
        // Writing to a string does not fail; what cannot be encoded would be a mistake in the table above.
        if let Err(error) = prometheus_client::encoding::text::encode(&mut out, &registry) {
            tracing::error!(%error, "the metrics cannot be written");
        }
        out
    }
}

impl Collector for Sources {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Out(encoder);
        out.numbers(&BUILD, [(vec![env!("CARGO_PKG_VERSION").to_owned()], 1)])?;

        let counts = self.requests.counts().into_iter();
        out.numbers(
            &REQUESTS,
            counts.map(|(route, method, code, count)| {
                (
                    vec![route.to_owned(), method.to_owned(), code_word(code)],
                    count,
                )
            }),
        )?;
        out.durations(
            &REQUEST_SECONDS,
            &requests::BOUNDS_MICROS,
            self.requests.durations(),
        )?;
        out.number(&RECEIVED, self.requests.received())?;
        out.number(&SENT, self.requests.sent())?;
        out.number(&CUT, self.requests.cut())?;
        out.number(&LINES, self.access.as_ref().map_or(0, AccessLog::dropped))?;

        let server = &self.server;
        out.number(&CONNECTIONS, server.open())?;
        out.number(&ACCEPTED, server.accepted())?;
        out.number(&REFUSED, server.refused())?;
        out.number(&TLS, server.tls_failures())?;
        out.number(&MALFORMED, server.malformed())?;
        out.number(&PANICS, server.panics())?;
        out.number(&SENDFILE, server.sendfile_bytes())?;

        let readings = self.meter.read();
        out.numbers(
            &RUNNING,
            readings
                .iter()
                .map(|reading| (vec![reading.op.to_owned()], reading.running)),
        )?;
        out.numbers(
            &OPERATIONS,
            readings.iter().flat_map(|reading| {
                let op = reading.op.to_owned();
                reading
                    .outcomes
                    .iter()
                    .map(move |(outcome, count)| (vec![op.clone(), outcome_word(*outcome)], *count))
            }),
        )?;
        let used = readings
            .into_iter()
            .filter(|reading| reading.buckets.iter().any(|count| *count > 0));
        let used = used
            .map(|reading| (reading.op, reading.total, reading.buckets))
            .collect();
        out.durations(&OPERATION_SECONDS, &meter::BOUNDS_MICROS, used)?;
        let full = self.store.as_ref().is_some_and(Store::is_full);
        out.number(&FULL, u64::from(full))?;
        let found = self.store.as_ref().map(Store::found).unwrap_or_default();
        out.number(&DAMAGED, found.damaged)?;
        out.number(&HEALED, found.healed)?;
        out.number(&UNREADABLE, found.unreadable)?;
        out.number(&SCRUBBED, found.scrubbed)?;
        out.number(&SCRUBBED_BYTES, found.scrubbed_bytes)?;
        out.number(&SCRUB_PASSES, found.passes)?;
        out.collection(&self.store.as_ref().map(Store::gc_stats).unwrap_or_default())?;
        let mail = self.hub.as_ref().and_then(Hub::post_stats);
        let mail = mail.unwrap_or_default();
        out.number(&MAIL_SENT, mail.sent)?;
        out.number(&MAIL_DEFERRED, mail.deferred)?;
        out.number(&MAIL_FAILED, mail.failed)?;
        out.number(&MAIL_WAITING, mail.waiting)?;
        let broken = self.hub.as_ref().is_some_and(Hub::audit_is_broken);
        out.number(&AUDIT_BROKEN, u64::from(broken))?;
        out.process()
    }
}

fn outcome_word(outcome: Outcome) -> String {
    match outcome {
        Outcome::Done => "done".to_owned(),
        Outcome::Dropped => "dropped".to_owned(),
        Outcome::Failed(code) => format!("{code:?}"),
    }
}

/// A status that stands for a whole hundred.
fn code_word(code: u16) -> String {
    if code % 100 == 99 && code != 499 {
        format!("{}xx", code / 100)
    } else {
        code.to_string()
    }
}

struct Out<'a>(DescriptorEncoder<'a>);

impl Out<'_> {
    fn open(&mut self, metric: &Metric) -> Result<MetricEncoder<'_>, fmt::Error> {
        let kind = match metric.kind {
            Kind::Counter => MetricType::Counter,
            Kind::Gauge => MetricType::Gauge,
            Kind::Histogram => MetricType::Histogram,
        };
        // The format adds the ending of a counter by itself.
        let name = metric.name.strip_suffix("_total").unwrap_or(metric.name);
        self.0.encode_descriptor(name, metric.help, None, kind)
    }

    fn number(&mut self, metric: &Metric, number: u64) -> fmt::Result {
        put(&mut self.open(metric)?, metric.kind, number)
    }

    fn numbers(
        &mut self,
        metric: &Metric,
        numbers: impl IntoIterator<Item = (Vec<String>, u64)>,
    ) -> fmt::Result {
        let mut family = self.open(metric)?;
        for (values, number) in numbers {
            let labels: Vec<_> = metric.labels.iter().copied().zip(values).collect();
            put(&mut family.encode_family(&labels)?, metric.kind, number)?;
        }
        Ok(())
    }

    fn durations(
        &mut self,
        metric: &Metric,
        bounds: &[u64],
        durations: Vec<(&'static str, Duration, Vec<u64>)>,
    ) -> fmt::Result {
        let seconds = bounds
            .iter()
            .map(|micros| Duration::from_micros(*micros).as_secs_f64());
        let bounds: Vec<_> = seconds.chain([f64::MAX]).collect();
        let label = metric.labels.first().copied().unwrap_or("of");
        let mut family = self.open(metric)?;
        for (of, sum, counts) in durations {
            let total = counts.iter().sum();
            let buckets: Vec<_> = bounds.iter().copied().zip(counts).collect();
            let labels = vec![(label, of)];
            family
                .encode_family(&labels)?
                .encode_histogram::<NoLabelSet>(sum.as_secs_f64(), total, &buckets, None)?;
        }
        Ok(())
    }

    fn collection(&mut self, gc: &GcStats) -> fmt::Result {
        let runs = [("done", gc.runs), ("broken", gc.broken)];
        let runs = runs.map(|(outcome, count)| (vec![outcome.to_owned()], count));
        self.numbers(&GC_RUNS, runs)?;
        self.number(&GC_FREED, gc.freed_blobs)?;
        self.number(&GC_FREED_BYTES, gc.freed_bytes)?;
        self.number(&GC_WAITING, gc.waiting_blobs)?;
        self.number(&GC_WAITING_BYTES, gc.waiting_bytes)?;
        self.number(&GC_COLLECTED, gc.collected)?;
        self.number(&GC_EXPIRED, gc.expired)?;
        self.number(&GC_ORPHANS, gc.orphans)?;
        self.number(&GC_FAILED, gc.failed)?;
        self.number(&GC_PAUSED, u64::from(gc.paused))?;
        self.number(&TRASH, gc.trash)
    }

    /// What the kernel says of this process; on systems without `/proc` these are left out.
    fn process(&mut self) -> fmt::Result {
        let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else {
            return Ok(());
        };
        // Behind the name, which may hold anything: state is field 3, user and system time 14 and 15, pages 24.
        let fields: Vec<u64> = stat
            .rsplit_once(')')
            .map(|(_, rest)| {
                rest.split_whitespace()
                    .map(|field| field.parse().unwrap_or(0))
                    .collect()
            })
            .unwrap_or_default();
        let field = |number: usize| fields.get(number - 3).copied().unwrap_or(0);
        self.number(&MEMORY, field(24) * rustix::param::page_size() as u64)?;
        #[expect(
            clippy::cast_precision_loss,
            reason = "processor time in ticks is far from 2^52"
        )]
        let seconds =
            (field(14) + field(15)) as f64 / rustix::param::clock_ticks_per_second() as f64;
        self.open(&CPU)?
            .encode_counter::<NoLabelSet, _, f64>(&seconds, None)?;
        match std::fs::read_dir("/proc/self/fd") {
            Ok(files) => self.number(&FILES, files.count() as u64),
            Err(_) => Ok(()),
        }
    }
}

fn put(encoder: &mut MetricEncoder<'_>, kind: Kind, number: u64) -> fmt::Result {
    match kind {
        Kind::Gauge => encoder.encode_gauge(&i64::try_from(number).unwrap_or(i64::MAX)),
        _ => encoder.encode_counter::<NoLabelSet, _, f64>(&number, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_of_the_table_is_in_the_text_and_no_other() {
        let requests = Arc::new(Requests::new(&["blob", "other"]));
        requests.count(&requests::Ended {
            route: "blob",
            method: "GET",
            status: 200,
            duration: Duration::from_millis(3),
            received: 0,
            sent: 5,
            cut: false,
        });
        let sources = Sources {
            requests,
            meter: Arc::new(Meter::new(Box::new(|| Duration::ZERO))),
            server: Arc::default(),
            store: None,
            access: None,
            hub: None,
        };
        let text = sources.text();
        let said: Vec<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE "))
            .collect();
        let table: Vec<_> = METRICS
            .iter()
            .map(|metric| {
                format!(
                    "{} {}",
                    metric.name.strip_suffix("_total").unwrap_or(metric.name),
                    metric.kind.word()
                )
            })
            .collect();
        assert_eq!(said, table);
        assert!(
            text.contains(
                "longshore_http_requests_total{route=\"blob\",method=\"GET\",code=\"200\"} 1\n"
            ),
            "{text}"
        );
        assert!(
            text.contains("longshore_http_request_seconds_bucket{le=\"0.005\",route=\"blob\"} 1\n"),
            "{text}"
        );
        assert!(text.ends_with("# EOF\n"));
    }
}
