-- What was taken over from another registry's tree: a row for each repository that is through, so that a takeover that was
-- interrupted goes on where it was.
CREATE TABLE takeover_repo (
  name TEXT {BYTEWISE} NOT NULL PRIMARY KEY,
  manifests BIGINT NOT NULL,
  tags BIGINT NOT NULL,
  blobs BIGINT NOT NULL
) {CLUSTERED};

-- What could not be taken over, and what was odd. `repo` is a repository's name; '' is for what lies outside of them.
CREATE TABLE takeover_finding (
  repo TEXT {BYTEWISE} NOT NULL,
  number BIGINT NOT NULL,
  kind TEXT NOT NULL,
  what TEXT NOT NULL,
  why TEXT NOT NULL,
  PRIMARY KEY (repo, number)
) {CLUSTERED};
