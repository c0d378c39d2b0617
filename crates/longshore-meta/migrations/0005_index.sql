-- Who there is, what belongs to whom, who may do what, and what was done. Ids are never reused; names are ways to find them.

-- Whoever can be given a right. `kind`: 0 user, 1 organisation, 2 team, 3 robot. `owner` is the organisation of a team and of its
-- robots, 0 for users, organisations and robots of the system. `state`: 0 active, 1 disabled, 2 waiting for a confirmation,
-- 3 deleted. `version` grows with everything that takes a right or a credential away: what was issued before it is void.
CREATE TABLE principal (
  id BIGINT NOT NULL PRIMARY KEY,
  kind BIGINT NOT NULL,
  owner BIGINT NOT NULL DEFAULT 0,
  name TEXT {BYTEWISE} NOT NULL,
  full_name TEXT NOT NULL DEFAULT '',
  mail TEXT NOT NULL DEFAULT '',
  description TEXT NOT NULL DEFAULT '',
  state BIGINT NOT NULL DEFAULT 0,
  version BIGINT NOT NULL DEFAULT 1,
  expires BIGINT,
  created_by BIGINT NOT NULL DEFAULT 0,
  created BIGINT NOT NULL,
  changed BIGINT NOT NULL,
  seen BIGINT
);
CREATE UNIQUE INDEX principal_name ON principal (owner, name) WHERE state <> 3;
CREATE INDEX principal_mail ON principal (mail) WHERE mail <> '';

-- Who is in which organisation or team. `source` is the directory that says so, '' where a person did.
CREATE TABLE member (
  party BIGINT NOT NULL,
  principal BIGINT NOT NULL,
  source TEXT NOT NULL DEFAULT '',
  created BIGINT NOT NULL,
  PRIMARY KEY (party, principal, source)
) {CLUSTERED};
CREATE INDEX member_principal ON member (principal, party);

-- How a principal is known elsewhere: (issuer, subject) at a provider, a distinguished name in a directory, a certificate.
CREATE TABLE identity (
  source TEXT NOT NULL,
  subject TEXT NOT NULL,
  principal BIGINT NOT NULL,
  created BIGINT NOT NULL,
  seen BIGINT NOT NULL,
  PRIMARY KEY (source, subject)
) {CLUSTERED};
CREATE INDEX identity_principal ON identity (principal);

-- A local password, as a PHC or bcrypt string.
CREATE TABLE password (
  principal BIGINT NOT NULL PRIMARY KEY,
  hash TEXT NOT NULL,
  changed BIGINT NOT NULL,
  must_change BOOLEAN NOT NULL DEFAULT FALSE
);

-- A secret that was shown once: `kind` 0 personal token, 1 secret of a robot, 2 refresh token, 3 web session, 4 invitation, 5 mail
-- confirmation, 6 password reset, 7 set-up. `hash` is of the secret, keyed. `scope` narrows what its principal may do, as JSON.
CREATE TABLE secret (
  id BIGINT NOT NULL PRIMARY KEY,
  kind BIGINT NOT NULL,
  principal BIGINT NOT NULL,
  hash {BYTES} NOT NULL UNIQUE,
  label TEXT NOT NULL DEFAULT '',
  scope TEXT,
  created BIGINT NOT NULL,
  expires BIGINT,
  used BIGINT,
  used_from TEXT,
  version BIGINT NOT NULL
);
CREATE INDEX secret_principal ON secret (principal, kind, id);
CREATE INDEX secret_expires ON secret (expires) WHERE expires IS NOT NULL;

-- A key that tokens are signed with. `sealed` is its private part, encrypted. It signs from `since` until `until`; what it signed
-- is good until `verify_until`.
CREATE TABLE signing_key (
  kid TEXT NOT NULL PRIMARY KEY,
  algorithm TEXT NOT NULL,
  public TEXT NOT NULL,
  certificate TEXT NOT NULL,
  sealed {BYTES} NOT NULL,
  created BIGINT NOT NULL,
  since BIGINT NOT NULL,
  until BIGINT,
  verify_until BIGINT
);

-- A place for names: the first component of repositories' names, or a group below one. `visibility`: 0 private, 1 internal (anybody
-- who has logged in), 2 public. `path` is free again when the row is gone; names that must rest are in `name_rest`.
CREATE TABLE namespace (
  id BIGINT NOT NULL PRIMARY KEY,
  parent BIGINT NOT NULL DEFAULT 0,
  path TEXT {BYTEWISE} NOT NULL UNIQUE,
  owner BIGINT NOT NULL,
  visibility BIGINT NOT NULL DEFAULT 0,
  read_only BOOLEAN NOT NULL DEFAULT FALSE,
  description TEXT NOT NULL DEFAULT '',
  created BIGINT NOT NULL,
  changed BIGINT NOT NULL
);
CREATE INDEX namespace_parent ON namespace (parent, path);
CREATE INDEX namespace_owner ON namespace (owner, path);
CREATE INDEX namespace_visible ON namespace (visibility, parent) WHERE visibility > 0;

-- What people say of a repository. `visibility` NULL: that of its namespace. It may narrow and never widen it.
CREATE TABLE profile (
  repo BIGINT NOT NULL PRIMARY KEY,
  visibility BIGINT,
  read_only BOOLEAN NOT NULL DEFAULT FALSE,
  description TEXT NOT NULL DEFAULT '',
  readme TEXT NOT NULL DEFAULT '',
  links TEXT NOT NULL DEFAULT '[]',
  labels TEXT NOT NULL DEFAULT '{}',
  stars BIGINT NOT NULL DEFAULT 0,
  pulls BIGINT NOT NULL DEFAULT 0,
  created_by BIGINT NOT NULL DEFAULT 0,
  changed BIGINT NOT NULL
);
-- The few that are not as their namespace is: what listings leave out.
CREATE INDEX profile_narrowed ON profile (repo) WHERE visibility IS NOT NULL;

CREATE TABLE star (
  principal BIGINT NOT NULL,
  repo BIGINT NOT NULL,
  created BIGINT NOT NULL,
  PRIMARY KEY (principal, repo)
) {CLUSTERED};
CREATE INDEX star_repo ON star (repo);

-- A name that leads elsewhere for a while (`repo` or `namespace`), or that nobody may take yet (neither).
CREATE TABLE name_rest (
  path TEXT {BYTEWISE} NOT NULL PRIMARY KEY,
  repo BIGINT,
  namespace BIGINT,
  until BIGINT NOT NULL
) {CLUSTERED};
CREATE INDEX name_rest_until ON name_rest (until);

-- Actions under a name. `owner` is the organisation it belongs to, 0 for all; `actions` are names parted by spaces.
CREATE TABLE role (
  id BIGINT NOT NULL PRIMARY KEY,
  owner BIGINT NOT NULL DEFAULT 0,
  name TEXT NOT NULL,
  actions TEXT NOT NULL,
  builtin BOOLEAN NOT NULL DEFAULT FALSE,
  description TEXT NOT NULL DEFAULT '',
  changed BIGINT NOT NULL
);
CREATE UNIQUE INDEX role_name ON role (owner, name);

-- Who has which role where. `subject`: a principal, 0 everybody, -1 everybody who has logged in. `namespace` 0: everywhere. `repos`
-- and `tags` are patterns below it, NULL for all. `networks` (CIDRs) and `hours` (JSON) are conditions. `source` as in member.
CREATE TABLE binding (
  id BIGINT NOT NULL PRIMARY KEY,
  subject BIGINT NOT NULL,
  role BIGINT NOT NULL,
  deny BOOLEAN NOT NULL DEFAULT FALSE,
  namespace BIGINT NOT NULL,
  repo BIGINT,
  repos TEXT,
  tags TEXT,
  networks TEXT,
  hours TEXT,
  expires BIGINT,
  source TEXT NOT NULL DEFAULT '',
  created_by BIGINT NOT NULL,
  created BIGINT NOT NULL
);
CREATE INDEX binding_subject ON binding (subject, namespace, repo);
CREATE INDEX binding_repo ON binding (repo, subject) WHERE repo IS NOT NULL;
CREATE INDEX binding_namespace ON binding (namespace, id);
CREATE INDEX binding_role ON binding (role);
CREATE INDEX binding_expires ON binding (expires) WHERE expires IS NOT NULL;

-- What was done, in the transaction that did it. `hash` is over the row and the hash before it.
CREATE TABLE audit (
  seq BIGINT NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  actor BIGINT NOT NULL,
  actor_name TEXT NOT NULL,
  via TEXT NOT NULL,
  origin TEXT NOT NULL,
  action TEXT NOT NULL,
  object TEXT NOT NULL,
  namespace BIGINT NOT NULL DEFAULT 0,
  result TEXT NOT NULL,
  detail TEXT NOT NULL DEFAULT '{}',
  request TEXT NOT NULL,
  hash {BYTES} NOT NULL
);
CREATE INDEX audit_actor ON audit (actor, seq);
CREATE INDEX audit_namespace ON audit (namespace, seq);
CREATE TABLE audit_checkpoint (
  seq BIGINT NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  hash {BYTES} NOT NULL,
  kid TEXT NOT NULL,
  signature {BYTES} NOT NULL
);
