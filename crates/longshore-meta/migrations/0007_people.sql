-- Who is known elsewhere, and machines that keep no secret here.

-- By which name somebody logs in there, for people to read: it says nothing about who it is.
ALTER TABLE identity ADD COLUMN name TEXT NOT NULL DEFAULT '';

-- Whose tokens make their bearer a robot: an issuer, an audience, and what the claims must say (`claims`, a JSON object of names
-- to patterns). `scope` narrows what the robot may do then, as in secret.
CREATE TABLE trust (
  id BIGINT NOT NULL PRIMARY KEY,
  principal BIGINT NOT NULL,
  issuer TEXT NOT NULL,
  audience TEXT NOT NULL,
  claims TEXT NOT NULL,
  scope TEXT,
  description TEXT NOT NULL DEFAULT '',
  expires BIGINT,
  used BIGINT,
  created_by BIGINT NOT NULL,
  created BIGINT NOT NULL
);
CREATE INDEX trust_issuer ON trust (issuer, id);
CREATE INDEX trust_principal ON trust (principal, id);

-- A second factor of a local account. `sealed` is the secret that account and telephone share, encrypted. Until `confirmed` it
-- is not asked for. `step` is that of the last code that was accepted: none is accepted twice, by whatever node.
CREATE TABLE second_factor (
  principal BIGINT NOT NULL PRIMARY KEY,
  sealed {BYTES} NOT NULL,
  confirmed BIGINT,
  step BIGINT NOT NULL DEFAULT 0,
  created BIGINT NOT NULL
);

-- Codes for the day the telephone is gone, as keyed hashes. One that was used is deleted.
CREATE TABLE recovery_code (
  principal BIGINT NOT NULL,
  hash {BYTES} NOT NULL,
  PRIMARY KEY (principal, hash)
) {CLUSTERED};
