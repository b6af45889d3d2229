import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { printable, table } from "../text.ts";
import { type StoreOptions, storeOption, verb, withStore } from "../verb.ts";

interface Options extends StoreOptions {
  json?: boolean;
  html?: string;
}

export default verb((command, effects) => {
  storeOption(command)
    .argument("<runs...>", "two or more runs, by id or name")
    .option("--json", "as JSON")
    .option("--html <file>", "write the comparison as a page as well")
    .action((references: string[], options: Options) =>
      withStore(options, "read", effects, async (store) => {
        const { compareRuns, number, signed, verdicts } = await import("perennial/report");
        const { data, html, json } = compareRuns(
          store,
          references.map((reference) => store.runs.find(reference)),
        );
        if (options.html !== undefined) writeFileSync(resolve(effects.cwd, options.html), html);
        if (options.json) return effects.out(json);
        const corpora = [...new Set(data.runs.flatMap(({ scores }) => scores.map(({ corpus }) => corpus)))];
        const rows = data.runs.map(({ variant, scores }) => [
          printable(variant),
          ...corpora.flatMap((corpus) => {
            const score = scores.find((candidate) => candidate.corpus === corpus);
            return [number(score?.before ?? Number.NaN), number(score?.after ?? Number.NaN), signed(score?.change ?? Number.NaN)];
          }),
        ]);
        const head = ["bits per byte", ...corpora.flatMap((corpus) => [`${printable(corpus)} before`, "after", "change"])];
        effects.out(table(head, rows, head.map((_, i) => i).slice(1)));
        effects.out(`\n${verdicts(data).map(printable).join("\n")}\n`);
        if (options.html !== undefined) effects.out(`\nWrote ${options.html}\n`);
      }),
    );
});
