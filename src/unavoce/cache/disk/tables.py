"""What the index's database looks like."""

from __future__ import annotations

from typing import Final

from unavoce.storage.database import Layout

VERSION: Final = 1
"""Of the tables below; another one's database is made anew from the files."""
TABLES: Final = """
CREATE TABLE clips (
  key TEXT PRIMARY KEY, bytes INTEGER NOT NULL, engine TEXT NOT NULL, voice TEXT NOT NULL, made_at REAL NOT NULL,
  phrase INTEGER NOT NULL, used INTEGER NOT NULL, uses INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX clips_used ON clips (used);
CREATE TABLE sums (name TEXT PRIMARY KEY, value REAL NOT NULL) WITHOUT ROWID;
INSERT INTO sums VALUES ('entries', 0), ('bytes', 0);
CREATE TRIGGER clips_in AFTER INSERT ON clips BEGIN
  UPDATE sums SET value = value + 1 WHERE name = 'entries';
  UPDATE sums SET value = value + new.bytes WHERE name = 'bytes';
END;
CREATE TRIGGER clips_out AFTER DELETE ON clips BEGIN
  UPDATE sums SET value = value - 1 WHERE name = 'entries';
  UPDATE sums SET value = value - old.bytes WHERE name = 'bytes';
END;
CREATE TABLE clearings (number INTEGER PRIMARY KEY, engine TEXT, voice TEXT, made_before REAL);
"""
INDEX: Final = Layout(
    TABLES,
    VERSION,
    # A kill loses nothing without syncing, and what a power cut tears is made anew from the files.
    pragmas=("journal_mode = TRUNCATE", "synchronous = OFF"),
    max_row_bytes=1 << 20,
)
