/**
 * Artifacts by content hash, and where each came from: model ← model, data, tokenizer, recipe. The same bytes are one artifact wherever
 * they lie, so a chain of months of training joins up by itself, across folders and renamed files.
 */
import { FieldError, nearest } from "../errors.ts";
import type { Database } from "./database.ts";

export type ArtifactKind = "model" | "data" | "tokenizer" | "recipe" | "checkpoint" | "report";

export interface NewArtifact {
  hash: string;
  kind: ArtifactKind;
  name: string;
  path: string;
  bytes: number;
  details?: Readonly<Record<string, unknown>>;
}

export interface Artifact extends Required<NewArtifact> {
  /** Id of the run that made it; null when it came from outside. */
  run: string | null;
  createdAt: number;
}

/** What the parent was to the child: the model it continued, text it learned or replayed, its tokenizer, its recipe. */
export type Role = "model" | "data" | "replay" | "tokenizer" | "recipe";

export interface Edge {
  child: string;
  parent: string;
  role: Role;
}

export interface Lineage {
  /** Hash of the artifact that was asked for. */
  root: string;
  artifacts: Map<string, Artifact>;
  edges: Edge[];
}

export class LineageTable {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  /** Records an artifact; known bytes keep the run that made them first and take the newest path. `run` null: it came from outside. */
  record(artifact: NewArtifact, run: number | null, now = Date.now()): void {
    const { hash, kind, name, path, bytes, details = {} } = artifact;
    this.database.run(
      `INSERT INTO artifacts (hash, kind, name, path, bytes, run, details, createdAt) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (hash) DO UPDATE SET name = excluded.name, path = excluded.path, run = coalesce(run, excluded.run)`,
      ...[hash, kind, name, path, bytes, run, JSON.stringify(details), now],
    );
  }

  connect(child: string, parents: readonly { hash: string; role: Role }[], run: number | null): void {
    this.database.transaction(() => {
      for (const { hash, role } of parents)
        this.database.run("INSERT OR IGNORE INTO lineage (child, parent, role, run) VALUES (?, ?, ?, ?)", child, hash, role, run);
    });
  }

  /** All that `root` came from, and all models that came from it. */
  of(root: string): Lineage {
    const edges = this.database.all<Edge>(
      `WITH RECURSIVE
         up (hash) AS (SELECT ? UNION SELECT parent FROM lineage JOIN up ON child = up.hash),
         down (hash) AS (SELECT ? UNION SELECT child FROM lineage JOIN down ON parent = down.hash)
       SELECT child, parent, role FROM lineage WHERE child IN (SELECT hash FROM up) OR parent IN (SELECT hash FROM down)
       ORDER BY child, role, parent`,
      root,
      root,
    );
    const artifacts = new Map<string, Artifact>();
    for (const hash of new Set([root, ...edges.flatMap(({ child, parent }) => [parent, child])])) {
      const artifact = this.byHash(hash);
      if (artifact !== undefined) artifacts.set(hash, artifact);
    }
    return { root, artifacts, edges };
  }

  byHash(hash: string): Artifact | undefined {
    return this.list("WHERE hash = ?", hash)[0];
  }

  /** What a run made, in the order of making. */
  madeBy(run: number): Artifact[] {
    return this.list("WHERE artifacts.run = ? ORDER BY createdAt, hash", run);
  }

  /** An artifact by what people type: a path, the beginning of a hash, the id of the run that made the model, or a name. */
  find(reference: string): Artifact {
    const all = this.list("ORDER BY createdAt DESC, hash");
    const trimmed = reference.replace(/\/+$/, "");
    const byHash = /^[0-9a-f]{6,64}$/.test(reference) ? all.filter(({ hash }) => hash.startsWith(reference)) : [];
    const models = all.filter(({ kind }) => kind === "model");
    const found =
      all.find(({ path }) => path === trimmed) ??
      (byHash.length === 1 ? byHash[0] : undefined) ??
      models.find(({ run }) => run === reference) ??
      models.find(({ name }) => name === reference) ??
      all.find(({ name }) => name === reference);
    if (found !== undefined) return found;
    const near = nearest(
      reference,
      all.flatMap(({ name, path, run }) => (run === null ? [name, path] : [name, path, run])),
    );
    throw new FieldError("ARTIFACT_UNKNOWN", {
      at: this.database.path,
      expected: "a model, by path, name, hash or the run that made it",
      received: reference,
      todo: near === undefined ? "only what a run has read or written has a lineage" : `did you mean ${near}?`,
    });
  }

  private list(where: string, ...values: (string | number)[]): Artifact[] {
    return this.database
      .all<Omit<Artifact, "details"> & { details: string }>(
        `SELECT hash, kind, artifacts.name, path, bytes, runs.id AS run, details, createdAt
         FROM artifacts LEFT JOIN runs ON runs.key = artifacts.run ${where}`,
        ...values,
      )
      .map((row) => ({ ...row, details: JSON.parse(row.details) as Record<string, unknown> }));
  }
}
