import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setNumThreads } from "@perennial/torch";
import { beforeAll, describe, expect, test } from "vitest";
import type { Sampling } from "../mixture/index.ts";
import { type RecipeSpec, resolveRecipe } from "../recipe/index.ts";
import { runRecipe } from "./index.ts";
import { tinyRecipe, writeTinyCorpora } from "./testing/tiny-recipe.ts";

const folder = mkdtempSync(join(tmpdir(), "sampling-"));
const options = { baseFolder: folder, storePath: join(folder, "store.db"), cacheFolder: join(folder, "tokens") };
type Source = RecipeSpec["stages"][number]["mixture"]["sources"][number];

function recipe(output: string, sources: Source[], mixture: Omit<RecipeSpec["stages"][number]["mixture"], "sources"> = {}): RecipeSpec {
  const { stages: _, generate: __, model: ___, ...rest } = tinyRecipe(output);
  return {
    ...rest,
    model: "base/main/model",
    corpora: {
      old: { path: "old.jsonl", language: "en", heldOut: { share: 0.1 } },
      new: { path: "new.jsonl", language: "zho-Hani", heldOut: { share: 0.1 } },
      small: { path: "small.jsonl", language: "mar_Deva", heldOut: "none" },
    },
    stages: [{ name: "only", mixture: { sources, ...mixture } }],
    evaluate: { everySteps: 3, maxTokensPerCorpus: 500, bootstrapResamples: 0 },
    checkpoints: { everySteps: 4, keepLast: 9 },
  };
}

const run = async (spec: RecipeSpec, how: { until?: number; resume?: boolean } = {}) => {
  const notes: string[] = [];
  const listen = (message: { kind: string; text?: string }) => void (message.kind === "note" && notes.push(message.text!));
  const [summary] = await runRecipe(resolveRecipe(spec), { ...options, ...how, listen });
  return { notes, ...summary! };
};

beforeAll(async () => {
  setNumThreads(1);
  writeTinyCorpora(folder);
  const lines = readFileSync(join(folder, "new.jsonl"), "utf8").split("\n");
  writeFileSync(join(folder, "small.jsonl"), lines.slice(0, 2).join("\n"));
  const base = tinyRecipe("base");
  await runRecipe(resolveRecipe({ ...base, stages: [base.stages[0]!], generate: {} }), options);
});

const asked = (notes: readonly string[], source: string) =>
  Number(new RegExp(`${source} ([\\d.]+) % asked`).exec(notes.join("\n"))?.[1] ?? Number.NaN);

describe("shares follow the sampling of the recipe", () => {
  const all: Source[] = [{ corpus: "old" }, { corpus: "new" }];
  test.each([
    [
      "unimax: even, and nothing of the small source beyond its passes",
      { sampling: "unimax", maxEpochs: 2 },
      [...all, { corpus: "small" }],
      (of: (name: string) => number) => {
        expect(of("small")).toBeLessThan(35);
        expect(of("old")).toBeCloseTo(of("new"), 0);
      },
    ],
    [
      "groups: equal parts inside a group",
      { sampling: "groups", shares: { a: 0.8, b: 0.2 } },
      [
        { corpus: "old", group: "a" },
        { corpus: "new", group: "b" },
      ],
      (of: (name: string) => number) => {
        expect(of("old")).toBe(80);
        expect(of("new")).toBe(20);
      },
    ],
    [
      "a layout of the altruistic set: languages outside are left out",
      { sampling: "layout", data: "monolingual", languages: "altruistic" },
      all,
      (of: (name: string) => number) => {
        expect(of("new")).toBe(100);
        expect(of("old")).toBeNaN();
      },
    ],
    [
      "a layout with code: a third of the text, on top",
      { sampling: "layout", data: "monolingual", code: true, maxEpochs: 50 },
      [{ corpus: "new" }, { corpus: "old", group: "code" }],
      (of: (name: string) => number) => {
        expect(of("old")).toBe(25);
      },
    ],
    [
      "temperature: even when it is high",
      { sampling: "temperature", temperature: 1e6 },
      [...all, { corpus: "small" }],
      (of: (name: string) => number) => {
        expect(of("small")).toBeCloseTo(100 / 3, 0);
      },
    ],
  ] as [string, Sampling, Source[], (of: (name: string) => number) => void][])("%s", async (name, sampling, sources, check) => {
    const { notes, result } = await run(recipe(`shares/${name.replaceAll(/\W/g, "").slice(0, 20)}`, sources, { sampling }));
    expect(result.status).toBe("finished");
    check((source) => asked(notes, source));
  });

  test("what cannot be is told before anything is trained", async () => {
    await expect(
      run(recipe("bad1", [{ corpus: "old" }, { corpus: "new" }], { sampling: { sampling: "groups", shares: { a: 1 } } })),
    ).rejects.toThrow(/source old group: expected the name of its group/);
    await expect(
      run(recipe("bad2", [{ corpus: "old" }], { sampling: { sampling: "layout", data: "monolingual", languages: "selfish" } })),
    ).rejects.toThrow(/languages: expected sources whose corpora have a language of the selfish set/);
    await expect(run(recipe("bad3", [{ corpus: "small" }], { sampling: { sampling: "topics" } }))).rejects.toThrow(
      /topic small: expected a corpus with held-out text/,
    );
    expect(() => resolveRecipe(recipe("bad4", [{ corpus: "old", share: 1 }], { sampling: { sampling: "unimax" } }))).toThrow(
      /sampling: expected sources without shares/,
    );
    expect(() => resolveRecipe(recipe("bad5", [{ corpus: "old", order: { order: "related" } }]))).toThrow(
      /order: expected attention: across-documents/,
    );
  });
});

test("topics: shares follow the held-out perplexities, and a resumed run goes on with the mixture that it had", async () => {
  const spec = (output: string) => recipe(output, [{ corpus: "old" }, { corpus: "new" }], { sampling: { sampling: "topics", alpha: 0.9 } });
  const whole = await run(spec("topics/whole"));
  const told = whole.notes.filter((note) => note.includes("topics old"));
  expect(told).toHaveLength(4);
  expect(new Set(told.map((note) => note.split(": ")[1])).size).toBeGreaterThan(1);
  await run(spec("topics/half"), { until: 5 });
  const rest = await run(spec("topics/half"), { resume: true });
  expect([...rest.notes.filter((note) => note.includes("topics old"))]).toEqual(told.slice(1));
  expect([...rest.result.after]).toEqual([...whole.result.after]);
  const weights = (name: string) => readFileSync(join(folder, name, "main/model/model.safetensors"));
  expect(weights("topics/half").equals(weights("topics/whole"))).toBe(true);
});

describe("orders", () => {
  test("a curriculum: documents from easy to hard by the start model, scored once, resumed exactly", async () => {
    const spec = (output: string) => recipe(output, [{ corpus: "new", order: { order: "perplexity", direction: "lowToHigh" } }]);
    const first = await run(spec("curriculum/whole"));
    expect(first.notes.filter((note) => note.startsWith("scoring"))).toHaveLength(1);
    const orders = readdirSync(join(folder, "tokens/orders"));
    expect(orders).toHaveLength(1);
    const order = new Uint32Array(new Uint8Array(readFileSync(join(folder, "tokens/orders", orders[0]!))).buffer);
    expect(new Set(order).size).toBe(order.length);
    await run(spec("curriculum/half"), { until: 5 });
    const rest = await run(spec("curriculum/half"), { resume: true });
    expect(rest.notes.some((note) => note.startsWith("scoring"))).toBe(false);
    expect([...rest.result.after]).toEqual([...first.result.after]);
    const falling = await run(recipe("curriculum/down", [{ corpus: "new", order: { order: "perplexity", direction: "highToLow" } }]));
    expect([...falling.result.after]).not.toEqual([...first.result.after]);
    await expect(run({ ...spec("curriculum/fresh"), model: tinyRecipe("").model })).rejects.toThrow(
      /order: expected a model to continue from/,
    );
  });

  test("related documents: copies are left out and told of, windows are shuffled", async () => {
    const text = readFileSync(join(folder, "new.jsonl"), "utf8").trimEnd().split("\n");
    writeFileSync(join(folder, "copies.jsonl"), [...text.slice(0, 40), ...text.slice(0, 40)].join("\n"));
    const spec = recipe("related", [{ corpus: "copies", order: { order: "related", neighbors: 5, nearCopyCosine: 0.999 } }], {
      attention: "across-documents",
    });
    spec.corpora.copies = { path: "copies.jsonl", heldOut: "none" };
    const { notes, result } = await run(spec);
    expect(result.status).toBe("finished");
    expect(notes.join("\n")).toMatch(/order of copies: 40 of 80 documents; left out 40 copies/);
    rmSync(join(folder, "tokens/orders"), { recursive: true });
  });
});
