//! How one value is read from a [`Node`] and written back as TOML, per type.

use std::num::NonZeroU32;
use std::path::PathBuf;

use url::Url;

use super::key::Kind;
use super::node::{Datum, Node};
use super::origin::Origin;
use super::secret::Secret;
use super::show::quoted;

/// A type a key can have. `parse(show(x)) == x` for all but secrets, whose text is hidden.
pub trait Value: Sized {
    /// What values the key takes; the words of errors and documents come from it.
    fn kind() -> Kind;

    /// Reads a value.
    ///
    /// # Errors
    /// A [`Fault`] when the node is not of [`Value::kind`].
    fn parse(node: &Node) -> Result<Self, Fault>;

    /// The value as TOML; `None` when unset.
    fn show(&self) -> Option<String>;

    /// Whether it was read from the key's `..._file` twin.
    fn is_in_file(&self) -> bool {
        false
    }
}

/// Name and TOML of a field, under the name it is to be written back with.
pub fn shown<T: Value>(name: &str, value: &T) -> (String, Option<String>) {
    let name = if value.is_in_file() {
        format!("{name}_file")
    } else {
        name.to_owned()
    };
    (name, value.show())
}

/// A value that its key does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where it stands; inside a list, the item.
    pub at: Origin,
    /// What is wrong with it, to follow the key's name.
    pub what: String,
    /// What to write instead, where that is not plain from `what`.
    pub hint: Option<String>,
}

impl Fault {
    /// "must be `expected`, not what the node holds".
    pub fn of(node: &Node, kind: &Kind) -> Self {
        let what = format!("must be {}, not {}", kind.words(), node.words());
        Self {
            at: node.at.clone(),
            what,
            hint: None,
        }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Value for bool {
    fn kind() -> Kind {
        Kind::Bool
    }

    fn parse(node: &Node) -> Result<Self, Fault> {
        match &node.datum {
            Datum::Bool(value) => Ok(*value),
            Datum::Text(text) if text == "true" || text == "false" => {
                Err(Fault::of(node, &Self::kind()).hint("leave the quotes out"))
            }
            _ => Err(Fault::of(node, &Self::kind())),
        }
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

/// Reads a whole number into a type that knows its own bounds.
fn integer<T: TryFrom<i64>>(node: &Node, kind: &Kind) -> Result<T, Fault> {
    let Datum::Integer(value) = node.datum else {
        return Err(Fault::of(node, kind));
    };
    T::try_from(value).map_err(|_| Fault::of(node, kind))
}

impl Value for u32 {
    fn kind() -> Kind {
        Kind::Integer {
            min: 0,
            max: u32::MAX.into(),
        }
    }

    fn parse(node: &Node) -> Result<Self, Fault> {
        integer(node, &Self::kind())
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Value for NonZeroU32 {
    fn kind() -> Kind {
        Kind::Integer {
            min: 1,
            max: u32::MAX.into(),
        }
    }

    fn parse(node: &Node) -> Result<Self, Fault> {
        let value: u32 = integer(node, &Self::kind())?;
        Self::new(value).ok_or_else(|| Fault::of(node, &Self::kind()))
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

/// A share of a whole, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio(f64);

impl Ratio {
    /// Everything.
    pub const ALL: Self = Self(1.0);
    /// One of four parts.
    pub const QUARTER: Self = Self(0.25);

    /// The share as a number from 0 to 1.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Value for Ratio {
    fn kind() -> Kind {
        Kind::Ratio
    }

    fn parse(node: &Node) -> Result<Self, Fault> {
        match node.datum {
            Datum::Float(value) if (0.0..=1.0).contains(&value) => Ok(Self(value)),
            Datum::Integer(0) => Ok(Self(0.0)),
            Datum::Integer(1) => Ok(Self(1.0)),
            _ => Err(Fault::of(node, &Self::kind())),
        }
    }

    fn show(&self) -> Option<String> {
        Some(format!("{:?}", self.0))
    }
}

impl Value for String {
    fn kind() -> Kind {
        Kind::Text
    }

    fn parse(node: &Node) -> Result<Self, Fault> {
        match &node.datum {
            Datum::Text(text) if !text.is_empty() => Ok(text.clone()),
            _ => Err(Fault::of(node, &Self::kind())),
        }
    }

    fn show(&self) -> Option<String> {
        Some(quoted(self))
    }
}

impl Value for PathBuf {
    fn kind() -> Kind {
        Kind::Path
    }

    fn parse(node: &Node) -> Result<Self, Fault> {
        match &node.datum {
            Datum::Text(text) if !text.is_empty() && !text.contains('\0') => Ok(text.into()),
            _ => Err(Fault::of(node, &Self::kind())),
        }
    }

    fn show(&self) -> Option<String> {
        Some(quoted(&self.to_string_lossy()))
    }
}

impl Value for Url {
    fn kind() -> Kind {
        Kind::Url
    }

    fn parse(node: &Node) -> Result<Self, Fault> {
        let Datum::Text(text) = &node.datum else {
            return Err(Fault::of(node, &Self::kind()));
        };
        let url = Self::parse(text)
            .ok()
            .filter(|url| url.has_host() || url.scheme() == "sqlite");
        let url = url.ok_or_else(|| Fault::of(node, &Self::kind()))?;
        if url.password().is_some() || !url.username().is_empty() {
            // Said without the text: a URL is shown in many places, a password must not be.
            return Err(Fault {
                at: node.at.clone(),
                what: "must not carry a user name or password".into(),
                hint: None,
            });
        }
        Ok(url)
    }

    fn show(&self) -> Option<String> {
        Some(quoted(self.as_str()))
    }
}

/// A regular expression, matched in time linear to the text.
#[derive(Debug, Clone)]
pub struct Pattern(regex_lite::Regex);

impl Pattern {
    /// The compiled expression.
    pub fn regex(&self) -> &regex_lite::Regex {
        &self.0
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Value for Pattern {
    fn kind() -> Kind {
        Kind::Pattern
    }

    fn parse(node: &Node) -> Result<Self, Fault> {
        let Datum::Text(text) = &node.datum else {
            return Err(Fault::of(node, &Self::kind()));
        };
        match regex_lite::Regex::new(text) {
            Ok(regex) => Ok(Self(regex)),
            Err(error) => Err(Fault::of(node, &Self::kind()).hint(error.to_string())),
        }
    }

    fn show(&self) -> Option<String> {
        Some(quoted(self.0.as_str()))
    }
}

impl Value for Secret {
    fn kind() -> Kind {
        Kind::Secret
    }

    fn parse(node: &Node) -> Result<Self, Fault> {
        match &node.datum {
            Datum::Text(text) if text == Self::HIDDEN => Err(Fault {
                at: node.at.clone(),
                what: "holds the stars that `longshore config show` prints in place of a secret"
                    .into(),
                hint: Some("write the secret itself, or name a file that holds it".into()),
            }),
            Datum::Text(text) if !text.is_empty() => Ok(Self::new(text)),
            Datum::SecretFile(file) => Self::read(file).map_err(|error| Fault {
                at: node.at.clone(),
                what: format!("cannot be read from {}: {error}", file.display()),
                hint: None,
            }),
            // The value is left out of the message even when it is of the wrong type.
            _ => Err(Fault {
                at: node.at.clone(),
                what: format!("must be {}", Self::kind().words()),
                hint: None,
            }),
        }
    }

    fn show(&self) -> Option<String> {
        Some(quoted(
            &self
                .file()
                .map_or(Self::HIDDEN.into(), |file| file.to_string_lossy()),
        ))
    }

    fn is_in_file(&self) -> bool {
        self.file().is_some()
    }
}

impl<T: Value> Value for Option<T> {
    fn kind() -> Kind {
        T::kind()
    }

    fn parse(node: &Node) -> Result<Self, Fault> {
        T::parse(node).map(Some)
    }

    fn show(&self) -> Option<String> {
        self.as_ref().and_then(T::show)
    }

    fn is_in_file(&self) -> bool {
        self.as_ref().is_some_and(T::is_in_file)
    }
}

impl<T: Value> Value for Vec<T> {
    fn kind() -> Kind {
        Kind::List(Box::new(T::kind()))
    }

    fn parse(node: &Node) -> Result<Self, Fault> {
        match &node.datum {
            Datum::List(items) => items.iter().map(T::parse).collect(),
            // One value needs no brackets: `listen = "127.0.0.1:5000"`.
            _ => T::parse(node).map(|only| vec![only]),
        }
    }

    fn show(&self) -> Option<String> {
        let items: Vec<_> = self.iter().filter_map(T::show).collect();
        Some(format!("[{}]", items.join(", ")))
    }
}

/// Declares an enum whose values are words in the file.
macro_rules! choice {
    (
        $(#[doc = $doc:literal])*
        $name:ident { $( $(#[doc = $variant_doc:literal])* $variant:ident = $word:literal ),* $(,)? }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $( $(#[doc = $variant_doc])* $variant ),* }

        impl $name {
            /// The word the file uses.
            pub fn word(self) -> &'static str {
                match self { $( Self::$variant => $word ),* }
            }
        }

        impl $crate::config::value::Value for $name {
            fn kind() -> $crate::config::key::Kind {
                $crate::config::key::Kind::Choice(&[$($word),*])
            }

            fn parse(
                node: &$crate::config::node::Node,
            ) -> Result<Self, $crate::config::value::Fault> {
                match &node.datum {
                    $( $crate::config::node::Datum::Text(text) if text == $word => Ok(Self::$variant), )*
                    _ => Err($crate::config::value::Fault::of(node, &Self::kind())),
                }
            }

            fn show(&self) -> Option<String> {
                Some($crate::config::show::quoted(self.word()))
            }
        }
    };
}
pub(crate) use choice;
