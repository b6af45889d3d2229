import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openStore, type Store } from "../store/index.ts";
import { compact } from "./chart.ts";
import { duration, forgettingMatrix, niceAxis, number, signed, smoothed } from "./figures.ts";
import { html } from "./html.ts";
import { compareRuns, type Report, reportOf } from "./report.ts";
import { syntheticRuns } from "./testing/synthetic.ts";

let folder: string;
let store: Store;
let report: Report;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "perennial-report-"));
  store = openStore(join(folder, "store.db"), { mode: "write" });
  report = reportOf(store, syntheticRuns(store)[0]!);
});
afterAll(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

describe("figures", () => {
  test("the average is bias-corrected: a constant stays itself, and a gap does not spread", () => {
    expect(smoothed([5, 5, Number.NaN, 5], 3).map((value) => Number(value.toFixed(12)))).toEqual([5, 5, Number.NaN, 5]);
    // Half-life 1: weights 1/2 and 1/4, corrected by 3/4.
    expect(smoothed([0, 3], 1)[1]).toBeCloseTo((3 * 0.5) / 0.75, 12);
  });

  test("forgetting is the change against the best earlier value", () => {
    const changes = forgettingMatrix([
      [4, 1.5],
      [2, 1.75],
      [2.5, 1.25],
    ]);
    expect(changes).toEqual([
      [Number.NaN, Number.NaN],
      [-2, 0.25],
      [0.5, -0.25],
    ]);
  });

  test("an axis has round ticks and holds all values, also a flat line", () => {
    expect(niceAxis(0.013, 0.97)).toEqual({ min: 0, max: 1, interval: 0.2 });
    fc.assert(
      fc.property(fc.float({ noNaN: true, min: -1e6, max: 1e6 }), fc.float({ noNaN: true, min: 0, max: 1e6 }), (low, spread) => {
        const { min, max, interval } = niceAxis(low, low + spread);
        const slack = 1e-6 * Math.max(1, Math.abs(low), spread);
        expect(min).toBeLessThanOrEqual(low + slack);
        expect(max).toBeGreaterThanOrEqual(low + spread - slack);
        expect(interval).toBeGreaterThan(0);
      }),
    );
  });

  test("numbers are written for people", () => {
    expect([number(-1.23456), number(Number.NaN), signed(0.25), signed(-0.0001), signed(-2)]).toEqual([
      "−1.235",
      "–",
      "+0.250",
      "0.000",
      "−2.000",
    ]);
    expect([0, 1_500_000, 20_000, 1000, 3e-4, 0.25].map(compact)).toEqual(["0", "1.5M", "20k", "1000", "3e−4", "0.25"]);
    expect([5_400, 65_000, 7_260_000].map(duration)).toEqual(["5 s", "1 min 5 s", "2 h 1 min"]);
  });
});

test("text can never become markup", () => {
  expect(html`<p title="${'"><script>'}">${["<b>", html`<i>${"&"}</i>`]}</p>`.text).toBe(
    '<p title="&quot;&gt;&lt;script&gt;">&lt;b&gt;<i>&amp;</i></p>',
  );
  expect(report.html).toContain("&lt;b&gt;ez&lt;/b&gt; &amp; bai.");
  expect(report.html).not.toContain("<b>ez</b>");
  expect(report.markdown).toContain("\\<b\\>ez\\</b\\>");
});

test("the page needs nothing from outside and draws each chart for two widths", () => {
  const addresses = [...report.html.matchAll(/(?:src|href|xlink:href)="([^"]*)"/g)].map(([, address]) => address!);
  expect(addresses.filter((address) => !address.startsWith("#"))).toEqual([]);
  expect(
    [...report.html.matchAll(/https?:\/\/[^"' ]+/g)]
      .map(([address]) => address)
      .filter((address) => !address.startsWith("http://www.w3.org/")),
  ).toEqual([]);
  expect(report.html.match(/<svg/g)!.length).toBe(2 * report.html.match(/<figure/g)!.length);
  expect(report.html).not.toMatch(/#00000[123]|#00001\d/);
  expect(report.html).toContain("var(--c1)");
});

test("says what was learned and what was forgotten, with the numbers of the store", () => {
  const english = report.data.runs.map(({ scores }) => scores.find(({ corpus }) => corpus === "english")!);
  expect(english[0]!.before).toBe(1.42);
  expect(english[0]!.change).toBeCloseTo(0.05 * (1 - Math.exp(-5)), 12);
  expect(english[1]!.change).toBeCloseTo(0.62 * (1 - Math.exp(-5)), 12);
  expect(report.markdown).toContain("- naive learned basque (4.000 → 2.113), forgot english (+0.616).");
  expect(report.markdown).toContain("| main | 4.000 | 2.153 | −1.847 | 1.420 | 1.470 | +0.050 |");
  expect(report.html).toContain("+0.616");
});

test("shows stages, mixture, lineage, samples and events", () => {
  for (const text of ["books", "news", "base-en", "the update was skipped", "Euskara", "Recipe as written", "requested"])
    expect(report.html).toContain(text);
  expect(report.data.runs[0]!.lineage[0]!.parents.map(({ name, role }) => `${role}:${name}`).sort()).toEqual([
    "data:basque",
    "model:base-en",
    "replay:english",
  ]);
});

test("the JSON holds all of it, not-a-number as null", () => {
  expect(JSON.parse(report.json)).toMatchObject({ metric: "bitsPerByte", runs: [{ variant: "main" }, { variant: "naive" }] });
});

test("a run with nothing in it has a report that says so; runs with the same variant are told apart", () => {
  const make = () =>
    store.start({ ...{ name: "empty", variant: "main", recipe: {}, recipeText: "" }, seed: 0, versions: {}, hardware: {}, folder: "x" })
      .run;
  const [first, second] = [make(), make()];
  const empty = compareRuns(store, [first, second]);
  expect(empty.html).toContain("Nothing was evaluated yet");
  expect(empty.data.runs.map(({ variant }) => variant)).toEqual([first.id, second.id]);
});
