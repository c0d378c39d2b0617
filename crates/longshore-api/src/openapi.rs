//! The description of this API (OpenAPI 3.1), made from the table of endpoints.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use crate::PREFIX;
use crate::cursor::LONGEST;
use crate::endpoint::{Endpoint, Gives, Kind, Needs, On, Parameter, Shape, Way, endpoints, shape};
use crate::page::MOST;
use crate::problem::{
    CHANGED_SINCE, CONFLICT, DENIED, INVALID, KEY_OTHER, MEDIA, NOT_ACCEPTABLE, NOT_FOUND,
    ProblemBody, Sort, THROTTLED, TOO_LARGE, UNAUTHENTICATED, UNAVAILABLE,
};
use crate::route::has_slashes;

/// Text that people write: everything but control characters.
const WRITTEN: &str = "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f]*$";
/// A name.
const NAME: &str = "^[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*$";
/// A name with slashes.
const PATH: &str = "^[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*$";
/// A tag.
const TAG: &str = "^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$";
/// A digest.
const DIGEST: &str = "^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$";

static TEXT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut text = serde_json::to_vec_pretty(&document()).unwrap_or_default();
    text.push(b'\n');
    text
});

/// The description, as it is sent.
pub(crate) fn text() -> &'static [u8] {
    &TEXT
}

/// The description.
pub fn document() -> Value {
    let mut schemas: Vec<(String, RefOr<Schema>)> = Vec::new();
    let mut add = |shape: &Shape| (shape.schemas)(&mut schemas);
    add(&shape::<ProblemBody<'static>>());
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let mut tags = Vec::new();
    for endpoint in endpoints() {
        for shape in endpoint.body.iter().chain(given(&endpoint.gives)) {
            add(shape);
        }
        let family = endpoint.family();
        if !tags.contains(&family) {
            tags.push(family);
        }
        let path = paths.entry(endpoint.path.to_owned()).or_default();
        path.insert(
            endpoint.method.as_str().to_ascii_lowercase(),
            operation(endpoint),
        );
    }
    let mut known = Map::new();
    for (name, schema) in schemas {
        let mut schema = serde_json::to_value(&schema).unwrap_or_default();
        sound(&mut schema);
        debug_assert!(
            known.get(&name).is_none_or(|other| *other == schema),
            "two shapes have the name {name}"
        );
        known.insert(name, schema);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Longshore",
            "version": "1",
            "description": "The index of a Longshore registry: accounts, namespaces, repositories, rights, the audit log.\n\n\
                Names of namespaces and repositories may be written with their slashes or with `%2F`. Lists come in parts: `next` \
                is the `cursor` of the next one. Who may not know that something is there is answered as if it were not.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": PREFIX }],
        "security": [{}, { "basic": [] }, { "bearer": [] }],
        "tags": tags.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": known,
            "securitySchemes": {
                "basic": { "type": "http", "scheme": "basic", "description": "A name and its password, personal token or robot's secret. With a password whose account has a second factor, a code of it is sent in the header `Longshore-Code`." },
                "bearer": { "type": "http", "scheme": "bearer", "description": "A personal token or a robot's secret." },
            },
        },
    })
}

fn given(gives: &Gives) -> Option<&Shape> {
    match gives {
        Gives::One(shape)
        | Gives::Page(shape)
        | Gives::Made(shape)
        | Gives::Begun(shape)
        | Gives::Lines(shape) => Some(shape),
        Gives::Nothing | Gives::Document => None,
    }
}

fn refer(shape: &Shape) -> Value {
    json!({ "$ref": format!("#/components/schemas/{}", (shape.name)()) })
}

/// Says of texts that people write what they may hold.
fn sound(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            let is_text = map.get("maxLength").is_some();
            if is_text && !map.contains_key("pattern") {
                map.insert("pattern".to_owned(), json!(WRITTEN));
            }
            map.values_mut().for_each(sound);
        }
        Value::Array(list) => list.iter_mut().for_each(sound),
        _ => {}
    }
}

fn operation(endpoint: &Endpoint) -> Value {
    let mut said = json!({
        "operationId": endpoint.id,
        "tags": [endpoint.family()],
        "summary": endpoint.about,
        "description": needs(endpoint),
        "responses": responses(endpoint),
        "x-longshore-needs": machine(endpoint),
    });
    let parameters = parameters(endpoint);
    if let Some(map) = said.as_object_mut() {
        if !parameters.is_empty() {
            map.insert("parameters".to_owned(), Value::Array(parameters));
        }
        if let Some(body) = &endpoint.body {
            let content = json!({ "application/json": { "schema": refer(body) } });
            let body = json!({ "required": true, "content": content });
            map.insert("requestBody".to_owned(), body);
        }
        if endpoint.changes() || matches!(endpoint.needs, Needs::Login) {
            map.insert(
                "security".to_owned(),
                json!([{ "basic": [] }, { "bearer": [] }]),
            );
        }
    }
    said
}

fn needs(endpoint: &Endpoint) -> String {
    match endpoint.needs {
        Needs::Nothing => "For everybody; it shows what the caller may see.".to_owned(),
        Needs::Login => "For whoever has logged in.".to_owned(),
        Needs::Anybody => {
            "For everybody, some times within an hour: what is in the body decides.".to_owned()
        }
        Needs::Question => {
            "For everybody about themselves; about others for whoever sees the rights on what is asked about.".to_owned()
        }
        Needs::Depends => {
            "What right it needs depends on what is sent: docs/api.md says which.".to_owned()
        }
        Needs::RightOrSelf(action) => {
            format!("Needs the right `{action}`; nobody needs it for themselves.")
        }
        Needs::RightOrPassword(action) => format!(
            "Needs the right `{action}`; nobody needs it for themselves who has logged in with the password, and not with a token."
        ),
        Needs::Right(action, on) => format!(
            "Needs the right `{action}` on {}.",
            match on {
                On::System => "the system",
                On::Namespace => "the namespace",
                On::Organisation => "the organisation's namespace",
                On::User => "the user's namespace",
                On::Repository => "the repository",
            }
        ),
    }
}

/// The same for programs.
fn machine(endpoint: &Endpoint) -> Value {
    match endpoint.needs {
        Needs::Nothing => json!("nothing"),
        Needs::Login => json!("login"),
        Needs::Anybody => json!("anybody"),
        Needs::Depends => json!("depends"),
        Needs::Question => json!("question"),
        Needs::RightOrSelf(action) => {
            json!({ "right": action.name(), "on": "system", "self": true })
        }
        Needs::RightOrPassword(action) => {
            json!({ "right": action.name(), "on": "system", "self": "password" })
        }
        Needs::Right(action, on) => json!({
            "right": action.name(),
            "on": match on {
                On::System => "system",
                On::Namespace => "namespace",
                On::Organisation => "organisation",
                On::User => "user",
                On::Repository => "repository",
            },
        }),
    }
}

fn parameters(endpoint: &Endpoint) -> Vec<Value> {
    let mut all = Vec::new();
    for word in endpoint.path.split('/') {
        let name = word.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
        if let Some(name) = name {
            all.push(json!({
                "name": name, "in": "path", "required": true, "schema": in_path(name),
            }));
        }
    }
    all.extend(endpoint.query.iter().map(in_query));
    if endpoint.marked && endpoint.changes() {
        all.push(json!({
            "name": "If-Match", "in": "header", "required": false,
            "description": "The change is made only if the ETag is still this one.",
            "schema": { "type": "string", "pattern": "^(\\*|\"[0-9a-f]{1,64}\")$" },
        }));
    }
    if endpoint.method == Way::Post && endpoint.changes() {
        all.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "A word of your own: asking again with it does not do it again.",
            "schema": { "type": "string", "pattern": "^[!-~]{1,255}$" },
        }));
    }
    all
}

fn in_path(name: &str) -> Value {
    match name {
        "id" => json!({ "type": "integer", "format": "int64", "minimum": 1 }),
        "tag" => json!({ "type": "string", "pattern": TAG }),
        "digest" => json!({ "type": "string", "pattern": DIGEST }),
        name if has_slashes(name) => {
            json!({ "type": "string", "pattern": PATH, "minLength": 1, "maxLength": 255 })
        }
        _ => json!({ "type": "string", "pattern": NAME, "minLength": 1, "maxLength": 64 }),
    }
}

fn in_query(parameter: &Parameter) -> Value {
    let schema = match parameter.kind {
        Kind::Limit => json!({ "type": "integer", "minimum": 1, "maximum": MOST }),
        Kind::Cursor => json!({ "type": "string", "pattern": "^[0-9a-f]+$", "maxLength": LONGEST }),
        Kind::OneOf(words) => json!({ "type": "string", "enum": words }),
        Kind::Path => {
            json!({ "type": "string", "pattern": PATH, "minLength": 1, "maxLength": 255 })
        }
        Kind::Text => json!({ "type": "string", "minLength": 1, "maxLength": 128 }),
    };
    json!({
        "name": parameter.name, "in": "query", "required": parameter.kind == Kind::Text,
        "description": parameter.about, "schema": schema,
    })
}

fn responses(endpoint: &Endpoint) -> Value {
    let mut all = Map::new();
    let (status, good) = good(endpoint);
    all.insert(status.to_owned(), good);
    let mut sorts = vec![
        INVALID,
        UNAUTHENTICATED,
        NOT_ACCEPTABLE,
        THROTTLED,
        UNAVAILABLE,
    ];
    if !matches!(endpoint.needs, Needs::Nothing | Needs::Anybody) {
        sorts.push(DENIED);
    }
    if endpoint.path.contains('{') || matches!(endpoint.needs, Needs::Depends | Needs::Question) {
        sorts.push(NOT_FOUND);
    }
    if endpoint.query.iter().any(|it| it.name == "within") {
        sorts.push(NOT_FOUND);
    }
    if matches!(endpoint.needs, Needs::Anybody) {
        sorts.push(CONFLICT);
    }
    if endpoint.changes() || matches!(endpoint.needs, Needs::Depends | Needs::Question) {
        sorts.extend([CONFLICT, NOT_FOUND]);
    }
    if endpoint.body.is_some() {
        sorts.extend([TOO_LARGE, MEDIA]);
    }
    if endpoint.marked && endpoint.changes() {
        sorts.push(CHANGED_SINCE);
    }
    if endpoint.method == Way::Post && endpoint.changes() {
        sorts.push(KEY_OTHER);
    }
    for sort in sorts {
        all.insert(sort.status.as_u16().to_string(), bad(sort));
    }
    Value::Object(all)
}

fn bad(sort: Sort) -> Value {
    json!({
        "description": format!("{}.", sort.title),
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    })
}

fn good(endpoint: &Endpoint) -> (&'static str, Value) {
    let mut headers = Map::new();
    if endpoint.marked && !matches!(endpoint.gives, Gives::Nothing) {
        headers.insert(
            "ETag".to_owned(),
            json!({ "description": "The mark of what is shown.", "schema": { "type": "string" } }),
        );
    }
    if let Gives::Page(_) | Gives::Lines(_) = endpoint.gives {
        headers.insert(
            "Link".to_owned(),
            json!({ "description": "The next part, where there is one.", "schema": { "type": "string" } }),
        );
    }
    if let Gives::Made(_) = endpoint.gives {
        headers.insert(
            "Location".to_owned(),
            json!({ "description": "Where it lies.", "schema": { "type": "string" } }),
        );
    }
    let json = |schema: Value| json!({ "application/json": { "schema": schema } });
    let (status, about, content) = match &endpoint.gives {
        Gives::Nothing => ("204", "It is done.", None),
        Gives::One(shape) => ("200", "It.", Some(json(refer(shape)))),
        Gives::Made(shape) => ("201", "It was made.", Some(json(refer(shape)))),
        Gives::Begun(shape) => ("202", "It was begun.", Some(json(refer(shape)))),
        Gives::Document => (
            "200",
            "The description.",
            Some(json(json!({ "type": "object" }))),
        ),
        Gives::Page(shape) => {
            let page = json!({
                "type": "object",
                "required": ["items", "next"],
                "properties": {
                    "items": { "type": "array", "items": refer(shape) },
                    "next": { "type": ["string", "null"] },
                },
            });
            ("200", "A part of the list.", Some(json(page)))
        }
        Gives::Lines(_) => (
            "200",
            "A line for each.",
            Some(json!({ "application/jsonl": { "schema": { "type": "string" } } })),
        ),
    };
    let mut said = json!({ "description": about });
    if let Some(map) = said.as_object_mut() {
        if let Some(content) = content {
            map.insert("content".to_owned(), content);
        }
        if !headers.is_empty() {
            map.insert("headers".to_owned(), Value::Object(headers));
        }
    }
    (status, said)
}
