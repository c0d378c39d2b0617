//! The description of the API: checked in, served, and true.

use std::collections::BTreeSet;
use std::path::Path;

use longshore_api::{document, endpoints};
use serde_json::Value;

use super::house::House;

#[tokio::test]
async fn the_description_that_is_checked_in_is_what_is_served() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let house = House::new().await;
    let said = house.get("", "/openapi.json").await;
    assert_eq!(said.status, 200);
    if std::env::var_os("UPDATE_PAGES").is_some() {
        std::fs::write(&path, &said.body).unwrap();
    }
    let checked_in = std::fs::read(&path).unwrap_or_default();
    assert!(
        checked_in == said.body,
        "docs/openapi.json is not what the program serves; run this test with UPDATE_PAGES=1"
    );
}

#[test]
fn every_endpoint_is_described_and_every_reference_leads_somewhere() {
    let document = document();
    for endpoint in endpoints() {
        let method = endpoint.method.as_str().to_ascii_lowercase();
        let described = &document["paths"][endpoint.path][&method];
        assert_eq!(described["operationId"], endpoint.id);
    }
    let mut wanted = BTreeSet::new();
    references(&document, &mut wanted);
    for name in wanted {
        let path = name.strip_prefix('#').unwrap();
        assert!(document.pointer(path).is_some(), "{name}");
    }
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(to)) = map.get("$ref") {
                found.insert(to.clone());
            }
            map.values().for_each(|it| references(it, found));
        }
        Value::Array(list) => list.iter().for_each(|it| references(it, found)),
        _ => {}
    }
}

#[test]
fn what_is_sent_is_described_as_having_no_other_names() {
    let document = document();
    for endpoint in endpoints() {
        let Some(body) = &endpoint.body else { continue };
        let name = (body.name)();
        let schema = &document["components"]["schemas"][&name];
        assert_eq!(schema["additionalProperties"], false, "{name}");
    }
}
