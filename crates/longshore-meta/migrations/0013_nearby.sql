-- What an image brings lies side by side as far as it can, so that a push touches few pages of the database, however much is stored:
-- digests come in no order, and in a large tree each is on a page of its own (docs/decisions/0031-what-is-pushed-lies-side-by-side.md).

-- Whoever asks what needs something knows the repository. What the trash needs is asked of all repositories at once, and is little.
DROP INDEX edge_any;
CREATE INDEX edge_child ON edge (repo, child, kind);
CREATE INDEX edge_pinned ON edge (child) WHERE kind = 2;

-- `home`: the repository that a blob was first pushed to, 0 where that is not known. Never changes. Nearly all blobs are held there and
-- nowhere else, so only the other links are found by their digest: those with `shared` 1. One with 0 is that of the blob's home.
ALTER TABLE blob ADD COLUMN home BIGINT NOT NULL DEFAULT 0;
ALTER TABLE link ADD COLUMN shared BIGINT NOT NULL DEFAULT 1;
DROP INDEX link_digest;
CREATE INDEX link_shared ON link (digest, repo) WHERE shared = 1;
