//! Reads a YAML document into a tree.
//!
//! What a parser says of it is put together here, and not by a library for any type: every value is to know its place, and nothing of
//! what such a library draws snippets of mistakes with is needed.

use std::collections::{BTreeMap, BTreeSet};

use granit_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use super::yaml::{Datum, Yaml};

/// The most values in a document, each as often as it is referred to: a few lines that refer to one another can mean billions.
const MOST: usize = 100_000;
/// What names of core types begin with.
const CORE: &str = "tag:yaml.org,2002:";
/// The key whose value's entries are those of the map it stands in (YAML 1.1).
const MERGE: &str = "<<";

/// Why a text is no document, and where (`:3:5`).
#[derive(Debug)]
pub(super) struct Mistake {
    pub(super) place: String,
    pub(super) what: String,
}

/// Reads the only document of `text`; places are lines and columns, `:3:5`. One without content is null.
///
/// # Errors
/// It is no YAML, uses a key twice, or is built to exhaust its reader.
pub(super) fn read(text: &str) -> Result<Yaml, Mistake> {
    let mut tree = Tree::default();
    for next in Parser::new_from_str(text) {
        let (event, span) = next.map_err(|error| {
            let what = error.to_string();
            mistake(
                &place(error.marker()),
                what.lines().next().unwrap_or("it is not YAML"),
            )
        })?;
        tree.take(event, place(&span.start))?;
    }
    Ok(tree.root.unwrap_or_else(|| Yaml::null(":1:1")))
}

fn mistake(place: &str, what: impl Into<String>) -> Mistake {
    Mistake {
        place: place.to_owned(),
        what: what.into(),
    }
}

fn place(at: &Marker) -> String {
    format!(":{}:{}", at.line(), at.col() + 1)
}

/// A list or map that has begun.
struct Open {
    kind: Kind,
    place: String,
    anchor: usize,
}

enum Kind {
    List(Vec<Yaml>),
    Map {
        entries: Vec<(String, Yaml)>,
        names: BTreeSet<String>,
        /// The name whose value comes next, and its place.
        name: Option<(String, String)>,
        /// What comes by a merge, where the map has no such name.
        merged: Vec<(String, Yaml)>,
    },
}

#[derive(Default)]
struct Tree {
    open: Vec<Open>,
    anchors: BTreeMap<usize, Yaml>,
    values: usize,
    root: Option<Yaml>,
}

impl Tree {
    fn take(&mut self, event: Event<'_>, place: String) -> Result<(), Mistake> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let datum = scalar(&text, style, tag.as_deref());
                self.close(Yaml { datum, place }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => {
                let kind = Kind::List(Vec::new());
                self.open.push(Open {
                    kind,
                    place,
                    anchor,
                });
                Ok(())
            }
            Event::MappingStart(_, anchor, _) => {
                let kind = Kind::Map {
                    entries: Vec::new(),
                    names: BTreeSet::new(),
                    name: None,
                    merged: Vec::new(),
                };
                self.open.push(Open {
                    kind,
                    place,
                    anchor,
                });
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => {
                    let datum = open.kind.datum();
                    let value = Yaml {
                        datum,
                        place: open.place,
                    };
                    self.close(value, open.anchor)
                }
                None => Ok(()),
            },
            Event::Alias(anchor) => {
                let more = self.anchors.get(&anchor).map(size);
                let more = more.ok_or_else(|| mistake(&place, "a value refers to itself"))?;
                // Before it is copied.
                self.count(more, &place)?;
                let known = self.anchors.get(&anchor).cloned();
                let mut value = known.unwrap_or_else(|| Yaml::null(&place));
                value.place = place;
                self.close(value, 0)
            }
            Event::DocumentStart(..) if self.root.is_some() => {
                Err(mistake(&place, "there is a second document; one is read"))
            }
            _ => Ok(()),
        }
    }

    /// Puts a value where it belongs.
    fn close(&mut self, value: Yaml, anchor: usize) -> Result<(), Mistake> {
        self.count(1, &value.place)?;
        if anchor != 0 {
            self.count(size(&value), &value.place)?;
            self.anchors.insert(anchor, value.clone());
        }
        match self.open.last_mut() {
            None => self.root = Some(value),
            Some(open) => open.kind.add(value)?,
        }
        Ok(())
    }

    fn count(&mut self, more: usize, place: &str) -> Result<(), Mistake> {
        self.values += more;
        if self.values > MOST {
            let what = format!("there are more than {MOST} values, or as many by references");
            return Err(mistake(place, what));
        }
        Ok(())
    }
}

/// How many values a value is, with those in it.
fn size(value: &Yaml) -> usize {
    let items = value.items().iter().map(size).sum::<usize>();
    let entries = value.entries().iter().map(|(_, it)| size(it));
    1 + items + entries.sum::<usize>()
}

impl Kind {
    fn add(&mut self, mut value: Yaml) -> Result<(), Mistake> {
        let (entries, names, name, merged) = match self {
            Kind::List(items) => {
                items.push(value);
                return Ok(());
            }
            Kind::Map {
                entries,
                names,
                name,
                merged,
            } => (entries, names, name, merged),
        };
        let Some((name, at)) = name.take() else {
            let text = match &value.datum {
                Datum::Null => String::new(),
                _ => value
                    .text()
                    .ok_or_else(|| mistake(&value.place, "a name is a text"))?
                    .to_owned(),
            };
            if !names.insert(text.clone()) {
                return Err(mistake(&value.place, format!("duplicate key `{text}`")));
            }
            *name = Some((text, value.place));
            return Ok(());
        };
        if name == MERGE {
            merged.extend(entries_of(value, &at)?);
            return Ok(());
        }
        // A map or list begins at its first entry; its name is where a reader looks for it.
        if matches!(value.datum, Datum::Map(_) | Datum::List(_)) {
            value.place = at;
        }
        entries.push((name, value));
        Ok(())
    }

    fn datum(self) -> Datum {
        match self {
            Kind::List(items) => Datum::List(items),
            Kind::Map {
                mut entries,
                mut names,
                merged,
                ..
            } => {
                // Of several the first counts, and what is written here before all.
                for (name, value) in merged {
                    if names.insert(name.clone()) {
                        entries.push((name, value));
                    }
                }
                Datum::Map(entries)
            }
        }
    }
}

/// The entries of a map, or of all maps of a list, that is merged into another.
fn entries_of(value: Yaml, at: &str) -> Result<Vec<(String, Yaml)>, Mistake> {
    match value.datum {
        Datum::Map(entries) => Ok(entries),
        Datum::List(items) => {
            let mut all = Vec::new();
            for item in items {
                all.extend(entries_of(item, at)?);
            }
            Ok(all)
        }
        _ => Err(mistake(
            at,
            format!("`{MERGE}` takes a map, or a list of maps"),
        )),
    }
}

/// What a text means by the core schema (YAML 1.2.2, 10.3), where it is not quoted and not said to be a string. Numbers keep their text,
/// but for those of another base.
fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Datum {
    let is_text = || Datum::Text(text.to_owned());
    let said = tag.map(|tag| format!("{}{}", tag.handle(), tag.suffix()));
    match said.as_deref().map(|said| said.strip_prefix(CORE)) {
        Some(Some("null" | "bool" | "int" | "float")) => {}
        Some(_) => return is_text(),
        None if style != ScalarStyle::Plain => return is_text(),
        None => {}
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Datum::Null,
        "true" | "True" | "TRUE" => return Datum::Bool(true),
        "false" | "False" | "FALSE" => return Datum::Bool(false),
        _ => {}
    }
    for (prefix, base) in [("0x", 16), ("0o", 8)] {
        let digits = text.strip_prefix(prefix);
        if let Some(number) = digits.and_then(|it| u64::from_str_radix(it, base).ok()) {
            return Datum::Text(number.to_string());
        }
    }
    is_text()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn text(value: &Yaml, path: &str) -> String {
        let found = value.get(path).map(|it| format!("{:?}", it.datum));
        found.unwrap_or_default()
    }

    fn refused(text: &str) -> String {
        let mistake = read(text).unwrap_err();
        format!("{}: {}", mistake.place, mistake.what)
    }

    #[test]
    fn what_is_written_otherwise_means_the_same() {
        let root = read(
            r#"a: 0.10
b: '1'
c: "x\\ty"
d: 0x1F
e: 0o17
f: True
g: ~
h: !!str 1
i: |
  one
  two
j: [1, {k: 2}]
l: !!int 7
m: "true"
"#,
        )
        .unwrap();
        for (path, meant) in [
            ("a", r#"Text("0.10")"#),
            ("b", r#"Text("1")"#),
            ("c", r#"Text("x\\ty")"#),
            ("d", r#"Text("31")"#),
            ("e", r#"Text("15")"#),
            ("f", "Bool(true)"),
            ("g", ""),
            ("h", r#"Text("1")"#),
            ("i", r#"Text("one\ntwo\n")"#),
            ("l", r#"Text("7")"#),
            ("m", r#"Text("true")"#),
        ] {
            assert_eq!(text(&root, path), meant, "{path}");
        }
        let items = root.get("j").unwrap().items();
        assert_eq!(text(&items[1], "k"), r#"Text("2")"#);
        assert_eq!(
            (
                items[1].place.as_str(),
                root.get("j").unwrap().place.as_str()
            ),
            (":12:8", ":12:1")
        );
        for empty in ["", "# nothing\n", "---\n", "null"] {
            assert_eq!(read(empty).unwrap().datum, Datum::Null, "{empty}");
        }
    }

    #[test]
    fn references_and_merges_are_followed() {
        let root = read(
            "base: &base\n  a: 1\n  b: 2\nmore: &more {c: 3, a: 9}\none:\n  <<: *base\n  b: 5\ntwo:\n  <<: [*base, *more]\nthree: *base\n",
        )
        .unwrap();
        for (path, meant) in [
            ("one.a", "1"),
            ("one.b", "5"),
            ("two.a", "1"),
            ("two.c", "3"),
            ("three.b", "2"),
        ] {
            assert_eq!(text(&root, path), format!("Text({meant:?})"), "{path}");
        }
        assert!(refused("a: 1\nb:\n  <<: 3\n").starts_with(":3:3: `<<` takes a map"));
    }

    #[test]
    fn what_is_no_document_is_refused_where_it_is_none() {
        for (text, said) in [
            ("a: 1\na: 2\n", ":2:1: duplicate key `a`"),
            (
                "a: 1\n---\nb: 2\n",
                ":2:1: there is a second document; one is read",
            ),
            ("[a]: 1\n", ":1:1: a name is a text"),
            ("a: &x [*x]\n", ":1:8: a value refers to itself"),
        ] {
            assert_eq!(refused(text), said);
        }
        for text in ["a: [", "a: *nobody", "a: \"x", "a: b: c", "%"] {
            assert!(refused(text).starts_with(':'), "{text}");
        }
    }

    #[test]
    fn few_lines_that_mean_billions_are_refused_in_little_memory() {
        let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..12 {
            let before = format!("*a{}", n - 1);
            let items = [before.as_str(); 10].join(", ");
            writeln!(laughs, "a{n}: &a{n} [{items}]").unwrap();
        }
        assert!(refused(&laughs).contains("more than 100000 values"));
        // As deep as references make it.
        let mut deep = "a0: &a0 [x]\n".to_owned();
        for n in 1..5000 {
            writeln!(deep, "a{n}: &a{n} [*a{}]", n - 1).unwrap();
        }
        assert!(refused(&deep).contains("more than 100000 values"));
        for open in ["[", "{a: ", "- "] {
            assert!(read(&open.repeat(100_000)).is_err(), "{open}");
        }
        let long = format!("a: [{}]\n", "x, ".repeat(MOST));
        assert!(refused(&long).contains("more than 100000 values"));
    }
}
