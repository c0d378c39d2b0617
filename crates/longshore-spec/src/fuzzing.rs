//! What must hold for any input at all: the bodies of the fuzz targets, one function each.
//!
//! They live here so that the fuzzer, the property tests and the replay of kept inputs all check the same things.
//! Each function panics, by an assertion, on the first property that does not hold.

use crate::descriptor::Descriptor;
use crate::digest::{Digest, Hasher};
use crate::host::Host;
use crate::manifest::{Limits, View};
use crate::media::{ArtifactType, Kind, MediaType};
use crate::name::{RepoName, Tag};
use crate::pattern::{RepoPattern, RepoPatterns, TagPattern, TagPatterns};
use crate::range::{self, ByteRange, ContentRange};
use crate::reference::{ImageReference, Reference};
use crate::route;
use crate::scope::{Scope, Scopes};
use crate::upload::UploadId;

/// A fuzz target: its name, which is also that of its corpus, and its body.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 9] = [
    ("names", names),
    ("references", references),
    ("digests", digests),
    ("media", media),
    ("routes", routes),
    ("ranges", ranges),
    ("manifests", manifests),
    ("scopes", scopes),
    ("patterns", patterns),
];

/// Repository names, tags and hosts are printed as they were read, and hold nothing that means something in a URL.
pub fn names(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let plain = |text: &str, also: &[u8]| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || also.contains(&byte))
    };
    if let Ok(repo) = text.parse::<RepoName>() {
        assert_eq!(repo.to_string(), text);
        assert!(plain(text, b"._-/") && text.len() <= RepoName::MAX_BYTES);
        assert!(
            repo.components()
                .all(|component| !matches!(component, "" | "." | ".."))
        );
    }
    if let Ok(tag) = text.parse::<Tag>() {
        assert_eq!(tag.as_str(), text);
        assert!(plain(text, b"._-") && text.len() <= Tag::MAX_BYTES);
        assert!(!matches!(text, "." | ".."));
    }
    if let Ok(host) = text.parse::<Host>() {
        assert_eq!(host.as_str(), text);
        assert!(plain(text, b".-:[]"));
    }
    if let Ok(id) = text.parse::<UploadId>() {
        assert_eq!(id.to_string(), text);
        assert_eq!(UploadId::from_bytes(id.to_bytes()), id);
    }
}

/// Patterns are printed as they were read; the first line is a pattern, the second a name, and what matches begins as the
/// pattern does, whatever either says.
pub fn patterns(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let (pattern, name) = text.split_once('\n').unwrap_or((text, ""));
    if let Ok(pattern) = pattern.parse::<RepoPattern>() {
        assert_eq!(
            pattern.as_str(),
            text.split('\n').next().unwrap_or_default()
        );
        if pattern.matches(name) {
            assert!(name.starts_with(pattern.prefix()));
            assert!(!pattern.is_exact() || pattern.as_str() == name);
        }
        if pattern.is_exact() {
            assert!(pattern.matches(pattern.as_str()));
        }
    }
    if let (Ok(pattern), Ok(tag)) = (pattern.parse::<TagPattern>(), name.parse::<Tag>()) {
        assert!(!pattern.matches(&tag) || !tag.as_str().contains('/'));
    }
    if let Ok(list) = pattern.parse::<RepoPatterns>() {
        assert_eq!(list.to_string().parse(), Ok(list));
    }
    if let Ok(list) = pattern.parse::<TagPatterns>() {
        assert_eq!(list.to_string().parse(), Ok(list));
    }
}

/// References and image references are printed as they were read.
pub fn references(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Ok(reference) = text.parse::<Reference>() {
        assert_eq!(reference.to_string(), text);
        assert_eq!(reference.digest().is_some(), text.contains(':'));
    }
    if let Ok(image) = text.parse::<ImageReference>() {
        assert_eq!(image.to_string(), text);
        assert_eq!(image.digest.is_some(), text.contains('@'));
    }
}

/// A digest is printed as it was read and survives as a key; a hash may be frozen anywhere.
pub fn digests(input: &[u8]) {
    if let Some(digest) = std::str::from_utf8(input)
        .ok()
        .and_then(|text| text.parse::<Digest>().ok())
    {
        assert_eq!(digest.to_string().as_bytes(), input);
        assert_eq!(Digest::from_key(&digest.to_key()), Some(digest));
    }
    if let Some(digest) = Digest::from_key(input) {
        assert_eq!(&*digest.to_key(), input);
        assert_eq!(digest.to_string().parse(), Ok(digest));
    }
    for algorithm in [crate::Algorithm::Sha256, crate::Algorithm::Sha512] {
        if let Ok(hasher) = Hasher::thaw(algorithm, input) {
            // Not `freeze() == input`: only what freeze wrote is canonical.
            hasher.finish();
        }
        let (head, tail) = input.split_at(input.len() / 2);
        let mut hasher = Hasher::new(algorithm);
        hasher.update(head);
        let thawed = Hasher::thaw(algorithm, &hasher.freeze());
        assert!(thawed.is_ok(), "a frozen hash must thaw");
        if let Ok(mut hasher) = thawed {
            hasher.update(tail);
            assert_eq!(hasher.finish(), Digest::of(algorithm, input));
        }
    }
}

/// Media types are printed as they were read, and losing parameters twice is losing them once.
pub fn media(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Ok(media_type) = text.parse::<MediaType>() {
        assert_eq!(media_type.as_str(), text);
        let bare = media_type.without_params();
        assert_eq!(bare.without_params(), bare);
        assert_eq!(bare.as_str().parse().as_ref(), Ok(&bare));
        assert_eq!(bare.kind(), media_type.kind());
        assert_eq!(
            text.parse::<ArtifactType>().map(|text| text.to_string()),
            Ok(text.to_owned())
        );
    }
}

/// A request that is understood is printed as a URL that means the same.
///
/// The input is a request line without version: a method, a space, a target.
pub fn routes(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let Some((method, target)) = text.split_once(' ') else {
        return;
    };
    let Ok(request) = read_target(method, target) else {
        return;
    };
    let printed = request.target();
    assert!(printed.starts_with("/v2/") && printed.bytes().all(|byte| byte.is_ascii_graphic()));
    assert_eq!(
        read_target(request.method(), &printed).as_ref(),
        Ok(&request)
    );
}

fn read_target(method: &str, target: &str) -> Result<route::Request, route::RouteError> {
    match target.split_once('?') {
        Some((path, query)) => route::parse(method, path, Some(query)),
        None => route::parse(method, target, None),
    }
}

/// Ranges stay inside what they are a range of, and links are found again.
pub fn ranges(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Some(range) = ByteRange::parse_header(text) {
        assert_eq!(ByteRange::parse_header(&range.to_string()), Some(range));
        for size in [0, 1, 500, u64::from(u32::MAX), u64::MAX] {
            if let Some(bytes) = range.resolve(size) {
                assert!(bytes.start < bytes.end && bytes.end <= size);
            }
        }
    }
    if let Ok(range) = text.parse::<ContentRange>() {
        assert_eq!(range.to_string().parse(), Ok(range));
        assert!(range.length() > 0);
    }
    if let Some(offset) = range::parse_upload_range(text) {
        assert_eq!(
            range::parse_upload_range(&range::upload_range(offset)),
            Some(offset)
        );
    }
    if let Some(target) = range::parse_link_next(text) {
        assert!(text.contains(target));
    }
    if !text.contains('>') {
        assert_eq!(range::parse_link_next(&range::link_next(text)), Some(text));
    }
}

/// What is taken as a manifest is JSON, has the type it was sent as, and keeps the rules of its kind.
pub fn manifests(input: &[u8]) {
    let open = Limits {
        unknown_types: true,
        ..Limits::default()
    };
    let types = [
        None,
        Some(MediaType::OCI_MANIFEST),
        Some(MediaType::OCI_INDEX),
    ];
    for sent in types {
        let Ok(view) = View::parse(input, sent.as_ref(), &open) else {
            continue;
        };
        assert!(serde_json::from_slice::<serde_json::Value>(input).is_ok());
        if let Some(sent) = &sent {
            assert_eq!(&view.media_type, sent);
        }
        match view.kind {
            Kind::Image => assert!(view.config.is_some() && view.children.is_empty()),
            Kind::Index => assert!(view.config.is_none() && view.layers.is_empty()),
            Kind::Other => assert!(view.children.is_empty() || view.layers.is_empty()),
            Kind::Schema1 => assert_ne!(view.kind, Kind::Schema1, "schema 1 is never taken"),
        }
        if view.kind != Kind::Other {
            let strict = View::parse(input, sent.as_ref(), &Limits::default());
            assert_eq!(strict.as_ref(), Ok(&view));
        }
        let listed = view.referrer_descriptor(
            Digest::of(crate::Algorithm::Sha256, input),
            input.len() as u64,
        );
        for descriptor in view
            .blobs()
            .chain(&view.children)
            .chain(&view.subject)
            .chain([&listed])
        {
            let written = serde_json::to_vec(descriptor).unwrap_or_default();
            let read = serde_json::from_slice::<Descriptor>(&written).ok();
            assert_eq!(read.as_ref(), Some(descriptor));
        }
    }
}

/// A scope is printed as it means; asking for less than is allowed is always allowed.
pub fn scopes(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Ok(scope) = text.parse::<Scope>() {
        assert_eq!(scope.to_string().parse().as_ref(), Ok(&scope));
        let again =
            crate::scope::Resource::from_parts(scope.resource.kind(), &scope.resource.name());
        assert_eq!(again.as_ref(), Ok(&scope.resource));
    }
    if let Ok(scopes) = Scopes::parse([text]) {
        let printed = scopes.to_string();
        assert_eq!(Scopes::parse([printed.as_str()]).as_ref(), Ok(&scopes));
        assert!(scopes.contains(&scopes) && scopes.contains(&Scopes::default()));
    }
}
