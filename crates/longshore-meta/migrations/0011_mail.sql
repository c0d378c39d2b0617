-- Mail that is to go out (`task`, JSON: which letter to whom). No secret is in it: what a letter shows once is made when it is
-- sent. `stranger`: 1 where nobody who is known here asked for it. It is given up at `ends`. `why`: what failed the last time.
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
CREATE INDEX outbox_due ON outbox (due, id);
CREATE INDEX outbox_stranger ON outbox (stranger, id);

-- Who may make an account, or join: invited by somebody, or signed up (`own` 1). `hash` is of the secret that says so, keyed; NULL
-- until the letter with it is made. `place` is the namespace of the organisation, 0 for none; `team` is one of its teams, 0 for none.
CREATE TABLE invitation (
  id BIGINT NOT NULL PRIMARY KEY,
  hash {BYTES},
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
CREATE UNIQUE INDEX invitation_hash ON invitation (hash) WHERE hash IS NOT NULL;
CREATE INDEX invitation_place ON invitation (place, own, id);
CREATE INDEX invitation_mail ON invitation (mail, id) WHERE mail <> '';
CREATE INDEX invitation_expires ON invitation (expires);
