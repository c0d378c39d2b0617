//! HTTP headers the operator adds to every answer.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};

use super::key::Kind;
use super::node::{Datum, Node};
use super::show::quoted;
use super::value::{Fault, Value};

/// Header names, in lower case, each with its values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(BTreeMap<String, Vec<HeaderValue>>);

/// Headers that frame the message or belong to one answer: an operator who sets them breaks clients.
const OURS: [&str; 11] = [
    "connection",
    "content-digest",
    "content-length",
    "content-range",
    "content-type",
    "date",
    "docker-content-digest",
    "etag",
    "location",
    "range",
    "transfer-encoding",
];

impl Headers {
    /// Each header line: a name and one of its values.
    pub fn lines(&self) -> impl Iterator<Item = (HeaderName, &HeaderValue)> {
        self.0.iter().flat_map(|(name, values)| {
            let name = HeaderName::from_bytes(name.as_bytes()).ok();
            values
                .iter()
                .filter_map(move |value| Some((name.clone()?, value)))
        })
    }
}

impl Value for Headers {
    fn kind() -> Kind {
        Kind::Headers
    }

    fn parse(node: &Node) -> Result<Self, Fault> {
        let Datum::Table(entries) = &node.datum else {
            return Err(Fault::of(node, &Self::kind()));
        };
        let mut headers = BTreeMap::new();
        for (name, values) in entries {
            let fault = |what: &str| Fault {
                at: values.at.clone(),
                what: what.to_owned(),
                hint: None,
            };
            let Ok(parsed) = HeaderName::from_bytes(name.as_bytes()) else {
                return Err(fault(&format!(
                    "has a name no header can have: {}",
                    quoted(name)
                )));
            };
            if OURS.contains(&parsed.as_str()) {
                return Err(fault(&format!(
                    "may not set {name}, which the server sets itself"
                )));
            }
            let values = Vec::<String>::parse(values)?
                .iter()
                .map(|value| HeaderValue::from_str(value))
                .collect::<Result<Vec<_>, _>>()
                .map_err(|_| fault(&format!("has a value for {name} that no header can have")))?;
            if headers.insert(parsed.as_str().to_owned(), values).is_some() {
                return Err(fault(&format!("sets {name} twice")));
            }
        }
        Ok(Self(headers))
    }

    fn show(&self) -> Option<String> {
        let entries: Vec<_> = self
            .0
            .iter()
            .map(|(name, values)| {
                // Values were made from strings, so they are text.
                let values: Vec<_> = values
                    .iter()
                    .map(|value| quoted(&String::from_utf8_lossy(value.as_bytes())))
                    .collect();
                format!("{} = [{}]", quoted(name), values.join(", "))
            })
            .collect();
        Some(if entries.is_empty() {
            "{}".into()
        } else {
            format!("{{ {} }}", entries.join(", "))
        })
    }
}
