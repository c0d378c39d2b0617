//! Header names and values that are the same for each response, made once.

use http::{HeaderName, HeaderValue};

pub(super) const DOCKER_CONTENT_DIGEST: HeaderName =
    HeaderName::from_static("docker-content-digest");
pub(super) const DOCKER_API_VERSION: HeaderName =
    HeaderName::from_static("docker-distribution-api-version");
/// `false`: anonymous searches carry no credentials, and others carry theirs.
pub(super) const DOCKER_REGISTRY_STANDALONE: HeaderName =
    HeaderName::from_static("x-docker-registry-standalone");
/// Sent by engines with a V1 search, and by nobody else.
pub(super) const DOCKER_TOKEN: HeaderName = HeaderName::from_static("x-docker-token");
pub(super) const DOCKER_UPLOAD_UUID: HeaderName = HeaderName::from_static("docker-upload-uuid");
pub(super) const OCI_CHUNK_MIN_LENGTH: HeaderName = HeaderName::from_static("oci-chunk-min-length");
pub(super) const OCI_FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");
pub(super) const OCI_NAMESPACE: HeaderName = HeaderName::from_static("oci-namespace");
pub(super) const OCI_SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
pub(super) const OCI_TAG: HeaderName = HeaderName::from_static("oci-tag");
pub(super) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
pub(super) const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
pub(super) const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Old Docker clients take a server without this header for something else.
pub(super) const REGISTRY_2: HeaderValue = HeaderValue::from_static("registry/2.0");
pub(super) const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
pub(super) const BYTES: HeaderValue = HeaderValue::from_static("bytes");
pub(super) const ACCEPT: HeaderValue = HeaderValue::from_static("accept");
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");
pub(super) const OCTET_STREAM: HeaderValue = HeaderValue::from_static("application/octet-stream");
pub(super) const OCI_INDEX: HeaderValue =
    HeaderValue::from_static("application/vnd.oci.image.index.v1+json");
/// Content named by its digest never changes, and strangers may read this.
pub(super) const FOR_EVER: HeaderValue = HeaderValue::from_static("max-age=31536000");
/// The same for content that was given to somebody: common proxies keep answers to requests with credentials too,
/// unless they are told not to.
pub(super) const FOR_EVER_YOURS: HeaderValue =
    HeaderValue::from_static("private, max-age=31536000");
/// What a tag points to may change at any moment: ask each time, with the entity tag.
pub(super) const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");
pub(super) const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// A blob is whatever somebody pushed. A browser that is sent to it saves it, and runs nothing of it in our name.
pub(super) const ATTACHMENT: HeaderValue = HeaderValue::from_static("attachment");
pub(super) const NOTHING_RUNS: HeaderValue =
    HeaderValue::from_static("default-src 'none'; sandbox");
