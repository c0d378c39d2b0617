//! What is taken as a manifest, what is not, and why.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::digest::Algorithm;

fn digest(text: &str) -> String {
    Digest::of(Algorithm::Sha256, text.as_bytes()).to_string()
}

fn blob(media_type: &str, content: &str) -> Json {
    json!({ "mediaType": media_type, "digest": digest(content), "size": content.len() })
}

/// An OCI image with a config and a layer.
fn image() -> Json {
    json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob("application/vnd.oci.image.config.v1+json", "config"),
        "layers": [blob("application/vnd.oci.image.layer.v1.tar+gzip", "layer")],
    })
}

/// An OCI index with one child.
fn index() -> Json {
    json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [blob("application/vnd.oci.image.manifest.v1+json", "child")],
    })
}

/// `base` with `changes`, as `(JSON pointer's parent, member, value)`.
fn with(base: Json, changes: &[(&str, &str, Json)]) -> Json {
    let mut changed = base;
    for (at, name, value) in changes {
        changed.pointer_mut(at).unwrap()[name] = value.clone();
    }
    changed
}

fn without(base: Json, name: &str) -> Json {
    let mut changed = base;
    changed.as_object_mut().unwrap().remove(name);
    changed
}

fn parse(manifest: &Json) -> Result<View, ManifestError> {
    View::parse(manifest.to_string().as_bytes(), None, &Limits::default())
}

fn parse_as(manifest: &Json, content_type: &str) -> Result<View, ManifestError> {
    let content_type = content_type.parse().unwrap();
    View::parse(
        manifest.to_string().as_bytes(),
        Some(&content_type),
        &Limits::default(),
    )
}

/// The field and fault of an error about one field.
fn fault(manifest: &Json) -> (String, FieldFault) {
    match parse(manifest) {
        Err(ManifestError::Field { field, fault }) => (field.into(), fault),
        other => panic!("{manifest}: {other:?}"),
    }
}

#[test]
fn an_image_tells_its_config_and_layers() {
    let view = parse(&image()).unwrap();
    assert_eq!(
        (view.kind, &view.media_type),
        (Kind::Image, &MediaType::OCI_MANIFEST)
    );
    let sizes: Vec<u64> = view.blobs().map(|blob| blob.size).collect();
    assert_eq!(sizes, [6, 5]);
    assert!(view.blobs().all(Descriptor::must_exist));
    assert_eq!(view.subject, None);
}

#[test]
fn an_index_tells_its_children_and_may_have_none() {
    let view = parse(&index()).unwrap();
    assert_eq!(
        (view.kind, view.children.len(), view.blobs().count()),
        (Kind::Index, 1, 0)
    );
    assert_eq!(view.artifact_type(), None);
    for empty in [json!([]), Json::Null] {
        assert_eq!(
            parse(&with(index(), &[("", "manifests", empty)]))
                .unwrap()
                .children,
            []
        );
    }
    assert_eq!(
        parse(&with(image(), &[("", "layers", json!([]))]))
            .unwrap()
            .layers,
        []
    );
}

#[test]
fn dockers_manifests_are_read_like_ocis() {
    let docker = "application/vnd.docker.distribution.manifest.v2+json";
    assert_eq!(
        parse(&with(image(), &[("", "mediaType", json!(docker))]))
            .unwrap()
            .kind,
        Kind::Image
    );
    let list = "application/vnd.docker.distribution.manifest.list.v2+json";
    assert_eq!(
        parse(&with(index(), &[("", "mediaType", json!(list))]))
            .unwrap()
            .kind,
        Kind::Index
    );
}

#[test]
fn the_header_and_the_field_must_agree_and_either_will_do() {
    let bare = without(image(), "mediaType");
    assert_eq!(parse(&bare), Err(ManifestError::TypeMissing));
    let view = parse_as(
        &bare,
        "application/vnd.oci.image.manifest.v1+json; charset=utf-8",
    )
    .unwrap();
    assert_eq!(view.media_type, MediaType::OCI_MANIFEST);
    assert!(matches!(
        parse_as(
            &image(),
            "application/vnd.docker.distribution.manifest.v2+json"
        ),
        Err(ManifestError::TypesDiffer { .. })
    ));
}

#[test]
fn a_manifest_with_the_fields_of_another_kind_is_refused() {
    let index_as_image = without(index(), "mediaType");
    assert_eq!(
        parse_as(
            &index_as_image,
            "application/vnd.oci.image.manifest.v1+json"
        ),
        Err(ManifestError::Confused { field: "manifests" })
    );
    for (manifest, field) in [
        (with(image(), &[("", "manifests", json!([]))]), "manifests"),
        (with(index(), &[("", "layers", json!([]))]), "layers"),
        (with(index(), &[("", "config", json!({}))]), "config"),
        (with(image(), &[("", "fsLayers", json!([]))]), "fsLayers"),
    ] {
        assert_eq!(
            parse(&manifest),
            Err(ManifestError::Confused { field }),
            "{manifest}"
        );
    }
    let lookalike = ("Manifests".to_owned(), FieldFault::Lookalike);
    for name in ["Manifests", "MANIFESTS", "manife\u{17f}ts"] {
        let (field, fault) = fault(&with(image(), &[("", name, json!([]))]));
        assert_eq!(
            (field.as_str(), fault),
            ("manifests", lookalike.1),
            "{name}"
        );
    }
    assert_eq!(
        fault(&with(image(), &[("/layers/0", "Digest", json!(""))])).0,
        "layers[0].digest"
    );
}

#[test]
fn schema_1_is_refused_by_its_name() {
    let schema1 =
        json!({ "schemaVersion": 1, "name": "a", "tag": "1", "fsLayers": [], "signatures": [] });
    assert_eq!(
        parse_as(
            &schema1,
            "application/vnd.docker.distribution.manifest.v1+prettyjws"
        ),
        Err(ManifestError::Schema1)
    );
    assert_eq!(
        parse_as(
            &schema1,
            "application/vnd.docker.distribution.manifest.v2+json"
        ),
        Err(ManifestError::Schema1)
    );
    assert_eq!(
        parse(&with(
            schema1,
            &[(
                "",
                "mediaType",
                json!("application/vnd.docker.distribution.manifest.v1+json")
            )]
        )),
        Err(ManifestError::Schema1)
    );
}

#[test]
fn unknown_kinds_of_manifest_are_refused_unless_let_in_and_then_keep_what_they_point_to() {
    let artifact = json!({
        "mediaType": "application/vnd.oci.artifact.manifest.v1+json",
        "artifactType": "application/vnd.foo",
        "blobs": [blob("application/vnd.foo.blob", "blob")],
    });
    assert!(matches!(
        parse(&artifact),
        Err(ManifestError::UnknownType(_))
    ));
    let open = Limits {
        unknown_types: true,
        ..Limits::default()
    };
    let view = View::parse(artifact.to_string().as_bytes(), None, &open).unwrap();
    assert_eq!((view.kind, view.blobs().count()), (Kind::Other, 1));
    let both = with(
        artifact,
        &[("", "layers", json!([])), ("", "manifests", json!([]))],
    );
    assert_eq!(
        View::parse(both.to_string().as_bytes(), None, &open),
        Err(ManifestError::Confused { field: "layers" })
    );
}

#[test]
fn bytes_that_two_readers_could_understand_differently_are_refused() {
    let valid = image().to_string();
    let limits = Limits::default();
    let parse = |bytes: &[u8]| View::parse(bytes, Some(&MediaType::OCI_MANIFEST), &limits);
    assert!(parse(valid.as_bytes()).is_ok());
    let is_json = |bytes: &[u8]| !matches!(parse(bytes), Err(ManifestError::Json { .. }));
    let twice = |text: &str| valid.replacen('{', text, 1);
    for broken in [
        "".to_owned(),
        "{".into(),
        format!("\u{feff}{valid}"),
        format!("{valid} {{}}"),
        twice(r#"{"a":"\ud800","#),
        twice(r#"{"\udc00":1,"#),
        twice(r#"{"a":NaN,"#),
        twice(r#"{"a":1e999,"#),
        twice("{\"a\":\"\n\","),
        twice(r#"{"a":01,"#),
        twice(r#"{,"#),
    ] {
        assert!(!is_json(broken.as_bytes()), "{broken:?}");
    }
    assert!(!is_json(b"{\"a\":\"\xff\"}"));
    assert!(!is_json(
        &valid
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<u8>>()
    ));
    for no_object in ["null", "[]", "\"x\"", "1"] {
        assert_eq!(parse(no_object.as_bytes()), Err(ManifestError::NotAnObject));
    }
    for (text, name) in [
        (r#"{"schemaVersion":2,"#, "schemaVersion"),
        (r#"{"a":1,"\u0061":2,"#, "a"),
        (r#"{"x":{"b":1,"b":1},"#, "b"),
    ] {
        assert_eq!(
            parse(twice(text).as_bytes()),
            Err(ManifestError::DuplicateName { name: name.into() })
        );
    }
    assert!(
        parse(
            twice(r#"{"unknown":[1.5,-1e3,18446744073709551616,{"b":null}],"also":true,"#)
                .as_bytes()
        )
        .is_ok()
    );
}

#[test]
fn depth_values_and_bytes_are_bounded_before_anything_is_built() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let limits = Limits::default();
    let parse = |text: &str| View::parse(text.as_bytes(), None, &limits);
    assert_eq!(parse(&nested(64)), Err(ManifestError::NotAnObject));
    assert_eq!(
        parse(&nested(65)),
        Err(ManifestError::TooDeep { limit: 64 })
    );
    assert_eq!(
        parse(&nested(10_000)),
        Err(ManifestError::TooDeep { limit: 64 })
    );
    assert_eq!(
        parse(&"[".repeat(100_000)),
        Err(ManifestError::TooDeep { limit: 64 })
    );
    let names: String = (0..250_000).map(|n| format!("\"{n}\":0,")).collect();
    assert_eq!(
        parse(&format!("{{{names}\"x\":0}}")),
        Err(ManifestError::TooManyValues { limit: 200_000 })
    );
    assert_eq!(
        parse(&" ".repeat(4 * 1024 * 1024 + 1)),
        Err(ManifestError::TooLarge {
            limit: 4 * 1024 * 1024
        })
    );
}

#[test]
fn a_large_manifest_within_the_limits_is_taken() {
    let annotations: serde_json::Map<String, Json> = (0..390)
        .map(|n| (format!("org.example.{n}"), json!("x".repeat(10_000))))
        .collect();
    let view = parse(&with(
        image(),
        &[("", "annotations", Json::Object(annotations))],
    ))
    .unwrap();
    assert_eq!(view.annotations.len(), 390);
    let layer = |_| blob("a/b", "same");
    let layers: Json = (0..10_000).map(layer).collect();
    assert_eq!(
        parse(&with(image(), &[("", "layers", layers)]))
            .unwrap()
            .layers
            .len(),
        10_000
    );
}

#[test]
fn lists_and_annotations_that_are_too_long_are_refused() {
    let layers: Json = (0..10_001).map(|_| blob("a/b", "same")).collect();
    let many = |limit| FieldFault::TooMany { limit };
    assert_eq!(
        fault(&with(image(), &[("", "layers", layers.clone())])),
        ("layers".into(), many(10_000))
    );
    assert_eq!(
        fault(&with(index(), &[("", "manifests", layers)])),
        ("manifests".into(), many(10_000))
    );
    let annotations: serde_json::Map<String, Json> =
        (0..4_097).map(|n| (n.to_string(), json!(""))).collect();
    let annotations = Json::Object(annotations);
    assert_eq!(
        fault(&with(image(), &[("/config", "annotations", annotations)])),
        ("config.annotations".into(), many(4_096))
    );
}

#[test]
fn every_field_is_checked_and_named() {
    let number = FieldFault::Expected("a number of bytes");
    let two = FieldFault::Expected("the number 2");
    let strings = FieldFault::Expected("an object of strings");
    let malformed = FieldFault::Digest(DigestError::Malformed);
    for (manifest, field, expected) in [
        (
            without(image(), "schemaVersion"),
            "schemaVersion",
            FieldFault::Missing,
        ),
        (
            with(image(), &[("", "schemaVersion", json!(1))]),
            "schemaVersion",
            two,
        ),
        (
            with(image(), &[("", "schemaVersion", json!(3))]),
            "schemaVersion",
            two,
        ),
        (
            with(image(), &[("", "schemaVersion", json!("2"))]),
            "schemaVersion",
            two,
        ),
        (
            with(image(), &[("", "schemaVersion", json!(2.0))]),
            "schemaVersion",
            two,
        ),
        (without(image(), "config"), "config", FieldFault::Missing),
        (without(image(), "layers"), "layers", FieldFault::Missing),
        (
            without(index(), "manifests"),
            "manifests",
            FieldFault::Missing,
        ),
        (
            with(image(), &[("", "layers", json!({}))]),
            "layers",
            FieldFault::Expected("a list of descriptors"),
        ),
        (
            with(image(), &[("", "layers", json!([1]))]),
            "layers[0]",
            FieldFault::Expected("a descriptor"),
        ),
        (
            with(image(), &[("/layers/0", "size", json!(1.5))]),
            "layers[0].size",
            number,
        ),
        (
            with(image(), &[("/layers/0", "size", json!("10"))]),
            "layers[0].size",
            number,
        ),
        (
            with(image(), &[("/layers/0", "size", json!(-1))]),
            "layers[0].size",
            number,
        ),
        (
            with(image(), &[("/layers/0", "size", json!(1u64 << 63))]),
            "layers[0].size",
            number,
        ),
        (
            with(image(), &[("/config", "digest", json!("sha256:../../x"))]),
            "config.digest",
            malformed,
        ),
        (
            with(image(), &[("/config", "digest", json!(""))]),
            "config.digest",
            malformed,
        ),
        (
            with(image(), &[("/config", "digest", json!("a".repeat(10_240)))]),
            "config.digest",
            malformed,
        ),
        (
            with(image(), &[("/config", "digest", json!(5))]),
            "config.digest",
            FieldFault::Expected("a string"),
        ),
        (
            with(image(), &[("/config", "mediaType", json!("text"))]),
            "config.mediaType",
            FieldFault::MediaType(MediaTypeError::Grammar),
        ),
        (
            with(
                image(),
                &[
                    ("", "subject", blob("a/b", "")),
                    ("/subject", "digest", json!("x")),
                ],
            ),
            "subject.digest",
            malformed,
        ),
        (
            with(image(), &[("", "annotations", json!({"a": 1}))]),
            "annotations",
            strings,
        ),
        (
            with(image(), &[("", "annotations", json!({"a": null}))]),
            "annotations",
            strings,
        ),
        (
            with(image(), &[("", "annotations", Json::Null)]),
            "annotations",
            strings,
        ),
        (
            with(image(), &[("", "artifactType", json!("a\nb"))]),
            "artifactType",
            FieldFault::MediaType(MediaTypeError::Grammar),
        ),
        (
            with(index(), &[("/manifests/0", "platform", json!({"os": 1}))]),
            "manifests[0].platform.os",
            FieldFault::Expected("a string"),
        ),
        (
            with(
                index(),
                &[("/manifests/0", "platform", json!({"os.features": ["a", 1]}))],
            ),
            "manifests[0].platform.os.features[1]",
            FieldFault::Expected("a string"),
        ),
    ] {
        assert_eq!(fault(&manifest), (field.to_owned(), expected), "{manifest}");
    }
}

#[test]
fn urls_are_for_the_web_only() {
    for url in [
        "https://store.example.com/blobs/x",
        "http://[::1]:80/?a=b#c",
        "HTTPS://EXAMPLE.com",
    ] {
        let view = parse(&with(image(), &[("/layers/0", "urls", json!([url]))])).unwrap();
        assert_eq!(view.layers[0].urls, [url]);
    }
    for url in [
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://",
        "https:///x",
        "//a/b",
        "",
        "http://a b",
        "http://a\r\nb",
        "ftp://a/b",
        "http://a/<b>",
    ] {
        let (field, fault) = fault(&with(
            image(),
            &[("/layers/0", "urls", json!(["http://ok", url]))],
        ));
        assert_eq!(
            (field.as_str(), fault),
            (
                "layers[0].urls[1]",
                FieldFault::Expected("an http or https URL")
            ),
            "{url}"
        );
    }
}

#[test]
fn layers_that_are_not_distributed_need_not_exist() {
    for media_type in [
        MediaType::OCI_FOREIGN_LAYER_GZIP,
        MediaType::DOCKER_FOREIGN_LAYER_GZIP,
    ] {
        let view = parse(&with(
            image(),
            &[("/layers/0", "mediaType", json!(media_type))],
        ))
        .unwrap();
        assert!(!view.layers[0].must_exist());
    }
    let view = parse(&with(
        image(),
        &[("/layers/0", "urls", json!(["https://a/b"]))],
    ))
    .unwrap();
    assert!(view.layers[0].must_exist());
}

#[test]
fn embedded_content_is_what_its_descriptor_says() {
    let embed = |data: Json| with(image(), &[("/config", "data", data)]);
    let view = parse(&embed(json!("Y29uZmln"))).unwrap();
    assert_eq!(view.config.unwrap().data.as_deref(), Some(&b"config"[..]));
    for (data, expected) in [
        (json!("Y29uZmlH"), FieldFault::OtherContent),
        (json!("Y29uZg=="), FieldFault::OtherContent),
        (json!(""), FieldFault::OtherContent),
        (json!("Y29uZmln\n"), FieldFault::Expected("base64")),
        (json!("%"), FieldFault::Expected("base64")),
        (json!(5), FieldFault::Expected("a string")),
    ] {
        assert_eq!(
            fault(&embed(data.clone())),
            ("config.data".to_owned(), expected),
            "{data}"
        );
    }
}

#[test]
fn a_referrer_is_listed_with_its_type_and_annotations() {
    let annotated = with(
        image(),
        &[
            ("", "annotations", json!({"a": "<script>\r\n"})),
            ("", "subject", blob("a/b", "s")),
        ],
    );
    let view = parse(&annotated).unwrap();
    let id = Digest::of(Algorithm::Sha256, b"manifest");
    let listed = view.referrer_descriptor(id, 8);
    assert_eq!(
        serde_json::to_value(&listed).unwrap(),
        json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": id.to_string(),
            "size": 8,
            "artifactType": "application/vnd.oci.image.config.v1+json",
            "annotations": { "a": "<script>\r\n" },
        })
    );
    for (declared, expected) in [
        (json!("x/y"), "x/y"),
        (json!(""), "application/vnd.oci.image.config.v1+json"),
    ] {
        let view = parse(&with(image(), &[("", "artifactType", declared)])).unwrap();
        assert_eq!(view.artifact_type().unwrap().as_str(), expected);
    }
    let view = parse(&with(index(), &[("", "artifactType", json!("x/y"))])).unwrap();
    assert_eq!(view.artifact_type().unwrap().as_str(), "x/y");
}

proptest! {
    #[test]
    fn a_manifest_with_anything_at_any_place_is_taken_or_refused_but_never_misread(
        place in "/(config|layers/0|subject)?",
        name in "mediaType|digest|size|urls|data|annotations|platform|layers|manifests|config|\\PC{0,4}",
        value in prop_oneof![Just(Json::Null), any::<i64>().prop_map(Json::from), "\\PC{0,9}".prop_map(Json::from), Just(json!([{}])), Just(json!({"a": ["b"]}))],
    ) {
        let base = with(image(), &[("", "subject", blob("a/b", "s"))]);
        let place = if place == "/" { "" } else { &place };
        crate::fuzzing::manifests(with(base, &[(place, &name, value)]).to_string().as_bytes());
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        crate::fuzzing::manifests(&bytes);
    }
}
