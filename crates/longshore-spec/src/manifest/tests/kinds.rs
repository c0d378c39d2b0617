//! What a manifest is, and what a registry learns from it.

use super::*;

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
