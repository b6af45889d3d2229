import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { FieldError } from "perennial";
import { table } from "../../text.ts";
import { verb } from "../../verb.ts";

interface Options {
  window?: string;
  json?: boolean;
}

const EXAMPLES = `
Examples:
  perennial corpus select-tasks curves.json
  perennial corpus select-tasks prompted.json --window 30BT
curves.json (FineTasks; scores 0 to 1):
  { "steps": [1000, 2000], "orderingFrom": 0, "tasks": { "belebele_eu": { "baseline": 0.25, "generative": false,
      "models": { "corpus-a": [0.26, 0.31], "corpus-b": [0.25, 0.29] }, "seeds": [[0.25, 0.27], [0.26, 0.28]] } } }
prompted.json (HPLT-e; points, 0 to 100; a score per prompt at every checkpoint):
  { "steps": [500, 1000], "tasks": { "xnli_eu": { "baseline": 33.33, "corpora": { "a": [[33, 34], [36, 35]] } } } }`;

export default verb((command, effects) => {
  command
    .argument("<curves>", "JSON file of evaluation curves")
    .option("--window <name>", "bounds of HPLT-e for prompted curves: 30BT or 100BT", "30BT")
    .option("--json", "all numbers as JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (path: string, { window, json = false }: Options) => {
      const { parseTaskCurves, promptedQuality, taskQuality, WINDOW_30BT, WINDOW_100BT } = await import("perennial/corpus");
      const file = resolve(effects.cwd, path);
      const bounds = { "30BT": WINDOW_30BT, "100BT": WINDOW_100BT }[window ?? ""];
      if (bounds === undefined) throw new FieldError("TASK_WINDOW", { at: "--window", expected: "30BT or 100BT", received: window });
      const curves = parseTaskCurves(read(file), path);
      const rows = curves.map(({ name, curves: own }) => ({
        name,
        quality: own.kind === "seeded" ? taskQuality(own.curves) : promptedQuality(own.curves, bounds),
      }));
      if (json) return effects.out(`${JSON.stringify(Object.fromEntries(rows.map(({ name, quality }) => [name, quality])), null, 2)}\n`);
      const names = Object.keys(rows[0]?.quality ?? {}).filter((name) => name !== "failed");
      const number = (value: unknown) => (typeof value === "number" && Number.isFinite(value) ? value.toFixed(2) : "–");
      effects.out(
        table(
          ["task", ...names.map(words), "use it"],
          rows.map(({ name, quality }) => [
            name,
            ...names.map((key) => number((quality as unknown as Record<string, unknown>)[key])),
            quality.failed.length === 0 ? "yes" : `no: ${quality.failed.map(words).join(", ")}`,
          ]),
          names.map((_, i) => i + 1),
        ),
      );
      effects.out(`\n${rows.filter(({ quality }) => quality.failed.length === 0).length} of ${rows.length} tasks tell corpora apart.\n`);
    });
});

const words = (name: string) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

function read(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new FieldError("TASK_CURVES", { at: path, expected: "a JSON file of curves", todo: (cause as Error).message }, { cause });
  }
}
