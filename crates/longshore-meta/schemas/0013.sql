CREATE TABLE artifact (
  digest BLOB NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  config BLOB,
  created BIGINT,
  author TEXT NOT NULL,
  platforms TEXT NOT NULL,
  layers BIGINT NOT NULL,
  size BIGINT NOT NULL,
  total BIGINT NOT NULL,
  base TEXT NOT NULL,
  about TEXT NOT NULL,
  flaw TEXT NOT NULL
);
CREATE TABLE artifact_part (
  digest BLOB NOT NULL PRIMARY KEY,
  unpacked BIGINT,
  run TEXT NOT NULL,
  layers TEXT NOT NULL
);
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
  hash BLOB NOT NULL
);
CREATE TABLE audit_checkpoint (
  seq BIGINT NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  hash BLOB NOT NULL,
  kid TEXT NOT NULL,
  signature BLOB NOT NULL
);
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
CREATE TABLE blob (
  digest BLOB NOT NULL PRIMARY KEY,
  size BIGINT NOT NULL,
  location TEXT NOT NULL,
  generation BIGINT NOT NULL,
  state BIGINT NOT NULL,
  lease_until BIGINT NOT NULL,
  not_before BIGINT NOT NULL,
  verified BIGINT NOT NULL,
  created BIGINT NOT NULL
, home BIGINT NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE blob_body (
  id INTEGER NOT NULL PRIMARY KEY,
  digest BLOB NOT NULL,
  bytes BLOB NOT NULL
);
CREATE TABLE candidate (
  due BIGINT NOT NULL,
  repo BIGINT NOT NULL,
  digest BLOB NOT NULL,
  PRIMARY KEY (due, repo, digest)
) WITHOUT ROWID;
CREATE TABLE certificate (
  id BIGINT NOT NULL PRIMARY KEY,
  principal BIGINT NOT NULL,
  subject TEXT NOT NULL,
  scope TEXT,
  description TEXT NOT NULL DEFAULT '',
  expires BIGINT,
  used BIGINT,
  created_by BIGINT NOT NULL,
  created BIGINT NOT NULL
);
CREATE TABLE counter (
  name TEXT NOT NULL PRIMARY KEY,
  value BIGINT NOT NULL
);
CREATE TABLE deed (
  principal BIGINT NOT NULL,
  key TEXT NOT NULL,
  asked BLOB NOT NULL,
  at BIGINT NOT NULL,
  answer TEXT,
  PRIMARY KEY (principal, key)
) WITHOUT ROWID;
CREATE TABLE device (
  device BLOB NOT NULL PRIMARY KEY,
  code BLOB NOT NULL,
  client TEXT NOT NULL,
  scope TEXT NOT NULL DEFAULT '',
  origin TEXT NOT NULL,
  network TEXT NOT NULL,
  created BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  polled BIGINT,
  pace BIGINT NOT NULL,
  state BIGINT NOT NULL DEFAULT 0,
  principal BIGINT NOT NULL DEFAULT 0,
  version BIGINT NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE edge (
  repo BIGINT NOT NULL,
  parent BLOB NOT NULL,
  child BLOB NOT NULL,
  kind BIGINT NOT NULL,
  PRIMARY KEY (repo, parent, child, kind)
) WITHOUT ROWID;
CREATE TABLE find (
  repo BIGINT NOT NULL PRIMARY KEY,
  last TEXT NOT NULL,
  words TEXT NOT NULL,
  description TEXT NOT NULL,
  print BLOB NOT NULL
);
CREATE TABLE find_near (
  less TEXT NOT NULL,
  word TEXT NOT NULL,
  PRIMARY KEY (less, word)
) WITHOUT ROWID;
CREATE TABLE find_word (
  word TEXT NOT NULL PRIMARY KEY,
  uses BIGINT NOT NULL
) WITHOUT ROWID;
CREATE TABLE grave (
  due BIGINT NOT NULL,
  location TEXT NOT NULL,
  digest BLOB NOT NULL,
  generation BIGINT NOT NULL,
  size BIGINT NOT NULL,
  tries BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (due, location)
) WITHOUT ROWID;
CREATE TABLE identity (
  source TEXT NOT NULL,
  subject TEXT NOT NULL,
  principal BIGINT NOT NULL,
  created BIGINT NOT NULL,
  seen BIGINT NOT NULL, name TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (source, subject)
) WITHOUT ROWID;
CREATE TABLE invitation (
  id BIGINT NOT NULL PRIMARY KEY,
  hash BLOB,
  mail TEXT NOT NULL,
  name TEXT NOT NULL DEFAULT '',
  full_name TEXT NOT NULL DEFAULT '',
  place BIGINT NOT NULL DEFAULT 0,
  team BIGINT NOT NULL DEFAULT 0,
  own BIGINT NOT NULL DEFAULT 0,
  invited_by BIGINT NOT NULL,
  created BIGINT NOT NULL,
  expires BIGINT NOT NULL
);
CREATE TABLE leader (
  name TEXT NOT NULL PRIMARY KEY,
  token BIGINT NOT NULL,
  holder TEXT NOT NULL,
  lease_until BIGINT NOT NULL
);
CREATE TABLE link (
  repo BIGINT NOT NULL,
  digest BLOB NOT NULL,
  created BIGINT NOT NULL, shared BIGINT NOT NULL DEFAULT 1,
  PRIMARY KEY (repo, digest)
) WITHOUT ROWID;
CREATE TABLE manifest (
  repo BIGINT NOT NULL,
  digest BLOB NOT NULL,
  size BIGINT NOT NULL,
  media_type TEXT NOT NULL,
  depth BIGINT NOT NULL,
  artifact_type TEXT,
  subject BLOB,
  descriptor TEXT,
  created BIGINT NOT NULL, tagged BIGINT NOT NULL DEFAULT 1,
  PRIMARY KEY (repo, digest)
) WITHOUT ROWID;
CREATE TABLE manifest_body (
  digest BLOB NOT NULL PRIMARY KEY,
  bytes BLOB NOT NULL
);
CREATE TABLE member (
  party BIGINT NOT NULL,
  principal BIGINT NOT NULL,
  source TEXT NOT NULL DEFAULT '',
  created BIGINT NOT NULL,
  PRIMARY KEY (party, principal, source)
) WITHOUT ROWID;
CREATE TABLE name_rest (
  path TEXT NOT NULL PRIMARY KEY,
  repo BIGINT,
  namespace BIGINT,
  until BIGINT NOT NULL
) WITHOUT ROWID;
CREATE TABLE namespace (
  id BIGINT NOT NULL PRIMARY KEY,
  parent BIGINT NOT NULL DEFAULT 0,
  path TEXT NOT NULL UNIQUE,
  owner BIGINT NOT NULL,
  visibility BIGINT NOT NULL DEFAULT 0,
  read_only BOOLEAN NOT NULL DEFAULT FALSE,
  description TEXT NOT NULL DEFAULT '',
  created BIGINT NOT NULL,
  changed BIGINT NOT NULL
);
CREATE TABLE news (
  id INTEGER NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  kind BIGINT NOT NULL,
  repo BIGINT NOT NULL,
  digest BLOB,
  name TEXT
);
CREATE TABLE news_reader (
  name TEXT NOT NULL PRIMARY KEY,
  seen BIGINT NOT NULL,
  walk TEXT
);
CREATE TABLE outbox (
  id BIGINT NOT NULL PRIMARY KEY,
  task TEXT NOT NULL,
  stranger BIGINT NOT NULL,
  created BIGINT NOT NULL,
  due BIGINT NOT NULL,
  ends BIGINT NOT NULL,
  tries BIGINT NOT NULL DEFAULT 0,
  why TEXT
);
CREATE TABLE password (
  principal BIGINT NOT NULL PRIMARY KEY,
  hash TEXT NOT NULL,
  changed BIGINT NOT NULL,
  must_change BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE TABLE principal (
  id BIGINT NOT NULL PRIMARY KEY,
  kind BIGINT NOT NULL,
  owner BIGINT NOT NULL DEFAULT 0,
  name TEXT NOT NULL,
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
CREATE TABLE pull_day (
  repo BIGINT NOT NULL,
  tag TEXT NOT NULL,
  day BIGINT NOT NULL,
  pulls BIGINT NOT NULL,
  PRIMARY KEY (repo, tag, day)
) WITHOUT ROWID;
CREATE TABLE recovery_code (
  principal BIGINT NOT NULL,
  hash BLOB NOT NULL,
  PRIMARY KEY (principal, hash)
) WITHOUT ROWID;
CREATE TABLE repository (
  id BIGINT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  manifests BIGINT NOT NULL DEFAULT 0,
  tags BIGINT NOT NULL DEFAULT 0,
  created BIGINT NOT NULL
);
CREATE TABLE role (
  id BIGINT NOT NULL PRIMARY KEY,
  owner BIGINT NOT NULL DEFAULT 0,
  name TEXT NOT NULL,
  actions TEXT NOT NULL,
  builtin BOOLEAN NOT NULL DEFAULT FALSE,
  description TEXT NOT NULL DEFAULT '',
  changed BIGINT NOT NULL
);
CREATE TABLE schema_step (version BIGINT NOT NULL PRIMARY KEY, applied BIGINT NOT NULL);
CREATE TABLE second_factor (
  principal BIGINT NOT NULL PRIMARY KEY,
  sealed BLOB NOT NULL,
  confirmed BIGINT,
  step BIGINT NOT NULL DEFAULT 0,
  created BIGINT NOT NULL
);
CREATE TABLE secret (
  id BIGINT NOT NULL PRIMARY KEY,
  kind BIGINT NOT NULL,
  principal BIGINT NOT NULL,
  hash BLOB NOT NULL UNIQUE,
  label TEXT NOT NULL DEFAULT '',
  scope TEXT,
  created BIGINT NOT NULL,
  expires BIGINT,
  used BIGINT,
  used_from TEXT,
  version BIGINT NOT NULL
);
CREATE TABLE setting (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
);
CREATE TABLE signing_key (
  kid TEXT NOT NULL PRIMARY KEY,
  algorithm TEXT NOT NULL,
  public TEXT NOT NULL,
  certificate TEXT NOT NULL,
  sealed BLOB NOT NULL,
  created BIGINT NOT NULL,
  since BIGINT NOT NULL,
  until BIGINT,
  verify_until BIGINT
);
CREATE TABLE star (
  principal BIGINT NOT NULL,
  repo BIGINT NOT NULL,
  created BIGINT NOT NULL,
  PRIMARY KEY (principal, repo)
) WITHOUT ROWID;
CREATE TABLE tag (
  repo BIGINT NOT NULL,
  name TEXT NOT NULL,
  digest BLOB NOT NULL,
  moved BIGINT NOT NULL,
  moved_by TEXT NOT NULL,
  PRIMARY KEY (repo, name)
) WITHOUT ROWID;
CREATE TABLE tag_history (
  repo BIGINT NOT NULL,
  name TEXT NOT NULL,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  old_digest BLOB,
  new_digest BLOB,
  why BIGINT NOT NULL,
  PRIMARY KEY (repo, name, at)
) WITHOUT ROWID;
CREATE TABLE takeover_finding (
  repo TEXT NOT NULL,
  number BIGINT NOT NULL,
  kind TEXT NOT NULL,
  what TEXT NOT NULL,
  why TEXT NOT NULL,
  PRIMARY KEY (repo, number)
) WITHOUT ROWID;
CREATE TABLE takeover_repo (
  name TEXT NOT NULL PRIMARY KEY,
  manifests BIGINT NOT NULL,
  tags BIGINT NOT NULL,
  blobs BIGINT NOT NULL
) WITHOUT ROWID;
CREATE TABLE trash (
  repo BIGINT NOT NULL,
  digest BLOB NOT NULL,
  size BIGINT NOT NULL,
  media_type TEXT NOT NULL,
  depth BIGINT NOT NULL,
  artifact_type TEXT,
  subject BLOB,
  descriptor TEXT,
  created BIGINT NOT NULL,
  tagged BIGINT NOT NULL,
  tags TEXT NOT NULL,
  deleted BIGINT NOT NULL,
  deleted_by TEXT NOT NULL,
  why BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  PRIMARY KEY (repo, digest)
) WITHOUT ROWID;
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
CREATE TABLE untagged (
  repo BIGINT NOT NULL,
  digest BLOB NOT NULL,
  why BIGINT NOT NULL,
  since BIGINT NOT NULL,
  PRIMARY KEY (repo, digest)
) WITHOUT ROWID;
CREATE TABLE upload (
  id BLOB NOT NULL PRIMARY KEY,
  repo BIGINT NOT NULL,
  actor TEXT NOT NULL,
  stage BLOB NOT NULL,
  size BIGINT NOT NULL,
  fence BIGINT NOT NULL,
  lease_until BIGINT NOT NULL,
  created BIGINT NOT NULL,
  touched BIGINT NOT NULL,
  finished BLOB
) WITHOUT ROWID;
CREATE INDEX audit_actor ON audit (actor, seq);
CREATE INDEX audit_namespace ON audit (namespace, seq);
CREATE INDEX binding_expires ON binding (expires) WHERE expires IS NOT NULL;
CREATE INDEX binding_namespace ON binding (namespace, id);
CREATE INDEX binding_repo ON binding (repo, subject) WHERE repo IS NOT NULL;
CREATE INDEX binding_role ON binding (role);
CREATE INDEX binding_subject ON binding (subject, namespace, repo);
CREATE INDEX blob_unsettled ON blob (state, digest) WHERE state <> 1;
CREATE INDEX certificate_principal ON certificate (principal, id);
CREATE UNIQUE INDEX certificate_subject ON certificate (subject);
CREATE INDEX deed_at ON deed (at);
CREATE INDEX deed_recent ON deed (principal, at);
CREATE UNIQUE INDEX device_code ON device (code);
CREATE INDEX device_created ON device (created);
CREATE INDEX device_network ON device (network, created);
CREATE INDEX edge_child ON edge (repo, child, kind);
CREATE INDEX edge_pinned ON edge (child) WHERE kind = 2;
CREATE INDEX find_last ON find (last, repo);
CREATE INDEX identity_principal ON identity (principal);
CREATE INDEX invitation_expires ON invitation (expires);
CREATE UNIQUE INDEX invitation_hash ON invitation (hash) WHERE hash IS NOT NULL;
CREATE INDEX invitation_mail ON invitation (mail, id) WHERE mail <> '';
CREATE INDEX invitation_place ON invitation (place, own, id);
CREATE INDEX link_shared ON link (digest, repo) WHERE shared = 1;
CREATE INDEX manifest_digest ON manifest (digest, repo);
CREATE INDEX manifest_subject ON manifest (repo, subject, digest) WHERE subject IS NOT NULL;
CREATE INDEX manifest_subject_type ON manifest (repo, subject, artifact_type, digest) WHERE subject IS NOT NULL;
CREATE INDEX member_principal ON member (principal, party);
CREATE INDEX name_rest_until ON name_rest (until);
CREATE INDEX namespace_owner ON namespace (owner, path);
CREATE INDEX namespace_parent ON namespace (parent, path);
CREATE INDEX namespace_visible ON namespace (visibility, parent) WHERE visibility > 0;
CREATE INDEX outbox_due ON outbox (due, id);
CREATE INDEX outbox_stranger ON outbox (stranger, id);
CREATE INDEX principal_mail ON principal (mail) WHERE mail <> '';
CREATE UNIQUE INDEX principal_name ON principal (owner, name) WHERE state <> 3;
CREATE INDEX profile_narrowed ON profile (repo) WHERE visibility IS NOT NULL;
CREATE INDEX pull_day_day ON pull_day (day);
CREATE INDEX repository_listed ON repository (name) WHERE manifests > 0;
CREATE UNIQUE INDEX role_name ON role (owner, name);
CREATE INDEX secret_expires ON secret (expires) WHERE expires IS NOT NULL;
CREATE INDEX secret_principal ON secret (principal, kind, id);
CREATE INDEX star_repo ON star (repo);
CREATE INDEX tag_digest ON tag (repo, digest);
CREATE INDEX tag_history_at ON tag_history (at);
CREATE INDEX trash_digest ON trash (digest);
CREATE INDEX trash_expires ON trash (expires);
CREATE INDEX trust_issuer ON trust (issuer, id);
CREATE INDEX trust_principal ON trust (principal, id);
CREATE INDEX untagged_due ON untagged (why, since);
CREATE INDEX upload_actor ON upload (actor) WHERE finished IS NULL;
CREATE INDEX upload_repo ON upload (repo) WHERE finished IS NULL;
CREATE INDEX upload_touched ON upload (touched);
INSERT INTO artifact (digest, kind, config, created, author, platforms, layers, size, total, base, about, flaw) VALUES (x'01a3aa9a6043e00956389f9e9ac582e89b5acda67f142cb2b9f4ca1ab146b651d7', 'image', x'0144136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a', 1, 'Alice', 'linux/amd64', 1, 2, 3, '', '{}', '');
INSERT INTO artifact_part (digest, unpacked, run, layers) VALUES (x'01dac1d7cfa95021764849fd102524e141488c5e3a90f861dbb5a12d9ac8584f85', NULL, '{}', '[]');
INSERT INTO audit (seq, at, actor, actor_name, via, origin, action, object, namespace, result, detail, request, hash) VALUES (1, 1795255200000000, 1, 'alice', 'password', '127.0.0.1', 'namespace:settings', 'acme', 2, 'done', '{}', '1', x'00');
INSERT INTO audit_checkpoint (seq, at, hash, kid, signature) VALUES (1, 1795255200000000, x'00', 'k', x'00');
INSERT INTO binding (id, subject, role, deny, namespace, repo, repos, tags, networks, hours, expires, source, created_by, created) VALUES (1, 1, 5, 0, 2, NULL, NULL, NULL, NULL, NULL, NULL, '', 0, 1795255200000000);
INSERT INTO blob (digest, size, location, generation, state, lease_until, not_before, verified, created, home) VALUES (x'0144136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a', 2, 'blobs/2026-11-21/10/sha256-44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a.0193', 1, 1, 1795276800000000, 0, 1795255200000000, 1795255200000000, 0);
INSERT INTO blob (digest, size, location, generation, state, lease_until, not_before, verified, created, home) VALUES (x'0176f75e6129fe30135bd44d80ab7cc46fdba81907758dc808f3e2517beef2b1e9', 4, 'blobs/2026-11-21/10/sha256-76f75e6129fe30135bd44d80ab7cc46fdba81907758dc808f3e2517beef2b1e9.0193', 3, 3, 0, 0, 1795255200000000, 1795255200000000, 0);
INSERT INTO blob (digest, size, location, generation, state, lease_until, not_before, verified, created, home) VALUES (x'018950abfda7b727630760dd35bcf5c3daa7631aff223a90f7728c0d2521dde10c', 4, ':1', 1, 1, 1795276800000000, 0, 1795255200000000, 1795255200000000, 0);
INSERT INTO blob (digest, size, location, generation, state, lease_until, not_before, verified, created, home) VALUES (x'018d906d61f92c9696387e566ecee255b733c79536074173a8eab915bad2d1fa28', 6, 'blobs/2026-11-21/10/sha256-8d906d61f92c9696387e566ecee255b733c79536074173a8eab915bad2d1fa28.0193', 1, 0, 1795276800000000, 0, 1795255200000000, 1795255200000000, 0);
INSERT INTO blob (digest, size, location, generation, state, lease_until, not_before, verified, created, home) VALUES (x'01dac1d7cfa95021764849fd102524e141488c5e3a90f861dbb5a12d9ac8584f85', 5, 'blobs/2026-11-21/10/sha256-dac1d7cfa95021764849fd102524e141488c5e3a90f861dbb5a12d9ac8584f85.0193', 2, 1, 1795276800000000, 0, 1795255200000000, 1795255200000000, 0);
INSERT INTO blob_body (id, digest, bytes) VALUES (1, x'018950abfda7b727630760dd35bcf5c3daa7631aff223a90f7728c0d2521dde10c', x'74696e79');
INSERT INTO candidate (due, repo, digest) VALUES (1795341600000000, 2, x'01dac1d7cfa95021764849fd102524e141488c5e3a90f861dbb5a12d9ac8584f85');
INSERT INTO certificate (id, principal, subject, scope, description, expires, used, created_by, created) VALUES (1, 1, 'dns:ci.acme.example', NULL, '', NULL, NULL, 0, 1795255200000000);
INSERT INTO counter (name, value) VALUES ('repository', 2);
INSERT INTO deed (principal, key, asked, at, answer) VALUES (1, 'k', x'00', 1, '{}');
INSERT INTO device (device, code, client, scope, origin, network, created, expires, polled, pace, state, principal, version) VALUES (x'aa', x'bb', 'longshore', '', '192.0.2.1', '192.0.2.1', 1795255200000000, 1795255800000000, NULL, 5000000, 0, 0, 0);
INSERT INTO edge (repo, parent, child, kind) VALUES (1, x'01a3aa9a6043e00956389f9e9ac582e89b5acda67f142cb2b9f4ca1ab146b651d7', x'0144136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a', 0);
INSERT INTO edge (repo, parent, child, kind) VALUES (1, x'01a3aa9a6043e00956389f9e9ac582e89b5acda67f142cb2b9f4ca1ab146b651d7', x'01dac1d7cfa95021764849fd102524e141488c5e3a90f861dbb5a12d9ac8584f85', 0);
INSERT INTO find (repo, last, words, description, print) VALUES (1, 'app', 'acme app', '', x'00');
INSERT INTO find_near (less, word) VALUES ('cme', 'acme');
INSERT INTO find_word (word, uses) VALUES ('acme', 1);
INSERT INTO grave (due, location, digest, generation, size, tries) VALUES (1795255800000000, 'blobs/2026-11-21/09/sha256-x.y', x'0144136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a', 1, 2, 0);
INSERT INTO identity (source, subject, principal, created, seen, name) VALUES ('https://id.example', 's1', 1, 1795255200000000, 1795255200000000, '');
INSERT INTO invitation (id, hash, mail, name, full_name, place, team, own, invited_by, created, expires) VALUES (1, x'aa', 'bob@example.org', 'bob', '', 0, 0, 0, 1, 1795255200000000, 1795860000000000);
INSERT INTO leader (name, token, holder, lease_until) VALUES ('gc', 3, 'one', 1795255260000000);
INSERT INTO link (repo, digest, created, shared) VALUES (1, x'0144136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a', 1795255200000000, 1);
INSERT INTO link (repo, digest, created, shared) VALUES (1, x'01dac1d7cfa95021764849fd102524e141488c5e3a90f861dbb5a12d9ac8584f85', 1795255200000000, 1);
INSERT INTO link (repo, digest, created, shared) VALUES (2, x'01dac1d7cfa95021764849fd102524e141488c5e3a90f861dbb5a12d9ac8584f85', 1795255200000000, 1);
INSERT INTO manifest (repo, digest, size, media_type, depth, artifact_type, subject, descriptor, created, tagged) VALUES (1, x'01a3aa9a6043e00956389f9e9ac582e89b5acda67f142cb2b9f4ca1ab146b651d7', 392, 'application/vnd.oci.image.manifest.v1+json', 0, NULL, NULL, NULL, 1795255200000000, 1);
INSERT INTO manifest_body (digest, bytes) VALUES (x'01a3aa9a6043e00956389f9e9ac582e89b5acda67f142cb2b9f4ca1ab146b651d7', x'7b22736368656d6156657273696f6e223a322c226d6564696154797065223a226170706c69636174696f6e2f766e642e6f63692e696d6167652e6d616e69666573742e76312b6a736f6e222c22636f6e666967223a7b226d6564696154797065223a226170706c69636174696f6e2f766e642e6f63692e696d6167652e636f6e6669672e76312b6a736f6e222c22646967657374223a227368613235363a34343133366661333535623336373861313134366164313666376538363439653934666234666332316665373765383331306330363066363163616166663861222c2273697a65223a327d2c226c6179657273223a5b7b226d6564696154797065223a226170706c69636174696f6e2f766e642e6f63692e696d6167652e6c617965722e76312e746172222c22646967657374223a227368613235363a64616331643763666139353032313736343834396664313032353234653134313438386335653361393066383631646262356131326439616338353834663835222c2273697a65223a357d5d7d');
INSERT INTO member (party, principal, source, created) VALUES (2, 1, '', 1795255200000000);
INSERT INTO name_rest (path, repo, namespace, until) VALUES ('acme/old', 1, NULL, 1795341600000000);
INSERT INTO namespace (id, parent, path, owner, visibility, read_only, description, created, changed) VALUES (2, 0, 'acme', 2, 2, 0, '', 1795255200000000, 1795255200000000);
INSERT INTO news (id, at, actor, kind, repo, digest, name) VALUES (7, 1795255200000000, 'alice', 2, 1, x'01a3aa9a6043e00956389f9e9ac582e89b5acda67f142cb2b9f4ca1ab146b651d7', '1.0');
INSERT INTO news_reader (name, seen, walk) VALUES ('index', 6, '');
INSERT INTO outbox (id, task, stranger, created, due, ends, tries, why) VALUES (1, '{"letter":"reset","account":"alice","from":"127.0.0.1"}', 1, 1795255200000000, 1795255200000000, 1795258800000000, 0, NULL);
INSERT INTO password (principal, hash, changed, must_change) VALUES (1, '$argon2id$x', 1795255200000000, 0);
INSERT INTO principal (id, kind, owner, name, full_name, mail, description, state, version, expires, created_by, created, changed, seen) VALUES (1, 0, 0, 'alice', 'Alice', 'alice@acme.example', '', 0, 1, NULL, 0, 1795255200000000, 1795255200000000, NULL);
INSERT INTO principal (id, kind, owner, name, full_name, mail, description, state, version, expires, created_by, created, changed, seen) VALUES (2, 1, 0, 'acme', '', '', '', 0, 1, NULL, 0, 1795255200000000, 1795255200000000, NULL);
INSERT INTO profile (repo, visibility, read_only, description, readme, links, labels, stars, pulls, created_by, changed) VALUES (1, NULL, 0, 'an app', '', '[]', '{}', 1, 7, 1, 1795255200000000);
INSERT INTO pull_day (repo, tag, day, pulls) VALUES (1, '1.0', 20000, 3);
INSERT INTO recovery_code (principal, hash) VALUES (1, x'aa');
INSERT INTO repository (id, name, manifests, tags, created) VALUES (1, 'acme/app', 1, 1, 1795255200000000);
INSERT INTO repository (id, name, manifests, tags, created) VALUES (2, 'acme/empty', 0, 0, 1795255200000000);
INSERT INTO role (id, owner, name, actions, builtin, description, changed) VALUES (5, 0, 'owner', 'repository:pull', 1, '', 1795255200000000);
INSERT INTO schema_step (version, applied) VALUES (1, 1795255200000000);
INSERT INTO schema_step (version, applied) VALUES (2, 0);
INSERT INTO schema_step (version, applied) VALUES (3, 0);
INSERT INTO schema_step (version, applied) VALUES (4, 0);
INSERT INTO schema_step (version, applied) VALUES (5, 0);
INSERT INTO schema_step (version, applied) VALUES (6, 0);
INSERT INTO schema_step (version, applied) VALUES (7, 0);
INSERT INTO schema_step (version, applied) VALUES (8, 0);
INSERT INTO schema_step (version, applied) VALUES (9, 0);
INSERT INTO schema_step (version, applied) VALUES (10, 0);
INSERT INTO schema_step (version, applied) VALUES (11, 0);
INSERT INTO schema_step (version, applied) VALUES (12, 0);
INSERT INTO schema_step (version, applied) VALUES (13, 0);
INSERT INTO second_factor (principal, sealed, confirmed, step, created) VALUES (1, x'00', 1795255200000000, 59841840, 1795255200000000);
INSERT INTO secret (id, kind, principal, hash, label, scope, created, expires, used, used_from, version) VALUES (1, 0, 1, x'aa', 'ci', NULL, 1795255200000000, 1795341600000000, NULL, NULL, 1);
INSERT INTO setting (name, value) VALUES ('probe', '');
INSERT INTO signing_key (kid, algorithm, public, certificate, sealed, created, since, until, verify_until) VALUES ('k', 'ES256', 'p', 'c', x'00', 1795255200000000, 1795255200000000, NULL, NULL);
INSERT INTO star (principal, repo, created) VALUES (1, 1, 1795255200000000);
INSERT INTO tag (repo, name, digest, moved, moved_by) VALUES (1, '1.0', x'01a3aa9a6043e00956389f9e9ac582e89b5acda67f142cb2b9f4ca1ab146b651d7', 1795255200000000, 'alice');
INSERT INTO tag_history (repo, name, at, actor, old_digest, new_digest, why) VALUES (1, '1.0', 1795255200000000, 'alice', NULL, x'01a3aa9a6043e00956389f9e9ac582e89b5acda67f142cb2b9f4ca1ab146b651d7', 0);
INSERT INTO takeover_finding (repo, number, kind, what, why) VALUES ('acme/app', 1, 'dangling-tag', 'tag old', 'it points to nothing');
INSERT INTO takeover_repo (name, manifests, tags, blobs) VALUES ('acme/app', 1, 1, 2);
INSERT INTO trash (repo, digest, size, media_type, depth, artifact_type, subject, descriptor, created, tagged, tags, deleted, deleted_by, why, expires) VALUES (1, x'01dac1d7cfa95021764849fd102524e141488c5e3a90f861dbb5a12d9ac8584f85', 5, 'application/vnd.oci.image.index.v1+json', 0, NULL, NULL, NULL, 1795255200000000, 1, 'old', 1795255200000000, 'alice', 0, 1796464800000000);
INSERT INTO trust (id, principal, issuer, audience, claims, scope, description, expires, used, created_by, created) VALUES (1, 1, 'https://ci.example', 'registry.example', '{"sub":"repo:acme/*:ref:refs/heads/main"}', NULL, '', NULL, NULL, 0, 1795255200000000);
INSERT INTO untagged (repo, digest, why, since) VALUES (1, x'01a3aa9a6043e00956389f9e9ac582e89b5acda67f142cb2b9f4ca1ab146b651d7', 1, 1795255200000000);
INSERT INTO upload (id, repo, actor, stage, size, fence, lease_until, created, touched, finished) VALUES (x'019300000000700080000000000000aa', 2, 'alice', x'00', 0, 1, 0, 1795255200000000, 1795255200000000, NULL);
INSERT INTO upload (id, repo, actor, stage, size, fence, lease_until, created, touched, finished) VALUES (x'019300000000700080000000000000bb', 1, 'alice', x'00', 5, 2, 0, 1795255200000000, 1795255200000000, x'01dac1d7cfa95021764849fd102524e141488c5e3a90f861dbb5a12d9ac8584f85');
