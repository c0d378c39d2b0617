-- News of changes for whoever works on them later, what is known of artifacts beyond their manifests, and what is found by search.

-- What happened: one row for each change, in the transaction of the change, as long as somebody is in `news_reader`. `kind`:
-- 0 a manifest is here, 1 a manifest is gone, 2 a tag points to `digest`, 3 a tag is gone, 4 a repository is made, 5 it is called
-- otherwise (`name` is what it was called before), 6 it is gone, 7 what people say of it has changed. Ids grow in the order of commits.
CREATE TABLE news (
  id {ID},
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  kind BIGINT NOT NULL,
  repo BIGINT NOT NULL,
  digest {BYTES},
  name TEXT
);

-- Who reads news, and up to where that one is through. `walk`: as far as it has gone through what was there before it read, by
-- name of repository; NULL when it is through.
CREATE TABLE news_reader (
  name TEXT NOT NULL PRIMARY KEY,
  seen BIGINT NOT NULL,
  walk TEXT
);

-- What a manifest and its config say, whichever repositories have it. `platforms` one a line; `size` is what its layers have,
-- `total` all of it, with what it lists; `about` is JSON. `flaw` says why less is known than might be.
CREATE TABLE artifact (
  digest {BYTES} NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  config {BYTES},
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

-- What is shown of a repository that was found, and by what names. `last` is the last component of its name, `words` are those of
-- the name, parted by blanks, `print` is the hash of all that it is found by.
CREATE TABLE find (
  repo BIGINT NOT NULL PRIMARY KEY,
  last TEXT {BYTEWISE} NOT NULL,
  words TEXT NOT NULL,
  description TEXT NOT NULL,
  print {BYTES} NOT NULL
);
CREATE INDEX find_last ON find (last, repo);

-- Each word of a name with how many repositories have it; and by what it is found when a letter is wrong: itself, and itself
-- without one of its letters.
CREATE TABLE find_word (
  word TEXT {BYTEWISE} NOT NULL PRIMARY KEY,
  uses BIGINT NOT NULL
) {CLUSTERED};
CREATE TABLE find_near (
  less TEXT {BYTEWISE} NOT NULL,
  word TEXT {BYTEWISE} NOT NULL,
  PRIMARY KEY (less, word)
) {CLUSTERED};

-- How often something was pulled on a day since the epoch. `tag` is '' for what was pulled by a digest that no tag has.
CREATE TABLE pull_day (
  repo BIGINT NOT NULL,
  tag TEXT {BYTEWISE} NOT NULL,
  day BIGINT NOT NULL,
  pulls BIGINT NOT NULL,
  PRIMARY KEY (repo, tag, day)
) {CLUSTERED};
CREATE INDEX pull_day_day ON pull_day (day);
