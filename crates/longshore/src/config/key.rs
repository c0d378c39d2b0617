//! The one table of keys.
//!
//! A key is declared once, as a documented field with a type and a default, in a [`section!`]. From
//! that come the struct the program reads, the check of files and variables, `config show`, the JSON
//! Schema and the reference page. So a key that is read but not documented, or documented but not
//! read, cannot be written.

use super::reader::Reader;
use super::value::Value;

/// One configuration key as users see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// The dotted path of its section; empty for the keys at the top of the file.
    pub section: &'static str,
    /// The name inside the section.
    pub name: String,
    /// What it means, one line of source text per element, each with its leading blank.
    pub doc: &'static [&'static str],
    /// What values it takes.
    pub kind: Kind,
    /// The default as TOML; `None` where the key is unset unless somebody sets it.
    pub default: Option<String>,
    /// The first version that knows it.
    pub since: &'static str,
}

impl Key {
    /// The dotted path, as errors and documents write it.
    pub fn path(&self) -> String {
        join(self.section, &self.name)
    }

    /// The environment variable that sets it.
    pub fn variable(&self) -> String {
        format!(
            "LONGSHORE__{}",
            self.path().replace('.', "__").to_uppercase()
        )
    }
}

/// The dotted path of `name` in `section`.
pub fn join(section: &str, name: &str) -> String {
    if section.is_empty() {
        name.to_owned()
    } else {
        format!("{section}.{name}")
    }
}

/// The values a key takes.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// A whole number, bounds included.
    Integer {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// A number from 0 to 1.
    Ratio,
    /// Any string that is not empty.
    Text,
    /// A file or directory.
    Path,
    /// An amount of bytes.
    Size,
    /// A length of time.
    Duration,
    /// An address to listen on.
    Listen,
    /// An absolute URL.
    Url,
    /// A range of IP addresses.
    Network,
    /// A regular expression.
    Pattern,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Several of a kind; one may stand without brackets.
    List(Box<Kind>),
    /// HTTP header names with their values.
    Headers,
    /// Text that is never shown; its twin `..._file` names a file that holds it.
    Secret,
}

impl Kind {
    /// What a value must be, to follow "must be".
    pub fn words(&self) -> String {
        match self {
            Self::Bool => "true or false".into(),
            Self::Integer { min, max } if *max >= i64::from(u32::MAX) => {
                format!("a whole number, {min} or more")
            }
            Self::Integer { min, max } => format!("a whole number from {min} to {max}"),
            Self::Ratio => "a number from 0 to 1".into(),
            Self::Text => "a string that is not empty".into(),
            Self::Path => "a path in quotes".into(),
            Self::Size => "a size such as \"4 MiB\"".into(),
            Self::Duration => "a duration such as \"30s\" or \"1h30m\"".into(),
            Self::Listen => {
                "an address such as \"127.0.0.1:5000\", \":5000\" or \"unix:/run/longshore.sock\""
                    .into()
            }
            Self::Url => "an absolute URL such as \"https://reg.example\"".into(),
            Self::Network => "an IP address or range such as \"10.0.0.0/8\"".into(),
            Self::Pattern => "a regular expression".into(),
            Self::Choice(words) => {
                let words: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
                match words.as_slice() {
                    [only] => only.clone(),
                    _ => format!("one of {}", words.join(", ")),
                }
            }
            Self::List(item) => format!("a list, each {}", item.words()),
            Self::Headers => {
                "a table of header names and values such as { X-Frame-Options = \"DENY\" }".into()
            }
            Self::Secret => "a string in quotes".into(),
        }
    }
}

/// A family of keys that stand under one table of the file.
pub trait Section: Sized {
    /// The dotted path of the table; empty for the top of the file.
    const PATH: &'static str;
    /// What the section is about, as [`Key::doc`].
    const DOC: &'static [&'static str];

    /// Its keys in the order they are declared; a secret's `..._file` twin follows it.
    fn keys() -> Vec<Key>;

    /// Takes its values out of what the sources said; problems go to the reader.
    fn read(reader: &mut Reader) -> Self {
        Self::read_at(reader, Self::PATH)
    }

    /// The same from the table `path`.
    fn read_at(reader: &mut Reader, path: &str) -> Self;

    /// The values as TOML, in the order of [`Section::keys`]; `None` for unset.
    fn show(&self) -> Vec<(String, Option<String>)>;

    /// The same for each table of the file that it is.
    fn tables(&self) -> Vec<Shown> {
        vec![(Self::PATH.to_owned(), Self::DOC, self.show())]
    }
}

/// The path, words and values of a table, for showing.
pub type Shown = (
    String,
    &'static [&'static str],
    Vec<(String, Option<String>)>,
);

/// The keys of one field: itself, and the file twin of a secret.
pub fn keys_of<T: Value>(
    section: &'static str,
    name: &'static str,
    doc: &'static [&'static str],
    default: &T,
    since: &'static str,
) -> Vec<Key> {
    let key = Key {
        section,
        name: name.to_owned(),
        doc,
        kind: T::kind(),
        default: default.show(),
        since,
    };
    if key.kind != Kind::Secret {
        return vec![key];
    }
    let twin = Key {
        name: format!("{name}_file"),
        doc: &[
            " A file that holds the value of the key above; a line break at its end is ignored.",
        ],
        kind: Kind::Path,
        default: None,
        ..key.clone()
    };
    vec![key, twin]
}

/// Declares a [`Section`]: `Name at "path" since "version" { /// doc  key: Type = default, ... }`.
macro_rules! section {
    (
        $(#[doc = $section_doc:literal])*
        $name:ident at $path:literal since $since:literal {
            $( $(#[doc = $doc:literal])* $key:ident: $type:ty = $default:expr ),* $(,)?
        }
    ) => {
        $(#[doc = $section_doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $( $(#[doc = $doc])* pub $key: $type, )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $key: $default, )* }
            }
        }

        impl $crate::config::key::Section for $name {
            const PATH: &'static str = $path;
            const DOC: &'static [&'static str] = &[$($section_doc),*];

            fn keys() -> Vec<$crate::config::key::Key> {
                let mut keys = Vec::new();
                $( keys.extend($crate::config::key::keys_of::<$type>(
                    $path, stringify!($key), &[$($doc),*], &$default, $since,
                )); )*
                keys
            }

            fn read_at(reader: &mut $crate::config::reader::Reader, path: &str) -> Self {
                Self { $( $key: reader.take(path, stringify!($key), || $default), )* }
            }

            fn show(&self) -> Vec<(String, Option<String>)> {
                vec![ $( $crate::config::value::shown(stringify!($key), &self.$key), )* ]
            }
        }
    };
}
pub(crate) use section;
