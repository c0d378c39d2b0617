//! Query strings: pairs of text, each decoded once.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::host::Host;

/// The pairs of a query string, in order. A name without `=` has an empty value.
///
/// A `+` stays a `+`: no parameter of this API can hold a space, while media types (`artifactType=…+json`) hold plus
/// signs that clients do not always encode.
pub(super) fn pairs(query: Option<&str>) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    query
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
}

/// Decodes percent escapes once. What is no UTF-8 then becomes U+FFFD, which no grammar here accepts.
pub(super) fn decode(text: &str) -> Cow<'_, str> {
    if text.as_bytes().contains(&b'%') {
        percent_decode_str(text).decode_utf8_lossy()
    } else {
        Cow::Borrowed(text)
    }
}

/// A parameter that may be given once.
#[derive(Debug, Default)]
pub(super) struct Once<'a>(Option<Cow<'a, str>>);

impl<'a> Once<'a> {
    /// Takes a value.
    ///
    /// # Errors
    /// `twice`, if there is one already.
    pub(super) fn set<E>(&mut self, value: Cow<'a, str>, twice: E) -> Result<(), E> {
        match self.0.replace(value) {
            None => Ok(()),
            Some(_) => Err(twice),
        }
    }

    /// The value, if the parameter was given.
    pub(super) fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The value, if the parameter was given and not left empty.
    pub(super) fn filled(&self) -> Option<&str> {
        self.get().filter(|value| !value.is_empty())
    }
}

/// The `ns` parameter. A registry may ignore it, so one that is no host, or is given twice, is ignored.
pub(super) fn ns(query: Option<&str>) -> Option<Host> {
    query?;
    let mut hosts = pairs(query).filter(|(name, _)| name == "ns");
    match (hosts.next(), hosts.next()) {
        (Some((_, host)), None) => host.parse().ok(),
        _ => None,
    }
}
