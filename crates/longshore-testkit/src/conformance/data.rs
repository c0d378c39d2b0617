//! The data sets, by the names that the conformance program gives them.

use longshore_spec::digest::Algorithm;
use longshore_spec::media::MediaType;
use serde_json::json;

use crate::content::Dress;

use super::made::{Config, Like, Set};

const KIND_ONE: &str = "application/vnd.example.kind.v1";
const KIND_TWO: &str = "application/vnd.example.kind.v2";

/// Every data set, in the order in which they are pushed, read and deleted.
pub(super) fn sets() -> Vec<Set> {
    vec![
        image("image", MediaType::OCI_LAYER_GZIP),
        image("image-uncompressed", MediaType::OCI_LAYER),
        large_manifest(),
        index(),
        nested_index(),
        empty_index(),
        artifact(),
        artifact_index(),
        artifact_without_layers(),
        artifacts_with_subject(),
        index_with_subject(),
        missing_subject(),
        data_field(),
        non_distributable_layers(),
        custom_fields(),
        no_layers(),
        sparse(),
        sha512(),
        tag_params("tag-param-sha256", Algorithm::Sha256),
        tag_params("tag-param-sha512", Algorithm::Sha512),
        bad_digest_image(),
    ]
}

fn new(name: &'static str) -> Set {
    Set::new(name, Algorithm::Sha256)
}

/// An image of two layers.
fn image(name: &'static str, layer_type: MediaType) -> Set {
    let mut set = new(name);
    let image = set.image(&Like {
        layer_type,
        ..Like::image()
    });
    set.tag(name, &image);
    set
}

/// An image whose annotations make it nearly as large as a manifest may be: 390 of 10,000 bytes.
fn large_manifest() -> Set {
    let mut set = new("large-manifest");
    let annotations = (0..390)
        .map(|n| (format!("org.example.large.{n}"), "a".repeat(10_000)))
        .collect();
    let dress = Dress {
        annotations,
        ..Dress::default()
    };
    let image = set.image(&Like {
        dress,
        ..Like::image()
    });
    set.tag("large-manifest", &image);
    set
}

/// Two images for two platforms.
fn index() -> Set {
    let mut set = new("index");
    let index = set.index(&Like::image());
    set.tag("index", &index);
    set
}

/// An index of two indexes of two images each.
fn nested_index() -> Set {
    let mut set = new("nested-index");
    let children = [set.index(&Like::image()), set.index(&Like::image())];
    let top = set.index_of(
        children.map(|child| child.descriptor()).to_vec(),
        &Dress::default(),
    );
    set.tag("nested-index", &top);
    set
}

/// An index of nothing.
fn empty_index() -> Set {
    let mut set = new("empty-index");
    let index = set.index_of(Vec::new(), &Dress::default());
    set.tag("empty-index", &index);
    set
}

/// An artifact: a type of its own, `{}` for a config, one layer.
fn artifact() -> Set {
    let mut set = new("artifact");
    let artifact = set.image(&Like::artifact(KIND_ONE));
    set.tag("artifact", &artifact);
    set
}

/// An index of two artifacts, with a type too.
fn artifact_index() -> Set {
    let mut set = new("artifact-index");
    let index = set.index(&Like::artifact(KIND_ONE));
    set.tag("artifact-index", &index);
    set
}

/// An artifact that is all in its annotations: its layer is `{}` like its config.
fn artifact_without_layers() -> Set {
    let mut set = new("artifact-without-layers");
    let artifact = set.image(&Like {
        layer_type: MediaType::OCI_EMPTY,
        ..Like::artifact(KIND_ONE)
    });
    set.tag("artifact-without-layers", &artifact);
    set
}

/// An image, and three that point to it: an image, and artifacts of two types.
fn artifacts_with_subject() -> Set {
    let mut set = new("artifacts-with-subject");
    let subject = set.image(&Like::image());
    set.tag("subject", &subject);
    set.image(&Like {
        dress: Dress::about(&subject),
        ..Like::image()
    });
    for (tag, kind) in [("about-one", KIND_ONE), ("about-two", KIND_TWO)] {
        let artifact = Like::artifact(kind);
        let dress = Dress {
            annotations: annotations(tag),
            ..Dress::about(&subject)
        };
        let dress = Dress {
            artifact_type: Some(kind),
            ..dress
        };
        let about = set.image(&Like { dress, ..artifact });
        set.tag(tag, &about);
    }
    set
}

/// An index, and an index of artifacts that points to it; so do the artifacts in it.
fn index_with_subject() -> Set {
    let mut set = new("index-with-subject");
    let subject = set.index(&Like::image());
    set.tag("subject", &subject);
    let dress = Dress {
        annotations: annotations("about"),
        ..Dress::about(&subject)
    };
    let dress = Dress {
        artifact_type: Some(KIND_ONE),
        ..dress
    };
    let about = set.index(&Like {
        dress,
        ..Like::artifact(KIND_ONE)
    });
    set.tag("about", &about);
    set
}

/// An artifact that points to an image which is not there.
fn missing_subject() -> Set {
    let mut set = new("missing-subject");
    let absent = set.maker().blob(123);
    let mut subject = absent.descriptor();
    subject["mediaType"] = MediaType::OCI_MANIFEST.as_str().into();
    let dress = Dress {
        artifact_type: Some(KIND_ONE),
        annotations: annotations("about nothing"),
        subject: Some(subject),
        ..Dress::default()
    };
    let about = set.image(&Like {
        dress,
        ..Like::artifact(KIND_ONE)
    });
    set.tag("about-nothing", &about);
    set
}

/// An image whose descriptors carry their content.
fn data_field() -> Set {
    let mut set = new("data-field");
    let image = set.image(&Like {
        with_data: true,
        ..Like::image()
    });
    set.tag("data-field", &image);
    set
}

/// An image with two layers that live elsewhere and one that lives here.
fn non_distributable_layers() -> Set {
    let mut set = new("non-distributable-layers");
    let elsewhere = [
        MediaType::OCI_FOREIGN_LAYER_GZIP,
        MediaType::OCI_FOREIGN_LAYER,
    ];
    let mut layers: Vec<_> = elsewhere
        .iter()
        .map(|media_type| set.foreign_layer(media_type))
        .collect();
    let (layer, config) = (
        set.layer(&MediaType::OCI_LAYER_GZIP),
        set.maker().config("amd64"),
    );
    layers.push(layer.descriptor());
    set.blob(layer);
    let dress = Dress::default();
    let manifest = set.maker().image_of(config.descriptor(), layers, &dress);
    set.blob(config);
    let image = set.manifest(manifest, None, &dress);
    set.tag("non-distributable-layers", &image);
    set
}

/// An index and images with fields nobody knows, in manifests and configs.
fn custom_fields() -> Set {
    let mut set = new("custom-fields");
    let extra = vec![(
        "org.example.unknown".to_owned(),
        json!({ "b": [1, null], "a": "\u{00e9}" }),
    )];
    let dress = Dress {
        extra,
        ..Dress::default()
    };
    let index = set.index(&Like {
        dress,
        ..Like::image()
    });
    set.tag("custom-fields", &index);
    set
}

/// An image of a config alone.
fn no_layers() -> Set {
    let mut set = new("no-layers");
    let image = set.image(&Like {
        layers: 0,
        ..Like::image()
    });
    set.tag("no-layers", &image);
    set
}

/// An image one of whose layers was never pushed, and an index one of whose images was never pushed.
fn sparse() -> Set {
    let mut set = new("sparse");
    let image = set.image(&Like::image());
    set.tag("sparse-image", &image);
    set.blobs.remove(0);
    let here = set.image(&Like::image());
    let mut absent = set.maker().blob(1024).descriptor();
    absent["mediaType"] = MediaType::OCI_MANIFEST.as_str().into();
    absent["platform"] = json!({ "architecture": "arm64", "os": "linux" });
    let here = Set::platform(&here, "amd64");
    let index = set.index_of(vec![here, absent], &Dress::default());
    set.tag("sparse-index", &index);
    set
}

/// An index and all in it, called by sha512; without tags, which would be pushed by sha256.
fn sha512() -> Set {
    let mut set = Set::new("sha512", Algorithm::Sha512);
    set.index(&Like::image());
    set
}

/// An index and its images, each with a tag set beside its digest, the index with two.
fn tag_params(name: &'static str, algorithm: Algorithm) -> Set {
    let mut set = Set::new(name, algorithm);
    let index = set.index(&Like::image());
    for (n, manifest) in set.manifests.clone().iter().enumerate() {
        set.tag(&format!("{name}-{n}"), manifest);
    }
    set.tag(name, &index);
    set.by_params = true;
    set
}

/// An image that is pushed under the digest of other bytes.
fn bad_digest_image() -> Set {
    let mut set = new("bad-digest-image");
    let image = set.image(&Like::image());
    set.mismatched = Some(image.digest);
    let mut longer = image.bytes.to_vec();
    longer.extend_from_slice(b"  ");
    let manifest = set.maker().piece(&image.media_type, longer);
    set.manifests = vec![manifest];
    set
}

fn annotations(what: &str) -> Vec<(String, String)> {
    vec![("org.example.what".to_owned(), what.to_owned())]
}

/// A good image of one layer, to be pushed where no manifest can be.
pub(super) fn for_a_malformed_digest() -> Set {
    let mut set = new("invalid-manifest-digest");
    set.image(&Like {
        layers: 1,
        config: Config::Image,
        ..Like::image()
    });
    set
}
