import fc from "fast-check";
import { expect, test } from "vitest";
import { type LayoutSource, layoutShares } from "./layout.ts";
import { materialize } from "./materialize.ts";
import { multilingualRecipes, trainedLanguages } from "./multilingual-recipes.ts";
import type { SizedSource } from "./sources.ts";
import { syneBudget } from "./syne-budget.ts";
import { temperatureShares } from "./temperature.ts";
import { transferCategory } from "./transfer-category.ts";
import { marcoStages, stageShares } from "./two-stage.ts";
import { unimax, unimaxShares } from "./unimax.ts";

const named = (sizes: readonly number[]): SizedSource[] => sizes.map((tokens, i) => ({ name: `s${i}`, tokens }));

test.each([
  { sizes: [10, 40, 100, 1000], budget: 400, expected: [40, 120, 120, 120] },
  { sizes: [1, 2], budget: 100, expected: [4, 8] },
  { sizes: [5, 50, 500], budget: 300, expected: [20, 140, 140] },
  { sizes: [1000, 10, 100, 40], budget: 400, expected: [120, 40, 120, 120] },
])("UniMax of $sizes within $budget", ({ sizes, budget, expected }) => expect(unimax(sizes, budget, 4)).toEqual(expected));

test("UniMax reports shares, epochs and what the caps leave unspent", () => {
  const shares = unimaxShares(named([10, 40, 100, 1000]), { weights: "unimax", budgetTokens: 400 });
  expect(shares.sources.map((source) => source.share)).toEqual([0.1, 0.3, 0.3, 0.3]);
  expect(shares.sources.map((source) => source.epochs)).toEqual([4, 3, 1.2, 0.12]);
  expect(shares.unspentTokens).toBe(0);
  expect(unimaxShares(named([1, 2]), { weights: "unimax", budgetTokens: 100 }).unspentTokens).toBe(88);
});

test("UniMax reproduces the released allocation of 24 languages", () => {
  const small = [91993394, 93029699, 136652951, 142230524, 203240943, 230259962, 257680950, 262660248];
  const U = unimax([...small, ...Array.from({ length: 16 }, (_, i) => 267_698_463 + i * 1e7)], 22803696257, 4);
  expect(U.slice(0, 8)).toEqual(small.map((size) => 4 * size));
  for (const tokens of U.slice(8)) expect(tokens).toBeCloseTo(1070793848.3125, 4);
});

test("UniMax: spends min(B, nΣc), never passes the cap, grows with size, ignores the order, is uniform without a cap", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 1e6 }), { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 1e7 }),
      fc.integer({ min: 1, max: 8 }),
      (sizes, budget, cap) => {
        const U = unimax(sizes, budget, cap);
        const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
        expect(sum(U)).toBeCloseTo(Math.min(budget, cap * sum(sizes)), 4);
        for (const [i, tokens] of U.entries()) expect(tokens).toBeLessThanOrEqual(cap * sizes[i]!);
        const ascending = [...sizes.keys()].sort((a, b) => sizes[a]! - sizes[b]!).map((i) => U[i]!);
        for (const [i, tokens] of ascending.entries()) expect(tokens).toBeGreaterThanOrEqual((ascending[i - 1] ?? 0) * (1 - 1e-12));
        expect([...unimax([...sizes].reverse(), budget, cap)].sort()).toEqual([...U].sort());
        for (const tokens of unimax(sizes, budget, Number.MAX_VALUE)) expect(tokens).toBeCloseTo(budget / sizes.length, 6);
      },
    ),
    { seed: 3 },
  );
});

test("temperature: 1 is proportional, large is uniform, between lies the power", () => {
  const at = (temperature: number) =>
    temperatureShares(named([10, 90]), { weights: "temperature", budgetTokens: 50, temperature }).sources.map((s) => s.share);
  expect(at(1)[0]).toBeCloseTo(0.1, 12);
  expect(at(2)[0]).toBeCloseTo(1 / (1 + 3), 12);
  expect(at(1e9)[0]).toBeCloseTo(0.5, 8);
  expect(temperatureShares(named([10, 90]), { weights: "temperature", budgetTokens: 50, temperature: 1e9 }).sources[0]!.epochs).toBeCloseTo(
    2.5,
    6,
  );
});

test("bad sources are named", () => {
  const shares = (sources: SizedSource[]) => () => unimaxShares(sources, { weights: "unimax", budgetTokens: 1 });
  expect(shares([])).toThrow(/at least one source/);
  expect(shares(named([3, 0]))).toThrow(/sources\[1\]\.tokens/);
  expect(shares(named([Number.NaN]))).toThrow(/sources\[0\]\.tokens/);
  expect(shares([...named([3]), ...named([4])])).toThrow(/a name that no other source has, received "s0"/);
  expect(() => unimaxShares(named([1]), { weights: "unimax", budgetTokens: 1, epochs: 3 } as never)).toThrow(/epochs/);
});

test("36 recipes with unique names over three lists of trained languages", () => {
  const recipes = multilingualRecipes();
  expect(recipes).toHaveLength(36);
  expect(new Set(recipes.map((recipe) => recipe.name)).size).toBe(36);
  expect(recipes.map((recipe) => recipe.name)).toContain("L3-Bi+Code-Alt");
  expect(Object.values(trainedLanguages).map((languages) => languages.length)).toEqual([5, 5, 4]);
});

test("adding code leaves the text as it is", () => {
  const sources: LayoutSource[] = [
    { name: "de", tokens: 1000, kind: "monolingual" },
    { name: "wo", tokens: 20, kind: "monolingual" },
    { name: "de-en", tokens: 300, kind: "bilingual" },
    { name: "stack", tokens: 5000, kind: "code" },
  ];
  const tokensOf = (spec: { data: "monolingual" | "bilingual" | "mixed"; code: boolean }) =>
    Object.fromEntries(layoutShares(sources, { weights: "layout", textTokens: 600, ...spec }).sources.map((s) => [s.name, s.tokens]));
  expect(tokensOf({ data: "monolingual", code: false })).toEqual({ de: 520, wo: 80 });
  expect(tokensOf({ data: "monolingual", code: true })).toEqual({ de: 520, wo: 80, stack: 200 });
  expect(tokensOf({ data: "bilingual", code: false })).toEqual({ "de-en": 600 });
  expect(tokensOf({ data: "mixed", code: false })).toEqual({ de: 400, wo: 80, "de-en": expect.closeTo(120, 9) });
  expect(() => layoutShares(sources.slice(0, 2), { weights: "layout", textTokens: 1, data: "bilingual" })).toThrow(/bilingual source/);
});

test("self and spill decide the category of a language", () => {
  const before = { a: 0.5, b: 0.4, c: 0.3 };
  const category = (a: number, b: number, c: number) => transferCategory(before, { a, b, c }, "a", ["b", "c"], 0.02);
  expect(category(0.6, 0.5, 0.4)).toEqual({ self: expect.closeTo(0.1), spill: expect.closeTo(0.1), category: "altruistic" });
  expect(category(0.6, 0.4, 0.3).category).toBe("selfish");
  expect(category(0.51, 0.41, 0.3).category).toBe("stagnant");
  expect(category(0.6, 0.3, 0.3).category).toBe("harmful");
  expect(() => transferCategory(before, { a: 1 }, "a", ["b"], 0)).toThrow(/metric\.b/);
});

test("Marco-LLM's two columns sum to 1 and give the published token table", () => {
  for (const { shares } of marcoStages) expect(Object.values(shares).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
  const members = { english: 1, chinese: 1, otherHigh: 8, low: 19, parallel: 1, knowledge: 1, synthetic: 1 };
  const sources = Object.entries(members).flatMap(([group, n]) =>
    Array.from({ length: n }, (_, i) => ({ name: `${group}${i}`, group, tokens: 1e12 })),
  );
  const { total, stages } = stageShares(sources, { weights: "stages", budgetTokens: 300 });
  const sum = (group: string) => total.sources.filter((s) => s.name.startsWith(group)).reduce((tokens, s) => tokens + s.tokens, 0);
  expect(Object.keys(members).map((group) => +sum(group).toFixed(9))).toEqual([90.4, 48.2, 84.4, 35.4, 20.8, 16.4, 4.4]);
  expect(total.sources.find((s) => s.name === "otherHigh3")!.tokens).toBeCloseTo(10.55, 9);
  expect(total.sources.find((s) => s.name === "low7")!.tokens).toBeCloseTo(1.863, 3);
  expect(stages[0]!.sources.reduce((tokens, s) => tokens + s.tokens, 0)).toBeCloseTo(160, 9);
  expect(() => stageShares(sources, { weights: "stages", budgetTokens: 1, stages: [{ part: 1, shares: { low: 0.9 } }] })).toThrow(
    /sum to 1/,
  );
  expect(() => stageShares(sources, { weights: "stages", budgetTokens: 1, stages: [{ part: 1, shares: { lwo: 1 } }] })).toThrow(
    /shares\.lwo/,
  );
});

test("Llama-3-SynE's totals follow from stages and shares", () => {
  const total = (key: "source" | "language", value: string) =>
    syneBudget(1e-9)
      .filter((line) => line[key] === value)
      .reduce((sum, line) => sum + line.tokens, 0);
  const sources = {
    web: 45.175,
    encyclopedia: 4.925,
    book: 15.7375,
    qaForum: 4.925,
    paper: 7.925,
    math: 7.925,
    code: 11.8875,
    synthetic: 1.5,
  };
  for (const [source, tokens] of Object.entries(sources)) expect(total("source", source), source).toBeCloseTo(tokens, 9);
  expect([total("language", "zh"), total("language", "en")]).toEqual([expect.closeTo(19.25, 9), expect.closeTo(79.25, 9)]);
});

test("materializing writes each document floor or ceil(epochs) times, within one document of the target", () => {
  const tokens = [5, 17, 3, 40, 8, 8];
  const total = 81;
  for (const target of [30, 81, 200, 324]) {
    const counts = new Array<number>(6).fill(0);
    let taken = 0;
    for (const document of materialize("x", tokens, target, 1)) {
      counts[document]!++;
      taken += tokens[document]!;
    }
    for (const count of counts) expect([Math.floor(target / total), Math.ceil(target / total)]).toContain(count);
    expect(taken - target).toBeGreaterThanOrEqual(0);
    expect(taken - target).toBeLessThan(40);
  }
  expect([...materialize("x", tokens, 200, 1)]).toEqual([...materialize("x", tokens, 200, 1)]);
  expect([...materialize("x", tokens, 200, 1)]).not.toEqual([...materialize("x", tokens, 200, 2)]);
  expect(() => [...materialize("x", [], 1, 1)]).toThrow(/at least one document/);
});
