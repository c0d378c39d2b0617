//! From a [`Request`] to its method and URL.

use std::fmt::{self, Write};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Mount, Request};
use crate::digest::Algorithm;
use crate::host::Host;
use crate::name::RepoName;

/// What a query value needs escaped: everything but RFC 3986's unreserved characters and the `/` and `:` that a query
/// may hold as they are. `+` is escaped because most servers would read it as a space.
const QUERY_VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/')
    .remove(b':');

impl Request {
    /// The HTTP method to send this request with.
    pub const fn method(&self) -> &'static str {
        match self {
            Self::Ping
            | Self::V1Ping
            | Self::V1Search { .. }
            | Self::Catalog { .. }
            | Self::Tags { .. }
            | Self::Referrers { .. }
            | Self::GetBlob { .. }
            | Self::GetManifest { .. }
            | Self::UploadStatus { .. } => "GET",
            Self::HeadBlob { .. } | Self::HeadManifest { .. } => "HEAD",
            Self::PutManifest { .. } | Self::FinishUpload { .. } => "PUT",
            Self::DeleteBlob { .. } | Self::DeleteManifest { .. } | Self::AbortUpload { .. } => {
                "DELETE"
            }
            Self::StartUpload { .. } => "POST",
            Self::AppendUpload { .. } => "PATCH",
        }
    }

    /// The path and query of this request, ready to be sent: `/v2/acme/app/tags/list?n=10`.
    pub fn target(&self) -> String {
        self.to_string()
    }

    /// The repository the request is about; `None` where it is about the registry.
    pub const fn repo(&self) -> Option<&RepoName> {
        match self {
            Self::Ping | Self::V1Ping | Self::V1Search { .. } | Self::Catalog { .. } => None,
            Self::Tags { repo, .. }
            | Self::Referrers { repo, .. }
            | Self::GetBlob { repo, .. }
            | Self::HeadBlob { repo, .. }
            | Self::DeleteBlob { repo, .. }
            | Self::GetManifest { repo, .. }
            | Self::HeadManifest { repo, .. }
            | Self::PutManifest { repo, .. }
            | Self::DeleteManifest { repo, .. }
            | Self::StartUpload { repo, .. }
            | Self::UploadStatus { repo, .. }
            | Self::AppendUpload { repo, .. }
            | Self::FinishUpload { repo, .. }
            | Self::AbortUpload { repo, .. } => Some(repo),
        }
    }
}

/// The path and query: see [`Request::target`].
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ping => f.write_str("/v2/"),
            Self::V1Ping => f.write_str("/v1/_ping"),
            Self::V1Search { words, n } => {
                f.write_str("/v1/search")?;
                let mut query = Query::new(f);
                query.maybe("q", Some(words))?;
                query.maybe("n", n.as_ref())
            }
            Self::Catalog { n, last } => {
                f.write_str("/v2/_catalog")?;
                let mut query = Query::new(f);
                query.maybe("n", n.as_ref())?;
                query.maybe("last", last.as_ref())
            }
            Self::Tags { repo, n, last } => {
                write!(f, "/v2/{repo}/tags/list")?;
                let mut query = Query::new(f);
                query.maybe("n", n.as_ref())?;
                query.maybe("last", last.as_ref())
            }
            Self::Referrers {
                repo,
                digest,
                artifact_type,
                n,
                last,
            } => {
                write!(f, "/v2/{repo}/referrers/{digest}")?;
                let mut query = Query::new(f);
                query.maybe("artifactType", artifact_type.as_ref())?;
                query.maybe("n", n.as_ref())?;
                query.maybe("last", last.as_ref())
            }
            Self::GetBlob { repo, digest, ns } | Self::HeadBlob { repo, digest, ns } => {
                write!(f, "/v2/{repo}/blobs/{digest}")?;
                Query::new(f).maybe("ns", ns.as_ref().map(Host::as_str).as_ref())
            }
            Self::DeleteBlob { repo, digest } => write!(f, "/v2/{repo}/blobs/{digest}"),
            Self::GetManifest {
                repo,
                reference,
                ns,
            }
            | Self::HeadManifest {
                repo,
                reference,
                ns,
            } => {
                write!(f, "/v2/{repo}/manifests/{reference}")?;
                Query::new(f).maybe("ns", ns.as_ref())
            }
            Self::PutManifest {
                repo,
                reference,
                tags,
            } => {
                write!(f, "/v2/{repo}/manifests/{reference}")?;
                let mut query = Query::new(f);
                tags.iter()
                    .try_for_each(|tag| query.maybe("tag", Some(tag)))
            }
            Self::DeleteManifest { repo, reference } => {
                write!(f, "/v2/{repo}/manifests/{reference}")
            }
            Self::StartUpload {
                repo,
                digest,
                mount,
                algorithm,
            } => {
                write!(f, "/v2/{repo}/blobs/uploads/")?;
                let mut query = Query::new(f);
                query.maybe("digest", digest.as_ref())?;
                if let Some(Mount { digest, from }) = mount {
                    query.maybe("mount", Some(digest))?;
                    query.maybe("from", from.as_ref())?;
                }
                // Only where the registry could not know: `digest` says it too, and sha256 goes without saying.
                let implied = digest.map_or(Algorithm::default(), |digest| digest.algorithm());
                query.maybe(
                    "digest-algorithm",
                    (*algorithm != implied).then_some(algorithm),
                )
            }
            Self::UploadStatus { repo, id }
            | Self::AppendUpload { repo, id }
            | Self::AbortUpload { repo, id } => {
                write!(f, "/v2/{repo}/blobs/uploads/{id}")
            }
            Self::FinishUpload { repo, id, digest } => {
                write!(f, "/v2/{repo}/blobs/uploads/{id}")?;
                Query::new(f).maybe("digest", Some(digest))
            }
        }
    }
}

/// Writes parameters behind a path.
struct Query<'a, 'f> {
    to: &'a mut fmt::Formatter<'f>,
    separator: char,
}

impl<'a, 'f> Query<'a, 'f> {
    fn new(to: &'a mut fmt::Formatter<'f>) -> Self {
        Self { to, separator: '?' }
    }

    /// Adds `name=value` if there is a value.
    fn maybe(&mut self, name: &str, value: Option<&impl fmt::Display>) -> fmt::Result {
        let Some(value) = value else { return Ok(()) };
        self.to
            .write_char(std::mem::replace(&mut self.separator, '&'))?;
        let value = value.to_string();
        write!(
            self.to,
            "{name}={}",
            utf8_percent_encode(&value, QUERY_VALUE)
        )
    }
}
