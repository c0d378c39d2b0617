-- The bytes of small blobs. A blob's `location` names the row as ':' and its id; ids grow, so that what is written together
-- lies together. The digest tells the copy from one that came later by an id that was free again.
CREATE TABLE blob_body (
  id {ID},
  digest {BYTES} NOT NULL,
  bytes {BYTES} NOT NULL
);
