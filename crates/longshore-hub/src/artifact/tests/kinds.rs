//! What artifacts are, as the tools of today write them.

use super::*;

#[test]
fn what_it_is_is_told_by_the_types_that_tools_write() {
    let layer = |kind: &str| vec![descriptor(kind, "a", 1)];
    let stated = |predicate: &str| {
        let mut layer = descriptor("application/vnd.in-toto+json", "a", 1);
        layer["annotations"] = json!({"in-toto.io/predicate-type": predicate});
        vec![layer]
    };
    let none = json!({});
    let typed = |kind: &str| json!({"artifactType": kind});
    let bundle = |name: &str, value: &str| json!({"artifactType": "application/vnd.dev.sigstore.bundle.v0.3+json", "annotations": {name: value}});
    for (config, layers, more, kind) in [
        (CONFIG, layer(LAYER), none.clone(), "image"),
        (
            "application/vnd.docker.container.image.v1+json",
            layer(LAYER),
            none.clone(),
            "image",
        ),
        (
            "application/vnd.cncf.helm.config.v1+json",
            layer("application/vnd.cncf.helm.chart.content.v1.tar+gzip"),
            none.clone(),
            "helm",
        ),
        (
            CONFIG,
            layer("application/vnd.dev.cosign.simplesigning.v1+json"),
            none.clone(),
            "signature",
        ),
        (
            EMPTY,
            layer("application/jose+json"),
            typed("application/vnd.cncf.notary.signature"),
            "signature",
        ),
        (
            EMPTY,
            layer(EMPTY),
            bundle(
                "dev.sigstore.bundle.predicateType",
                "https://sigstore.dev/cosign/sign/v1",
            ),
            "signature",
        ),
        (
            EMPTY,
            layer(EMPTY),
            bundle(
                "dev.sigstore.bundle.predicateType",
                "https://slsa.dev/provenance/v1",
            ),
            "attestation",
        ),
        (
            EMPTY,
            layer(EMPTY),
            bundle(
                "dev.sigstore.bundle.predicateType",
                "https://spdx.dev/Document",
            ),
            "sbom",
        ),
        (
            EMPTY,
            layer(EMPTY),
            bundle("dev.sigstore.bundle.content", "message-signature"),
            "signature",
        ),
        (EMPTY, layer("application/spdx+json"), none.clone(), "sbom"),
        (
            EMPTY,
            layer("text/plain"),
            typed("application/vnd.cyclonedx+json"),
            "sbom",
        ),
        (
            CONFIG,
            stated("https://slsa.dev/provenance/v0.2"),
            none.clone(),
            "attestation",
        ),
        (
            CONFIG,
            stated("https://spdx.dev/Document"),
            none.clone(),
            "sbom",
        ),
        (
            CONFIG,
            layer("application/vnd.in-toto+json"),
            none.clone(),
            "attestation",
        ),
        (
            "application/vnd.wasm.config.v0+json",
            layer("application/wasm"),
            none.clone(),
            "wasm",
        ),
        (
            "application/vnd.cnai.model.config.v1+json",
            layer("application/vnd.cnai.model.weight.v1.raw"),
            none.clone(),
            "model",
        ),
        (
            "application/vnd.docker.plugin.v1+json",
            layer(LAYER),
            none.clone(),
            "plugin",
        ),
        (
            EMPTY,
            layer("application/vnd.acme.rocket"),
            none.clone(),
            "artifact",
        ),
    ] {
        let view = image(config, &layers, &more);
        assert_eq!(
            read(&view, 1, Ok(None)).known.kind,
            kind,
            "{config} {layers:?}"
        );
    }
    let wasi = json!({"architecture": "wasm", "os": "wasip1"}).to_string();
    let view = image(CONFIG, &layer(LAYER), &none);
    assert_eq!(read(&view, 1, Ok(Some(wasi.as_bytes()))).known.kind, "wasm");
}

/// Asserts what a manifest with these parts is.
fn is(kind: &str, config: &str, layers: &[Value], more: &Value) {
    let view = image(config, layers, more);
    let known = read(&view, 1, Ok(None)).known;
    assert_eq!(known.kind, kind, "{config} {layers:?} {more}");
    let known = |(word, _): &(&str, &str)| *word == kind;
    assert!(KINDS.iter().any(known), "{kind} can be asked for");
}

#[test]
fn models_are_known_whoever_packed_them() {
    for (config, layer, more) in [
        // CNCF ModelPack, as it is and as it was called before.
        (
            "application/vnd.cncf.model.config.v1+json",
            "application/vnd.cncf.model.weight.v1.tar+gzip",
            json!({"artifactType": "application/vnd.cncf.model.manifest.v1+json"}),
        ),
        (
            EMPTY,
            "application/octet-stream",
            json!({"artifactType": "application/vnd.cncf.model.manifest.v1+json"}),
        ),
        (
            "application/vnd.cnai.model.config.v1+json",
            "application/vnd.cnai.model.weight.v1.tar",
            json!({}),
        ),
        (
            "application/vnd.docker.ai.model.config.v0.1+json",
            "application/vnd.docker.ai.gguf.v3",
            json!({}),
        ),
        (
            "application/vnd.docker.ai.model.config.v0.2+json",
            "application/vnd.docker.ai.safetensors",
            json!({}),
        ),
        (
            "application/vnd.kitops.modelkit.config.v1+json",
            "application/vnd.kitops.modelkit.model.v1.tar+gzip",
            json!({}),
        ),
        (
            "application/vnd.docker.container.image.v1+json",
            "application/vnd.ollama.image.model",
            json!({}),
        ),
    ] {
        is("model", config, &[descriptor(layer, "a", 1)], &more);
    }
}

#[test]
fn what_clusters_and_tools_of_developers_push_is_known() {
    for (kind, config, layer) in [
        (
            "helm",
            "application/vnd.cncf.helm.config.v1+json",
            "application/vnd.cncf.helm.chart.provenance.v1.prov",
        ),
        (
            "flux",
            "application/vnd.cncf.flux.config.v1+json",
            "application/vnd.cncf.flux.content.v1.tar+gzip",
        ),
        (
            "policy",
            "application/vnd.cncf.openpolicyagent.config.v1+json",
            "application/vnd.cncf.openpolicyagent.policy.layer.v1+rego",
        ),
        (
            "policy",
            "application/vnd.cncf.kyverno.config.v1+json",
            "application/vnd.cncf.kyverno.policy.layer.v1+yaml",
        ),
        (
            "policy",
            "application/vnd.cncf.falco.rulesfile.config.v1+json",
            "application/vnd.cncf.falco.rulesfile.layer.v1+tar.gz",
        ),
        (
            "plugin",
            "application/vnd.cncf.falco.plugin.config.v1+json",
            "application/vnd.cncf.falco.plugin.layer.v1+tar.gz",
        ),
        (
            "devcontainer",
            "application/vnd.devcontainers",
            "application/vnd.devcontainers.layer.v1+tar",
        ),
        (
            "devcontainer",
            "application/vnd.devcontainers",
            "application/vnd.devcontainers.collection.layer.v1+json",
        ),
        (
            "compose",
            "application/vnd.docker.compose.config.v1+json",
            "application/vnd.docker.compose.file+yaml",
        ),
        (
            "cache",
            "application/vnd.buildkit.cacheconfig.v0",
            "application/vnd.oci.image.layer.v1.tar+gzip",
        ),
        (
            "package",
            "application/vnd.zarf.config.v1+json",
            "application/vnd.zarf.layer.v1.blob",
        ),
        (
            "wasm",
            "application/vnd.wasm.config.v1+json",
            "application/vnd.wasm.content.layer.v1+wasm",
        ),
        (
            "wasm",
            "application/vnd.wasm.config.v0+json",
            "application/wasm",
        ),
        // What `oras push` makes of any file.
        (
            "artifact",
            "application/vnd.unknown.config.v1+json",
            "application/vnd.oci.image.layer.v1.tar",
        ),
    ] {
        is(kind, config, &[descriptor(layer, "a", 1)], &json!({}));
    }
    is(
        "artifact",
        EMPTY,
        &[descriptor("text/plain", "a", 1)],
        &json!({"artifactType": "application/vnd.unknown.artifact.v1"}),
    );
}

#[test]
fn what_is_pushed_as_plain_layers_is_known_by_what_stands_beside() {
    let beside = |name: &str, value: &str| {
        let mut layer = descriptor(LAYER, "a", 1);
        layer["annotations"] = json!({ name: value });
        layer
    };
    let task = beside("dev.tekton.image.apiVersion", "v1");
    is("tekton", CONFIG, &[task], &json!({}));
    let base = beside("io.crossplane.xpkg", "base");
    is("package", CONFIG, &[base], &json!({}));
    let bottle = json!({"annotations": {"com.github.package.type": "homebrew_bottle"}});
    is("package", CONFIG, &[descriptor(LAYER, "a", 1)], &bottle);
    let index = |child: Value, annotations: Value| {
        let index = view(&json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [child],
            "annotations": annotations,
        }));
        read(&index, 1, Ok(None)).known.kind
    };
    let image = descriptor("application/vnd.oci.image.manifest.v1+json", "a", 1);
    let cache = descriptor("application/vnd.buildkit.cacheconfig.v0", "a", 1);
    assert_eq!(index(image.clone(), json!({})), "index");
    assert_eq!(index(image, bottle["annotations"].clone()), "package");
    assert_eq!(index(cache, json!({})), "cache");
}

#[test]
fn what_is_about_images_is_known_by_what_it_states() {
    let dsse = |predicate: &str| {
        let mut layer = descriptor("application/vnd.dsse.envelope.v1+json", "a", 1);
        // As `cosign attest` writes it.
        layer["annotations"] = json!({ "predicateType": predicate });
        vec![layer]
    };
    for (kind, predicate) in [
        ("attestation", "https://slsa.dev/provenance/v1"),
        ("sbom", "https://spdx.dev/Document"),
        ("sbom", "https://cyclonedx.org/bom"),
        ("vex", "https://openvex.dev/ns/v0.2.0"),
        ("scan", "https://cosign.sigstore.dev/attestation/vuln/v1"),
        ("attestation", "https://cosign.sigstore.dev/attestation/v1"),
    ] {
        is(kind, CONFIG, &dsse(predicate), &json!({}));
    }
    // Of two that state different things neither is all of it.
    let mut both = dsse("https://spdx.dev/Document");
    both.extend(dsse("https://slsa.dev/provenance/v1"));
    is("attestation", CONFIG, &both, &json!({}));
    for (kind, layer, declared) in [
        (
            "signature",
            "application/vnd.dev.cosign.simplesigning.v1+json",
            "",
        ),
        (
            "signature",
            "application/vnd.oci.empty.v1+json",
            "application/vnd.dev.cosign.artifact.sig.v1+json",
        ),
        (
            "signature",
            "application/jose+json",
            "application/vnd.cncf.notary.signature",
        ),
        (
            "signature",
            "application/cose",
            "application/vnd.cncf.notary.v2.signature",
        ),
        ("sbom", "text/spdx", ""),
        ("sbom", "application/spdx+json", "application/spdx+json"),
        ("sbom", "application/vnd.cyclonedx+xml", ""),
        ("sbom", "application/vnd.syft+json", ""),
        ("scan", "application/sarif+json", "application/sarif+json"),
        ("vex", "application/vnd.openvex+json", ""),
        ("attestation", "application/vnd.in-toto+json", ""),
    ] {
        let more = match declared {
            "" => json!({}),
            declared => json!({ "artifactType": declared }),
        };
        is(kind, EMPTY, &[descriptor(layer, "a", 1)], &more);
    }
}
