//! The query of a request: names and values, each name once and none that the endpoint does not know.

use percent_encoding::percent_decode_str;

use crate::endpoint::{Kind, Parameter};
use crate::page::{MOST, UNASKED};
use crate::problem::Problem;

/// What a query says.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(&'static str, String)>);

impl Query {
    /// Reads a query by what its endpoint knows.
    pub(crate) fn read(text: Option<&str>, known: &'static [Parameter]) -> Result<Self, Problem> {
        let mut read = Self::default();
        for pair in text.unwrap_or_default().split('&') {
            if pair.is_empty() {
                continue;
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let Some(parameter) = known.iter().find(|parameter| parameter.name == name) else {
                let names: Vec<_> = known.iter().map(|parameter| parameter.name).collect();
                return Err(Problem::invalid(match names.as_slice() {
                    [] => "nothing can be asked in the query here".to_owned(),
                    names => format!(
                        "the query may say {} here, and nothing else",
                        names.join(", ")
                    ),
                }));
            };
            if read.get(parameter.name).is_some() {
                return Err(Problem::invalid(format!(
                    "`{}` stands twice in the query",
                    parameter.name
                )));
            }
            let value = value.replace('+', " ");
            let value = percent_decode_str(&value).decode_utf8();
            let value = value.map_err(|_| {
                Problem::invalid(format!("`{}` in the query is not UTF-8", parameter.name))
            })?;
            check(parameter, &value)?;
            read.0.push((parameter.name, value.into_owned()));
        }
        for parameter in known {
            if parameter.kind == Kind::Text && read.get(parameter.name).is_none() {
                return Err(Problem::invalid(format!(
                    "`{}` must be in the query",
                    parameter.name
                )));
            }
        }
        Ok(read)
    }

    /// The value of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// How many are wanted.
    pub(crate) fn limit(&self) -> usize {
        let asked = self.get("limit").and_then(|text| text.parse().ok());
        asked.unwrap_or(UNASKED).min(MOST)
    }
}

fn check(parameter: &Parameter, value: &str) -> Result<(), Problem> {
    let name = parameter.name;
    match parameter.kind {
        Kind::Limit => {
            let digits = value.len() < 10 && value.bytes().all(|byte| byte.is_ascii_digit());
            match value.parse::<usize>() {
                Ok(1..=MOST) if digits => Ok(()),
                _ => Err(Problem::invalid(format!(
                    "`{name}` is a number from 1 to {MOST}"
                ))),
            }
        }
        Kind::OneOf(words) if !words.contains(&value) => Err(Problem::invalid(format!(
            "`{name}` is one of {}",
            words.join(", ")
        ))),
        Kind::Path => longshore_spec::name::RepoName::check(value)
            .map_err(|error| Problem::invalid(format!("`{name}`: {error}"))),
        Kind::Text if value.is_empty() || value.chars().count() > 128 => Err(Problem::invalid(
            format!("`{name}` has from 1 to 128 characters"),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::{CURSOR, LIMIT, PAGED};

    const WORDS: &[Parameter] = &[
        LIMIT,
        CURSOR,
        Parameter {
            name: "q",
            about: "",
            kind: Kind::Text,
        },
    ];

    #[test]
    fn a_query_says_what_its_endpoint_knows_once_and_within_bounds() {
        let query = Query::read(Some("limit=7&q=a+b%20c"), WORDS).unwrap();
        assert_eq!((query.limit(), query.get("q")), (7, Some("a b c")));
        assert_eq!(Query::read(None, PAGED).unwrap().limit(), UNASKED);
        for bad in [
            "limit=0",
            "limit=-1",
            "limit=+1",
            "limit=1e3",
            "limit=10000",
            "limit=",
            "limit",
            "limit=1&limit=1",
            "page=2",
            "q=%ff",
            "cursor",
        ] {
            let known = if bad == "cursor" { &[] } else { PAGED };
            assert!(Query::read(Some(bad), known).is_err(), "{bad}");
        }
        for missing in [None, Some(""), Some("q="), Some("limit=1")] {
            assert!(Query::read(missing, WORDS).is_err(), "{missing:?}");
        }
    }
}
