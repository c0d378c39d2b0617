//! What people say of a repository, before it is said.

use longshore_core::{Code, Error, Result};
use serde_json::{Map, Value};

/// The most links, and the longest of them, in bytes after the scheme.
const LINKS: (usize, usize) = (20, 500);
/// The most labels, the longest name of one, and the longest value, in characters.
const LABELS: (usize, usize, usize) = (64, 128, 256);
/// How links begin that can be followed without running anything.
const SCHEMES: [&str; 3] = ["https://", "http://", "mailto:"];

/// What is to be said of a repository; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// What it is, in a line.
    pub description: Option<String>,
    /// What it is, in Markdown.
    pub readme: Option<String>,
    /// Addresses.
    pub links: Option<Vec<String>>,
    /// Words and their values.
    pub labels: Option<Map<String, Value>>,
}

impl Said {
    /// Checks links and labels. How long texts may be is looked at where they are kept.
    ///
    /// # Errors
    /// `QueryInvalid`.
    pub(crate) fn check(&self) -> Result<()> {
        let invalid = |what: &str| Err(Error::new(Code::QueryInvalid, what));
        let (most, longest) = LINKS;
        if let Some(links) = &self.links
            && (links.len() > most || !links.iter().all(|link| is_link(link, longest)))
        {
            return invalid(
                "`links` are at most 20 addresses of https, http or mailto, each of at most 500 characters",
            );
        }
        let (most, name, value) = LABELS;
        let is_label = |(key, to): (&String, &Value)| {
            let to = to.as_str().map(|it| it.chars().count());
            (1..=name).contains(&key.chars().count()) && to.is_some_and(|it| it <= value)
        };
        if let Some(labels) = &self.labels
            && (labels.len() > most || !labels.iter().all(is_label))
        {
            return invalid(
                "`labels` are at most 64, their names have from 1 to 128 characters and their values at most 256",
            );
        }
        Ok(())
    }
}

fn is_link(text: &str, longest: usize) -> bool {
    let rest = SCHEMES.iter().find_map(|scheme| text.strip_prefix(scheme));
    rest.is_some_and(|rest| (1..=longest).contains(&rest.len()))
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}
