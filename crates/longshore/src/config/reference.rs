//! The reference page, `docs/configuration.md`, written from the table of keys.

use super::key::{Key, Kind};
use super::schema::prose;
use super::settings;

const INTRODUCTION: &str = "\
# Configuration

<!-- Written by `longshore config schema --format markdown`; a test keeps it so. Do not edit. -->

Longshore needs no configuration: `longshore serve` listens on `127.0.0.1:5000` and keeps its data in
`./longshore-data`. What you want otherwise goes, in this order, each overriding the one before:

1. a TOML file: `longshore serve --config longshore.toml`;
2. environment variables: `LONGSHORE__SECTION__KEY`, such as `LONGSHORE__LIMITS__MANIFEST=\"8 MiB\"`.
   Strings need no quotes, a list is parted by commas or written as TOML, an empty variable counts as not set;
3. flags, for the commonest keys: `longshore serve --help`.

A key that does not exist, a value of the wrong type, and values that make no sense together are refused, with
their place. `longshore config check` says what is wrong without starting anything, `longshore config show` prints
what is in effect and who set it, `longshore config schema` prints a JSON Schema for your editor.

A Distribution (`registry:2`, `registry:3`) `config.yml` is understood too: see [from-distribution.md](from-distribution.md).

Sizes are written `\"4 MiB\"` (1,024) or `\"4 MB\"` (1,000), durations `\"90s\"`, `\"1h30m\"`, `\"7d\"`. A key marked
*secret* is never printed; its twin `..._file` reads it from a file.
";

/// The page, Markdown.
pub fn markdown() -> String {
    let mut page = INTRODUCTION.to_owned();
    let keys = settings::keys();
    for (section, doc) in settings::sections() {
        let title = if section.is_empty() {
            "At the top of the file".into()
        } else {
            format!("`[{section}]`")
        };
        page.extend([format!("\n## {title}\n\n{}\n\n", prose(doc))]);
        page.push_str("| Key | Type | Default | Meaning |\n|---|---|---|---|\n");
        for key in keys.iter().filter(|key| key.section == section) {
            page.push_str(&row(key));
        }
    }
    page.push_str("\n## Environment variables\n\n`LONGSHORE_CONFIG` names the file, as `--config` does. Under systemd, `LISTEN_FDS` and `LISTEN_PID` hand over\nsockets in place of `listen`, and `NOTIFY_SOCKET` is told of readiness. Beyond that, one for each key, the same values:\n\n");
    page.push_str("| Variable | Key | Since |\n|---|---|---|\n");
    for key in &keys {
        page.extend([format!(
            "| `{}` | `{}` | {} |\n",
            key.variable(),
            key.path(),
            key.since
        )]);
    }
    page
}

fn row(key: &Key) -> String {
    let default = key
        .default
        .as_ref()
        .map_or_else(|| "not set".to_owned(), |default| format!("`{default}`"));
    format!(
        "| `{}` | {} | {default} | {} |\n",
        key.name,
        type_name(&key.kind),
        cell(&prose(key.doc))
    )
}

/// Text that may stand in a cell of a table.
pub fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn type_name(kind: &Kind) -> String {
    match kind {
        Kind::Bool => "true or false".into(),
        Kind::Integer { min, .. } => format!("number, {min} or more"),
        Kind::Ratio => "0 to 1".into(),
        Kind::Text => "string".into(),
        Kind::Path => "path".into(),
        Kind::Size => "size".into(),
        Kind::Duration => "duration".into(),
        Kind::Listen => "address".into(),
        Kind::Url => "URL".into(),
        Kind::Network => "IP range".into(),
        Kind::Pattern => "regular expression".into(),
        Kind::Choice(words) => words
            .iter()
            .map(|word| format!("`{word}`"))
            .collect::<Vec<_>>()
            .join(", "),
        Kind::List(item) => format!("list: {}", type_name(item)),
        Kind::Headers => "table of headers".into(),
        Kind::Secret => "*secret*".into(),
    }
}
