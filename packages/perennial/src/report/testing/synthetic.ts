/** A store with two runs whose numbers are known: for tests of reports and of the command. No training took place. */
import { starterRecipe } from "../../recipe/index.ts";
import { hashText, METRICS, type Recorder, type Run, type Store } from "../../store/index.ts";
import { stream } from "../../stream.ts";

export function syntheticRuns(store: Store, { steps = 300 } = {}): Run[] {
  const replay = synthetic(store, "main", undefined, steps);
  return [replay, synthetic(store, "naive", replay.family, steps)];
}

function synthetic(store: Store, variant: string, family: string | undefined, steps: number): Run {
  let now = Date.UTC(2026, 10, 24, 20, 0, 0) + (variant === "naive" ? 400_000 : 0);
  const recorder = store.start(
    {
      name: "basque",
      variant,
      ...(family === undefined ? {} : { family }),
      recipe: { name: "basque", seed: 1 },
      recipeText: starterRecipe("recipe.schema.json"),
      seed: 1,
      versions: { perennial: "0.1.0", libtorch: "2.15.0" },
      hardware: { cpu: "2 cores", memoryBytes: 24 * 2 ** 30 },
      folder: `runs/basque/${variant}`,
    },
    () => now,
  );
  const old = variant === "naive" ? 0 : 0.25;
  const random = stream(1, variant);
  const half = steps / 2;
  evaluate(recorder, 0, "before", 0, steps, variant);
  sample(recorder, 0, "before", "Euskara  the of and in a to");
  recorder.stageStarted(0, "books", 0);
  for (let step = 1; step <= steps; step++) {
    now += 1000;
    const part = step / steps;
    const achieved = old === 0 ? 0 : old + 0.02 * random.normal();
    recorder.metrics(step, {
      [METRICS.loss]: 2.1 + 2.2 * Math.exp(-6 * part) + 0.08 * random.normal() + (step === Math.round(steps * 0.7) ? 1.2 : 0),
      [METRICS.learningRate]: 3e-4 * (step < steps / 20 ? (20 * step) / steps : 0.1 + 0.45 * (1 + Math.cos(Math.PI * part))),
      [METRICS.tokens]: step * 8192,
      [METRICS.requestedShare("english")]: old,
      [METRICS.achievedShare("english")]: achieved,
      [METRICS.requestedShare("basque")]: 1 - old,
      [METRICS.achievedShare("basque")]: 1 - achieved,
    });
    if (step % Math.ceil(steps / 12) === 0 && step !== half && step !== steps)
      evaluate(recorder, step, "during", step > half ? 1 : 0, steps, variant);
    if (step === half) {
      evaluate(recorder, step, "after", 0, steps, variant);
      recorder.stageEnded(0, step, step * 8192);
      recorder.stageStarted(1, "news", step);
    }
  }
  recorder.event(Math.round(steps * 0.7), "lossSpike", "loss 3.4 is more than 1.5 times the median 2.2; the update was skipped");
  evaluate(recorder, steps, "after", 1, steps, variant);
  recorder.stageEnded(1, steps, half * 8192);
  sample(recorder, steps, "after", "Euskara munduko hizkuntza zaharrenetako bat da, <b>ez</b> & bai.");
  const artifact = (name: string, kind: "model" | "data" | "recipe", path: string) => ({
    hash: hashText(name),
    kind,
    name,
    path,
    bytes: 10,
  });
  for (const input of [
    artifact("base-en", "model", "models/base-en"),
    artifact("basque", "data", "data/eu"),
    artifact("english", "data", "data/en"),
  ])
    recorder.input(input);
  recorder.artifact(artifact(`basque-${variant}`, "model", `runs/basque/${variant}/model`), [
    { hash: hashText("base-en"), role: "model" },
    { hash: hashText("basque"), role: "data" },
    ...(old === 0 ? [] : [{ hash: hashText("english"), role: "replay" as const }]),
  ]);
  recorder.end("finished");
  return store.runs.byId(recorder.run.id)!;
}

function evaluate(
  recorder: Recorder,
  step: number,
  moment: "before" | "during" | "after",
  stage: number,
  steps: number,
  variant: string,
): void {
  const part = step / steps;
  const forgotten = variant === "naive" ? 0.62 : 0.05;
  const values = {
    english: 1.42 + forgotten * (1 - Math.exp(-5 * part)),
    basque: 2.1 + 1.9 * Math.exp(-5 * part) + (variant === "naive" ? 0 : 0.04 * part),
  };
  recorder.evaluations(
    Object.entries(values).map(([corpus, value]) => ({
      ...{ step, moment, stage, corpus, metric: "bitsPerByte", tokens: step * 8192, value, low: value - 0.02, high: value + 0.02 },
    })),
  );
}

function sample(recorder: Recorder, step: number, moment: "before" | "after", text: string): void {
  recorder.samples([{ step, moment, label: "basque", prompt: "Euskara", text, settings: { temperature: 0.7 } }]);
}
