//! From a method, a path and a query to a [`Request`].

use super::query::{Once, decode, ns, pairs};
use super::{DigestFault, MAX_TAGS, Mount, Request, RouteError, v1};
use crate::digest::{Algorithm, Digest, DigestError};
use crate::name::{RepoName, Tag, TagError};
use crate::reference::{Reference, ReferenceError};
use crate::upload::UploadId;

/// An endpoint with the raw text of what varies in its path.
#[derive(Debug, Clone, Copy)]
enum Endpoint<'a> {
    Ping,
    Catalog,
    Tags(&'a str),
    Referrers(&'a str, &'a str),
    Blob(&'a str, &'a str),
    Manifest(&'a str, &'a str),
    Uploads(&'a str),
    Upload(&'a str, &'a str),
}

/// Reads a request line: `method`, the path as received (not decoded, no dot segments or slashes merged) and the
/// query after `?`, if there is one.
///
/// Source: distribution-spec, "Endpoints" (v1.1.1 and what the main branch adds).
///
/// # Errors
/// What to answer instead. Unknown endpoints come first, then the method, the repository name, the rest of the path,
/// the query.
pub fn parse(method: &str, path: &str, query: Option<&str>) -> Result<Request, RouteError> {
    parse_with_tags(method, path, query, MAX_TAGS)
}

/// The same as [`parse`], where a manifest push may have up to `most_tags` parameters `tag=`.
///
/// # Errors
/// As those of [`parse`].
pub fn parse_with_tags(
    method: &str,
    path: &str,
    query: Option<&str>,
    most_tags: usize,
) -> Result<Request, RouteError> {
    if let Some(rest) = path.strip_prefix("/v1/") {
        return v1::parse(method, rest, query);
    }
    match endpoint(path).ok_or(RouteError::NotFound)? {
        Endpoint::Ping => match method {
            "GET" | "HEAD" => Ok(Request::Ping),
            _ => Err(not_allowed("GET, HEAD")),
        },
        Endpoint::Catalog => match method {
            "GET" | "HEAD" => catalog(query),
            _ => Err(not_allowed("GET, HEAD")),
        },
        Endpoint::Tags(name) => match method {
            "GET" | "HEAD" => tags(name, query),
            _ => Err(not_allowed("GET, HEAD")),
        },
        Endpoint::Referrers(name, digest) => match method {
            "GET" | "HEAD" => referrers(name, digest, query),
            _ => Err(not_allowed("GET, HEAD")),
        },
        Endpoint::Blob(name, digest) => blob(method, name, digest, query),
        Endpoint::Manifest(name, reference) => manifest(method, name, reference, query, most_tags),
        Endpoint::Uploads(name) => match method {
            "POST" => start_upload(name, query),
            _ => Err(not_allowed("POST")),
        },
        Endpoint::Upload(name, id) => upload(method, name, id, query),
    }
}

const fn not_allowed(allow: &'static str) -> RouteError {
    RouteError::NotAllowed { allow }
}

/// Finds the endpoint by the path's last words. The name is what is left before them, whatever it contains.
fn endpoint(path: &str) -> Option<Endpoint<'_>> {
    let rest = match path.strip_prefix("/v2")? {
        "" | "/" => return Some(Endpoint::Ping),
        "/_catalog" => return Some(Endpoint::Catalog),
        rest => rest.strip_prefix('/')?,
    };
    let (before, last) = rest.rsplit_once('/')?;
    let (name, word) = split_last(before);
    match (word, last) {
        ("tags", "list") => return Some(Endpoint::Tags(name)),
        // Some clients leave the slash at the end away.
        ("blobs", "uploads") => return Some(Endpoint::Uploads(name)),
        ("uploads", id) => {
            if let (name, "blobs") = split_last(name) {
                return Some(match id {
                    "" => Endpoint::Uploads(name),
                    _ => Endpoint::Upload(name, id),
                });
            }
        }
        (_, "") => {}
        ("blobs", digest) => return Some(Endpoint::Blob(name, digest)),
        ("manifests", reference) => return Some(Endpoint::Manifest(name, reference)),
        ("referrers", digest) => return Some(Endpoint::Referrers(name, digest)),
        _ => {}
    }
    // A slash inside a tag: a manifest endpoint all the same, so that the answer speaks of the tag.
    let (name, reference) = rest.rsplit_once("/manifests/")?;
    (!reference.is_empty()).then_some(Endpoint::Manifest(name, reference))
}

/// Everything before the last slash, and everything after it.
fn split_last(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// A repository name in a path. It needs no escapes, so one that has any (`%2F`, `%2e`) is refused, not decoded: a
/// name has one spelling, also for whatever stands in front of this server.
fn repo(name: &str) -> Result<RepoName, RouteError> {
    Ok(name.parse()?)
}

fn digest(text: &str) -> Result<Digest, DigestFault> {
    Ok(text.parse::<Digest>()?)
}

fn catalog(query: Option<&str>) -> Result<Request, RouteError> {
    let page = Page::read(query)?;
    Ok(Request::Catalog {
        n: page.n()?,
        last: page.last()?,
    })
}

fn tags(name: &str, query: Option<&str>) -> Result<Request, RouteError> {
    let repo = repo(name)?;
    let page = Page::read(query)?;
    Ok(Request::Tags {
        repo,
        n: page.n()?,
        last: page.last()?,
    })
}

fn referrers(name: &str, subject: &str, query: Option<&str>) -> Result<Request, RouteError> {
    const BAD_TYPE: RouteError = RouteError::BadParameter {
        parameter: "artifactType",
    };
    let repo = repo(name)?;
    let digest = digest(&decode(subject))?;
    let page = Page::read(query)?;
    let artifact_type = match page.artifact_type.filled() {
        Some(text) => Some(text.parse().map_err(|_| BAD_TYPE)?),
        None => None,
    };
    Ok(Request::Referrers {
        repo,
        digest,
        artifact_type,
        n: page.n()?,
        last: page.last()?,
    })
}

/// The parameters of lists.
#[derive(Debug, Default)]
struct Page<'a> {
    n: Once<'a>,
    last: Once<'a>,
    artifact_type: Once<'a>,
}

impl<'a> Page<'a> {
    fn read(query: Option<&'a str>) -> Result<Self, RouteError> {
        let mut page = Self::default();
        for (name, value) in pairs(query) {
            match name.as_ref() {
                "n" => page.n.set(value, RouteError::BadPageSize)?,
                "last" => page
                    .last
                    .set(value, RouteError::BadParameter { parameter: "last" })?,
                "artifactType" => page.artifact_type.set(
                    value,
                    RouteError::BadParameter {
                        parameter: "artifactType",
                    },
                )?,
                _ => {}
            }
        }
        Ok(page)
    }

    fn n(&self) -> Result<Option<u64>, RouteError> {
        let Some(digits) = self.n.get() else {
            return Ok(None);
        };
        // `parse` alone would take a leading `+`.
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(RouteError::BadPageSize);
        }
        digits
            .parse()
            .map(Some)
            .map_err(|_| RouteError::BadPageSize)
    }

    fn last<T: std::str::FromStr>(&self) -> Result<Option<T>, RouteError> {
        match self.last.filled() {
            Some(text) => text
                .parse()
                .map(Some)
                .map_err(|_| RouteError::BadParameter { parameter: "last" }),
            None => Ok(None),
        }
    }
}

fn blob(method: &str, name: &str, text: &str, query: Option<&str>) -> Result<Request, RouteError> {
    if !matches!(method, "GET" | "HEAD" | "DELETE") {
        return Err(not_allowed("GET, HEAD, DELETE"));
    }
    let repo = repo(name)?;
    let digest = match digest(&decode(text)) {
        Err(DigestFault::Invalid(DigestError::Unregistered)) => {
            return Err(RouteError::BlobUnknown);
        }
        other => other?,
    };
    Ok(match method {
        "GET" => Request::GetBlob {
            repo,
            digest,
            ns: ns(query),
        },
        "HEAD" => Request::HeadBlob {
            repo,
            digest,
            ns: ns(query),
        },
        _ => Request::DeleteBlob { repo, digest },
    })
}

fn manifest(
    method: &str,
    name: &str,
    text: &str,
    query: Option<&str>,
    most_tags: usize,
) -> Result<Request, RouteError> {
    if !matches!(method, "GET" | "HEAD" | "PUT" | "DELETE") {
        return Err(not_allowed("GET, HEAD, PUT, DELETE"));
    }
    let repo = repo(name)?;
    let reference = decode(text)
        .parse::<Reference>()
        .map_err(|error| match error {
            ReferenceError::Digest(DigestError::Unregistered) if method == "PUT" => {
                TagError::Character.into()
            }
            ReferenceError::Tag(error) if method == "PUT" => error.into(),
            ReferenceError::Digest(error @ (DigestError::Malformed | DigestError::Unsupported)) => {
                DigestFault::Invalid(error).into()
            }
            ReferenceError::Digest(DigestError::Unregistered) | ReferenceError::Tag(_) => {
                RouteError::ManifestUnknown
            }
        })?;
    Ok(match method {
        "GET" => Request::GetManifest {
            repo,
            reference,
            ns: ns(query),
        },
        "HEAD" => Request::HeadManifest {
            repo,
            reference,
            ns: ns(query),
        },
        "PUT" => {
            let tags = match reference {
                Reference::Digest(_) => more_tags(query, most_tags)?,
                // `tag=` beside a tag has no meaning in the specification, and is ignored like any such parameter.
                Reference::Tag(_) => Vec::new(),
            };
            Request::PutManifest {
                repo,
                reference,
                tags,
            }
        }
        _ => Request::DeleteManifest { repo, reference },
    })
}

/// The `tag` parameters of a push by digest, each tag once.
fn more_tags(query: Option<&str>, most: usize) -> Result<Vec<Tag>, RouteError> {
    let mut tags = Vec::new();
    let given = pairs(query).filter(|(name, _)| name == "tag");
    for (count, (_, value)) in given.enumerate() {
        if count >= most {
            return Err(RouteError::TagsTooMany { most });
        }
        let tag = value.parse()?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    Ok(tags)
}

fn start_upload(name: &str, query: Option<&str>) -> Result<Request, RouteError> {
    let repo = repo(name)?;
    let mut wanted = Once::default();
    let mut algorithm = Once::default();
    let mut mount = Once::default();
    let mut from = Once::default();
    for (name, value) in pairs(query) {
        match name.as_ref() {
            "digest" => wanted.set(value, DigestFault::Repeated)?,
            "digest-algorithm" => algorithm.set(value, DigestFault::Repeated)?,
            "mount" => mount.set(value, RouteError::BlobUploadInvalid { parameter: "mount" })?,
            "from" => from.set(value, RouteError::BlobUploadInvalid { parameter: "from" })?,
            _ => {}
        }
    }
    let wanted = wanted.get().map(digest).transpose()?;
    let algorithm = algorithm
        .get()
        .map(str::parse::<Algorithm>)
        .transpose()
        .map_err(DigestFault::from)?;
    if let (Some(wanted), Some(algorithm)) = (wanted, algorithm)
        && wanted.algorithm() != algorithm
    {
        return Err(DigestFault::Disagreeing.into());
    }
    let mount = match mount.get() {
        Some(text) => mount_from(digest(text)?, from.get()),
        None => None,
    };
    Ok(Request::StartUpload {
        repo,
        digest: wanted,
        algorithm: algorithm
            .or(wanted.map(|digest| digest.algorithm()))
            .unwrap_or_default(),
        mount,
    })
}

/// A `from` that is no repository name holds no blob. A mount that finds nothing is an ordinary upload (202), never
/// an error: clients depend on it.
fn mount_from(digest: Digest, from: Option<&str>) -> Option<Mount> {
    let from = match from {
        Some(text) => Some(text.parse().ok()?),
        None => None,
    };
    Some(Mount { digest, from })
}

fn upload(method: &str, name: &str, id: &str, query: Option<&str>) -> Result<Request, RouteError> {
    if !matches!(method, "GET" | "HEAD" | "PATCH" | "PUT" | "DELETE") {
        return Err(not_allowed("GET, HEAD, PATCH, PUT, DELETE"));
    }
    let repo = repo(name)?;
    let id = decode(id)
        .parse::<UploadId>()
        .map_err(|_| RouteError::BlobUploadUnknown)?;
    Ok(match method {
        "PATCH" => Request::AppendUpload { repo, id },
        "DELETE" => Request::AbortUpload { repo, id },
        "PUT" => Request::FinishUpload {
            repo,
            id,
            digest: whole_digest(query)?,
        },
        _ => Request::UploadStatus { repo, id },
    })
}

/// The one `digest` that closing an upload needs.
fn whole_digest(query: Option<&str>) -> Result<Digest, DigestFault> {
    let mut wanted = Once::default();
    for (name, value) in pairs(query) {
        if name == "digest" {
            wanted.set(value, DigestFault::Repeated)?;
        }
    }
    digest(wanted.get().ok_or(DigestFault::Missing)?)
}
