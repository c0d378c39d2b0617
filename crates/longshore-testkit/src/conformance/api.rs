//! The APIs that the conformance program tells apart.

use std::fmt;

macro_rules! apis {
    ($($api:ident $text:literal $rule:literal,)*) => {
        /// An API of the conformance program, which counts what holds by API and by data set.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "the texts beside the names say what they are")]
        pub enum Api { $($api),* }

        impl Api {
            /// Every API.
            pub const ALL: &'static [Api] = &[$(Api::$api),*];

            /// What our points ask of it.
            pub const fn rule(self) -> &'static str {
                match self { $(Api::$api => $rule,)* }
            }
        }

        impl fmt::Display for Api {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Api::$api => $text,)* })
            }
        }
    };
}

apis! {
    Ping "ping" "`GET /v2/` is 200",
    TagList "tag list" "sorted by bytes, holds every tag of the data set; with `last`, exactly those after it; 200 or 404 before the first push",
    TagDelete "tag delete" "202",
    TagDeleteAtomic "tag delete, atomic" "`HEAD` right after it is 404",
    BlobPush "blob push" "whatever the way: 201, `Docker-Content-Digest`, and a `Location` that gives the bytes back",
    BlobPostOnly "blob POST" "one `POST` with digest and body is 201; with other bytes 400",
    BlobPostPut "blob POST, PUT" "`POST` is 202 with `Location`, `PUT` there is 201; with other bytes 400",
    BlobChunked "blob in chunks" "each `PATCH` is 202 with `Location` and `Range`; out of order 416 and the upload goes on; a last chunk may come with the `PUT`",
    BlobStream "blob as stream" "one `PATCH` without `Content-Length` or `Content-Range`",
    BlobCancel "upload cancel" "`DELETE` of the upload is 204, and then it is gone",
    BlobMount "blob mount" "201 from the repository that holds it; 202 and a usable upload when it does not",
    BlobMountAnonymous "blob mount without source" "201",
    BlobGet "blob get" "200, the bytes, `Content-Length`, `Docker-Content-Digest`; 404 before the push",
    BlobGetRange "blob range" "206 with `Content-Range` and those bytes; 416 when the range holds none",
    BlobHead "blob head" "200 without body, `Content-Length`, `Docker-Content-Digest`",
    BlobDelete "blob delete" "202; 404 for what is not there",
    BlobDeleteAtomic "blob delete, atomic" "`HEAD` right after it is 404",
    ManifestPutDigest "manifest put by digest" "201, `Docker-Content-Digest` of the same algorithm, and a `Location` that gives the bytes back; other bytes and malformed digests are 400",
    ManifestPutTag "manifest put by tag" "the same",
    ManifestPutTagParam "manifest put with tags" "`?tag=` sets them, `OCI-Tag` names each",
    ManifestPutSubject "manifest put with subject" "`OCI-Subject` names the subject, present or not",
    ManifestGetDigest "manifest get by digest" "200, the bytes, their media type, `Content-Length`, `Docker-Content-Digest`; 404 when absent",
    ManifestGetTag "manifest get by tag" "the same; the digest is that of the push",
    ManifestHeadDigest "manifest head by digest" "as get, without body",
    ManifestHeadTag "manifest head by tag" "as get, without body",
    ManifestDelete "manifest delete" "202; 404 for what is not there",
    ManifestDeleteAtomic "manifest delete, atomic" "`HEAD` right after it is 404",
    Referrers "referrers" "200 and an OCI index, also for what nobody pushed; each referrer with size, type, artifact type and annotations; filtered by `artifactType`, said in `OCI-Filters-Applied`",
}
