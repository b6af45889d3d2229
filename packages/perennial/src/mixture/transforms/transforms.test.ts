import { expect, test } from "vitest";
import { stream } from "../../stream.ts";
import { bilingualLines, concatenation, interlinear } from "./bilingual.ts";
import { monolingualVerdict } from "./monolingual-filter.ts";
import type { ParallelDocument } from "./parallel.ts";
import { type ScoredTranslation, selectParallel } from "./parallel-selection.ts";
import { fewShotSamplePrompt, keywordExplanationPrompt, keywordStoryPrompt } from "./synthetic-prompts.ts";
import {
  codeQuestionPrompt,
  corruptAnswers,
  disciplines,
  parseQuestion,
  questionText,
  type SyntheticQuestion,
  synthesizeQuestions,
} from "./synthetic-questions.ts";
import { languageName, type MarcoTemplate, marcoTemplates, parseTemplate, renderTemplate, templated } from "./templates.ts";

const document: ParallelDocument = {
  source: { language: "German", segments: ["Guten Tag.", "Wie geht's (heute)?"] },
  target: { language: "English", segments: ["Good day.", "How are you (today)?"] },
};
const occurrences = (text: string, part: string) => text.split(part).length - 1;

test("eleven distinct templates: each has x and y once, F to K stay on a line, C to E have two line breaks; all parse back", () => {
  const ids = Object.keys(marcoTemplates) as MarcoTemplate[];
  expect(ids.join("")).toBe("ABCDEFGHIJK");
  const slots = { A: "German", B: "English", x: "Wie geht's (heute)?", y: "How are you, $1 {x} (today)?" };
  expect(new Set(ids.map((id) => renderTemplate(id, slots))).size).toBe(11);
  for (const id of ids) {
    const text = renderTemplate(id, slots);
    expect([occurrences(text, slots.x), occurrences(text, slots.y)], id).toEqual([1, 1]);
    expect(occurrences(text, "\n"), id).toBe("AB".includes(id) ? 1 : "CDE".includes(id) ? 2 : 0);
    expect(text.includes("German"), id).toBe(!"HIJ".includes(id));
    expect(parseTemplate(id, text, slots), id).toEqual({ x: slots.x, y: slots.y });
    expect(parseTemplate(id, text, { A: "French", B: "Polish" }), id).toBeNull();
  }
  expect(renderTemplate("K", slots).endsWith("in English")).toBe(true);
});

test("templates and directions are drawn uniformly and repeatably, and names stay with their sentences", () => {
  const counts = new Map<string, number>();
  const random = stream(1, "templates");
  const one = { source: { language: "German", segments: ["Ja."] }, target: { language: "English", segments: ["Yes."] } };
  const ids = Object.keys(marcoTemplates) as MarcoTemplate[];
  for (let i = 0; i < 2200; i++) {
    const text = templated("<eos>")(one, random);
    const forward = ids.filter((id) => parseTemplate(id, text, { A: "German", B: "English" })?.x === "Ja.");
    const backward = ids.filter((id) => parseTemplate(id, text, { A: "English", B: "German" })?.x === "Yes.");
    expect(forward.length + backward.length, text).toBe(1);
    for (const key of [...forward.map((id) => `${id}>`), ...backward.map((id) => `${id}<`)]) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  expect(counts.size).toBe(22);
  for (const count of counts.values()) expect(Math.abs(count - 100)).toBeLessThan(40);
  const twice = () => templated("<eos>")(document, stream(9, "t"));
  expect(twice()).toBe(twice());
  expect(occurrences(twice(), "<eos>")).toBe(1);
});

test("bilingual lines, concatenation and interlinear text, in both directions", () => {
  const forms = (format: typeof interlinear) => new Set(Array.from({ length: 40 }, (_, i) => format(document, stream(i, "direction"))));
  expect(forms(concatenation)).toEqual(
    new Set([
      "Guten Tag.\nWie geht's (heute)?\n\nGood day.\nHow are you (today)?",
      "Good day.\nHow are you (today)?\n\nGuten Tag.\nWie geht's (heute)?",
    ]),
  );
  expect(forms(interlinear)).toEqual(
    new Set([
      "Guten Tag.\nGood day.\nWie geht's (heute)?\nHow are you (today)?",
      "Good day.\nGuten Tag.\nHow are you (today)?\nWie geht's (heute)?",
    ]),
  );
  const lines = forms(bilingualLines);
  expect(lines.size).toBe(4);
  expect(lines).toContain("German: Guten Tag.\nEnglish: Good day.\nEnglish: How are you (today)?\nGerman: Wie geht's (heute)?");
});

test("misaligned or broken segments are refused", () => {
  const format = (target: string[]) => () =>
    interlinear({ ...document, target: { language: "English", segments: target } }, stream(1, "x"));
  expect(format(["one"])).toThrow(/the same number of segments on both sides/);
  expect(format(["one", "two\nthree"])).toThrow(/English segment 1: expected text on one line/);
  expect(format(["one", " "])).toThrow(/English segment 1/);
});

test("one name per language, and a hint for a slip", () => {
  expect(languageName("kk")).toBe("Kazakh");
  expect(languageName("kab", { kab: "Kabyle" })).toBe("Kabyle");
  expect(() => languageName("kab")).toThrow(/known English name, received "kab"/);
});

test("selection: lengths, three readings of a level, repeats of a small pair", () => {
  const pairs: ScoredTranslation[] = Array.from({ length: 100 }, (_, i) => ({
    source: "s".repeat(30),
    target: "t".repeat(30),
    score: (i + 0.5) / 100,
  }));
  const select = (mode: "threshold" | "percentile" | "peak", level: number, more = {}) => selectParallel(pairs, { mode, level, ...more });
  expect(select("threshold", 0.93).pairs).toHaveLength(7);
  expect(select("percentile", 0.93).pairs).toHaveLength(7);
  expect(select("percentile", 0.5).pairs).toHaveLength(50);
  const skewed = pairs.map((pair, i) => ({ ...pair, score: i < 60 ? 0.705 : 0.95 }));
  const peaked = selectParallel(skewed, { mode: "peak", level: 0.7 });
  expect(peaked.cutoff).toBeCloseTo(0.705 + 0.3 * 0.295, 9);
  expect(peaked.pairs).toHaveLength(40);
  expect(select("threshold", 0).repeats).toBe(100);
  expect(select("threshold", 0, { minPairs: 200 }).repeats).toBe(1);
  expect(select("threshold", 0, { maxPairs: 30 }).dropped.overMaximum).toBe(70);
  const lengths = selectParallel(
    [...pairs, { source: "short", target: "t".repeat(30), score: 1 }, { source: "s".repeat(20_000), target: "t".repeat(30), score: 1 }],
    { mode: "threshold", level: 0.5 },
  );
  expect(lengths.dropped).toEqual({ tooShort: 1, tooLong: 1, lowScore: 50, overMaximum: 0 });
  expect(() => selectParallel([{ source: "", target: "", score: Number.NaN }], { mode: "peak", level: 0 })).toThrow(/pairs\[0\]\.score/);
});

test("monolingual filter: English, German, mixed: kept, kept, dropped; strictly English: kept, dropped, dropped", () => {
  const english = "This is a sentence in English. And here is another one of them.";
  const german = "Das ist ein Satz auf Deutsch. Und hier steht noch ein weiterer.";
  const mixed = "This is a sentence in English. Das ist ein Satz auf Deutsch.";
  const verdict = (text: string, strict: string | null) =>
    monolingualVerdict(text, {
      sentencesOf: (t) => t.split(/(?<=\.)\s+/),
      labelOf: (sentence) => (/\b(is|one)\b/.test(sentence) ? "eng_Latn" : "deu_Latn"),
      strict,
    });
  expect([english, german, mixed].map((text) => verdict(text, null).keep)).toEqual([true, true, false]);
  expect([english, german, mixed].map((text) => verdict(text, "eng_Latn").keep)).toEqual([true, false, false]);
  expect(verdict(`${english} Ja.`, "eng_Latn").keep).toBe(true);
  expect(verdict(`${english} Ja.`, null).keep).toBe(false);
  expect(verdict("Ja.", "eng_Latn")).toMatchObject({ reason: "no-sentence" });
});

test("questions: fields parsed, missing ones and repeats counted, disciplines in turn", async () => {
  const answers = [
    "Question: Why?\nAnswer: Because\nof this.\n",
    "Question: no answer",
    "Question: Why?\nAnswer: again",
    " Question: How many?\n\nAnswer: Two.",
  ];
  const prompts: string[] = [];
  const counts = { generated: 0, missingField: 0, repeated: 0 };
  const questions: SyntheticQuestion[] = [];
  const generate = async (prompt: string) => answers[prompts.push(prompt) - 1]!;
  for await (const question of synthesizeQuestions(["s0", "s1", "s2", "s3"], generate, counts)) questions.push(question);
  expect(questions.map(questionText)).toEqual(["Why?\nBecause\nof this.", "How many?\nTwo."]);
  expect(questions.map(({ discipline, snippet }) => [discipline, snippet])).toEqual([
    ["mathematics", 0],
    ["biology", 3],
  ]);
  expect(counts).toEqual({ generated: 4, missingField: 1, repeated: 1 });
  expect(prompts[1]).toContain("s1");
  expect(prompts[1]).toContain("physics");
  expect(disciplines).toHaveLength(9);
  expect(parseQuestion("Answer: first\nQuestion: then")).toBeNull();
  expect(codeQuestionPrompt([{ question: "Sum a list.", answer: "sum(xs)" }])).toContain("Sum a list.\nsum(xs)");
});

test("corruption exchanges the answers of exactly the share that was asked for", () => {
  const questions = Array.from({ length: 50 }, (_, i) => ({ question: `q${i}`, answer: `a${i}`, discipline: "physics", snippet: i }));
  for (const [share, wrong] of [
    [0, 0],
    [0.3, 15],
    [0.6, 30],
    [1, 50],
  ] as const) {
    const corrupted = corruptAnswers(questions, share, 1);
    expect(corrupted.filter(({ answer, snippet }) => answer !== `a${snippet}`)).toHaveLength(wrong);
    expect(corrupted.map((q) => q.answer).sort()).toEqual(questions.map((q) => q.answer).sort());
    expect(corrupted.map((q) => q.question)).toEqual(questions.map((q) => q.question));
  }
  expect(() => corruptAnswers(questions, 0.02, 1)).toThrow(/at least two questions/);
});

test("Marco-LLM's prompts carry every slot", () => {
  const explanation = { role: "a teacher", subject: "botany", keywords: ["stamen", "pistil"], reader: "a child" };
  for (const part of ["a teacher", "botany", "stamen, pistil", "a child"]) expect(keywordExplanationPrompt(explanation)).toContain(part);
  const story = {
    ...explanation,
    passage: "a fairy tale",
    scene: "a garden",
    minWords: 200,
    maxWords: 300,
    style: "plain",
    ending: "a happy",
    language: "Kazakh",
  };
  for (const part of ["a fairy tale", "a garden", "200 to 300", "plain", "a happy ending", "Kazakh", "pistil"])
    expect(keywordStoryPrompt(story)).toContain(part);
  expect(fewShotSamplePrompt(["one", "two"])).toMatch(/Sample 1:\none[\s\S]*Sample 2:\ntwo/);
});
