/**
 * The pilot runs that both mixture laws are put to the test on: the English base model goes on with Basque and English, at five shares and a
 * constant rate, measured at geometrically spaced budgets. A pilot is trained once and read by both reproductions.
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeJson } from "../../corpus/durable.ts";
import type { LossPoint } from "../../mixture/laws/index.ts";
import type { RecipeSpec } from "../../recipe/index.ts";
import { hashText } from "../../store/index.ts";
import { runRecipeCell, sharedModel } from "../recipe-cell.ts";
import type { Cell, CellContext, Reading, Settings } from "../reproduction.ts";
import { englishBase, helpText, scaled, smallTrain } from "./small.ts";

export const PILOTS: Readonly<Record<string, number>> = {
  "share-12": 1 / 8,
  "share-25": 1 / 4,
  "share-33": 1 / 3,
  "share-50": 1 / 2,
  "share-75": 3 / 4,
};

const STEPS = 200;
const CHECKPOINTS = 10;
/** At each of them: the laws are about differences of a hundredth of a bit. */
const HELD_OUT_TOKENS = 16_000;

/** A third of the rate that the base was trained with: the domain is new, the rate does not change. */
const LEARNING_RATE = 1e-3;

/** Optimizer steps after which losses are taken; ascending, the last is the budget. */
export const pilotSteps = (settings: Settings): number[] =>
  Array.from({ length: CHECKPOINTS }, (_, i) => scaled(STEPS * 1.25 ** (i + 1 - CHECKPOINTS), settings));

export interface PilotInputs {
  readonly base: RecipeSpec;
  readonly recipe: RecipeSpec;
}

export function pilotInputs(arm: string, seed: number, settings: Settings): PilotInputs {
  const steps = pilotSteps(settings);
  const share = PILOTS[arm]!;
  return {
    base: englishBase(settings),
    recipe: {
      name: "pilot",
      seed,
      model: "base",
      corpora: { basque: helpText("basque"), english: helpText("english") },
      evaluate: { maxTokensPerCorpus: HELD_OUT_TOKENS, bootstrapResamples: 0, everySteps: "never", atSteps: steps.slice(0, -1) },
      checkpoints: { everySteps: "never", keepLast: 1 },
      train: {
        ...smallTrain,
        steps: steps.at(-1)!,
        schedule: { schedule: "constant", maxLearningRate: LEARNING_RATE, warmupSteps: 5 },
      },
      stages: [
        {
          name: "mixture",
          mixture: {
            sources: [
              { corpus: "basque", share },
              { corpus: "english", share: 1 - share },
            ],
          },
        },
      ],
    },
  };
}

/** Measurements `basque@0`, `basque@1`, …: the base model, then the checkpoints in their order. */
export async function pilotCell({ base, recipe }: PilotInputs, context: CellContext): Promise<Cell> {
  const kept = join(context.sharedFolder, "pilots", `${hashText(JSON.stringify([base, recipe])).slice(0, 16)}.json`);
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, "utf8")) as Cell;
  const { curves } = await runRecipeCell(recipe, context, await sharedModel(base, context));
  // Small budgets round to the same step; the checkpoint of a step is then told more than once.
  const steps = [0, ...recipe.evaluate!.atSteps!, Number(recipe.train!.steps)];
  const measured = [...new Set(steps)];
  const measurements = Object.fromEntries(
    Object.entries(curves).flatMap(([corpus, { y }]) => [
      ...steps.map((step, i) => [`${corpus}@${i}`, y[measured.indexOf(step)]!] as const),
      [corpus, y.at(-1)!] as const,
    ]),
  );
  const cell: Cell = { measurements, curves };
  mkdirSync(join(context.sharedFolder, "pilots"), { recursive: true });
  writeJson(kept, cell);
  return cell;
}

/** Points of one seed. The laws ask for nats per token; bits per byte differ by a factor, which no claim depends on. */
export const pilotPoints = (of: Reading, corpus: "basque" | "english", arms: readonly string[] = Object.keys(PILOTS)): LossPoint[] =>
  arms.flatMap((arm) =>
    Array.from({ length: CHECKPOINTS }, (_, i) => ({
      ratio: PILOTS[arm]!,
      tokens: Math.round(100 * 1.25 ** i),
      loss: of(arm, `${corpus}@${i + 1}`),
    })),
  );

export const pilotArms = Object.entries(PILOTS).map(([name, share]) => ({ name, label: `${Math.round(1000 * share) / 10} % Basque` }));

export const pilotMeasurements = [
  { key: "basque", label: "Basque (domain)", unit: "bits per byte" },
  { key: "english", label: "English (general)", unit: "bits per byte" },
];

export const pilotCharts = [
  { curve: "basque", title: "Basque, the domain", x: "tokens", y: "bits per byte" },
  { curve: "english", title: "English, what should be kept", x: "tokens", y: "bits per byte" },
];
