//! JSON as a tree that cannot be misread: bounded while it is built, no name twice, valid Unicode throughout.
//!
//! `serde_json::Value` keeps the last of two equal names and loses that there were two; another reader may keep the
//! first and see another manifest. Here that is an error, like everything I-JSON (RFC 7493) forbids.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{Limits, ManifestError};

/// A JSON value that borrows its text from the bytes it was read from, where no escape stands in the way.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Bool,
    /// A number that fits an `int64`.
    Int(i64),
    /// Any other number: a fraction, an exponent, or too large.
    Number,
    Text(Cow<'a, str>),
    List(Vec<Self>),
    Object(Object<'a>),
}

/// A JSON object: its members in the order written, no two with the same name.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Object<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

impl<'a> Object<'a> {
    /// The member of this name.
    pub(super) fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Value<'a>)> {
        self.0.iter().map(|(key, value)| (key.as_ref(), value))
    }

    /// The first member whose name is one of `names` but for its case.
    ///
    /// Readers written in Go take such a name for the real one. Whoever checks a manifest and whoever runs it must
    /// not see two different ones.
    pub(super) fn lookalike<'n>(&self, names: &[&'n str]) -> Option<&'n str> {
        self.iter()
            .filter(|(key, _)| !names.contains(key))
            .find_map(|(key, _)| {
                let folds_to = |name: &&str| key.chars().map(fold).eq(name.chars().map(fold));
                names.iter().copied().find(folds_to)
            })
    }
}

/// Simple case folding as far as it can end at an ASCII letter: two characters beyond ASCII do.
const fn fold(letter: char) -> char {
    match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        letter => letter.to_ascii_lowercase(),
    }
}

/// Reads a whole document.
///
/// # Errors
/// `Json` for what is no JSON or no Unicode, `TooDeep`, `TooManyValues`, `DuplicateName`; in time proportional to the
/// bytes read until then.
pub(super) fn parse<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Value<'a>, ManifestError> {
    let reading = Reading {
        values_left: Cell::new(limits.values),
        fault: Cell::new(None),
    };
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let seed = Seed {
        reading: &reading,
        depth_left: limits.depth,
    };
    let value = seed
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    value.map_err(|error| match reading.fault.take() {
        Some(Fault::TooDeep) => ManifestError::TooDeep {
            limit: limits.depth,
        },
        Some(Fault::TooManyValues) => ManifestError::TooManyValues {
            limit: limits.values,
        },
        Some(Fault::DuplicateName(name)) => ManifestError::DuplicateName { name },
        None => ManifestError::Json {
            line: error.line(),
            column: error.column(),
        },
    })
}

/// What all seeds of one document share.
struct Reading {
    values_left: Cell<usize>,
    /// Why reading stopped: serde's errors can only carry text.
    fault: Cell<Option<Fault>>,
}

enum Fault {
    TooDeep,
    TooManyValues,
    DuplicateName(Box<str>),
}

#[derive(Clone, Copy)]
struct Seed<'r> {
    reading: &'r Reading,
    depth_left: usize,
}

impl Seed<'_> {
    fn stop<E: serde::de::Error>(self, fault: Fault) -> E {
        self.reading.fault.set(Some(fault));
        E::custom("refused")
    }

    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.depth_left.checked_sub(1) {
            Some(depth_left) => Ok(Self { depth_left, ..self }),
            None => Err(self.stop(Fault::TooDeep)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        match self.reading.values_left.get().checked_sub(1) {
            Some(left) => self.reading.values_left.set(left),
            None => return Err(self.stop(Fault::TooManyValues)),
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value<'de>, E> {
        Ok(Value::Int(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value<'de>, E> {
        Ok(i64::try_from(number).map_or(Value::Number, Value::Int))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value<'de>, E> {
        Ok(Value::Number)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(inner)? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut members = Vec::new();
        while let Some(name) = map.next_key_seed(Name)? {
            members.push((name, map.next_value_seed(inner)?));
        }
        match duplicate(&members) {
            Some(name) => {
                // Into a message, so no longer than a line: a name may be as long as the manifest.
                let name: String = name.chars().take(NAME_SHOWN).collect();
                Err(self.stop(Fault::DuplicateName(name.into())))
            }
            None => Ok(Value::Object(Object(members))),
        }
    }
}

/// A name that two members have.
fn duplicate<'m>(members: &'m [(Cow<'_, str>, Value<'_>)]) -> Option<&'m str> {
    let names = members.iter().map(|(name, _)| name.as_ref());
    if members.len() <= FEW {
        return names.clone().enumerate().find_map(|(at, name)| {
            names
                .clone()
                .skip(at + 1)
                .any(|other| other == name)
                .then_some(name)
        });
    }
    // Sorted, not compared pairwise: an object may have as many members as the document has values.
    let mut sorted: Vec<&str> = names.collect();
    sorted.sort_unstable();
    sorted
        .array_windows()
        .find_map(|[one, next]| (one == next).then_some(*one))
}

/// How many characters of a name that stands twice are shown.
const NAME_SHOWN: usize = 64;

/// Up to this many names are cheaper to compare pairwise; nearly every object of a real manifest has fewer.
const FEW: usize = 8;

/// Reads a member's name, borrowed where possible.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}
