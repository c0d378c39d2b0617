//! What is measured.

use std::fmt;

/// What is measured of one round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Figure {
    /// Units a second.
    Rate,
    /// Processor seconds of the server per GB, or microseconds per request or image.
    Cpu,
    /// Microseconds of one unit: half are faster.
    P50,
    /// Microseconds of one unit: one in a hundred is slower.
    P99,
    /// The most anonymous memory, in MB.
    Memory,
    /// Resident memory, mapped files included, in MB.
    Resident,
    /// GB/s of what goes on beside the measured work.
    Beside,
    /// How many times as long one unit in a hundred takes beside something else as without it.
    Rise,
    /// How much later than the median the last connection was done, as a ratio.
    Slowest,
    /// Milliseconds from the start of the process until it listens.
    Start,
    /// Size of the program, in MB.
    Size,
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Rate => "rate",
            Self::Cpu => "cpu",
            Self::P50 => "p50",
            Self::P99 => "p99",
            Self::Memory => "memory",
            Self::Resident => "resident",
            Self::Beside => "beside",
            Self::Rise => "rise",
            Self::Slowest => "slowest",
            Self::Start => "start",
            Self::Size => "size",
        })
    }
}
