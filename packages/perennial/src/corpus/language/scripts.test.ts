/** Models with labels such as GlotLID's and OpenLID's, by path: labels, scores, and a least score for each language from its scores. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { FastTextModel } from "./fasttext.ts";
import { identifySchema, LanguageIdentifier } from "./identify.ts";
import { ScoreHistogram } from "./threshold.ts";

const path = (name: string) => fileURLToPath(new URL(`./golden/${name}`, import.meta.url));
const golden = JSON.parse(readFileSync(path("scripts.json"), "utf8")) as {
  texts: string[];
  answers: Record<"bin" | "ftz", [label: string, score: number][][]>;
};

test.each(["bin", "ftz"] as const)("scripts.%s gives the original's labels and scores; a label is language and script", (ending) => {
  const model = new FastTextModel(path(`scripts.${ending}`));
  expect([...model.labels].sort()).toEqual(["eng_Latn", "eus_Latn", "fra_Latn", "jpn_Jpan", "rus_Cyrl"]);
  const identifier = new LanguageIdentifier(identifySchema.parse({ model: path(`scripts.${ending}`) }));
  const scores = new Map<string, ScoreHistogram>();
  for (const [i, text] of golden.texts.entries()) {
    const expected = golden.answers[ending][i]!;
    const found = model.predict(text, { k: 3 });
    expect(found.map(({ label }) => label)).toEqual(expected.map(([label]) => label));
    for (const [k, { score }] of found.entries()) expect(Math.abs(score - expected[k]![1])).toBeLessThan(1e-4);
    const { language, script, score } = identifier.identify(text);
    const label = `${language}_${script}`;
    expect(label).toBe(expected[0]![0]);
    if (!scores.has(label)) scores.set(label, new ScoreHistogram());
    scores.get(label)!.add(score);
  }
  expect(scores.size).toBe(5);
  for (const histogram of scores.values()) {
    expect(histogram.threshold()).toBeGreaterThanOrEqual(0.3);
    expect(histogram.threshold()).toBeLessThanOrEqual(Math.min(0.9, Math.max(0.3, histogram.median())));
  }
});
