//! What the server counts, for whoever shows metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of one [`Server`](super::Server); they only grow, but for [`ServerStats::open`].
#[derive(Debug, Default)]
pub struct ServerStats {
    open: AtomicU64,
    accepted: AtomicU64,
    refused: AtomicU64,
    tls_failures: AtomicU64,
    malformed: AtomicU64,
    panics: AtomicU64,
    sendfile_bytes: AtomicU64,
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident, $count:ident;)*) => {
        impl ServerStats {
            $(
                $(#[$doc])*
                pub fn $name(&self) -> u64 {
                    self.$name.load(Ordering::Relaxed)
                }

                pub(super) fn $count(&self, by: u64) {
                    self.$name.fetch_add(by, Ordering::Relaxed);
                }
            )*
        }
    };
}

counters! {
    /// Connections open now.
    open, add_open;
    /// Connections taken since the start, refused ones included.
    accepted, add_accepted;
    /// Connections turned away because there were too many.
    refused, add_refused;
    /// TLS handshakes that failed or took too long.
    tls_failures, add_tls_failures;
    /// Request heads that were refused before anybody looked at them.
    malformed, add_malformed;
    /// Requests whose handler panicked.
    panics, add_panics;
    /// Bytes the kernel sent from files without passing through this process.
    sendfile_bytes, add_sendfile_bytes;
}

impl ServerStats {
    pub(super) fn closed(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}
