import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type StoreOptions, storeOption, verb, withStore } from "../verb.ts";

interface Options extends StoreOptions {
  output?: string;
}

export default verb((command, effects) => {
  storeOption(command)
    .argument("<run>", "id, beginning of an id, name, or latest; its baselines come along")
    .option("--output <folder>", "where the three files go (default: reports/ beside the store)")
    .action((reference: string, options: Options) =>
      withStore(options, "read", effects, async (store) => {
        const { reportOf } = await import("perennial/report");
        const run = store.runs.find(reference);
        const report = reportOf(store, run);
        const folder = options.output ?? join(dirname(options.store), "reports");
        mkdirSync(resolve(effects.cwd, folder), { recursive: true });
        for (const [extension, text] of [
          ["html", report.html],
          ["md", report.markdown],
          ["json", report.json],
        ] as const) {
          const path = join(folder, `${run.id}.${extension}`);
          writeFileSync(resolve(effects.cwd, path), text);
          effects.out(`${path}\n`);
        }
      }),
    );
});
