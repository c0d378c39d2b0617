//! The JSON Schema of the configuration file, for editors.

use serde_json::{Map, Value, json};

use super::key::{Key, Kind};
use super::{settings, several};

/// The schema, draft 2020-12.
pub fn schema() -> Value {
    let mut root = object("The configuration of Longshore.");
    for (path, doc) in settings::sections() {
        let words = prose(doc);
        let section = descend(&mut root, path);
        if !path.is_empty() {
            section.insert("description".into(), words.into());
        }
    }
    for key in settings::keys() {
        let described = describe(&key);
        if let Some(Value::Object(properties)) =
            descend(&mut root, key.section).get_mut("properties")
        {
            properties.insert(key.name, described);
        }
    }
    root.insert(
        "$schema".into(),
        "https://json-schema.org/draft/2020-12/schema".into(),
    );
    Value::Object(root)
}

/// The lines of a doc comment as one text.
pub fn prose(doc: &[&str]) -> String {
    doc.iter()
        .map(|line| line.trim())
        .collect::<Vec<_>>()
        .join(" ")
}

fn object(description: &str) -> Map<String, Value> {
    let object = json!({
        "type": "object", "description": description, "additionalProperties": false, "properties": {},
    });
    match object {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// The object of the section `path`, made where it is not there yet.
fn descend<'a>(root: &'a mut Map<String, Value>, path: &str) -> &'a mut Map<String, Value> {
    let mut at = root;
    for name in path.split('.').filter(|name| !name.is_empty()) {
        if name == several::NAME {
            // Tables of any name.
            let each = at.entry("additionalProperties");
            let each = each.or_insert(Value::Bool(false));
            if !each.is_object() {
                *each = Value::Object(object(""));
            }
            at = as_object(each);
            continue;
        }
        let properties = as_object(at.entry("properties").or_insert_with(|| json!({})));
        at = as_object(
            properties
                .entry(name)
                .or_insert_with(|| Value::Object(object(""))),
        );
    }
    at
}

fn as_object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(object) => object,
        _ => unreachable!("it was made an object just above"),
    }
}

fn describe(key: &Key) -> Value {
    let mut schema = of_kind(&key.kind);
    let object = as_object(&mut schema);
    object.insert("description".into(), prose(key.doc).into());
    if let Some(default) = key.default.as_deref().and_then(json_of) {
        object.insert("default".into(), default);
    }
    schema
}

/// A TOML value as JSON.
fn json_of(toml: &str) -> Option<Value> {
    let table: toml::Table = format!("value = {toml}").parse().ok()?;
    serde_json::to_value(table.get("value")?).ok()
}

fn of_kind(kind: &Kind) -> Value {
    match kind {
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Integer { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Ratio => json!({ "type": "number", "minimum": 0, "maximum": 1 }),
        Kind::Text | Kind::Path | Kind::Listen | Kind::Network | Kind::Secret => {
            json!({ "type": "string", "minLength": 1 })
        }
        Kind::Size => json!({
            "type": ["string", "integer"], "minimum": 0,
            "pattern": "^[0-9]+ *([bB]|[kKmMgGtT][iI]?[bB])?$",
        }),
        Kind::Duration => json!({
            "type": "string", "pattern": "^(0|([0-9]+d)? *([0-9]+h)? *([0-9]+m)? *([0-9]+s)? *([0-9]+ms)?)$",
        }),
        Kind::Url => json!({ "type": "string", "format": "uri" }),
        Kind::Pattern => json!({ "type": "string", "format": "regex" }),
        Kind::Choice(words) => json!({ "enum": words }),
        Kind::List(item) => {
            let item = of_kind(item);
            json!({ "anyOf": [{ "type": "array", "items": item }, item] })
        }
        Kind::Headers => json!({
            "type": "object",
            "additionalProperties": { "anyOf": [
                { "type": "string" }, { "type": "array", "items": { "type": "string" } },
            ] },
        }),
    }
}
