-- What a registry must remember. Times are microseconds since the Unix epoch, digests are keys (one byte of algorithm,
-- then the value), ids are never reused. {BYTES}, {BYTEWISE} and {CLUSTERED} are the only words the engines differ in.

CREATE TABLE counter (
  name TEXT NOT NULL PRIMARY KEY,
  value BIGINT NOT NULL
);

CREATE TABLE setting (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
);

-- A repository is its id; its name may change. `manifests` and `tags` count what it holds: no manifest keeps it out of
-- the catalog.
CREATE TABLE repository (
  id BIGINT NOT NULL PRIMARY KEY,
  name TEXT {BYTEWISE} NOT NULL UNIQUE,
  manifests BIGINT NOT NULL DEFAULT 0,
  tags BIGINT NOT NULL DEFAULT 0,
  created BIGINT NOT NULL
);
CREATE INDEX repository_listed ON repository (name) WHERE manifests > 0;

-- A blob's bytes, once for the whole registry. `state`: 0 staged (written, its sync not yet recorded), 1 live,
-- 2 deleting, 3 missing. `generation` tells a blob from an earlier one of the same digest; `location` is where the
-- bytes lie and is never derived from the digest.
CREATE TABLE blob (
  digest {BYTES} NOT NULL PRIMARY KEY,
  size BIGINT NOT NULL,
  location TEXT NOT NULL,
  generation BIGINT NOT NULL,
  state BIGINT NOT NULL,
  lease_until BIGINT NOT NULL,
  not_before BIGINT NOT NULL,
  verified BIGINT NOT NULL,
  created BIGINT NOT NULL
) {CLUSTERED};
CREATE INDEX blob_unsettled ON blob (state, digest) WHERE state <> 1;

-- Which repository holds which blob: the only thing that makes a blob visible.
CREATE TABLE link (
  repo BIGINT NOT NULL,
  digest {BYTES} NOT NULL,
  created BIGINT NOT NULL,
  PRIMARY KEY (repo, digest)
) {CLUSTERED};
CREATE INDEX link_digest ON link (digest, repo);

-- An upload between two requests. `fence` grows with each writer; `finished` keeps the digest of a completed session
-- for a while, so that a repeated last request gets the same answer.
CREATE TABLE upload (
  id {BYTES} NOT NULL PRIMARY KEY,
  repo BIGINT NOT NULL,
  actor TEXT NOT NULL,
  stage {BYTES} NOT NULL,
  size BIGINT NOT NULL,
  fence BIGINT NOT NULL,
  lease_until BIGINT NOT NULL,
  created BIGINT NOT NULL,
  touched BIGINT NOT NULL,
  finished {BYTES}
) {CLUSTERED};
-- Of open sessions only: there are many finished ones, and every start of a session counts the open ones.
CREATE INDEX upload_repo ON upload (repo) WHERE finished IS NULL;
CREATE INDEX upload_actor ON upload (actor) WHERE finished IS NULL;
CREATE INDEX upload_touched ON upload (touched);

-- A manifest's bytes, once for the whole registry.
CREATE TABLE manifest_body (
  digest {BYTES} NOT NULL PRIMARY KEY,
  bytes {BYTES} NOT NULL
);

-- A manifest in a repository. `descriptor` is its entry in the list of its subject's referrers, as JSON; `depth` is how
-- many levels of manifests lie below it, as far as they were here when it was pushed.
CREATE TABLE manifest (
  repo BIGINT NOT NULL,
  digest {BYTES} NOT NULL,
  size BIGINT NOT NULL,
  media_type TEXT NOT NULL,
  depth BIGINT NOT NULL,
  artifact_type TEXT,
  subject {BYTES},
  descriptor TEXT,
  created BIGINT NOT NULL,
  PRIMARY KEY (repo, digest)
) {CLUSTERED};
CREATE INDEX manifest_digest ON manifest (digest, repo);
CREATE INDEX manifest_subject ON manifest (repo, subject, digest) WHERE subject IS NOT NULL;
CREATE INDEX manifest_subject_type ON manifest (repo, subject, artifact_type, digest) WHERE subject IS NOT NULL;

-- What a manifest needs. `kind`: 0 blob, 1 manifest. A subject is no need: it may be absent.
CREATE TABLE edge (
  repo BIGINT NOT NULL,
  parent {BYTES} NOT NULL,
  child {BYTES} NOT NULL,
  kind BIGINT NOT NULL,
  PRIMARY KEY (repo, parent, child, kind)
) {CLUSTERED};
CREATE INDEX edge_any ON edge (child, kind);

CREATE TABLE tag (
  repo BIGINT NOT NULL,
  name TEXT {BYTEWISE} NOT NULL,
  digest {BYTES} NOT NULL,
  moved BIGINT NOT NULL,
  moved_by TEXT NOT NULL,
  PRIMARY KEY (repo, name)
) {CLUSTERED};
CREATE INDEX tag_digest ON tag (repo, digest);
