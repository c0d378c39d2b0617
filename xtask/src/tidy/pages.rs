//! What an operator can set or watch stands on its page: environment variables and metrics.
//!
//! Configuration keys generate their own variables (`LONGSHORE__SECTION__KEY`) and their own page, so those are not looked for.
//! Every other variable, and every metric, is found where the code names it: a metric is a string that starts with
//! `longshore_` and is not the name of a crate, or whatever a registry of metrics is given as a name.

use super::Finding;
use super::settings::Settings;
use super::source::{Code, Text, line_of};
use super::tree::Tree;

const VARIABLES: &str = "docs/configuration.md";
const METRICS: &str = "docs/metrics.md";

/// The calls whose first argument is the name of a variable.
const READS: &[&str] = &["env::var(", "env::var_os("];
/// The calls whose first argument is the name of a metric.
const REGISTERS: &[&str] = &[".register(", ".register_with_unit("];

/// Every variable that the shipped code names is on the configuration page.
pub(super) fn variables(tree: &Tree, _: &Settings) -> Vec<Finding> {
    named(tree, VARIABLES, "environment variable", |code, string| {
        let ours = string.value.starts_with("LONGSHORE_") && is_variable(&string.value);
        let generated = string.value.starts_with("LONGSHORE__");
        (ours || follows(code, string, READS)) && !generated
    })
}

/// Every metric that the shipped code names is on the metrics page.
pub(super) fn metrics(tree: &Tree, settings: &Settings) -> Vec<Finding> {
    let is_crate = |name: &str| settings.levels.contains_key(&name.replace('_', "-"));
    named(tree, METRICS, "metric", |code, string| {
        let ours = string.value.starts_with("longshore_") && is_metric(&string.value);
        (ours && !is_crate(&string.value)) || follows(code, string, REGISTERS)
    })
}

fn named(
    tree: &Tree,
    page: &str,
    kind: &str,
    is_name: impl Fn(&Code, &Text) -> bool,
) -> Vec<Finding> {
    let text = tree.get(page).map_or("", |file| file.text.as_str());
    let mut findings = Vec::new();
    for (path, file) in tree.under("crates/", "rs") {
        let Some(code) = &file.code else { continue };
        for string in code.strings.iter().filter(|string| is_name(code, string)) {
            if !stands_on(text, &string.value) {
                findings.push(Finding {
                    path: path.to_owned(),
                    line: line_of(&file.text, string.at),
                    what: format!("the {kind} `{}` is not on {page}", string.value),
                    why: "what is not on its page can be found only by reading the source"
                        .to_owned(),
                    fix: format!(
                        "describe it where {page} is generated from, then write the page anew"
                    ),
                });
            }
        }
    }
    findings
}

/// Whether the page has `name` in code quotes, alone or as the end of a longer name (a registry adds its prefix).
fn stands_on(page: &str, name: &str) -> bool {
    page.split('`').skip(1).step_by(2).any(|quoted| {
        let word = quoted.split(['{', '=', ' ']).next().unwrap_or_default();
        word == name || word.strip_suffix("_total").unwrap_or(word).ends_with(name)
    })
}

/// Whether `string` is the first argument of one of `calls`.
fn follows(code: &Code, string: &Text, calls: &[&str]) -> bool {
    let before = code.shipped.get(..string.at).unwrap_or_default().trim_end();
    calls.iter().any(|call| before.ends_with(call))
}

fn is_metric(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn is_variable(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tree::sample;

    #[test]
    fn a_variable_that_is_not_on_the_page_is_found() {
        let source = "fn a() {\n let b = \"LONGSHORE_SECRET_DOOR\";\n env::var(\"NOTIFY_SOCKET\");\n f(\"LONGSHORE__A__B\") }";
        let bare = sample(&[("crates/x/src/a.rs", source)]);
        let lines: Vec<usize> = variables(&bare, &Settings::default())
            .iter()
            .map(|f| f.line)
            .collect();
        assert_eq!(lines, [2, 3]);
        let page = "| `LONGSHORE_SECRET_DOOR` | `NOTIFY_SOCKET` |";
        let full = sample(&[("crates/x/src/a.rs", source), (VARIABLES, page)]);
        assert_eq!(variables(&full, &Settings::default()), []);
    }

    #[test]
    fn a_metric_in_a_table_is_found_and_a_crate_is_no_metric() {
        let source = "const A: &str = \"longshore_pushes_total\"; filter(\"longshore_store\", \"longshore_store=debug\");";
        let settings = Settings {
            levels: [("longshore-store".to_owned(), 3)].into(),
            ..Settings::default()
        };
        let bare = sample(&[("crates/x/src/a.rs", source)]);
        let found = metrics(&bare, &settings);
        assert_eq!(found.len(), 1);
        assert!(found[0].what.contains("longshore_pushes_total"));
        let full = sample(&[
            ("crates/x/src/a.rs", source),
            (METRICS, "| `longshore_pushes_total` |"),
        ]);
        assert_eq!(metrics(&full, &settings), []);
    }

    #[test]
    fn a_metric_that_is_not_on_the_page_is_found() {
        let source = "fn a() { r.register(\n    \"pushes\", \"help\", c.clone()); other(\"x\") }";
        let bare = sample(&[("crates/x/src/a.rs", source)]);
        assert_eq!(metrics(&bare, &Settings::default()).len(), 1);
        let full = sample(&[
            ("crates/x/src/a.rs", source),
            (METRICS, "- `longshore_pushes_total{op}`: pushes"),
        ]);
        assert_eq!(metrics(&full, &Settings::default()), []);
    }
}
