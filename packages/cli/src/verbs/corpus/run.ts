import { relative, resolve } from "node:path";
import { FieldError } from "perennial";
import type { CorpusManifest, CorpusPlan, Phase, Share } from "perennial/corpus";
import type { LauncherOptions } from "../../corpus-slurm.ts";
import type { Effects } from "../../effects.ts";
import { interruptible } from "../../interrupt.ts";
import { loadCorpusDisplay, loadCorpusSlurm, loadProgress } from "../../lazy.ts";
import { table } from "../../text.ts";
import { Incomplete, positiveWholeNumber, setOption, verb, wholeNumber } from "../../verb.ts";

interface Options extends LauncherOptions {
  output?: string;
  shard?: Share;
  stage?: string;
  taskIndex?: number;
  taskCount?: number;
  redo?: boolean;
  quiet?: boolean;
}

export default verb((command, effects) => {
  setOption(command)
    .argument("<recipe>", "the corpus recipe, a YAML file")
    .option("--output <folder>", "folder of the run; default: output of the recipe, else corpora/NAME beside it")
    .option("--workers <count>", "threads of this machine", positiveWholeNumber, 1)
    .option("--shard <i/n>", "this machine's share of every stage, from 0/N to N-1/N; waits for the others' between stages", shareOf)
    .option("--stage <name>", "only the tasks of one stage")
    .option("--task-index <i>", "member of a job array; default: the scheduler's variable, e.g. SLURM_ARRAY_TASK_ID", wholeNumber)
    .option("--task-count <n>", "members of the job array", positiveWholeNumber)
    .option("--redo", "run again what another recipe than that of the folder changes")
    .option("--launcher <slurm>", "submit the stages as job arrays; a task uses --workers cores")
    .option("--partition <name>", "Slurm: partition of the jobs")
    .option("--account <name>", "Slurm: account of the jobs")
    .option("--time <limit>", "Slurm: time limit of a task, e.g. 4:00:00")
    .option("--max-parallel <count>", "Slurm: tasks of a stage at once, at most", positiveWholeNumber)
    .option("--max-tasks <count>", "Slurm: members of a job array, at most; each then does several shards", positiveWholeNumber, 1000)
    .option("--sbatch <option>", "Slurm: any other option of sbatch, e.g. --nice=10 (repeatable)", collected, [])
    .option("--dry-run", "only print shards and stages; with --launcher the scripts")
    .option("--quiet", "only warnings and the result")
    .option("--json", "plan, progress and result as JSON lines")
    .addHelpText("after", EXAMPLES)
    .action(async (path: string, options: Options) => {
      const { loadCorpusRecipe, openCorpus, planCorpus } = await import("perennial/corpus");
      const file = resolve(effects.cwd, path);
      const { recipe, output } = loadCorpusRecipe(file, { set: options.set });
      const folder = options.output === undefined ? output : resolve(effects.cwd, options.output);
      if (options.launcher !== undefined) {
        const { launchOnSlurm } = await loadCorpusSlurm();
        const plan = options.dryRun === true ? await planCorpus(recipe) : await openCorpus(folder, recipe, { redo: options.redo === true });
        return launchOnSlurm(plan, { recipe: file, folder }, options, effects);
      }
      if (options.dryRun === true) return printPlan(await planCorpus(recipe), path, folder, options, effects);
      if (options.stage !== undefined) {
        const plan = await openCorpus(folder, recipe, { redo: options.redo === true });
        return runStage(plan, folder, options, effects);
      }
      if (options.taskIndex !== undefined || options.taskCount !== undefined)
        throw new FieldError("CORPUS_STAGE", {
          at: "--task-index",
          expected: "--stage beside it",
          todo: "--shard I/N runs a share of all stages",
        });
      await runAll(recipe, folder, options, effects);
    });
});

const EXAMPLES = `
Examples:
  perennial corpus run recipe.yaml --workers 8
  perennial corpus run recipe.yaml --dry-run
  perennial corpus run recipe.yaml --shard 2/4                        on the third of four machines
  perennial corpus run recipe.yaml --stage read --task-count 100      in a job array
  perennial corpus run recipe.yaml --launcher slurm --partition cpu --time 4:00:00 --workers 8
Stopped at any moment, the same command goes on; the number of workers may change. Exit code 3: some shards were set aside.`;

type Recipe = Parameters<typeof import("perennial/corpus").runCorpus>[1];

async function runAll(recipe: Recipe, folder: string, options: Options, effects: Effects): Promise<void> {
  const { runCorpus } = await import("perennial/corpus");
  const { failureText, funnelTable, languageTable } = await loadCorpusDisplay();
  const manifest = await withProgress(options, effects, (common) =>
    runCorpus(folder, recipe, { ...common, redo: options.redo === true, ...(options.shard ? { share: options.shard } : {}) }),
  );
  const shown = relative(effects.cwd, folder) || ".";
  if (options.json === true) effects.out(`${JSON.stringify({ type: "result", folder, ...summary(manifest) })}\n`);
  else effects.out(`${funnelTable(manifest.funnel)}\n${languageTable(manifest.languages)}\n${shown}/README.md, ${shown}/manifest.json\n`);
  const failed = failureText(manifest);
  if (failed !== undefined) throw new Incomplete(failed);
}

const summary = ({ documents, bytes, languages, funnel, rejections, failures }: CorpusManifest) => ({
  ...{ documents, bytes, languages, funnel, rejections, failures },
});

async function runStage(plan: CorpusPlan, folder: string, options: Options, effects: Effects): Promise<void> {
  const { PHASES, runCorpusStage, taskIndexOf } = await import("perennial/corpus");
  const stage = PHASES.find((phase) => phase === options.stage);
  if (stage === undefined)
    throw new FieldError("CORPUS_STAGE", { at: "--stage", expected: `one of ${PHASES.join(", ")}`, received: options.stage });
  const count = options.taskCount ?? 1;
  const index = options.taskIndex ?? (options.taskCount === undefined ? 0 : taskIndexOf(effects.env));
  if (index === undefined)
    throw new FieldError("CORPUS_STAGE", {
      at: "--task-index",
      expected: "a number, here or in the variable of a scheduler, e.g. SLURM_ARRAY_TASK_ID",
    });
  if (index >= count)
    throw new FieldError("CORPUS_STAGE", { at: "--task-index", expected: `less than --task-count ${count}`, received: index });
  await withProgress(options, effects, (common) => runCorpusStage(folder, plan, stage as Phase, { ...common, share: { index, count } }));
}

async function withProgress<T>(
  options: Options,
  effects: Effects,
  work: (common: {
    workers: number;
    signal: AbortSignal;
    onTask: (task: { phase: Phase; index: number }, done: number, all: number) => void;
  }) => Promise<T>,
): Promise<T> {
  const { TaskProgress } = await loadCorpusDisplay();
  const { progressMode } = await loadProgress();
  const progress = new TaskProgress(progressMode({ quiet: options.quiet === true, json: options.json === true }, effects.isTTY), effects);
  try {
    return await interruptible(effects, "stopping; the same command goes on from here", (signal) =>
      work({ workers: options.workers, signal, onTask: (...told) => progress.task(...told) }),
    );
  } finally {
    progress.end();
  }
}

const KINDS = { warc: "WARC or WET", records: "JSONL, Parquet or text", pages: "groups of HTML files" } as const;

/** What would run, and where: shards by kind, then a line per stage. */
async function printPlan(plan: CorpusPlan, recipe: string, folder: string, options: Options, effects: Effects): Promise<void> {
  const { corpusStages } = await import("perennial/corpus");
  const { gibibytes } = await loadProgress();
  const stages = corpusStages(plan, { recipe, folder });
  const bytes = plan.shards.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
  const unknown = plan.shards.some(({ sizeBytes }) => sizeBytes === null) ? " and what the addresses hold" : "";
  if (options.json === true)
    return effects.out(`${JSON.stringify({ folder, shards: plan.shards, recipe: plan.recipe, stages }, null, 2)}\n`);
  const counts = (["warc", "records", "pages"] as const).flatMap((kind) => {
    const { length } = plan.shards.filter((shard) => shard.kind === kind);
    return length === 0 ? [] : [`${length} ${KINDS[kind]}`];
  });
  const rows = stages.map(({ name, tasks, after, memoryBytes }) => [name, String(tasks), after.join(", ") || "–", gibibytes(memoryBytes)]);
  effects.out(
    `folder   ${folder}\nshards   ${plan.shards.length} (${counts.join(", ")}), ${gibibytes(bytes)}${unknown}\n` +
      `filters  ${plan.recipe.filters.map(({ filter }) => filter).join(", ") || "none"}\n\n` +
      `${table(["stage", "tasks", "after", "memory a task"], rows, [1, 3])}`,
  );
}

const collected = (value: string, all: readonly string[]) => [...all, value];

function shareOf(written: string): Share {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(written) ?? [];
  if (index === undefined || Number(index) >= Number(count))
    throw new FieldError("CORPUS_SHARE", { at: "--shard", expected: "I/N with I from 0 to N-1, e.g. 0/4", received: written });
  return { index: Number(index), count: Number(count) };
}
