-- Who shows a certificate that says this of itself (`subject`: `uri:`, `dns:`, `email:`, `cn:` or `sha256:` and the rest). `scope` narrows
-- what its account may do then, as in secret.
CREATE TABLE certificate (
  id BIGINT NOT NULL PRIMARY KEY,
  principal BIGINT NOT NULL,
  subject TEXT {BYTEWISE} NOT NULL,
  scope TEXT,
  description TEXT NOT NULL DEFAULT '',
  expires BIGINT,
  used BIGINT,
  created_by BIGINT NOT NULL,
  created BIGINT NOT NULL
);
CREATE UNIQUE INDEX certificate_subject ON certificate (subject);
CREATE INDEX certificate_principal ON certificate (principal, id);
