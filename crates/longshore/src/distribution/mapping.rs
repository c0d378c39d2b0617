//! The values of the keys that work, as values of our own keys.

mod auth;
mod http;
mod storage;

use std::num::NonZeroU32;

use super::duration;
use super::yaml::{Datum as YamlDatum, Yaml};
use crate::config::node::{Datum, Node};
use crate::config::origin::Origin;
use crate::config::units::write_duration;
use crate::config::{Problem, Reader};

/// Sets our keys from the tree.
pub(super) fn map(root: &Yaml, reader: &mut Reader, notes: &mut Vec<String>) {
    let mut mapping = Mapping {
        root,
        reader,
        notes,
    };
    mapping.log();
    mapping.storage();
    mapping.auth();
    mapping.http();
    mapping.tls();
    mapping.metrics();
    mapping.pages();
    mapping.health();
    mapping.validation();
}

struct Mapping<'a> {
    root: &'a Yaml,
    reader: &'a mut Reader,
    notes: &'a mut Vec<String>,
}

impl Mapping<'_> {
    fn log(&mut self) {
        self.switch("log.accesslog.disabled", "log.access", |disabled| !disabled);
        let level = if self.root.get("log.level").is_some() {
            "log.level"
        } else {
            "loglevel"
        };
        self.word(level, "log.level", str::to_lowercase);
        if self.root.get("log.formatter").and_then(Yaml::text) == Some("logstash") {
            self.notes.push(
                "`log.formatter: logstash` becomes JSON with Longshore's own field names"
                    .to_owned(),
            );
        }
        self.word("log.formatter", "log.format", |word| {
            if word == "logstash" {
                "json".to_owned()
            } else {
                word.to_owned()
            }
        });
    }

    fn pages(&mut self) {
        let smallest = ["catalog.maxentries", "tags.maxtags"]
            .into_iter()
            .filter_map(|path| self.root.get(path))
            // Zero and less mean Distribution's default, which is ours too.
            .filter_map(|value| Some((value.text()?.parse::<NonZeroU32>().ok()?, value)))
            .min_by_key(|(most, _)| *most);
        if let Some((most, value)) = smallest {
            self.set(
                "limits.page",
                Datum::Integer(most.get().into()),
                &value.place.clone(),
            );
        }
    }

    fn health(&mut self) {
        self.duration("health.storagedriver.interval", "health.interval");
        self.number("health.storagedriver.threshold", "health.threshold");
        if let Some(checks) = self.root.get("health.file") {
            let files = checks.items().iter().filter_map(|check| check.get("file"));
            let files = files.map(|file| node(file, "health.file[].file")).collect();
            self.set(
                "health.drain_files",
                Datum::List(files),
                &checks.place.clone(),
            );
        }
    }

    fn validation(&mut self) {
        let is = |path: &str| self.root.get(path).and_then(Yaml::switch) == Some(true);
        let place = self
            .root
            .get("validation")
            .unwrap_or(self.root)
            .place
            .clone();
        if is("validation.disabled") && !is("validation.enabled") {
            self.set("manifests.sparse", Datum::Text("all".into()), &place);
            return;
        }
        let platforms = self.root.get("validation.manifests.indexes.platforms");
        let sparse = match platforms
            .and_then(Yaml::text)
            .map(str::to_lowercase)
            .as_deref()
        {
            Some("none") => "indexes",
            _ => "none",
        };
        self.set("manifests.sparse", Datum::Text(sparse.into()), &place);
        let mut listed = false;
        for (theirs, ours) in [
            ("validation.manifests.urls.allow", "manifests.url_allow"),
            ("validation.manifests.urls.deny", "manifests.url_deny"),
        ] {
            let Some(patterns) = self
                .root
                .get(theirs)
                .filter(|patterns| patterns.says_something())
            else {
                continue;
            };
            listed = true;
            let nodes = patterns
                .items()
                .iter()
                .map(|pattern| node(pattern, theirs))
                .collect();
            self.set(ours, Datum::List(nodes), &patterns.place.clone());
        }
        if !listed {
            let nothing = Node::text("^$", Origin::Distribution(place.clone()));
            self.set("manifests.url_allow", Datum::List(vec![nothing]), &place);
        }
    }

    /// A string, changed on the way.
    fn word(&mut self, theirs: &str, ours: &str, change: impl Fn(&str) -> String) {
        let Some(value) = self.root.get(theirs) else {
            return;
        };
        let mut node = node(value, theirs);
        if let Datum::Text(text) = &mut node.datum {
            // An empty string is Distribution's way to say "not set".
            if text.is_empty() {
                return;
            }
            *text = change(text);
        }
        self.reader.set(ours.to_owned(), node);
    }

    fn switch(&mut self, theirs: &str, ours: &str, change: impl Fn(bool) -> bool) {
        let Some(value) = self.root.get(theirs) else {
            return;
        };
        match value.switch() {
            Some(on) => self.set(ours, Datum::Bool(change(on)), &value.place.clone()),
            None => self.wrong(theirs, value, "true or false"),
        }
    }

    fn duration(&mut self, theirs: &str, ours: &str) {
        let Some(value) = self.root.get(theirs) else {
            return;
        };
        match value.text().and_then(duration::read) {
            Some(read) => self.set(
                ours,
                Datum::Text(write_duration(read)),
                &value.place.clone(),
            ),
            None => self.wrong(theirs, value, "a duration such as 30s or 168h"),
        }
    }

    fn number(&mut self, theirs: &str, ours: &str) {
        let Some(value) = self.root.get(theirs) else {
            return;
        };
        match value.text().and_then(|text| text.parse::<u32>().ok()) {
            // Zero is Distribution's way to say "not set".
            Some(0) => {}
            Some(number) => self.set(ours, Datum::Integer(number.into()), &value.place.clone()),
            None => self.wrong(theirs, value, "a whole number"),
        }
    }

    fn set(&mut self, ours: &str, datum: Datum, place: &str) {
        let at = Origin::Distribution(place.to_owned());
        self.reader.set(ours.to_owned(), Node { datum, at });
    }

    fn section(&mut self, ours: &str, place: &str) {
        self.reader
            .section(ours.to_owned(), Origin::Distribution(place.to_owned()));
    }

    fn wrong(&mut self, theirs: &str, value: &Yaml, wanted: &str) {
        let what = format!("`{theirs}` must be {wanted}, not {}", value.words());
        self.reader.problem(Problem::new(
            Origin::Distribution(value.place.clone()),
            what,
        ));
    }

    fn problem(&mut self, whose: &str, value: &Yaml, what: &str, hint: &str) {
        let at = Origin::Distribution(value.place.clone());
        self.reader
            .problem(Problem::new(at, format!("{whose} {what}")).hint(hint));
    }
}

/// The place of a value of theirs; `theirs` is named when our own key's check speaks of it.
fn origin(value: &Yaml, theirs: &str) -> Origin {
    Origin::Distribution(format!("{} ({theirs})", value.place))
}

fn node(value: &Yaml, theirs: &str) -> Node {
    let at = origin(value, theirs);
    let datum = match &value.datum {
        YamlDatum::Null => Datum::Text(String::new()),
        YamlDatum::Bool(on) => Datum::Bool(*on),
        YamlDatum::Text(text) => Datum::Text(text.clone()),
        YamlDatum::List(items) => {
            Datum::List(items.iter().map(|item| node(item, theirs)).collect())
        }
        YamlDatum::Map(entries) => Datum::Table(
            entries
                .iter()
                .map(|(name, value)| (name.clone(), node(value, theirs)))
                .collect(),
        ),
    };
    Node { datum, at }
}
