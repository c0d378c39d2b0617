//! Bodies: JSON of a bounded length and depth, without a name twice, and read into a type that knows all its names.

use std::fmt;

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt as _;
use http::{HeaderMap, header};
use longshore_core::ByteStream;
use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};

use crate::problem::{MEDIA, Problem, SLOW, TOO_LARGE};

/// The longest body, in bytes.
pub(crate) const MOST: usize = 256 * 1024;
/// Longer where a README may be in it.
pub(crate) const MOST_README: usize = 2 * 1024 * 1024;
/// How deep values may lie in one another.
const DEPTH: usize = 32;

/// Reads the whole body.
pub(crate) async fn whole(mut body: ByteStream, most: usize) -> Result<Bytes, Problem> {
    let mut bytes = BytesMut::new();
    while let Some(piece) = body.try_next().await.map_err(|error| {
        if error.kind() == std::io::ErrorKind::TimedOut {
            Problem::new(SLOW, "the body came too slowly")
        } else {
            Problem::invalid("the body did not arrive whole")
        }
    })? {
        if bytes.len() + piece.len() > most {
            return Err(Problem::new(
                TOO_LARGE,
                format!("the body has at most {most} bytes here"),
            ));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes.freeze())
}

/// Checks that the body is called JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> Result<(), Problem> {
    let wrong = || {
        Problem::new(
            MEDIA,
            "the body must be JSON, and be called application/json",
        )
    };
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Err(Problem::new(
            MEDIA,
            "the body must not be encoded: leave Content-Encoding out",
        ));
    }
    let mut kinds = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(kind), None) = (kinds.next(), kinds.next()) else {
        return Err(wrong());
    };
    let kind = kind.to_str().unwrap_or_default();
    let (kind, more) = kind.split_once(';').unwrap_or((kind, ""));
    let is_utf8 = more.trim().is_empty() || more.trim().eq_ignore_ascii_case("charset=utf-8");
    if kind.trim().eq_ignore_ascii_case("application/json") && is_utf8 {
        Ok(())
    } else {
        Err(wrong())
    }
}

/// Reads a body into a type.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let said = |error: serde_json::Error| {
        Problem::invalid(format!("the body is not what it should be: {error}"))
    };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    Sound(DEPTH).deserialize(&mut reader).map_err(said)?;
    reader.end().map_err(said)?;
    serde_json::from_slice(bytes).map_err(said)
}

/// Looks through a value: how deep it is, and whether an object has a name twice.
struct Sound(usize);

impl<'de> DeserializeSeed<'de> for Sound {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        if self.0 == 0 {
            return Err(D::Error::custom(format_args!(
                "values lie in one another at most {DEPTH} deep"
            )));
        }
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Sound {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Sound(self.0 - 1))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut names = std::collections::HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if names.contains(&name) {
                return Err(A::Error::custom(format_args!(
                    "`{name}` stands there twice"
                )));
            }
            names.insert(name);
            map.next_value_seed(Sound(self.0 - 1))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[serde(default)]
        _a: Option<serde_json::Value>,
    }

    #[test]
    fn a_body_has_known_names_each_once_and_is_not_deep() {
        let deep = format!("{{\"_a\":{}1{}}}", "[".repeat(31), "]".repeat(31));
        for (text, good) in [
            ("{}", true),
            ("{\"_a\":[1,2.5,-3,null,\"x\",true]}", true),
            (&deep, false),
            (&"[".repeat(100_000), false),
            ("{\"_a\":1,\"_a\":1}", false),
            ("{\"_a\":{\"b\":1,\"b\":1}}", false),
            ("{\"b\":1}", false),
            ("{} x", false),
            ("", false),
            ("null", false),
        ] {
            assert_eq!(read::<Body>(text.as_bytes()).is_ok(), good, "{text:.40}");
        }
    }
}
