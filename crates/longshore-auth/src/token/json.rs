//! JSON without the parts that parsers disagree on.
//!
//! A claim that is there twice is one thing to the server that signed it and another to the one that reads it, and a
//! time given as a float, a text or a number beyond its range was read as "not given" by more than one library. So
//! duplicate names are an error at every depth, and the one kind of number that exists here is a whole one from 0 to
//! 2^64 - 1: anything else stays visible as something that is not a time.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A value of JSON (RFC 8259), read strictly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// A whole number that is not negative.
    Whole(u64),
    /// Any other number.
    OtherNumber,
    Text(String),
    List(Vec<Json>),
    Object(Object),
}

/// The members of an object.
pub(crate) type Object = BTreeMap<String, Json>;

impl Json {
    /// Reads one object and nothing after it.
    ///
    /// # Errors
    /// It is not JSON, nested too deeply, has a name twice, or is no object.
    pub(crate) fn object(bytes: &[u8]) -> Result<Object, &'static str> {
        match serde_json::from_slice(bytes) {
            Ok(Json::Object(object)) => Ok(object),
            Ok(_) => Err("it is JSON but no object"),
            Err(_) => Err("it is not JSON, or has a name twice"),
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without duplicate names")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Whole(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(u64::try_from(number).map_or(Json::OtherNumber, Json::Whole))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::OtherNumber)
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Json, E> {
        Ok(Json::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object = Object::new();
        while let Some(name) = members.next_key::<String>()? {
            match object.entry(name) {
                Entry::Vacant(seat) => {
                    seat.insert(members.next_value()?);
                }
                Entry::Occupied(_) => return Err(A::Error::custom("a name is there twice")),
            }
        }
        Ok(Json::Object(object))
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_there_twice_is_an_error_at_every_depth() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":[{"b":1,"b":2}]}"#,
            r#"{"a":1,"\u0061":2}"#,
        ] {
            assert!(Json::object(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Json::object(br#"{"a":{"x":1},"b":{"x":1}}"#).is_ok());
    }

    #[test]
    fn only_whole_numbers_from_zero_are_numbers() {
        let of = |number: &str| {
            Json::object(format!(r#"{{"n":{number}}}"#).as_bytes())
                .map(|mut o| o.remove("n").unwrap())
        };
        assert_eq!(of("0"), Ok(Json::Whole(0)));
        assert_eq!(of("18446744073709551615"), Ok(Json::Whole(u64::MAX)));
        for other in ["-1", "1.0", "1e9", "18446744073709551616", "-0.0"] {
            assert_eq!(of(other), Ok(Json::OtherNumber), "{other}");
        }
        assert!(of("1e400").is_err());
        assert!(of("01").is_err());
    }

    #[test]
    fn what_is_nested_without_end_or_followed_by_more_is_no_object() {
        let deep = format!("{}{}", "{\"a\":[".repeat(10_000), "]}".repeat(10_000));
        for text in [deep.as_str(), "{} {}", "[]", "", "null", "{\"a\":1"] {
            assert!(
                Json::object(text.as_bytes()).is_err(),
                "{}",
                &text[..text.len().min(30)]
            );
        }
    }
}
