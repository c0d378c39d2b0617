//! Where a value came from, so that an error can point at it and `config show` can name it.

use std::fmt;
use std::sync::Arc;

/// The place a configuration value was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A TOML file; line and column count from 1, the column in characters.
    File {
        /// The file's name as it was given.
        file: Arc<str>,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// An environment variable, by its full name.
    Variable(String),
    /// A command line flag, with its dashes.
    Flag(&'static str),
    /// A place in a Distribution `config.yml` (`config.yml:3:5`) or a `REGISTRY_*` variable.
    Distribution(String),
}

impl Origin {
    /// The place of byte `offset` in `text`, the content of `file`.
    pub fn in_file(file: &Arc<str>, text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self::File {
            file: Arc::clone(file),
            line: before.matches('\n').count() + 1,
            column: before
                .get(line_start..)
                .map_or(0, |line| line.chars().count())
                + 1,
        }
    }
}

impl Origin {
    /// The place in a file, for putting several in order.
    pub fn line_and_column(&self) -> Option<(usize, usize)> {
        match self {
            Self::File { line, column, .. } => Some((*line, *column)),
            Self::Distribution(place) => {
                // `config.yml:3:5`, perhaps with the key in brackets after it.
                let place = place.split(" (").next()?;
                let (place, column) = place.rsplit_once(':')?;
                let (_, line) = place.rsplit_once(':')?;
                Some((line.parse().ok()?, column.parse().ok()?))
            }
            Self::Default | Self::Variable(_) | Self::Flag(_) => None,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { file, line, column } => write!(f, "{file}:{line}:{column}"),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(flag) => f.write_str(flag),
            Self::Distribution(key) => f.write_str(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_count_from_one() {
        let text = "a = 1\nbé = 2\n";
        let place = |offset| Origin::in_file(&Arc::from("f"), text, offset).to_string();
        assert_eq!(place(0), "f:1:1");
        assert_eq!(place(6), "f:2:1");
        assert_eq!(place(text.find('2').unwrap()), "f:2:6");
        assert_eq!(place(9_999), "f:3:1");
    }
}
