//! How a parsed word travels through serde: as the text it was parsed from.
//!
//! A macro and not a blanket implementation, because the coherence rules forbid one for foreign traits.

/// Implements `Serialize` through `Display` and `Deserialize` through `FromStr` for one type.
macro_rules! serde_as_text {
    ($type:ty, $what:literal) => {
        serde_as_text!($type, $what, |text, serializer| serializer
            .collect_str(text));
    };
    // For what is text already: lists of names are long, and formatting one costs more than writing it.
    ($type:ty, $what:literal, |$text:ident, $serializer:ident| $write:expr) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, $serializer: S) -> Result<S::Ok, S::Error> {
                let $text = self;
                $write
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;

                impl serde::de::Visitor<'_> for Text {
                    type Value = $type;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($what)
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                }

                deserializer.deserialize_str(Text)
            }
        }
    };
}
