import { painter, printable, table } from "../text.ts";
import { type StoreOptions, storeOption, verb, withStore } from "../verb.ts";
import { STATUS_STYLES } from "./runs.ts";

interface Options extends StoreOptions {
  json?: boolean;
}

export default verb((command, effects) => {
  storeOption(command)
    .argument("<run>", "id, beginning of an id, name, or latest")
    .option("--json", "as JSON")
    .action((reference: string, options: Options) =>
      withStore(options, "read", effects, async (store) => {
        const { collectReport, duration, number, signed } = await import("perennial/report");
        const { formatCount } = await import("perennial/recipe");
        const found = store.runs.find(reference);
        const [run] = collectReport(store, [found], effects.now()).runs as [ReturnType<typeof collectReport>["runs"][number]];
        if (options.json) return effects.out(`${JSON.stringify(run, null, 2)}\n`);
        const paint = painter(effects.color);
        const time = duration((run.endedAt ?? effects.now()) - run.startedAt);
        effects.out(
          `${paint("bold", run.id)}  ${paint(STATUS_STYLES[run.status]!, run.status)}${run.reason === null ? "" : ` (${printable(run.reason)})`}\n`,
        );
        effects.out(`${run.steps} steps · ${formatCount(run.tokens)} tokens · ${time} · seed ${run.seed} · ${found.folder}\n`);
        if (run.scores.length > 0) {
          const rows = run.scores.map(({ corpus, before, after, change }) => [
            printable(corpus),
            number(before),
            number(after),
            paint(change > 0.005 ? "red" : "green", signed(change)),
          ]);
          effects.out(`\n${table(["bits per byte", "before", "after", "change"], rows, [1, 2, 3])}`);
        }
        if (run.stages.length > 0) {
          const rows = run.stages.map((stage) => [
            printable(stage.name),
            `${stage.startStep} – ${stage.endStep ?? "…"}`,
            stage.tokens === 0 ? "…" : formatCount(stage.tokens),
          ]);
          effects.out(`\n${table(["stage", "steps", "tokens"], rows, [1, 2])}`);
        }
        for (const event of run.events) effects.out(`\nstep ${event.step}, ${printable(event.kind)}: ${printable(event.message)}\n`);
        effects.out(`\nperennial report ${run.id} draws it.\n`);
      }),
    );
});
