//! A YAML document as a tree whose every value knows its place.
//!
//! A tree and not structs, because environment variables address it by path, half of it is free-form,
//! and every key that is there must be accounted for.

use super::document;
use crate::config::origin::Origin;
use crate::config::{Problem, Problems};

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Yaml {
    /// The value.
    pub(super) datum: Datum,
    /// `config.yml:3:5`, or the name of an environment variable.
    pub(super) place: String,
}

/// The shapes of YAML. Numbers keep their text: `0.1` is a version, not a fraction.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Datum {
    /// Nothing, or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number or string.
    Text(String),
    /// A list.
    List(Vec<Yaml>),
    /// Names and values in the order written.
    Map(Vec<(String, Yaml)>),
}

impl Yaml {
    /// An empty value at `place`.
    pub(super) fn null(place: &str) -> Self {
        Self {
            datum: Datum::Null,
            place: place.to_owned(),
        }
    }

    /// The value at a dotted path, unless it is null.
    pub(super) fn get(&self, path: &str) -> Option<&Self> {
        let found = path.split('.').try_fold(self, |at, name| at.child(name))?;
        (found.datum != Datum::Null).then_some(found)
    }

    /// The entry `name`, null or not.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.entries()
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// The names and values of a map; none for anything else.
    pub(super) fn entries(&self) -> &[(String, Self)] {
        match &self.datum {
            Datum::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none for anything else.
    pub(super) fn items(&self) -> &[Self] {
        match &self.datum {
            Datum::List(items) => items,
            _ => &[],
        }
    }

    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.datum {
            Datum::Text(text) => Some(text),
            Datum::Bool(true) => Some("true"),
            Datum::Bool(false) => Some("false"),
            _ => None,
        }
    }

    /// A switch. Distribution's reader took YAML 1.1, where `yes` and `on` are true.
    pub(super) fn switch(&self) -> Option<bool> {
        match &self.datum {
            Datum::Bool(value) => Some(*value),
            Datum::Text(text) => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "y" => Some(true),
                "false" | "no" | "off" | "n" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether the value says anything: `false`, an empty string, list or map do not.
    pub(super) fn says_something(&self) -> bool {
        match &self.datum {
            Datum::Null | Datum::Bool(false) => false,
            Datum::Bool(true) => true,
            Datum::Text(text) => !text.is_empty(),
            Datum::List(items) => items.iter().any(Self::is_enabled),
            Datum::Map(entries) => entries.iter().any(|(_, value)| value.says_something()),
        }
    }

    /// Whether an item of a list is not switched off by `disabled: true`.
    pub(super) fn is_enabled(&self) -> bool {
        self.child("disabled").and_then(Self::switch) != Some(true)
    }

    /// The value in a few words, for an error.
    pub(super) fn words(&self) -> String {
        match &self.datum {
            Datum::Null => "nothing".into(),
            Datum::List(_) => "a list".into(),
            Datum::Map(_) => "a map".into(),
            _ => crate::config::show::quoted(self.text().unwrap_or_default()),
        }
    }

    /// Names the file in every place, which the parser gives as line and column.
    fn name_places(&mut self, file: &str) {
        self.place.insert_str(0, file);
        match &mut self.datum {
            Datum::List(items) => items.iter_mut().for_each(|item| item.name_places(file)),
            Datum::Map(entries) => entries
                .iter_mut()
                .for_each(|(_, entry)| entry.name_places(file)),
            _ => {}
        }
    }

    /// Gives every value the place `place`.
    fn move_to(&mut self, place: &str) {
        place.clone_into(&mut self.place);
        match &mut self.datum {
            Datum::List(items) => items.iter_mut().for_each(|item| item.move_to(place)),
            Datum::Map(entries) => entries
                .iter_mut()
                .for_each(|(_, entry)| entry.move_to(place)),
            _ => {}
        }
    }
}

/// Reads the file `name` with the content `text`.
///
/// # Errors
/// It is no YAML, uses a key twice, or is built to exhaust its reader.
pub(super) fn parse(name: &str, text: &str) -> Result<Yaml, Problems> {
    match document::read(text) {
        Ok(mut root) => {
            root.name_places(name);
            name.clone_into(&mut root.place);
            Ok(root)
        }
        Err(mistake) => {
            let place = format!("{name}{}", mistake.place);
            Err(Problem::new(Origin::Distribution(place), mistake.what).into())
        }
    }
}

/// Reads the value of an environment variable, which is YAML too.
///
/// # Errors
/// It is no YAML; the problem does not show the value, which may be a password.
pub(super) fn parse_variable(variable: &str, text: &str) -> Result<Yaml, Problem> {
    let mut value = document::read(text).map_err(|_| {
        Problem::new(
            Origin::Variable(variable.to_owned()),
            "the value is not YAML",
        )
        .hint("put quotes around a string with : or # or brackets in it")
    })?;
    value.move_to(variable);
    Ok(value)
}
