//! What went wrong, said twice: a public sentence for the client and a private cause for the log.
//!
//! `Display` prints the public half only, so leaking a path or a host name needs effort. [`Code::wire`] is the only
//! table from meaning to status and error code in the whole project; the 4xx codes are the closed list of
//! distribution-spec, "Error Codes".

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

/// The result of every operation on a [`crate::Registry`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a failure means, independent of how it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// The blob is not in this repository.
    BlobUnknown,
    /// The upload session does not exist, or is somebody else's.
    BlobUploadUnknown,
    /// The request does not fit the upload session.
    BlobUploadInvalid,
    /// The sender broke off before the body was complete.
    BodyLost,
    /// The sender was slower than the least acceptable rate.
    BodySlow,
    /// The chunk does not start where the session stands.
    ChunkOutOfOrder,
    /// Another request is writing to the same upload session.
    UploadBusy,
    /// The digest is malformed, of an unsupported algorithm, or not that of the content.
    DigestInvalid,
    /// The length differs from what was announced.
    SizeInvalid,
    /// The manifest is not in this repository.
    ManifestUnknown,
    /// The manifest refers to content this repository does not hold.
    ManifestBlobUnknown,
    /// The manifest's bytes are not an acceptable manifest.
    ManifestInvalid,
    /// The content is larger than the limit.
    TooLarge,
    /// More tags than one request may set.
    TooManyTags,
    /// The repository name breaks the grammar.
    NameInvalid,
    /// No such repository.
    NameUnknown,
    /// A condition of the request (`If-Match`, `If-None-Match`) does not hold.
    ConditionFailed,
    /// The requested range lies outside of the content.
    RangeUnsatisfiable,
    /// The caller has not said who it is, or its credentials are not accepted.
    Unauthorized,
    /// The caller is known and lacks the right, or a rule forbids the operation.
    Denied,
    /// The operation is not offered here.
    Unsupported,
    /// A parameter of the request cannot be understood.
    QueryInvalid,
    /// The content's encoding or media type is not accepted.
    MediaUnsupported,
    /// The caller asks too often, or holds too many sessions.
    TooManyRequests,
    /// An upstream registry failed.
    Upstream,
    /// The registry cannot serve this just now: storage or metadata is out of reach or full.
    Unavailable,
    /// A bug or a broken installation.
    Internal,
}

impl Code {
    /// Every code, for tables and tests.
    pub const ALL: &'static [Code] = &[
        Code::BlobUnknown,
        Code::BlobUploadUnknown,
        Code::BlobUploadInvalid,
        Code::BodyLost,
        Code::BodySlow,
        Code::ChunkOutOfOrder,
        Code::UploadBusy,
        Code::DigestInvalid,
        Code::SizeInvalid,
        Code::ManifestUnknown,
        Code::ManifestBlobUnknown,
        Code::ManifestInvalid,
        Code::TooLarge,
        Code::TooManyTags,
        Code::NameInvalid,
        Code::NameUnknown,
        Code::ConditionFailed,
        Code::RangeUnsatisfiable,
        Code::Unauthorized,
        Code::Denied,
        Code::Unsupported,
        Code::QueryInvalid,
        Code::MediaUnsupported,
        Code::TooManyRequests,
        Code::Upstream,
        Code::Unavailable,
        Code::Internal,
    ];

    /// The HTTP status and the error code on the wire.
    ///
    /// 4xx codes come from the closed list of distribution-spec, "Error Codes"; 5xx answers use the names that
    /// Distribution's clients know.
    pub const fn wire(self) -> (u16, &'static str) {
        match self {
            Code::BlobUnknown => (404, "BLOB_UNKNOWN"),
            Code::BlobUploadUnknown => (404, "BLOB_UPLOAD_UNKNOWN"),
            Code::BlobUploadInvalid | Code::BodyLost => (400, "BLOB_UPLOAD_INVALID"),
            Code::BodySlow => (408, "BLOB_UPLOAD_INVALID"),
            Code::ChunkOutOfOrder => (416, "BLOB_UPLOAD_INVALID"),
            Code::UploadBusy => (409, "BLOB_UPLOAD_INVALID"),
            Code::DigestInvalid => (400, "DIGEST_INVALID"),
            Code::SizeInvalid => (400, "SIZE_INVALID"),
            Code::ManifestUnknown => (404, "MANIFEST_UNKNOWN"),
            Code::ManifestBlobUnknown => (400, "MANIFEST_BLOB_UNKNOWN"),
            Code::ManifestInvalid => (400, "MANIFEST_INVALID"),
            Code::TooLarge => (413, "MANIFEST_INVALID"),
            Code::TooManyTags => (414, "MANIFEST_INVALID"),
            Code::NameInvalid => (400, "NAME_INVALID"),
            Code::NameUnknown => (404, "NAME_UNKNOWN"),
            Code::ConditionFailed => (412, "MANIFEST_INVALID"),
            Code::RangeUnsatisfiable => (416, "UNSUPPORTED"),
            Code::Unauthorized => (401, "UNAUTHORIZED"),
            Code::Denied => (403, "DENIED"),
            Code::Unsupported => (405, "UNSUPPORTED"),
            Code::QueryInvalid => (400, "UNSUPPORTED"),
            Code::MediaUnsupported => (415, "UNSUPPORTED"),
            Code::TooManyRequests => (429, "TOOMANYREQUESTS"),
            Code::Upstream => (502, "UNKNOWN"),
            Code::Unavailable => (503, "UNAVAILABLE"),
            Code::Internal => (500, "UNKNOWN"),
        }
    }

    /// Whether this says "it is not there", the only failure after which another member of a group may be asked.
    pub const fn is_absence(self) -> bool {
        matches!(
            self,
            Code::BlobUnknown | Code::ManifestUnknown | Code::NameUnknown | Code::BlobUploadUnknown
        )
    }

    /// Whether the fault is on our side of the wire, and so belongs in the log with its cause.
    pub const fn is_ours(self) -> bool {
        self.wire().0 >= 500
    }
}

/// The error codes that a 4xx answer may carry. Source: distribution-spec, "Error Codes".
pub const SPEC_CODES: [&str; 14] = [
    "BLOB_UNKNOWN",
    "BLOB_UPLOAD_INVALID",
    "BLOB_UPLOAD_UNKNOWN",
    "DIGEST_INVALID",
    "MANIFEST_BLOB_UNKNOWN",
    "MANIFEST_INVALID",
    "MANIFEST_UNKNOWN",
    "NAME_INVALID",
    "NAME_UNKNOWN",
    "SIZE_INVALID",
    "UNAUTHORIZED",
    "DENIED",
    "UNSUPPORTED",
    "TOOMANYREQUESTS",
];

/// A failure: a [`Code`], a sentence the client may read, and a cause it may not.
pub struct Error(Box<Inner>);

struct Inner {
    code: Code,
    public: String,
    offset: Option<u64>,
    retry_after: Option<Duration>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// A failure with a sentence for the client. Say what happened and, where it helps, what to do next; never a path,
    /// a host, SQL or a secret.
    pub fn new(code: Code, public: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code,
            public: public.into(),
            offset: None,
            retry_after: None,
            source: None,
        }))
    }

    /// A bug or a broken installation; the client learns only that, the log learns the cause.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(
            Code::Internal,
            "something went wrong in the registry; the request id finds it in its log",
        )
        .because(source)
    }

    /// Adds the private cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Adds when the client may try again.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// Adds how many bytes the upload session holds, for answers that must say so (`ChunkOutOfOrder`, `UploadBusy`).
    #[must_use]
    pub fn at_offset(mut self, offset: u64) -> Self {
        self.0.offset = Some(offset);
        self
    }

    /// What the failure means.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The sentence for the client.
    pub fn public(&self) -> &str {
        &self.0.public
    }

    /// When the client may try again, if that is known.
    pub fn wait(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// How many bytes the upload session holds, where the failure is about that.
    pub fn offset(&self) -> Option<u64> {
        self.0.offset
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.public)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.0.code)
            .field("public", &self.0.public)
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0.source {
            Some(source) => Some(source.as_ref()),
            None => None,
        }
    }
}

/// An error with all its causes on one line, for the log: `what: why: why`.
#[derive(Debug)]
pub struct Chain<'a>(pub &'a (dyn StdError + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut next = self.0.source();
        while let Some(cause) = next {
            write!(f, ": {cause}")?;
            next = cause.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_4xx_code_is_one_of_the_specs_fourteen_and_each_of_those_is_used() {
        let ours: Vec<_> = Code::ALL
            .iter()
            .filter(|c| !c.is_ours())
            .map(|c| c.wire().1)
            .collect();
        for code in &ours {
            assert!(
                SPEC_CODES.contains(code),
                "{code} is not in the spec's closed list"
            );
        }
        for code in SPEC_CODES {
            assert!(ours.contains(&code), "nothing ever answers {code}");
        }
    }

    #[test]
    fn what_a_client_reads_never_holds_the_cause() {
        let error = Error::new(Code::Unavailable, "the registry cannot be reached just now")
            .because(std::io::Error::other("connection to 10.0.3.7:5432 refused"));
        assert_eq!(error.to_string(), "the registry cannot be reached just now");
        assert!(
            Chain(&error).to_string().contains("10.0.3.7"),
            "the log must hold it"
        );
    }

    #[test]
    fn an_error_is_one_word_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
