//! Every field, one by one.

use super::*;

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
