//! Text that must never be printed.

use std::fmt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// A secret of the configuration, written down or read from a file.
///
/// It is shown as stars everywhere; only [`Secret::expose`] gives it out, so a search for that word
/// finds every use.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    text: Zeroizing<String>,
    file: Option<PathBuf>,
}

impl Secret {
    /// What stands in place of a secret.
    pub const HIDDEN: &'static str = "***";

    /// A secret that was written where it is used.
    pub fn new(text: &str) -> Self {
        Self {
            text: Zeroizing::new(text.to_owned()),
            file: None,
        }
    }

    /// Reads a secret from `file`; one line break at the end is not part of it, since editors add it.
    ///
    /// # Errors
    /// The file cannot be read as UTF-8, or holds nothing.
    pub fn read(file: &Path) -> std::io::Result<Self> {
        let text = Zeroizing::new(std::fs::read_to_string(file)?);
        let secret = text.strip_suffix('\n').unwrap_or(&text);
        let secret = secret.strip_suffix('\r').unwrap_or(secret);
        if secret.is_empty() {
            return Err(std::io::Error::new(
                std::io::ErrorKind::InvalidData,
                "the file is empty",
            ));
        }
        Ok(Self {
            text: Zeroizing::new(secret.to_owned()),
            file: Some(file.to_owned()),
        })
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The file it was read from.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(Self::HIDDEN, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_stars_in_debug_output() {
        assert_eq!(
            format!("{:?}", Some(Secret::new("hunter2"))),
            "Some(\"***\")"
        );
    }

    #[test]
    fn one_line_break_at_the_end_of_a_secret_file_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        for (content, secret) in [
            ("a b\n", "a b"),
            ("x\r\n", "x"),
            ("x\n\n", "x\n"),
            ("x", "x"),
        ] {
            std::fs::write(&file, content).unwrap();
            assert_eq!(Secret::read(&file).unwrap().expose(), secret);
        }
        std::fs::write(&file, "\n").unwrap();
        assert_eq!(
            Secret::read(&file).unwrap_err().to_string(),
            "the file is empty"
        );
    }
}
