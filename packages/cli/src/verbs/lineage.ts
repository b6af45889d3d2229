import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Artifact, Lineage } from "perennial/store";
import { printable } from "../text.ts";
import { type StoreOptions, storeOption, verb, withStore } from "../verb.ts";

interface Options extends StoreOptions {
  json?: boolean;
}

export default verb((command, effects) => {
  storeOption(command)
    .argument("<model>", "path, name or hash of a model, or the run that made it")
    .option("--json", "as JSON")
    .action((reference: string, options: Options) =>
      withStore(options, "read", effects, async (store) => {
        // A path means what lies there now: the same bytes are one artifact, wherever they were made.
        const path = resolve(effects.cwd, reference);
        const { hashPath } = await import("perennial/store");
        const there = existsSync(path) ? store.lineage.byHash((await hashPath(path)).hash) : undefined;
        const lineage = store.lineage.of((there ?? store.lineage.find(reference)).hash);
        if (options.json) return effects.out(`${JSON.stringify({ ...lineage, artifacts: [...lineage.artifacts.values()] }, null, 2)}\n`);
        const root = lineage.artifacts.get(lineage.root)!;
        const children = drawn(lineage, root, "down").slice(1);
        effects.out(`${drawn(lineage, root, "up").join("\n")}\n${children.length === 0 ? "" : `\nCame of it:\n${children.join("\n")}\n`}`);
      }),
    );
});

/** A tree: what the artifact came from (`up`), or what came of it (`down`). A hash seen above on its branch is not followed again. */
function drawn(
  lineage: Lineage,
  artifact: Artifact,
  direction: "up" | "down",
  role = "",
  indent = "",
  seen: readonly string[] = [],
): string[] {
  const made = artifact.run === null ? "" : `  made by ${artifact.run}`;
  const line = `${indent}${role === "" ? "" : `${role}: `}${printable(artifact.name)}  ${artifact.hash.slice(0, 8)}  ${printable(artifact.path)}${made}`;
  const next = lineage.edges
    .filter((edge) => (direction === "up" ? edge.child : edge.parent) === artifact.hash)
    .map((edge) => ({ role: edge.role, hash: direction === "up" ? edge.parent : edge.child }))
    .filter(({ hash }) => !seen.includes(hash));
  return [
    line,
    ...next.flatMap(({ role, hash }) =>
      drawn(lineage, lineage.artifacts.get(hash)!, direction, role, `${indent}  `, [...seen, artifact.hash]),
    ),
  ];
}
