-- What was asked for under a key of its asker's and done, for a day: asking again does not do it again. `asked` is a hash of the
-- request, `answer` what was answered (JSON), NULL where that may be said once only or nobody came to note it.
CREATE TABLE deed (
  principal BIGINT NOT NULL,
  key TEXT {BYTEWISE} NOT NULL,
  asked {BYTES} NOT NULL,
  at BIGINT NOT NULL,
  answer TEXT,
  PRIMARY KEY (principal, key)
) {CLUSTERED};
CREATE INDEX deed_recent ON deed (principal, at);
CREATE INDEX deed_at ON deed (at);
