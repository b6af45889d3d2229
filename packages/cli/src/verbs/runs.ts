import { ago, painter, type Style, table } from "../text.ts";
import { type StoreOptions, storeOption, verb, withStore } from "../verb.ts";

interface Options extends StoreOptions {
  json?: boolean;
  limit: number;
}

export const STATUS_STYLES: Record<string, Style> = {
  running: "cyan",
  finished: "green",
  stopped: "yellow",
  failed: "red",
  interrupted: "red",
};

export default verb((command, effects) => {
  storeOption(command)
    .option("--json", "as JSON")
    .option("--limit <count>", "newest runs shown", Number, 20)
    .action((options: Options) =>
      withStore(options, "read", effects, async (store) => {
        const { formatCount } = await import("perennial/recipe");
        const { METRICS } = await import("perennial/store");
        const { number } = await import("perennial/report");
        const runs = store.runs.all().slice(0, options.limit);
        if (options.json) return effects.out(`${JSON.stringify(runs, null, 2)}\n`);
        if (runs.length === 0) return effects.out("No runs yet.\n");
        const paint = painter(effects.color);
        const rows = runs.map((run) => {
          const loss = store.metrics.last(run.key, METRICS.loss);
          return [
            run.id,
            paint(STATUS_STYLES[run.status]!, run.status),
            loss === undefined ? "–" : String(loss.step),
            formatCount(store.metrics.last(run.key, METRICS.tokens)?.value ?? 0),
            number(loss?.value ?? Number.NaN),
            ago(run.startedAt, effects.now()),
          ];
        });
        effects.out(table(["run", "status", "step", "tokens", "loss", "started"], rows, [2, 3, 4]));
      }),
    );
});
