//! Bytes that are refused before they mean anything, and how much is taken.

use proptest::prelude::*;

use super::*;

#[test]
fn bytes_that_two_readers_could_understand_differently_are_refused() {
    let valid = image().to_string();
    let limits = Limits::default();
    let parse = |bytes: &[u8]| View::parse(bytes, Some(&MediaType::OCI_MANIFEST), &limits);
    assert!(parse(valid.as_bytes()).is_ok());
    let is_json = |bytes: &[u8]| !matches!(parse(bytes), Err(ManifestError::Json { .. }));
    let twice = |text: &str| valid.replacen('{', text, 1);
    for broken in [
        String::new(),
        "{".into(),
        format!("\u{feff}{valid}"),
        format!("{valid} {{}}"),
        twice(r#"{"a":"\ud800","#),
        twice(r#"{"\udc00":1,"#),
        twice(r#"{"a":NaN,"#),
        twice(r#"{"a":1e999,"#),
        twice("{\"a\":\"\n\","),
        twice(r#"{"a":01,"#),
        twice(r"{,"),
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
    let long = "\u{fc}".repeat(1_000_000);
    let error = parse(format!("{{\"{long}\":1,\"{long}\":2}}").as_bytes()).unwrap_err();
    assert!(error.to_string().len() < 200, "a message is a line");
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
    let names: String = (0..250_000).fold(String::new(), |names, n| names + &format!("\"{n}\":0,"));
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
