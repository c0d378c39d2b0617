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
    ("package", "a package of a package manager"),
    (
        "devcontainer",
        "a feature or template of development containers",
    ),
    ("flux", "what Flux brings into a cluster"),
    ("tekton", "tasks and pipelines of Tekton"),
    ("compose", "a Compose project"),
    ("cache", "what a build leaves for the next one"),
    ("artifact", "anything else"),
];

/// Parts of media and artifact types, and what they show; the first that fits decides.
const MARKS: &[(&str, &str)] = &[
    ("helm", "vnd.cncf.helm."),
    ("signature", "vnd.dev.cosign.simplesigning"),
    ("signature", "vnd.cncf.notary."),
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
    ("model", "vnd.cncf.model."),
    ("model", "vnd.cnai.model"),
    ("model", "vnd.docker.ai."),
    ("model", "vnd.ollama."),
    ("model", "vnd.kitops."),
    ("model", "gguf"),
    ("policy", "openpolicyagent"),
    ("policy", "kyverno"),
    ("policy", "vnd.cncf.falco.rulesfile."),
    ("plugin", "vnd.cncf.falco.plugin."),
    ("plugin", "vnd.docker.plugin"),
    ("wasm", "wasm"),
    ("flux", "vnd.cncf.flux."),
    ("devcontainer", "vnd.devcontainers"),
    ("compose", "vnd.docker.compose."),
    ("package", "vnd.zarf."),
    ("cache", "vnd.buildkit.cacheconfig."),
];

/// What a statement is about, by a part of the type of its predicate.
const PREDICATES: &[(&str, &str)] = &[
    ("sbom", "spdx"),
    ("sbom", "cyclonedx"),
    ("vex", "openvex"),
    ("scan", "cosign.sigstore.dev/attestation/vuln"),
    ("scan", "in-toto.io/attestation/vulns"),
];

/// Where tools say the type of a predicate, among the annotations of a layer: BuildKit, and cosign.
const PREDICATE_TYPE: [&str; 2] = ["in-toto.io/predicate-type", "predicateType"];

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
            let mut said = PREDICATE_TYPE.iter();
            said.find_map(|name| layer.annotations.get(*name))
                .map(String::as_str)
        });
        return if *kind == "attestation" {
            statement(predicates)
        } else {
            kind
        };
    }
    if let Some(kind) = annotated(view) {
        return kind;
    }
    if view.kind == Kind::Index {
        // A cache is an index whose config is one of what it lists.
        let is_cache = |child: &longshore_spec::descriptor::Descriptor| {
            child
                .media_type
                .as_str()
                .contains("vnd.buildkit.cacheconfig.")
        };
        return if view.children.iter().any(is_cache) {
            "cache"
        } else {
            "index"
        };
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

/// What tools that push plain layers say of them beside.
fn annotated(view: &View) -> Option<&'static str> {
    let homebrew = view.annotations.get("com.github.package.type");
    if homebrew.is_some_and(|kind| kind == "homebrew_bottle") {
        return Some("package");
    }
    let of_layer = |name: &str| {
        let mut layers = view.layers.iter();
        layers.any(|layer| layer.annotations.contains_key(name))
    };
    if of_layer("dev.tekton.image.apiVersion") {
        Some("tekton")
    } else if of_layer("io.crossplane.xpkg") {
        Some("package")
    } else {
        None
    }
}

/// A statement, by what it states: where all of them state the same, that.
fn statement<'a>(predicates: impl Iterator<Item = &'a str>) -> &'static str {
    let mut kinds = predicates.map(|predicate| {
        let predicate = predicate.to_ascii_lowercase();
        let known = PREDICATES.iter().find(|(_, part)| predicate.contains(part));
        known.map_or("attestation", |(kind, _)| *kind)
    });
    match kinds.next() {
        Some(first) if kinds.all(|kind| kind == first) => first,
        _ => "attestation",
    }
}
