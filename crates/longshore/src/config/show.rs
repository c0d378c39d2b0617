//! `longshore config show`: the configuration in effect, as a file that would say the same.

use super::Config;
use super::key::join;
use super::origin::Origin;

/// `text` as a TOML string.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            control if control.is_control() => {
                quoted.extend([format!("\\u{:04X}", u32::from(control))]);
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

/// Which keys are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Every key.
    All,
    /// Those somebody set.
    Set,
}

/// Sections that mean something by being there. Defaults in them are shown as comments, or the file
/// shown would ask for logins, TLS and mail that the one read did not.
const OPTIONAL: [&str; 5] = ["tls", "auth", "auth.htpasswd", "auth.token", "index.mail"];

/// The configuration as TOML that says the same, each value that is not a default with its origin,
/// secrets hidden.
pub fn toml(config: &Config, which: Shown) -> String {
    let mut out = String::new();
    for (section, _, values) in config.settings.show() {
        let optional = OPTIONAL.contains(&section.as_str());
        let lines: Vec<_> = values
            .into_iter()
            .filter_map(|(name, value)| {
                let origin = config.origins.get(&join(&section, &name));
                line(
                    &name,
                    value,
                    origin.filter(|origin| **origin != Origin::Default),
                    optional,
                    which,
                )
            })
            .collect();
        if lines.is_empty() {
            continue;
        }
        if !section.is_empty() {
            let is_off = optional && lines.iter().all(|line| line.starts_with('#'));
            out.extend([
                if out.is_empty() { "" } else { "\n" },
                if is_off { "# " } else { "" },
            ]);
            out.extend(["[", &section, "]\n"]);
        }
        out.extend(lines);
    }
    out
}

/// The line of one key; none when it is not to be shown.
fn line(
    name: &str,
    value: Option<String>,
    origin: Option<&Origin>,
    optional: bool,
    which: Shown,
) -> Option<String> {
    match (value, origin) {
        (_, None) if which == Shown::Set => None,
        (None, _) => Some(format!("# {name} is not set\n")),
        (Some(value), None) if optional => Some(format!("# {name} = {value}\n")),
        (Some(value), None) => Some(format!("{name} = {value}\n")),
        (Some(value), Some(origin)) => Some(format!("{name} = {value}  # {}\n", said_by(origin))),
    }
}

/// An origin inside a comment: whatever a file or key is called, it stays on one line.
fn said_by(origin: &Origin) -> String {
    origin
        .to_string()
        .chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}
