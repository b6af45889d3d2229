import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatCount, parseCount } from "./parts/units.ts";
import type { RecipeError } from "./problems.ts";
import { loadRecipe, resolveRecipe, resolveText } from "./resolve.ts";
import type { RecipeSpec } from "./schema.ts";

const basque = `name: basque
model: ./base
corpora:
  english: { path: en.jsonl }
  basque:
    path: eu/*.jsonl.zst
    language: eu-Latn
train:
  tokens: 1.5M
  sequenceLength: 128
  schedule: { schedule: cosine, maxLearningRate: 6e-4, minLearningRate: 6e-5 }
stages:
  - name: basque
    mixture:
      sources:
        - corpus: basque
      replay: { corpora: [english], share: 0.25 }
  - name: annealing
    mixture:
      sources:
        - corpus: basque
          share: 1
    train:
      steps: 10
      schedule:
        schedule: constant
        maxLearningRate: 1e-4
baselines:
  - name: naive
    set:
      stages.*.mixture.replay: null
`;

const lines = (text: string, set: string[] = []): string[] => {
  try {
    resolveText(text, "r.yaml", { set });
  } catch (error) {
    expect((error as RecipeError).code).toBe("RECIPE_INVALID");
    return (error as Error).message.split("\n");
  }
  throw new Error("the recipe resolved");
};
const replaced = (from: string, to: string) => {
  expect(basque).toContain(from);
  return basque.replace(from, to);
};

describe("resolving", () => {
  test("fills in every default, lays the shared train under each stage, and adds the baselines", () => {
    const { variants } = resolveText(basque, "r.yaml");
    expect(variants.map(({ variant }) => variant)).toEqual(["main", "naive"]);
    const [main, naive] = variants;
    expect(main).toMatchObject({
      output: "runs/basque",
      seed: 0,
      tokenizer: "model",
      corpora: { english: { textField: "text", heldOut: { share: 0.02 } } },
      stages: [
        {
          train: { tokens: 1_500_000, sequenceLength: 128, optimizer: { name: "adamw", beta2: 0.95 }, schedule: { schedule: "cosine" } },
          mixture: { replay: { share: 0.25 } },
          onStart: { optimizer: "reset", learningRate: "rewarm" },
        },
        { train: { steps: 10, sequenceLength: 128, schedule: { schedule: "constant", maxLearningRate: 1e-4 } } },
      ],
      evaluate: { maxTokensPerCorpus: 100_000 },
    });
    // The nearer budget and the other kind of schedule drive the inherited ones out.
    expect(main.stages[1]!.train).not.toHaveProperty("tokens");
    expect(main.stages[1]!.train.schedule).not.toHaveProperty("minLearningRate");
    expect(naive!.stages[0]!.mixture.replay).toBeNull();
    expect(naive!.stages[0]!.train).toEqual(main.stages[0]!.train);
  });

  test("takes the same object in TypeScript", () => {
    const spec: RecipeSpec = {
      name: "x",
      model: { hiddenSize: 64, numHiddenLayers: 2, numAttentionHeads: 2 },
      tokenizer: "bytes",
      corpora: { english: { path: "en.txt" } },
      stages: [{ name: "one", mixture: { sources: [{ corpus: "english" }] }, train: { steps: 10 } }],
    };
    expect(resolveRecipe(spec).variants[0]).toMatchObject({
      model: { hiddenSize: 64 },
      stages: [{ train: { steps: 10 } }],
    });
  });

  test("--set changes what is shared, one stage by name or number, or all stages", () => {
    const stages = (...set: string[]) => resolveText(basque, "r.yaml", { set }).variants[0].stages;
    expect(stages("train.tokens=2M")[0]!.train.tokens).toBe(2_000_000);
    expect(stages("train.steps=50")[0]!.train).toMatchObject({ steps: 50 });
    expect(stages("stages.annealing.train.steps=20k")[1]!.train.steps).toBe(20_000);
    expect(stages("stages[0].train.microBatchSize=3").map(({ train }) => train.microBatchSize)).toEqual([3, 8]);
    expect(stages("stages.*.train.zLoss=0.1").map(({ train }) => train.zLoss)).toEqual([0.1, 0.1]);
    expect(stages("stages.basque.onStart.optimizer=keep")[0]!.onStart.optimizer).toBe("keep");
    expect(stages("train.schedule={schedule: constant, maxLearningRate: 1}")[0]!.train.schedule).toEqual({
      schedule: "constant",
      maxLearningRate: 1,
    });
  });

  test("a baseline changes the overridden recipe, not the other way round", () => {
    const { variants } = resolveText(basque, "r.yaml", { set: ["stages.basque.mixture.replay.share=0.5"] });
    expect(variants.map(({ stages }) => stages[0]!.mixture.replay?.share)).toEqual([0.5, undefined]);
  });

  test("anchors and merge keys work", () => {
    const text = replaced(
      "  english: { path: en.jsonl }",
      "  english: &common { path: en.jsonl, textField: content }\n  latin: { <<: *common, path: la.jsonl }",
    );
    expect(resolveText(text, "r.yaml").variants[0].corpora.latin).toMatchObject({ textField: "content", path: "la.jsonl" });
  });
});

describe("mistakes", () => {
  test("an unknown field has its line, its path and the nearest known one", () => {
    expect(lines(replaced("sequenceLength: 128", "sequenceLenght: 128"))).toEqual([
      "r.yaml:10 train.sequenceLenght: expected a known field. Did you mean sequenceLength?",
    ]);
    expect(lines(replaced("        schedule: constant", "        schedule: constant\n        maxLearningRat: 1"))[0]).toMatch(
      /^r.yaml:27 stages\[1\]\.train\.schedule\.maxLearningRat: expected a known field\. Did you mean maxLearningRate/,
    );
  });

  test("an ill-typed field says what is expected in words", () => {
    expect(lines(replaced("share: 0.25", "share: 25"))).toEqual([
      "r.yaml:17 stages[0].mixture.replay.share: expected a number of at least 0 and below 1, received 25. Shares are written as fractions: 0.25 for 25 %.",
    ]);
    expect(lines(replaced("tokens: 1.5M", "tokens: 1.5MB"))[0]).toBe(
      'r.yaml:9 train.tokens: expected a whole number of at least 1 (1500, 2k and 1.5M are fine), received "1.5MB".',
    );
    expect(lines(replaced("tokens: 1.5M", "tokens: 1.00001k"))[0]).toMatch(/r.yaml:9 train.tokens: expected a whole number of at least 1/);
    expect(
      lines(replaced("model: ./base", "model: { hiddenSize: 64, numHiddenLayers: -2, numAttentionHeads: 2 }\ntokenizer: bytes")),
    ).toEqual(["r.yaml:2 model.numHiddenLayers: expected a whole number of at least 1, received -2."]);
    expect(lines(replaced("schedule: cosine", "schedule: cosin"))[0]).toMatch(
      /r.yaml:11 train.schedule.schedule: expected one of .*cosine.*, received "cosin"\. Did you mean cosine\?/,
    );
  });

  test("all mistakes are told, each once, missing fields and references among them", () => {
    const text = replaced("name: basque\nmodel: ./base", "model: ./base\nseed: -1")
      .replace("corpus: basque\n      replay: { corpora: [english]", "corpus: basqe\n      replay: { corpora: [englich]")
      .replace("  tokens: 1.5M\n", "");
    expect(lines(text)).toEqual([
      expect.stringMatching(/^r.yaml:\d+ name: expected text of letters, digits, spaces and \. _ -\. It is missing here\.$/),
      "r.yaml:2 seed: expected a whole number of at least 0, received -1.",
      "r.yaml:12 stages[0].train: expected tokens or steps. Say how long to train, e.g. tokens: 2M, here or in the recipe's own train.",
      'r.yaml:15 stages[0].mixture.sources[0].corpus: expected the name of a corpus (english, basque), received "basqe". Did you mean basque?',
      'r.yaml:16 stages[0].mixture.replay.corpora[0]: expected the name of a corpus (english, basque), received "englich". Did you mean english?',
    ]);
  });

  test.each([
    ["share: 1\n", "share: 0.5\n", /r.yaml:21 stages\[1\].mixture.sources: expected shares that sum to 1, received 0.5/],
    ["corpora: [english]", "corpora: [basque]", /old text that is not among the sources, received "basque"/],
    ["name: annealing", "name: basque", /stages\[1\].name: expected a name no other stage has/],
    ["steps: 10", "steps: 10\n      tokens: 5", /expected only one of tokens and steps/],
    ["- name: naive", "- name: main", /baselines\[0\].name: expected a name of its own/],
    [
      "model: ./base",
      "model: { hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 1 }",
      /expected a tokenizer\. A fresh model has none/,
    ],
    [
      "stages.*.mixture.replay: null",
      "stages.*.mixtur.replay: null",
      /^r.yaml:31 baselines\[0\].set stages\[0\].mixtur: expected a known field. Did you mean mixture\?/,
    ],
  ])("%j → %j", (from, to, message) => {
    expect(lines(replaced(from, to)).join("\n")).toMatch(message);
  });

  test("a mistake in a baseline points at the baseline, one in --set at the flag", () => {
    expect(lines(replaced("stages.*.mixture.replay: null", "stages.basque.train.zLoss: -1"))).toEqual([
      "r.yaml:31 stages[0].train.zLoss: expected a number of at least 0, received -1.",
    ]);
    expect(lines(replaced("stages.*.mixture", "stages.basqe.mixture"))).toEqual([
      'r.yaml:31 baselines[0].set: expected an entry of the list by number or name (basque, annealing) and then a field, received "basqe". Did you mean basque?',
    ]);
    expect(lines(basque, ["train.schedule={schedule: constant, maxLearningRate: no}", "x"])).toEqual([
      "--set x: expected path=value, e.g. train.tokens=2M.",
      '--set train.schedule={schedule: constant, maxLearningRate: no} train.schedule.maxLearningRate: expected a number above 0, received "no".',
    ]);
    expect(lines(basque, ["train.zLos=1"])[0]).toBe("--set train.zLos=1 train.zLos: expected a known field. Did you mean zLoss?");
  });

  test("YAML that is none, with its line; files that are not there", () => {
    expect(lines("name: x\n  y: [1\n")[0]).toMatch(/^r.yaml:\d+: expected valid YAML\. /);
    expect(lines("- a\n")).toEqual(["r.yaml: expected a recipe: a map with name, model, corpora and stages."]);
    const folder = mkdtempSync(join(tmpdir(), "perennial-recipe-"));
    expect(() => loadRecipe(join(folder, "no.yaml"))).toThrow(/no.yaml: expected a recipe\. `perennial init` writes one/);
    writeFileSync(join(folder, "r.yaml"), basque);
    expect(loadRecipe(join(folder, "r.yaml")).variants).toHaveLength(2);
  });
});

test("counts are read and written with the same suffixes", () => {
  expect(["2M", "1.5k", "2.3M", "0.1G"].map(parseCount)).toEqual([2_000_000, 1500, 2_300_000, 100_000_000]);
  expect([512, 2048, 12_345, 2_000_000, 51_200_000, 3e9, 30e9, 0.123_456, 999_700].map(formatCount)).toEqual([
    "512",
    "2,048",
    "12.3k",
    "2M",
    "51.2M",
    "3G",
    "30G",
    "0.123",
    "1M",
  ]);
});
