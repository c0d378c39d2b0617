//! How much of everything is too much.

use std::num::NonZeroU32;
use std::time::Duration;

use super::key::section;
use super::units::ByteSize;

const fn count(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}

section! {
    /// How much of everything is too much. Past a limit the answer is the status named here, and nothing
    /// is changed.
    Limits at "limits" since "0.1.0" {
        /// The request line: method and target (414).
        target: ByteSize = ByteSize::kib(8),
        /// All headers of a request together (431).
        header_block: ByteSize = ByteSize::kib(32),
        /// One header of a request (431).
        header: ByteSize = ByteSize::kib(16),
        /// Headers in a request (431).
        headers: NonZeroU32 = count(100),
        /// How long a client may take to send the head of a request (408, or the connection is closed).
        head_time: Duration = Duration::from_secs(10),
        /// How long a TLS handshake may take (the connection is closed).
        handshake_time: Duration = Duration::from_secs(10),
        /// How long a connection may idle between requests (it is closed).
        keep_alive: Duration = Duration::from_secs(75),
        /// The slowest upload, in bytes a second, once `body_grace` is over (408).
        body_rate: ByteSize = ByteSize::kib(1),
        /// The time over which the rate of an upload is taken.
        body_window: Duration = Duration::from_mins(1),
        /// How long an upload may be as slow as it likes at first.
        body_grace: Duration = Duration::from_secs(30),
        /// Connections at a time (503).
        connections: NonZeroU32 = count(10_000),
        /// Connections at a time from one IP address, or one /64 network of IPv6 (503). 0 for no such limit,
        /// as where everybody comes through one proxy.
        connections_per_ip: u32 = 256,
        /// Requests at a time of one user, each until its answer has been sent; one more waits for a second
        /// (429). 0 for no such limit, as where a whole cluster pulls by one name. Callers without a name
        /// are not counted.
        requests_per_user: u32 = 64,
        /// Streams at a time in an HTTP/2 connection.
        http2_streams: NonZeroU32 = count(128),
        /// Streams a client reset that still wait to be put away, in an HTTP/2 connection (it is closed).
        http2_resets: NonZeroU32 = count(20),
        /// Headers of an HTTP/2 request after decompression (431).
        http2_headers: ByteSize = ByteSize::kib(16),
        /// A manifest (413).
        manifest: ByteSize = ByteSize::mib(4),
        /// How deep JSON may be nested in a manifest (400).
        json_depth: NonZeroU32 = count(64),
        /// Values in the JSON of a manifest (400).
        json_nodes: NonZeroU32 = count(200_000),
        /// Layers in a manifest (400).
        layers: NonZeroU32 = count(10_000),
        /// Manifests in an index (400).
        index_manifests: NonZeroU32 = count(10_000),
        /// Annotations in one map (400).
        annotations: NonZeroU32 = count(4_096),
        /// How deep indexes may be nested (400).
        index_depth: NonZeroU32 = count(16),
        /// Tags one push may set with `?tag=` (414).
        tags_per_push: NonZeroU32 = count(50),
        /// The longest page of tags, referrers or repositories; a client that asks for more gets this
        /// many and a link to the rest.
        page: NonZeroU32 = count(1_000),
        /// The longest list of tags for clients that ask for no page, many of which do not follow links.
        page_unasked: NonZeroU32 = count(10_000),
        /// Tags in a repository (403).
        tags_per_repository: NonZeroU32 = count(1_000_000),
        /// Manifests in a repository (403).
        manifests_per_repository: NonZeroU32 = count(1_000_000),
        /// A blob (413).
        blob: ByteSize = ByteSize::gib(500),
        /// How long an upload may rest before it is forgotten (404).
        upload_idle: Duration = Duration::from_hours(24),
        /// How long an upload may take in all (404).
        upload_age: Duration = Duration::from_hours(168),
        /// Unfinished uploads of one user (429).
        uploads_per_user: NonZeroU32 = count(100),
        /// Unfinished uploads in one repository (429).
        uploads_per_repository: NonZeroU32 = count(200),
        /// A bearer token (401). It comes in a header, so `header` and `header_block` bound it too.
        token: ByteSize = ByteSize::kib(16),
        /// Entries in the access list of a bearer token (401).
        token_access: NonZeroU32 = count(200),
        /// A password (401).
        password: ByteSize = ByteSize::kib(1),
        /// Passwords checked at a time; each check costs a core for a while.
        password_checks: NonZeroU32 = count(4),
        /// Logins that wait for a check of their password (429), at most half of them from one IP address.
        password_queue: NonZeroU32 = count(64),
        /// Failed logins of one user from one IP address before it has to wait (429).
        failed_logins: NonZeroU32 = count(10),
        /// Failed logins from one IP address, of whatever users, before it has to wait (429).
        failed_logins_per_ip: NonZeroU32 = count(100),
        /// How long without another failed login until those before are forgotten.
        failed_logins_time: Duration = Duration::from_mins(15),
        /// How long a client with too many failed logins waits; twice as long after each further one, up to
        /// `failed_login_wait_max`.
        failed_login_wait: Duration = Duration::from_secs(30),
        /// The longest such wait.
        failed_login_wait_max: Duration = Duration::from_mins(15),
        /// How often people at one IP address may ask within an hour for accounts, for letters and for new passwords (429).
        account_requests: NonZeroU32 = count(30),
    }
}
