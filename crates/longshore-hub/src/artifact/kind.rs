//! What an artifact is, in one word that people search by.

use longshore_spec::descriptor::Platform;
use longshore_spec::manifest::View;
use longshore_spec::media::Kind;

/// All words there are, each with what it means. Also what a query may ask for.
pub(crate) const KINDS: &[(&str, &str)] = &[
    ("image", "a container image for one platform"),
    ("index", "several manifests under one name"),
    ("helm", "a Helm chart"),
    ("sbom", "a bill of materials"),
    ("signature", "a signature"),
    ("attestation", "a signed statement about another artifact"),
    ("vex", "which vulnerabilities matter"),
    ("scan", "the result of a scan"),
    ("wasm", "a WebAssembly module or component"),
    ("model", "a machine-learning model"),
    ("policy", "rules that decide"),
    ("plugin", "a plugin of an engine"),
    ("artifact", "anything else"),
];

/// Parts of media and artifact types, and what they show; the first that fits decides.
const MARKS: &[(&str, &str)] = &[
    ("helm", "vnd.cncf.helm."),
    ("signature", "vnd.dev.cosign.simplesigning"),
    ("signature", "vnd.cncf.notary.signature"),
    ("signature", "vnd.dev.cosign.artifact.sig"),
    ("sbom", "spdx"),
    ("sbom", "cyclonedx"),
    ("sbom", "vnd.syft"),
    ("sbom", "vnd.dev.cosign.artifact.sbom"),
    ("vex", "openvex"),
    ("vex", "csaf"),
    ("scan", "sarif"),
    ("scan", "vnd.security.vulnerability.report"),
    ("attestation", "in-toto"),
    ("attestation", "vnd.dsse.envelope"),
    ("model", "vnd.cnai.model"),
    ("model", "vnd.docker.ai."),
    ("model", "vnd.ollama."),
    ("model", "vnd.kitops."),
    ("model", "gguf"),
    ("wasm", "wasm"),
    ("policy", "openpolicyagent"),
    ("policy", "vnd.kyverno"),
    ("plugin", "vnd.docker.plugin"),
];

/// The kind of an artifact.
pub(super) fn of(view: &View, platform: Option<&Platform>) -> &'static str {
    let declared = view.artifact_type();
    let types = declared
        .iter()
        .map(longshore_spec::ArtifactType::as_str)
        .chain(view.blobs().map(|blob| blob.media_type.as_str()));
    let types: Vec<String> = types.map(str::to_ascii_lowercase).collect();
    // A bundle says beside itself what is in it.
    if types
        .iter()
        .any(|word| word.contains("dev.sigstore.bundle"))
    {
        return bundle(view);
    }
    let marked = MARKS
        .iter()
        .find(|(_, mark)| types.iter().any(|word| word.contains(mark)));
    if let Some((kind, _)) = marked {
        let predicates = view.layers.iter().filter_map(|layer| {
            layer
                .annotations
                .get("in-toto.io/predicate-type")
                .map(String::as_str)
        });
        return if *kind == "attestation" {
            statement(predicates)
        } else {
            kind
        };
    }
    if view.kind == Kind::Index {
        return "index";
    }
    let is_image = view.config.as_ref().is_some_and(|config| {
        matches!(
            config.media_type.essence(),
            "application/vnd.oci.image.config.v1+json"
                | "application/vnd.docker.container.image.v1+json"
        )
    });
    match platform {
        Some(platform)
            if is_image && (platform.architecture == "wasm" || platform.os == "wasi") =>
        {
            "wasm"
        }
        _ if is_image => "image",
        _ => "artifact",
    }
}

fn bundle(view: &View) -> &'static str {
    let says = |name: &str| view.annotations.get(name).map(String::as_str);
    if says("dev.sigstore.bundle.content") == Some("message-signature") {
        return "signature";
    }
    match says("dev.sigstore.bundle.predicateType") {
        Some(predicate) if predicate.contains("cosign/sign") => "signature",
        predicate => statement(predicate.into_iter()),
    }
}

/// A statement, by what it states.
fn statement<'a>(predicates: impl Iterator<Item = &'a str>) -> &'static str {
    let mut boms = predicates.map(|predicate| {
        let predicate = predicate.to_ascii_lowercase();
        predicate.contains("spdx") || predicate.contains("cyclonedx")
    });
    // All of them, and one at least.
    if boms.next() == Some(true) && boms.all(|is_bom| is_bom) {
        "sbom"
    } else {
        "attestation"
    }
}
