import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative, resolve } from "node:path";
import { InvalidArgumentError } from "commander";
import type { JudgedClaim, Outcome, Reproduction } from "perennial/reproduce";
import type { Effects } from "../effects.ts";
import { progressMode } from "../progress.ts";
import { table } from "../text.ts";
import { INTERRUPTED, Interrupted, verb } from "../verb.ts";
import { CellsDisplay } from "./reproduce-progress.ts";

interface Options {
  seeds: number[];
  tokens: number;
  width: number;
  arms?: string[];
  workers?: number;
  folder: string;
  docs?: string | true;
  quiet?: boolean;
  json?: boolean;
}

const DEFAULTS = { seeds: [1, 2, 3], tokens: 1, width: 64, folder: "runs/reproduce" } as const;

export default verb((command, effects) => {
  command
    .argument("[name]", "the method; without a name, all that there are")
    .option("--seeds <list>", "seeds, e.g. 1,2,3", seedList, [...DEFAULTS.seeds])
    .option("--tokens <factor>", "every budget times this, e.g. 0.5", factor, DEFAULTS.tokens)
    .option("--width <size>", "hidden size of the small model, a multiple of 8", width, DEFAULTS.width)
    .option("--arms <list>", "only these arms, and the claims that need no others", (written: string) => written.split(","))
    .option(
      "--workers <count>",
      "runs at once, each a process of one thread (default: one a core); the numbers do not depend on it",
      workers,
    )
    .option("--folder <path>", "where runs and the page go; what is finished there is not run again", DEFAULTS.folder)
    .option("--docs [folder]", "also write the page into the documentation, docs/results unless named")
    .option("--quiet", "only the result")
    .option("--json", "the result as JSON")
    .addHelpText(
      "after",
      `
Examples:
  perennial reproduce                                    what can be reproduced
  perennial reproduce simple-scalable-cpt                the method and its baselines, three seeds
  perennial reproduce simple-scalable-cpt --seeds 1 --tokens 0.2    a quick look
  perennial reproduce simple-scalable-cpt --width 128    is it the size of the model?
  perennial reproduce simple-scalable-cpt --workers 1    leave the other cores alone

Ctrl-C saves; the same command goes on where it was.`,
    )
    .action(async (name: string | undefined, options: Options) => {
      if (name === undefined) return list(options, effects);
      const { findReproduction } = await import("perennial/reproduce");
      const reproduction = await findReproduction(name);
      const outcome = await run(reproduction, options, effects);
      const page = await write(reproduction, outcome, options, effects);
      if (options.json === true) return effects.out(`${JSON.stringify(jsonOf(outcome), null, 2)}\n`);
      effects.out(`\n${await resultTable(outcome.claims)}\n\npage  ${relative(effects.cwd, page)}\n`);
    });
});

async function list({ json }: Options, effects: Effects): Promise<void> {
  const { reproductions } = await import("perennial/reproduce");
  const rows = reproductions.map(({ name, asks }) => ({ name, asks }));
  effects.out(json === true ? `${JSON.stringify(rows, null, 2)}\n` : `${table(["method", "asks"], rows.map(({ name, asks }) => [name, asks]))}\n`); // biome-ignore format: one line
}

async function run(reproduction: Reproduction, options: Options, effects: Effects): Promise<Outcome> {
  const { CellProcesses, ReproductionStopped, reproduce } = await import("perennial/reproduce");
  const mode = options.json === true ? "lines" : progressMode({ quiet: options.quiet === true }, effects.isTTY);
  const { workers = availableParallelism() } = options;
  const display = new CellsDisplay(mode, effects, { measurements: reproduction.measurements, workers });
  const pool = new CellProcesses(reproduction.name, workers);
  const abort = new AbortController();
  const interrupt = () => {
    if (abort.signal.aborted) process.exit(INTERRUPTED);
    abort.abort();
    display.clear();
    effects.err("\nperennial: finishing the steps, then saving; Ctrl-C again to leave at once\n");
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  try {
    return await reproduce(reproduction, {
      folder: resolve(effects.cwd, options.folder),
      seeds: options.seeds,
      settings: { tokens: options.tokens, width: options.width },
      ...(options.arms === undefined ? {} : { arms: options.arms }),
      pool,
      signal: abort.signal,
      listen: (message, of) => display.onMessage(message, of),
      onPlan: (plan) => display.onPlan(plan),
      onCell: (cell) => display.onCell(cell),
    });
  } catch (error) {
    if (error instanceof ReproductionStopped) {
      display.note("saved; the same command goes on where it was");
      throw new Interrupted();
    }
    throw error;
  } finally {
    display.clear();
    await pool.close();
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
  }
}

/** The page beside the runs, and in the documentation where asked. Returns the path of the former. */
async function write(reproduction: Reproduction, outcome: Outcome, options: Options, effects: Effects): Promise<string> {
  const { notesOf, resultPage } = await import("perennial/reproduce");
  const beside = resolve(effects.cwd, options.folder, reproduction.name);
  const documentation = options.docs === undefined ? [] : [resolve(effects.cwd, options.docs === true ? "docs/results" : options.docs)];
  for (const folder of [beside, ...documentation]) {
    const file = join(folder, `${reproduction.name}.md`);
    const notes = existsSync(file) ? notesOf(readFileSync(file, "utf8")) : undefined;
    const page = resultPage(reproduction, outcome, {
      command: commandOf(reproduction.name, options),
      ...(notes === undefined ? {} : { notes }),
    });
    mkdirSync(join(folder, "images"), { recursive: true });
    for (const [image, svg] of page.images) writeFileSync(join(folder, "images", image), svg);
    writeFileSync(file, page.markdown);
  }
  return join(beside, `${reproduction.name}.md`);
}

/** What makes these numbers again: only what differs from the defaults. */
function commandOf(name: string, { seeds, tokens, width, arms }: Options): string {
  return [
    `npx perennial reproduce ${name}`,
    ...(seeds.join() === DEFAULTS.seeds.join() ? [] : [`--seeds ${seeds.join()}`]),
    ...(tokens === DEFAULTS.tokens ? [] : [`--tokens ${tokens}`]),
    ...(width === DEFAULTS.width ? [] : [`--width ${width}`]),
    ...(arms === undefined ? [] : [`--arms ${arms.join()}`]),
  ].join(" ");
}

async function resultTable(claims: readonly JudgedClaim[]): Promise<string> {
  const { withInterval } = await import("perennial/reproduce");
  const { signed } = await import("perennial/report");
  return table(
    ["claim", "seen (95 %)", "unit", "verdict"],
    claims.map(({ id, estimate, unit, verdict }) => [id, withInterval(estimate, signed), unit, verdict]),
  );
}

const jsonOf = ({ cells, ...outcome }: Outcome) => ({
  ...outcome,
  cells: cells.map(({ arm, seed, seconds, hardware, cell }) => ({ arm, seed, seconds, hardware, measurements: cell.measurements })),
});

function seedList(written: string): number[] {
  const seeds = written.split(",").map((seed) => (/^\d+$/.test(seed.trim()) ? Number(seed) : Number.NaN));
  if (seeds.some((seed) => !Number.isSafeInteger(seed)) || new Set(seeds).size < seeds.length)
    throw new InvalidArgumentError("Expected different whole numbers, e.g. 1,2,3.");
  return seeds;
}

function factor(written: string): number {
  const value = Number(written);
  if (!(value > 0 && value <= 1000)) throw new InvalidArgumentError("Expected a number above 0, e.g. 0.5.");
  return value;
}

function width(written: string): number {
  const value = Number(written);
  if (!Number.isSafeInteger(value) || value < 8 || value % 8 !== 0) throw new InvalidArgumentError("Expected a multiple of 8.");
  return value;
}

function workers(written: string): number {
  const value = Number(written);
  if (!Number.isSafeInteger(value) || value < 1 || value > 1024) throw new InvalidArgumentError("Expected a whole number from 1, e.g. 2.");
  return value;
}
