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

/// The configuration as TOML, each value that is not a default with its origin, secrets hidden.
pub fn toml(config: &Config, which: Shown) -> String {
    let mut out = String::new();
    for (section, _, values) in config.settings.show() {
        let mut body = String::new();
        for (name, value) in values {
            let path = join(section, &name);
            let origin = config
                .origins
                .get(&path)
                .filter(|origin| **origin != Origin::Default);
            if which == Shown::Set && origin.is_none() {
                continue;
            }
            match (value, origin) {
                (None, _) => body.extend([format!("# {name} is not set\n")]),
                (Some(value), None) => body.extend([format!("{name} = {value}\n")]),
                (Some(value), Some(origin)) => {
                    body.extend([format!("{name} = {value}  # {}\n", said_by(origin))]);
                }
            }
        }
        if body.is_empty() {
            continue;
        }
        if !section.is_empty() {
            out.extend([format!(
                "{}[{section}]\n",
                if out.is_empty() { "" } else { "\n" }
            )]);
        }
        out.push_str(&body);
    }
    out
}

/// An origin inside a comment: whatever a file or key is called, it stays on one line.
fn said_by(origin: &Origin) -> String {
    origin
        .to_string()
        .chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}
