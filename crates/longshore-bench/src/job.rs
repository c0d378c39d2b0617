//! What the load generator is asked to do and what it found: the words between it and whoever runs it.
//!
//! A job goes to the generator's standard input as one JSON document. The generator prints the line [`BEGIN`] once its connections stand
//! and the warm-up is over, so that the caller can take the server's counters there, and [`Outcome`] as one line of JSON at the end.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The line that says that measuring begins.
pub(crate) const BEGIN: &str = "begin";

/// Names and values.
pub(crate) type Headers = Vec<(String, String)>;

/// Several kinds of work against one server, at the same time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Job {
    /// Where the server listens.
    pub(crate) address: SocketAddr,
    /// How it is spoken to.
    pub(crate) protocol: Protocol,
    /// Extra headers of every request, such as `Authorization`, but for works that bring their own.
    pub(crate) headers: Headers,
    /// The processors the generator may use; all when empty.
    pub(crate) cores: Vec<usize>,
    /// Seconds of work before the measured part.
    pub(crate) warm_up: f64,
    /// All of it starts together and ends together: after `seconds`, or before that when each work has done its `units` (or its pulls). What
    /// is half way then counts with its bytes and not as a unit. Without a number of units, the measured part begins and ends in full flow.
    pub(crate) seconds: f64,
    pub(crate) works: Vec<Work>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Protocol {
    Http1,
    /// HTTP/1.1 over TLS; the certificate is in the file.
    Tls1(PathBuf),
    /// HTTP/2 over TLS.
    Tls2(PathBuf),
}

/// One kind of work on connections of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Work {
    /// Comes back in [`Done`].
    pub(crate) name: String,
    pub(crate) connections: usize,
    /// Ends after so many units (requests, blobs, images) all connections taken together; `None`: at the end of the job's time.
    pub(crate) units: Option<u64>,
    /// Connection `i` sends `headers[i % headers.len()]` in place of the job's headers, where there are any: a client has a token for what
    /// it does itself, not for what all do.
    #[serde(default)]
    pub(crate) headers: Vec<Headers>,
    pub(crate) task: Task,
}

impl Work {
    /// A work on `connections` connections that ends with the job.
    pub(crate) fn new(name: &str, connections: usize, task: Task) -> Self {
        Self {
            name: name.to_owned(),
            connections,
            units: None,
            headers: Vec::new(),
            task,
        }
    }

    /// The same, which ends after so many units.
    pub(crate) fn ending_after(mut self, units: u64) -> Self {
        self.units = Some(units);
        self
    }
}

impl Job {
    /// What connection `at` of `work` sends with each request.
    pub(crate) fn headers_of<'a>(&'a self, work: &'a Work, at: usize) -> &'a Headers {
        let own = at.checked_rem(work.headers.len());
        own.and_then(|at| work.headers.get(at))
            .unwrap_or(&self.headers)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Task {
    /// Requests in a loop, each connection going round the targets from a place of its own. A unit is a request.
    Read(Read),
    /// Layers of random bytes, each a new one. A unit is a blob.
    Push {
        /// Repository of connection `i` is `{repository}-{i}`.
        repository: String,
        size: u64,
        way: Way,
    },
    /// Small images: for each layer and the config `HEAD` (404), `POST`, `PUT ?digest=`; then the manifest by a tag of its own. A unit is an image.
    Image {
        repository: String,
        /// Blobs of each image, the config included.
        blobs: usize,
        /// Bytes of each blob.
        size: u64,
        /// All connections push to one repository, else each to its own.
        shared: bool,
    },
    /// `POST ?mount=&from=` of blobs that the repository `from` has, each connection into a repository of its own: `{into}-{i}`, and once
    /// all digests are mounted there `{into}-{i}-1` and so on. A unit is a mount.
    Mount {
        from: String,
        into: String,
        digests: Vec<String>,
        /// All into `into`, over and over: but for the first of each, they are there already.
        again: bool,
    },
    /// Each connection pulls every target once and is done: a node that starts a container. A unit is a whole image. Nothing is pulled in the
    /// warm-up.
    Pull {
        /// The image of connection `i` is `images[i % images.len()]`.
        images: Vec<Vec<Target>>,
    },
}

/// How a blob is pushed.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) enum Way {
    PostPut,
    PostPatchPut,
    /// `PATCH` in pieces of so many bytes.
    Chunked(u64),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Read {
    pub(crate) method: Method,
    pub(crate) targets: Vec<Target>,
    /// Ask for stretches of so many bytes at pseudo-random, aligned places of the target.
    pub(crate) range: Option<u64>,
    /// Send `If-None-Match` with the target's digest and expect 304.
    pub(crate) conditional: bool,
    /// Copy bodies into memory as a client does, in place of dropping them in the kernel (MSG_TRUNC).
    pub(crate) copy: bool,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Head,
}

/// Something to ask for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Target {
    /// Path and query.
    pub(crate) path: String,
    /// Bytes of the whole content; `None` where it is not known (listings), then only the status is checked.
    pub(crate) length: Option<u64>,
    /// `sha256:...`, checked on a sample of the answers (copied for that, every 1,000th or at least one a connection for small ones; for
    /// bodies above 1 MiB in the warm-up only, so that hashing does not become the limit).
    pub(crate) digest: Option<String>,
}

/// What the generator found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) works: Vec<Done>,
    /// Measured seconds.
    pub(crate) seconds: f64,
    /// Processor seconds of the generator in that time: close to `seconds` times its cores, it was the limit.
    pub(crate) cpu: f64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Done {
    pub(crate) name: String,
    pub(crate) units: u64,
    /// Of bodies, in either direction.
    pub(crate) bytes: u64,
    /// Answers that were not as expected, and connections that broke. Any makes the line void.
    pub(crate) errors: u64,
    /// What the first of them was.
    pub(crate) error: Option<String>,
    /// Bodies whose digest was computed and right.
    pub(crate) verified: u64,
    /// Microseconds of one unit.
    pub(crate) latency: Latency,
    /// For [`Task::Pull`]: seconds after which each connection had it all, sorted.
    pub(crate) finished: Vec<f64>,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}
