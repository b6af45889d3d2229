/**
 * The tables of the store, as migrations: entry i takes a store from version i to i + 1 (`PRAGMA user_version`).
 * A published entry never changes; a new need is a new entry at the end.
 * Times are milliseconds since 1970, hashes are SHA-256 in hexadecimal, a missing real number is not-a-number.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE runs (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    variant TEXT NOT NULL,
    family TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('running', 'finished', 'stopped', 'failed')),
    reason TEXT,
    recipe TEXT NOT NULL,
    recipeText TEXT NOT NULL,
    seed INTEGER NOT NULL,
    versions TEXT NOT NULL,
    hardware TEXT NOT NULL,
    folder TEXT NOT NULL,
    process TEXT NOT NULL,
    startedAt INTEGER NOT NULL,
    endedAt INTEGER,
    heartbeatAt INTEGER NOT NULL
  );
  CREATE INDEX runsByStart ON runs (startedAt);
  CREATE TABLE series (
    key INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    name TEXT NOT NULL,
    UNIQUE (run, name)
  );
  CREATE TABLE points (
    series INTEGER NOT NULL REFERENCES series (key) ON DELETE CASCADE,
    step INTEGER NOT NULL,
    value REAL,
    at INTEGER NOT NULL,
    PRIMARY KEY (series, step)
  ) WITHOUT ROWID;
  CREATE TABLE stages (
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    startStep INTEGER NOT NULL,
    endStep INTEGER,
    tokens INTEGER NOT NULL DEFAULT 0,
    startedAt INTEGER NOT NULL,
    endedAt INTEGER,
    PRIMARY KEY (run, position)
  ) WITHOUT ROWID;
  CREATE TABLE evaluations (
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    step INTEGER NOT NULL,
    moment TEXT NOT NULL CHECK (moment IN ('before', 'during', 'after')),
    stage INTEGER NOT NULL,
    corpus TEXT NOT NULL,
    metric TEXT NOT NULL,
    tokens INTEGER NOT NULL,
    value REAL,
    low REAL,
    high REAL,
    at INTEGER NOT NULL,
    PRIMARY KEY (run, metric, corpus, step, moment, stage)
  ) WITHOUT ROWID;
  CREATE TABLE samples (
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    step INTEGER NOT NULL,
    moment TEXT NOT NULL CHECK (moment IN ('before', 'during', 'after')),
    label TEXT NOT NULL,
    prompt TEXT NOT NULL,
    text TEXT NOT NULL,
    settings TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (run, step, moment, label, prompt)
  ) WITHOUT ROWID;
  CREATE TABLE events (
    key INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    step INTEGER NOT NULL,
    kind TEXT NOT NULL,
    message TEXT NOT NULL,
    at INTEGER NOT NULL
  );
  CREATE INDEX eventsByRun ON events (run);
  CREATE TABLE artifacts (
    hash TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    run INTEGER REFERENCES runs (key) ON DELETE SET NULL,
    details TEXT NOT NULL,
    createdAt INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX artifactsByPath ON artifacts (path);
  CREATE INDEX artifactsByRun ON artifacts (run);
  CREATE TABLE lineage (
    child TEXT NOT NULL REFERENCES artifacts (hash) ON DELETE CASCADE,
    parent TEXT NOT NULL REFERENCES artifacts (hash) ON DELETE CASCADE,
    role TEXT NOT NULL,
    run INTEGER REFERENCES runs (key) ON DELETE SET NULL,
    PRIMARY KEY (child, parent, role)
  ) WITHOUT ROWID;
  CREATE INDEX lineageByParent ON lineage (parent);
  `,
];

export const SCHEMA_VERSION = migrations.length;
