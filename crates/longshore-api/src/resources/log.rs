//! The audit log.

use bytes::Bytes;
use http::{HeaderValue, header};
use longshore_auth::rights::{Action, Object};
use longshore_hub::audit::line as audit_line;
use longshore_hub::views::Part;
use longshore_meta::audit::AuditRow;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::answer::{Answer, Reply};
use crate::api::Api;
use crate::ask::Ask;
use crate::cursor;
use crate::endpoint::{
    CURSOR, Endpoint, Gives, Kind, LIMIT, Needs, On, Parameter, Way, line, shape,
};
use crate::page::{self, after, page};
use crate::words::time;

const ORDER: Parameter = Parameter {
    name: "order",
    about: "`newest` first, which is usual, or `oldest`",
    kind: Kind::OneOf(&["newest", "oldest"]),
};
/// How many lines are in one part of an export.
const LINES: usize = 1000;

const fn needs(on: On) -> Needs {
    Needs::Right(Action::AuditRead, on)
}

pub(super) const ENDPOINTS: &[Endpoint] = &[
    line(
        "audit-list",
        (Way::Get, "/audit"),
        "List what was done",
        needs(On::System),
        Gives::Page(shape::<Entry>()),
        |api, ask| Box::pin(list(api, ask)),
    )
    .asks(&[LIMIT, CURSOR, ORDER]),
    line(
        "audit-export",
        (Way::Get, "/audit/export"),
        "Export what was done, oldest first, a line of JSON each; a Link leads on where there is more",
        needs(On::System),
        Gives::Lines(shape::<Entry>()),
        |api, ask| Box::pin(export(api, ask)),
    )
    .asks(&[CURSOR]),
    line(
        "namespace-audit-list",
        (Way::Get, "/namespaces/{namespace}/-/audit"),
        "List what was done in a namespace",
        needs(On::Namespace),
        Gives::Page(shape::<Entry>()),
        |api, ask| Box::pin(list(api, ask)),
    )
    .asks(&[LIMIT, CURSOR, ORDER]),
];

/// Something that was done, or denied.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
struct Entry {
    /// Its number.
    seq: i64,
    /// When.
    at: String,
    /// The id of whoever did it; 0: a stranger, or the operator.
    actor: i64,
    /// What they were called.
    actor_name: String,
    /// How they showed who they were: a word, and the number of the credential where there are several (`token:7`).
    via: String,
    /// The address they asked from.
    origin: String,
    /// The action.
    action: String,
    /// What it was done to.
    object: String,
    /// The id of the namespace that lies in; 0: none.
    namespace: i64,
    /// `done` or `denied`; `broken` in a row about the log itself, which was found not to be what was signed.
    result: String,
    /// More about it.
    #[schema(value_type = Object)]
    detail: Value,
    /// The id of the request.
    request: String,
    /// The hash over this row and the one before it.
    hash: String,
}

impl From<AuditRow> for Entry {
    fn from(row: AuditRow) -> Self {
        let entry = row.entry;
        Self {
            seq: row.seq,
            at: time(entry.at),
            actor: entry.actor.0,
            actor_name: entry.actor_name,
            via: entry.via,
            origin: entry.origin,
            action: entry.action,
            object: entry.object,
            namespace: entry.namespace.0,
            result: entry.result,
            detail: serde_json::from_str(&entry.detail).unwrap_or_default(),
            request: entry.request,
            hash: hex::encode(row.hash),
        }
    }
}

async fn list(api: &Api, ask: Ask) -> Answer {
    let object = match ask.value("namespace") {
        "" => Object::System,
        _ => api.hub().place(&ask.caller, ask.namespace()?).await?,
    };
    let from: Option<i64> = after(&ask, |key| key.parse().ok().map(Some))?;
    let part = match ask.query.get("order") {
        Some("oldest") => Part::After(from.unwrap_or(0)),
        _ => Part::Before(from.unwrap_or(i64::MAX)),
    };
    let found = api
        .hub()
        .audit_list(&ask.caller, &object, part, ask.query.limit())
        .await?;
    page(&ask, found, Entry::from, ToString::to_string)
}

async fn export(api: &Api, ask: Ask) -> Answer {
    let from: i64 = after(&ask, |key| key.parse().ok())?;
    let found = api
        .hub()
        .audit_list(&ask.caller, &Object::System, Part::After(from), LINES)
        .await?;
    let mut text = String::new();
    for row in &found.items {
        text.push_str(&audit_line(row));
        text.push('\n');
    }
    let kind = HeaderValue::from_static("application/jsonl");
    let reply = Reply::bytes(kind, Bytes::from(text));
    Ok(match found.next {
        Some(next) => {
            let next = cursor::seal(&ask, &next.to_string())?;
            reply.with(header::LINK, &page::link(&ask, &next))
        }
        None => reply,
    })
}
