//! Blobs on their way in: sessions, chunks, single requests and mounts.
//! Source: distribution-spec v1.1.1, "Pushing blobs", "Mounting a blob from another repository", end-4 to end-6, end-11,
//! end-13, end-14.

use http::{HeaderValue, StatusCode, header};
use longshore_core::{ByteStream, Code, Error, Expect, Upload};
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::name::RepoName;
use longshore_spec::range::upload_range;
use longshore_spec::route::{Mount, Request};
use longshore_spec::upload::UploadId;

use super::enter::Visit;
use super::errors::{Answer, Fault};
use super::intake::{self, Length};
use super::reply::Reply;
use super::urls::value;
use super::{Edge, names};

/// What opening an upload was asked to do at once.
#[derive(Debug)]
pub(super) struct Opening<'a> {
    /// The body is the whole blob and has this digest.
    pub(super) digest: Option<&'a Digest>,
    /// Take the blob from elsewhere.
    pub(super) mount: Option<&'a Mount>,
    /// What the digest will be of.
    pub(super) algorithm: Algorithm,
}

impl Edge {
    /// Mounts or stores a blob at once, or opens a session.
    ///
    /// A mount that finds nothing, or may not, is a session: 401 and 403 make clients give up the whole push.
    pub(super) async fn open_upload(
        &self,
        visit: &Visit<'_>,
        repo: &RepoName,
        opening: Opening<'_>,
        body: ByteStream,
    ) -> Answer {
        intake::refuse_encoding(&visit.head.headers)?;
        if let Some(mount) = opening.mount
            && let Some(digest) = self.mount(visit, repo, mount).await?
        {
            return Ok(self.created(visit, repo, digest));
        }
        let length = Length::of(visit.head);
        match opening.digest {
            // Clients that hoped for the mount have sent no body with it.
            Some(digest) if opening.mount.is_none() || length.said() != Some(0) => {
                if length == Length::Absent {
                    let error = Error::new(
                        Code::SizeInvalid,
                        "say how long the blob is: Content-Length is missing",
                    );
                    return Err(Fault::from(error).status(StatusCode::LENGTH_REQUIRED));
                }
                let want = Expect {
                    digest: *digest,
                    size: length.said(),
                };
                let stored = self
                    .0
                    .registry
                    .put_blob(&visit.cx, repo, &want, body)
                    .await?;
                Ok(self.created(visit, repo, stored.digest))
            }
            _ => {
                let upload = self
                    .0
                    .registry
                    .start_upload(&visit.cx, repo, opening.algorithm)
                    .await?;
                let least = (upload.min_chunk > 0).then(|| HeaderValue::from(upload.min_chunk));
                let reply = self.session(visit, StatusCode::ACCEPTED, repo, &upload);
                Ok(reply.maybe(names::OCI_CHUNK_MIN_LENGTH, least))
            }
        }
    }

    /// The digest of the blob that is now in `repo` too; `None` to have it uploaded. What the caller may not read is as
    /// good as not there, and the registry is not even asked, so that the time it takes tells nothing.
    async fn mount(
        &self,
        visit: &Visit<'_>,
        repo: &RepoName,
        mount: &Mount,
    ) -> Result<Option<Digest>, Fault> {
        let from = mount.from.as_ref();
        if from.is_some_and(|from| {
            !visit
                .cx
                .rights
                .allow(Some(from), longshore_core::Verb::Pull)
        }) {
            return Ok(None);
        }
        match self
            .0
            .registry
            .mount_blob(&visit.cx, repo, &mount.digest, from)
            .await
        {
            Ok(found) => Ok(found.map(|blob| blob.digest)),
            Err(error) if error.code().is_ours() => Err(error.into()),
            Err(_) => Ok(None),
        }
    }

    /// Adds a chunk.
    pub(super) async fn append(
        &self,
        visit: &Visit<'_>,
        repo: &RepoName,
        id: &UploadId,
        body: ByteStream,
    ) -> Answer {
        intake::refuse_encoding(&visit.head.headers)?;
        let chunk = match intake::chunk(visit.head, body) {
            Ok(chunk) => chunk,
            Err(error) => return Err(self.misplaced(visit, repo, id, error).await),
        };
        match self
            .0
            .registry
            .append_upload(&visit.cx, repo, id, chunk)
            .await
        {
            Ok(upload) => Ok(self.session(visit, StatusCode::ACCEPTED, repo, &upload)),
            Err(error) => Err(self.broken(visit, repo, id, error)),
        }
    }

    /// Adds the last chunk, if there is one, and makes the whole a blob.
    pub(super) async fn finish(
        &self,
        visit: &Visit<'_>,
        repo: &RepoName,
        id: &UploadId,
        digest: &Digest,
        body: ByteStream,
    ) -> Answer {
        intake::refuse_encoding(&visit.head.headers)?;
        let last = match intake::chunk(visit.head, body) {
            Ok(chunk) => chunk,
            Err(error) => return Err(self.misplaced(visit, repo, id, error).await),
        };
        match self
            .0
            .registry
            .finish_upload(&visit.cx, repo, id, last, digest)
            .await
        {
            Ok(blob) => Ok(self.created(visit, repo, blob.digest)),
            Err(error) => Err(self.broken(visit, repo, id, error)),
        }
    }

    /// How far a session is.
    pub(super) async fn progress(
        &self,
        visit: &Visit<'_>,
        repo: &RepoName,
        id: &UploadId,
    ) -> Answer {
        let upload = self.0.registry.stat_upload(&visit.cx, repo, id).await?;
        Ok(self.session(visit, StatusCode::NO_CONTENT, repo, &upload))
    }

    /// Gives a session up.
    pub(super) async fn abort(&self, visit: &Visit<'_>, repo: &RepoName, id: &UploadId) -> Answer {
        self.0.registry.abort_upload(&visit.cx, repo, id).await?;
        Ok(Reply::new(StatusCode::NO_CONTENT))
    }

    /// A blob is there now.
    fn created(&self, visit: &Visit<'_>, repo: &RepoName, digest: Digest) -> Reply {
        let blob = Request::GetBlob {
            repo: repo.clone(),
            digest,
            ns: None,
        };
        let location = self.0.urls.location(visit.head, visit.sender, &blob);
        Reply::new(StatusCode::CREATED)
            .naming(&digest)
            .with(header::LOCATION, location)
            .sized(0)
    }

    /// The state of a session.
    fn session(
        &self,
        visit: &Visit<'_>,
        status: StatusCode,
        repo: &RepoName,
        upload: &Upload,
    ) -> Reply {
        let reply = Reply::new(status)
            .with(header::LOCATION, self.session_url(visit, repo, &upload.id))
            .with(header::RANGE, value(upload_range(upload.offset)))
            .with(names::DOCKER_UPLOAD_UUID, value(upload.id.to_string()));
        match status {
            StatusCode::NO_CONTENT => reply,
            _ => reply.sized(0),
        }
    }

    fn session_url(&self, visit: &Visit<'_>, repo: &RepoName, id: &UploadId) -> HeaderValue {
        let session = Request::UploadStatus {
            repo: repo.clone(),
            id: *id,
        };
        self.0.urls.location(visit.head, visit.sender, &session)
    }

    /// A chunk whose headers are wrong. A session that is not there is said first, and the client learns where to go on.
    async fn misplaced(
        &self,
        visit: &Visit<'_>,
        repo: &RepoName,
        id: &UploadId,
        error: Error,
    ) -> Fault {
        match self.0.registry.stat_upload(&visit.cx, repo, id).await {
            Ok(upload) => self.broken(visit, repo, id, error.at_offset(upload.offset)),
            Err(error) => error.into(),
        }
    }

    /// A chunk that failed. Where the error says how much is held, so does the answer.
    fn broken(&self, visit: &Visit<'_>, repo: &RepoName, id: &UploadId, error: Error) -> Fault {
        let held = error.offset();
        let fault = Fault::from(error);
        match held {
            Some(offset) => fault
                .with(header::LOCATION, self.session_url(visit, repo, id))
                .with(header::RANGE, value(upload_range(offset)))
                .with(names::DOCKER_UPLOAD_UUID, value(id.to_string())),
            None => fault,
        }
    }
}
