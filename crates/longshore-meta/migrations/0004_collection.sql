-- What collection works on: links and manifests that may be needed no more, bytes to remove, the trash, the history of tags.

-- A link that may have lost its last reference, and when to look. A link that no manifest of its repository needs, be it in use
-- or in the trash, has a row here. Two rows for one link do no harm.
CREATE TABLE candidate (
  due BIGINT NOT NULL,
  repo BIGINT NOT NULL,
  digest {BYTES} NOT NULL,
  PRIMARY KEY (due, repo, digest)
) {CLUSTERED};

-- Bytes that are to be removed, and when. `generation` is that of the blob's row, if it is still there and goes with them.
CREATE TABLE grave (
  due BIGINT NOT NULL,
  location TEXT NOT NULL,
  digest {BYTES} NOT NULL,
  generation BIGINT NOT NULL,
  size BIGINT NOT NULL,
  tries BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (due, location)
) {CLUSTERED};

-- A manifest that may have neither tag nor parent. `why`: 0 it was pushed without a tag, 1 it lost its last tag, 2 the index
-- that listed it or the manifest it was about is gone.
CREATE TABLE untagged (
  repo BIGINT NOT NULL,
  digest {BYTES} NOT NULL,
  why BIGINT NOT NULL,
  since BIGINT NOT NULL,
  PRIMARY KEY (repo, digest)
) {CLUSTERED};
CREATE INDEX untagged_due ON untagged (why, since);

-- A manifest that was deleted and can be restored. `tags` are those it lost with it, one a line. `why`: 0 somebody deleted it,
-- 1 it was collected. Its edges have the kinds 2 (blob) and 3 (manifest) meanwhile.
CREATE TABLE trash (
  repo BIGINT NOT NULL,
  digest {BYTES} NOT NULL,
  size BIGINT NOT NULL,
  media_type TEXT NOT NULL,
  depth BIGINT NOT NULL,
  artifact_type TEXT,
  subject {BYTES},
  descriptor TEXT,
  created BIGINT NOT NULL,
  tagged BIGINT NOT NULL,
  tags TEXT NOT NULL,
  deleted BIGINT NOT NULL,
  deleted_by TEXT NOT NULL,
  why BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  PRIMARY KEY (repo, digest)
) {CLUSTERED};
CREATE INDEX trash_digest ON trash (digest);
CREATE INDEX trash_expires ON trash (expires);

-- Where a tag pointed before and after each change; no digest is no tag. `why`: 0 a push, 1 the tag was deleted, 2 its manifest
-- was, 3 it was restored.
CREATE TABLE tag_history (
  repo BIGINT NOT NULL,
  name TEXT {BYTEWISE} NOT NULL,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  old_digest {BYTES},
  new_digest {BYTES},
  why BIGINT NOT NULL,
  PRIMARY KEY (repo, name, at)
) {CLUSTERED};
CREATE INDEX tag_history_at ON tag_history (at);

-- Who may do what one at a time may do. `token` grows with each holder: work of a former one is told by its token.
CREATE TABLE leader (
  name TEXT NOT NULL PRIMARY KEY,
  token BIGINT NOT NULL,
  holder TEXT NOT NULL,
  lease_until BIGINT NOT NULL
);

-- Whether it ever had a tag. Of those that are here already nobody knows.
ALTER TABLE manifest ADD COLUMN tagged BIGINT NOT NULL DEFAULT 1;

-- What earlier versions left: a day for what was pushed last.
INSERT INTO candidate (due, repo, digest)
  SELECT l.created + 86400000000, l.repo, l.digest FROM link l
  WHERE NOT EXISTS (SELECT 1 FROM edge e WHERE e.child = l.digest AND e.kind = 0 AND e.repo = l.repo);
INSERT INTO candidate (due, repo, digest)
  SELECT b.created + 86400000000, 0, b.digest FROM blob b
  WHERE b.state = 1 AND NOT EXISTS (SELECT 1 FROM link l WHERE l.digest = b.digest);
INSERT INTO untagged (repo, digest, why, since)
  SELECT m.repo, m.digest, 1, m.created FROM manifest m
  WHERE NOT EXISTS (SELECT 1 FROM tag t WHERE t.repo = m.repo AND t.digest = m.digest)
  AND NOT EXISTS (SELECT 1 FROM edge e WHERE e.child = m.digest AND e.kind = 1 AND e.repo = m.repo);
