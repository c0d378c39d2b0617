//! Words from the operator to the people behind clients, in `Warning` headers. Source: distribution-spec, "Warnings".

use http::HeaderValue;

use super::urls::value;

/// Warnings that go with every response, such as that the registry moves. Clients may show them and act on none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Warnings(Vec<HeaderValue>);

/// Why texts cannot be sent as warnings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WarningError {
    /// Empty, or with characters outside of printable ASCII.
    #[error("a warning is a line of printable ASCII")]
    Text,
    /// More than [`Warnings::MAX_BYTES`] bytes.
    #[error("all warnings together have at most {} bytes", Warnings::MAX_BYTES)]
    TooLong,
}

impl Warnings {
    /// The most bytes of all warnings together, as they are sent.
    pub const MAX_BYTES: usize = 4096;

    /// These warnings, in this order.
    ///
    /// # Errors
    /// One of them is no line of printable ASCII, or they are too long together.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, WarningError> {
        let mut bytes = 0;
        let mut lines = Vec::new();
        for text in texts {
            if text.is_empty() || !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
                return Err(WarningError::Text);
            }
            let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
            let line = format!("299 - \"{quoted}\"");
            bytes += line.len();
            lines.push(value(line));
        }
        if bytes > Self::MAX_BYTES {
            return Err(WarningError::TooLong);
        }
        Ok(Self(lines))
    }

    pub(super) fn lines(&self) -> &[HeaderValue] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_quoted_and_says_who_warns_and_how() {
        let warnings = Warnings::new([r#"the "old" \ registry ends in May"#]).unwrap();
        assert_eq!(
            warnings.lines(),
            [r#"299 - "the \"old\" \\ registry ends in May""#]
        );
    }

    #[test]
    fn what_no_header_can_hold_and_what_is_too_long_is_refused() {
        for text in ["", "a\nb", "caf\u{e9}"] {
            assert_eq!(Warnings::new([text]), Err(WarningError::Text), "{text:?}");
        }
        let half = "x".repeat(2000);
        assert!(Warnings::new([half.as_str(); 2]).is_ok());
        assert_eq!(
            Warnings::new([half.as_str(); 3]),
            Err(WarningError::TooLong)
        );
    }
}
