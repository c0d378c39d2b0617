"""The database beside the server that writes it: whether anything is otherwise than before, in any table.

It is read and never written, by a connection of its own, so what it sees is what was committed.
"""

import collections
import sqlite3
import time

# What grows by being asked, and what is made behind the registry: the log of what was done and denied, what is found and known.
ALOOF = {"audit", "audit_checkpoint", "news", "news_reader", "artifact", "artifact_part", "pull_day", "leader"}
# Notes of when somebody was seen and something used, which are taken of those who are refused too.
NOTES = {
    ("principal", "seen"),
    ("secret", "used"),
    ("secret", "used_from"),
    ("trust", "used"),
    ("certificate", "used"),
    ("identity", "seen"),
    ("profile", "pulls"),
}
# The clock of collection is among the settings.
OURS = {"setting": "WHERE name NOT LIKE 'gc.%'"}


class Watched:
    """Every row of every table but `ALOOF`, of some only `OURS`, without `NOTES`."""

    def __init__(self, path):
        self.base = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
        self.tables = {}
        for (name,) in self.base.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall():
            if name in ALOOF or name.startswith(("sqlite_", "find", "search")):
                continue
            columns = [row[1] for row in self.base.execute(f'PRAGMA table_info("{name}")')]
            kept = [column for column in columns if (name, column) not in NOTES]
            listed = ", ".join(f'"{column}"' for column in kept)
            self.tables[name] = f'SELECT {listed} FROM "{name}" {OURS.get(name, "")}'
        self.version, self.seen = None, None

    def look(self):
        """Everything as it is now."""
        version = self.base.execute("PRAGMA data_version").fetchone()
        if version != self.version:
            self.base.execute("BEGIN")
            # In one view: `data_version` is asked for again in it, so that nothing comes in between.
            seen = {name: collections.Counter(self.base.execute(rows)) for name, rows in self.tables.items()}
            self.version = self.base.execute("PRAGMA data_version").fetchone()
            self.base.execute("COMMIT")
            self.seen = seen
        return self.seen

    def changed(self, before, may=()):
        """The tables, but for `may`, that are otherwise than `before`, with rows that are gone (-) and new (+)."""
        now, found = self.look(), {}
        for name, rows in now.items():
            if name not in may and rows != before[name]:
                found[name] = [f"-{row}" for row in before[name] - rows] + [f"+{row}" for row in rows - before[name]]
        return found

    def rest(self):
        """Waits until what was begun and not waited for has come to its end: nothing is written for a while."""
        deadline, since = time.monotonic() + 60, time.monotonic()
        before = self.look()
        while time.monotonic() < min(deadline, since + 2):
            time.sleep(0.1)
            if self.look() != before:
                before, since = self.seen, time.monotonic()
