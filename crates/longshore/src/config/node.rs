//! A value as a source wrote it, with its place, before its key gave it a type.

use std::sync::Arc;

use toml::Spanned;
use toml::de::DeValue;

use super::key::Kind;
use super::origin::Origin;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Node {
    /// The value.
    pub datum: Datum,
    /// Its place.
    pub at: Origin,
}

/// The shapes a source can write.
#[derive(Debug, Clone)]
pub enum Datum {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Names and values, in the order written.
    Table(Vec<(String, Node)>),
    /// The file that holds a secret.
    SecretFile(std::path::PathBuf),
    /// Something no key takes; holds its name.
    Other(&'static str),
}

impl Node {
    /// A string at `at`.
    pub fn text(text: impl Into<String>, at: Origin) -> Self {
        Self {
            datum: Datum::Text(text.into()),
            at,
        }
    }

    /// Reads `value`, which stands in `text`, the content of `file`.
    pub fn from_toml(value: &Spanned<DeValue<'_>>, file: &Arc<str>, text: &str) -> Self {
        let at = Origin::in_file(file, text, value.span().start);
        let datum = match value.get_ref() {
            DeValue::Boolean(value) => Datum::Bool(*value),
            DeValue::Integer(value) => i64::from_str_radix(value.as_str(), value.radix())
                .map_or(Datum::Other("a number out of range"), Datum::Integer),
            DeValue::Float(value) => value
                .as_str()
                .parse()
                .map_or(Datum::Other("a number out of range"), Datum::Float),
            DeValue::String(value) => Datum::Text(value.to_string()),
            DeValue::Array(values) => Datum::List(
                values
                    .iter()
                    .map(|value| Self::from_toml(value, file, text))
                    .collect(),
            ),
            DeValue::Table(entries) => Datum::Table(
                entries
                    .iter()
                    .map(|(name, value)| (name.to_string(), Self::from_toml(value, file, text)))
                    .collect(),
            ),
            DeValue::Datetime(_) => Datum::Other("a date"),
        };
        Self { datum, at }
    }

    /// Reads the text of an environment variable or flag as its key's kind asks: a string needs no
    /// quotes, a list is either TOML (`["a", "b"]`) or parted by commas.
    ///
    /// What does not fit stays a string, for the key to refuse with its own words.
    pub fn from_text(kind: &Kind, text: &str, at: Origin) -> Self {
        let datum = match kind {
            Kind::Bool => text.parse().ok().map(Datum::Bool),
            Kind::Integer { .. } => text.parse().ok().map(Datum::Integer),
            Kind::Ratio => text.parse().ok().map(Datum::Float),
            Kind::List(_) | Kind::Headers if text.starts_with(['[', '{']) => {
                DeValue::parse(text).ok().map(|value| {
                    let mut node = Self::from_toml(&value, &Arc::from(""), text);
                    node.move_to(&at);
                    node.datum
                })
            }
            Kind::List(item) => Some(Datum::List(
                text.split(',')
                    .map(|part| Self::from_text(item, part.trim(), at.clone()))
                    .collect(),
            )),
            _ => None,
        };
        Self {
            datum: datum.unwrap_or_else(|| Datum::Text(text.to_owned())),
            at,
        }
    }

    /// Gives the node and all in it the place `at`: inside an environment variable there are no lines.
    fn move_to(&mut self, at: &Origin) {
        self.at = at.clone();
        match &mut self.datum {
            Datum::List(items) => items.iter_mut().for_each(|item| item.move_to(at)),
            Datum::Table(entries) => entries.iter_mut().for_each(|(_, entry)| entry.move_to(at)),
            _ => {}
        }
    }

    /// The value in a few words, for "not ..." in an error.
    pub fn words(&self) -> String {
        match &self.datum {
            Datum::Bool(value) => value.to_string(),
            Datum::Integer(value) => value.to_string(),
            Datum::Float(value) => value.to_string(),
            Datum::Text(text) => super::show::quoted(text),
            Datum::List(_) => "a list".to_owned(),
            Datum::Table(_) => "a table".to_owned(),
            Datum::SecretFile(_) => "a file".to_owned(),
            Datum::Other(name) => (*name).to_owned(),
        }
    }
}
