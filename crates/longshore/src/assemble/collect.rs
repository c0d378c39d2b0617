//! What collection is told.

use longshore_store::{GcOptions, Untagged};

use crate::config::{self, Config};

/// The options of collection. Where nothing may be written nothing is collected.
pub(super) fn options(config: &Config) -> GcOptions {
    let (gc, trash) = (&config.gc, &config.trash);
    GcOptions {
        enabled: gc.enabled && !config.storage.read_only,
        interval: gc.interval,
        unreferenced: gc.unreferenced,
        quarantine: gc.quarantine,
        trash: trash.time,
        trash_untagged: trash.untagged_time,
        history: trash.tag_history,
        untagged: match gc.untagged {
            config::Untagged::Keep => Untagged::Keep,
            config::Untagged::Parts => Untagged::Parts,
            config::Untagged::All => Untagged::All,
        },
        pace: thousandths(gc.pace.get()),
        ..GcOptions::default()
    }
}

/// A share of at most 1 in thousandths, at least one of them.
fn thousandths(share: f64) -> u32 {
    let most = (1..=1000_u32).rev();
    let mut fitting = most.skip_while(|part| f64::from(*part) > share * 1000.0);
    fitting.next().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_never_nothing_and_never_more_than_all() {
        for (share, parts) in [(0.0, 1), (0.0001, 1), (0.25, 250), (1.0, 1000)] {
            assert_eq!(thousandths(share), parts);
        }
    }
}
