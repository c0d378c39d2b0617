//! What is read of artifacts as real tools write them.

use longshore_spec::digest::Algorithm;
use longshore_spec::manifest::{Limits, View};
use serde_json::{Value, json};

use super::*;

mod kinds;
mod parts;

fn descriptor(kind: &str, of: &str, size: u64) -> Value {
    json!({"mediaType": kind, "digest": Digest::of(Algorithm::Sha256, of.as_bytes()).to_string(), "size": size})
}

fn image(config: &str, layers: &[Value], more: &Value) -> View {
    let mut manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor(config, "config", 100),
        "layers": layers,
    });
    for (name, value) in more.as_object().unwrap() {
        manifest[name] = value.clone();
    }
    view(&manifest)
}

fn view(manifest: &Value) -> View {
    View::parse(manifest.to_string().as_bytes(), None, &Limits::default()).unwrap()
}

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";

fn about(reading: &Reading) -> About {
    serde_json::from_str(&reading.known.about).unwrap()
}

#[test]
fn an_image_says_its_platform_size_labels_history_and_base() {
    let layers = [
        descriptor(LAYER, "a", 1000),
        descriptor(LAYER, "b", 500),
        // Some tools write one layer twice; it is sent once.
        descriptor(LAYER, "a", 1000),
    ];
    let view = image(
        CONFIG,
        &layers,
        &json!({"annotations": {
            "org.opencontainers.image.base.name": "docker.io/library/debian:12",
            "org.opencontainers.image.description": "A web server",
        }}),
    );
    let config = json!({
        "created": "2024-02-29T12:34:56.789Z",
        "author": "Alice",
        "architecture": "arm64", "os": "linux", "variant": "v8",
        "config": {"Labels": {"team": "payments", "none": null}},
        "history": [{"created_by": "COPY . /", "comment": "buildkit"}, {"empty_layer": true}],
        "rootfs": {"type": "layers", "diff_ids": []},
    });
    let reading = read(&view, 700, Ok(Some(config.to_string().as_bytes())));
    let known = &reading.known;
    assert_eq!((known.kind.as_str(), known.flaw.as_str()), ("image", ""));
    assert_eq!(known.platforms, "linux/arm64/v8");
    assert_eq!(known.created, Some(1_709_210_096_000_000));
    assert_eq!(known.author, "Alice");
    assert_eq!((known.layers, known.size, known.total), (3, 1500, 2300));
    assert_eq!(known.base, "docker.io/library/debian:12");
    let about = about(&reading);
    assert_eq!(about.labels["team"], "payments");
    assert_eq!(about.labels["none"], "");
    assert_eq!(about.history.len(), 2);
    assert_eq!(about.history[0].by, "COPY . /");
    assert!(about.history[1].empty);
}

#[test]
fn an_index_has_the_platforms_of_what_it_lists_and_is_as_large_as_all_of_it() {
    let child = |of: &str, platform: Value| {
        let mut child = descriptor("application/vnd.oci.image.manifest.v1+json", of, 500);
        child["platform"] = platform;
        child
    };
    let view = view(&json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [
            child("a", json!({"architecture": "amd64", "os": "linux"})),
            child("b", json!({"architecture": "arm", "os": "linux", "variant": "v7"})),
            child("c", json!({"architecture": "unknown", "os": "unknown"})),
        ],
    }));
    let reading = read(&view, 900, Ok(None));
    assert_eq!(reading.known.kind, "index");
    assert_eq!(reading.known.platforms, "linux/amd64\nlinux/arm/v7");
    assert_eq!((reading.known.total, reading.lists.len()), (900, 3));
}

#[test]
fn a_config_that_cannot_be_read_is_said_and_takes_nothing_else_away() {
    let view = image(
        CONFIG,
        &[descriptor(LAYER, "a", 7)],
        &json!({"annotations": {"a": "b"}}),
    );
    for config in [
        "",
        "[]",
        "{\"architecture\": 7}",
        "{\"os\": \"a\", \"os\": \"b\"}",
        "\u{0}",
    ] {
        let reading = read(&view, 1, Ok(Some(config.as_bytes())));
        assert!(
            reading
                .known
                .flaw
                .starts_with("its config is not one of an image"),
            "{config}"
        );
        assert_eq!(
            (reading.known.size, about(&reading).annotations.len()),
            (7, 1)
        );
    }
    let deep = format!(
        "{{\"history\": {}1{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let deep = read(&view, 1, Ok(Some(deep.as_bytes())));
    assert!(!deep.known.flaw.is_empty());
    let reading = read(&view, 1, Err("its config is not here".to_owned()));
    assert_eq!(reading.known.flaw, "its config is not here");
}

#[test]
fn whatever_is_written_into_it_what_is_kept_is_bounded() {
    let long = "é".repeat(100_000);
    let names: serde_json::Map<String, Value> = (0..5000)
        .map(|at| (format!("name{at}"), json!(long)))
        .collect();
    let view = {
        let few: serde_json::Map<String, Value> = names
            .iter()
            .take(10)
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        image(CONFIG, &[], &json!({"annotations": few}))
    };
    let config = json!({
        "author": long, "architecture": long, "os": "li\u{7}nux",
        "config": {"Labels": names.iter().take(500).collect::<BTreeMap<_, _>>()},
        "history": vec![json!({"created_by": long}); 300],
    });
    let known = read(&view, u64::MAX, Ok(Some(config.to_string().as_bytes()))).known;
    assert!(known.about.len() <= ABOUT, "{}", known.about.len());
    assert!(serde_json::from_str::<About>(&known.about).is_ok());
    assert!(known.author.len() <= 256);
    assert_eq!(known.platforms, "", "control characters are no platform");
    assert_eq!(known.total, i64::MAX.unsigned_abs());
}

#[test]
fn a_chart_has_its_description_and_keywords() {
    let kind = "application/vnd.cncf.helm.config.v1+json";
    let view = image(kind, &[], &json!({}));
    let chart = json!({"name": "web", "version": "1.2.3", "appVersion": "7", "description": "Serves pages", "keywords": ["http", "proxy"]});
    let reading = read(&view, 1, Ok(Some(chart.to_string().as_bytes())));
    let about = about(&reading);
    assert_eq!(about.description, "Serves pages");
    assert_eq!(about.labels["keywords"], "http proxy");
}
