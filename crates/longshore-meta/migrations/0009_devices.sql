-- Logins of command lines that wait for somebody at a browser (RFC 8628). Both codes are kept as keyed hashes. `origin` is the
-- address that began it, `network` what it counts for. `pace`: how often it may ask, in microseconds. `state`: 0 waits, 1 approved
-- by `principal` as it was at `version`, 2 denied. One that was used is deleted.
CREATE TABLE device (
  device {BYTES} NOT NULL PRIMARY KEY,
  code {BYTES} NOT NULL,
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
) {CLUSTERED};
CREATE UNIQUE INDEX device_code ON device (code);
CREATE INDEX device_network ON device (network, created);
CREATE INDEX device_created ON device (created);
