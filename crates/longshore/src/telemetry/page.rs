//! The reference page of the metrics, made from the table that makes the metrics.

use std::fmt::Write as _;

use super::metrics::METRICS;

/// The page `docs/metrics.md`.
pub fn page() -> String {
    let mut page = String::from(
        "# Metrics\n\n\
         Made from the source by a test (`UPDATE_PAGES=1 cargo test -p longshore metrics`); the test fails when it is stale. Served in the OpenMetrics text format at\n\
         `http://127.0.0.1:5001/metrics` (`[metrics]` in the configuration). Beside them: `/livez`, `/readyz`, and\n\
         Distribution's `/debug/health`.\n\n\
         Label values are closed sets: no repository, tag or user is one of them.\n\n\
         | metric | kind | labels | meaning |\n|---|---|---|---|\n",
    );
    for metric in METRICS {
        let labels = if metric.labels.is_empty() {
            "-".to_owned()
        } else {
            format!("`{}`", metric.labels.join("`, `"))
        };
        let _ = writeln!(
            page,
            "| `{}` | {} | {labels} | {} |",
            metric.name,
            metric.kind.word(),
            metric.help
        );
    }
    page
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_in_the_documentation_is_the_one_made_here() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");
        if std::env::var_os("UPDATE_PAGES").is_some() {
            std::fs::write(path, super::page()).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(path).unwrap_or_default(),
            super::page(),
            "docs/metrics.md is stale: run this test with UPDATE_PAGES=1"
        );
    }
}
