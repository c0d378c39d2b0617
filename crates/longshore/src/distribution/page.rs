//! The page `docs/from-distribution.md`, written from the table.

use super::table::{Effect, ROWS, Row};
use crate::config::reference::cell;

const INTRODUCTION: &str = "\
# Coming from Distribution (`registry:2`, `registry:3`)

<!-- Written by `longshore config schema --format from-distribution`; a test keeps it so. Do not edit. -->

Longshore starts from the `config.yml` of a Distribution registry, and understands its `REGISTRY_*` environment variables:

```sh
longshore serve /etc/distribution/config.yml
REGISTRY_HTTP_ADDR=:5000 REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=/srv longshore serve
```

Without a file, `REGISTRY_*` variables go over the configuration of the registry image: data in `/var/lib/registry`,
listening on `:5000`. `LONGSHORE__*` variables and flags go over both. `longshore config check config.yml` says what would
happen, `longshore config convert config.yml` prints the same as Longshore's own TOML.

What differs at once:

- Listening for everybody without any login is allowed with such a file, as it was before; the start says so.
- Images that lie in the data directory are taken over at the first start: no blob is copied or moved, and the old registry
  must be stopped by then. [Taking over](takeover.md) says how, what happens to broken trees, and how to go back.
- Deleting is off unless `storage.delete.enabled`, and metrics are off unless `http.debug.addr`.
- Keys that neither registry knows are ignored, and the start says so.

Each key works, has no effect (the start says so), or refuses the start where going on without it would be unsafe.
";

/// The page, Markdown.
pub fn markdown() -> String {
    let mut page = INTRODUCTION.to_owned();
    let rows = |wanted: fn(Effect) -> Option<String>| {
        ROWS.iter()
            .filter_map(move |row| Some(line(row, &wanted(row.effect)?)))
    };
    page.push_str("\n## Works\n\n| Key | Becomes |\n|---|---|\n");
    page.extend(rows(|effect| match effect {
        Effect::Works(text) => Some(text.to_owned()),
        _ => None,
    }));
    page.push_str("\n## Has no effect\n\n| Key | Why that is no harm |\n|---|---|\n");
    page.extend(rows(|effect| match effect {
        Effect::NoEffect(text) => Some(text.to_owned()),
        Effect::Always(value, text) => Some(format!("always `{value}`: {text}")),
        _ => None,
    }));
    page.push_str("\n## Refuses the start\n\nUnless it is empty or switched off.\n\n| Key | Why |\n|---|---|\n");
    page.extend(rows(|effect| match effect {
        Effect::Refused(text) | Effect::RefusedByName(text) => Some(text.to_owned()),
        _ => None,
    }));
    page
}

fn line(row: &Row, text: &str) -> String {
    format!("| `{}` | {} |\n", row.path, cell(text))
}
