-- What is known of a manifest in full: for whoever looks at one. `run` says how it is run, as its config has it, and `layers` what it is
-- made of, both JSON. `unpacked`: its bytes when unpacked, with what it lists; NULL where that cannot be known.
CREATE TABLE artifact_part (
  digest {BYTES} NOT NULL PRIMARY KEY,
  unpacked BIGINT,
  run TEXT NOT NULL,
  layers TEXT NOT NULL
);
-- What was read before has none of it: it is read once more, behind the registry.
UPDATE news_reader SET walk = '' WHERE name = 'index';
