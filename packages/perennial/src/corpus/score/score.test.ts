import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { stream } from "../../stream.ts";
import type { Document } from "../document.ts";
import { countCharacters } from "./character-classes.ts";
import { hplt, webDocsScoreFilter } from "./hplt-filters.ts";
import { expectedCompression, openZstdSize } from "./informativeness.ts";
import { languageProfiles } from "./language-profile.ts";
import { measureMedians } from "./measure-medians.ts";
import { piiOffsets } from "./pii-offsets.ts";
import { interpolate, round1, roundEven } from "./round.ts";
import { combine, docScores, longParts, ratioPart, repeatedPart, urlPart, webDocsScorer } from "./web-docs-scorer.ts";

const spanish = languageProfiles()("spa_Latn");

test("the worked example: 8.39 · .8511 = 7.1", () => {
  const parts = {
    language: 8.4,
    url: 10,
    punctuation: 9.4,
    singular: 10,
    numbers: 10,
    repeated: 9.8,
    numLong: 10,
    great: 6.7,
    informativeness: 9.1,
  };
  expect(combine(parts)).toBe(7.1);
});

test("Spanish punctuation, URLs, repeated and long lines of the specification", () => {
  const punctuation = (percent: number) => ratioPart(percent * 10, 1000, spanish.punctuation);
  expect([5, 11, 19, 0.6].map(punctuation)).toEqual([8.8, 6, 2.5, 7.5]);
  expect(interpolate(spanish.punctuation, 0.15)).toBe(2.5); // as a ratio it would be rounded to one decimal first
  expect(ratioPart(0, 0, spanish.punctuation)).toBe(0);
  const url = (q: number) => urlPart("http ".repeat(q), 2500, { menu: 25 });
  expect([3, 4, 5, 7, 9, 10].map(url)).toEqual([10, 8.75, 7.5, 5, 1.67, 0]);
  expect(urlPart("www", 0, { menu: 25 })).toBe(0); // no word character: 1/0.1
  const [a, b, c] = ["a", "b", "c"].map((letter) => letter.repeat(30)) as [string, string, string];
  expect(repeatedPart([a, a, b, c, "menu", "menu"], { menu: 25 })).toBe(7.5);
  expect(repeatedPart(["menu", "menu"], { menu: 25 })).toBe(10);
  const lines = Array(12).fill(300);
  expect(longParts({ label: "spa_Latn", lineLabels: Array(12).fill("spa_Latn") }, lines, spanish)).toEqual({ numLong: 10, great: 0 });
  expect(longParts({ label: "spa_Latn", lineLabels: ["spa_Latn", "fra_Latn"] }, [1000, 1000], spanish)).toEqual({ numLong: 1, great: 10 });
});

test("lengths adapt to the punctuation of the language: menu entries of Chinese, Japanese, Korean", () => {
  const profiles = languageProfiles();
  expect(["cmn_Hani", "jpn_Jpan", "kor_Hang", "spa_Latn"].map((label) => profiles(label).menu)).toEqual([6, 9, 8, 25]);
  expect(profiles("ukr_Cyrl").menu).toBe(profiles("rus_Cyrl").menu); // its family in its script
  const everywhere = profiles("kat_Geor"); // no relative: the mean of all
  expect(everywhere.menu).toBeCloseTo([25, 21, 18, 21, 22, 19, 25, 30, 35, 50, 9, 8, 6].reduce((a, b) => a + b) / 13, 3);
});

test("ties round to the even digit", () => {
  expect([0.25, 0.35, 0.75, 8.75, -0.25].map(round1)).toEqual([0.2, 0.3, 0.8, 8.8, -0.2]); // 0.35 lies below the tie in binary
  expect([0.5, 1.5, 2.4, 2.5].map(roundEven)).toEqual([0, 2, 2, 2]);
});

test("classes overlap and count independently", () => {
  expect(countCharacters("Ab, #3! 😀 日१₂")).toEqual({ word: 3, punctuation: 2, singular: 3, numbers: 2 });
  expect(countCharacters("\u2015")).toEqual({ word: 0, punctuation: 1, singular: 1, numbers: 0 });
});

test("expected compression between and outside the samples", () => {
  expect([100, 1500, 1e6].map((bytes) => expectedCompression("Latn", bytes))).toEqual([39.4, 49.25, 72.8]);
  expect([expectedCompression("Hani", 1000), expectedCompression("Thai", 1000), expectedCompression("Arab", 1000)]).toEqual([
    28.8, 61.3, 52.5,
  ]);
});

// Golden values: tools/golden/filters.py with the reference scorer and the sampled curves.
const pages: { text: string }[] = JSON.parse(readFileSync(new URL("../filter/golden/pages.json", import.meta.url), "utf8"));
const golden: { page: number; label: string; urls: boolean; scores: number[] }[] = JSON.parse(
  readFileSync(new URL("golden/scores.json", import.meta.url), "utf8"),
);

test("real and damaged pages in seven languages score as with the reference", async () => {
  const score = webDocsScorer({ compressedBytes: await openZstdSize() });
  for (const { page, label, urls, scores } of golden) {
    const text = pages[page]!.text + (urls ? "\nhttp://www.example.org/ http://a.b http://c.d www.e.f" : "");
    const ours = label === "zho_Hans" ? "cmn_Hani" : label;
    const lineLabels = text.split("\n").map((_, i) => (i % 7 === 6 ? "xxx_Latn" : ours));
    const found = docScores(score({ text, label: ours, lineLabels }));
    expect([page, found]).toEqual([page, scores]);
  }
});

test("clean text scores above menus, repeated lines, foreign lines, link lists and symbol soup", async () => {
  const score = webDocsScorer({ compressedBytes: await openZstdSize() });
  const label = "eng_Latn";
  const random = stream(5, "corruption");
  const menuWords = (text: string) => text.split(/\s+/).filter((word) => word.length < 16);
  const whole = pages.slice(0, 7).map(({ text }) => text.replace(/(?<![.\n])\n/g, " "));
  const corruptions: ((text: string) => { text: string; wrong?: boolean })[] = [
    (text) => ({ text: menuWords(text).join("\n") }),
    (text) => ({ text: Array(12).fill(text.split("\n")[0]).join("\n") }),
    (text) => ({ text, wrong: true }),
    (text) => ({ text: text.replace(/ /g, () => (random.uniform() < 0.2 ? " http://www.x.org " : " ")) }),
    (text) => ({ text: text.replace(/ /g, () => (random.uniform() < 0.5 ? " ~|>=# " : " ")) }),
  ];
  const rate = (text: string, wrong = false) =>
    score({ text, label, lineLabels: text.split("\n").map((_, i) => (wrong && i % 2 === 0 ? "xxx_Latn" : label)) }).score;
  const clean = whole.map((text) => rate(text));
  let higher = 0;
  let pairs = 0;
  for (const corrupt of corruptions) {
    for (const text of whole) {
      const bad = corrupt(text);
      const damaged = rate(bad.text, bad.wrong);
      for (const good of clean) {
        pairs++;
        higher += good > damaged ? 1 : good === damaged ? 0.5 : 0;
      }
    }
  }
  expect(higher / pairs).toBeGreaterThanOrEqual(0.95); // area under the ROC curve
});

const document = (rest: Partial<Document>): Document => ({
  id: "1",
  text: "word ".repeat(200),
  provenance: { file: "t" },
  metadata: {},
  annotations: {},
  ...rest,
});

test("the release's filters, first match", () => {
  const filter = hplt({ adultHosts: ["bad.example"] });
  const reason = (rest: Partial<Document>) => {
    const decision = filter.decide(document(rest));
    return decision.kept ? "keep" : decision.reason;
  };
  expect(reason({})).toBe("keep");
  expect(reason({ url: "https://a.b.bad.example/x" })).toBe("adult");
  expect(reason({ url: "https://a.b.c.bad.example/x" })).toBe("keep");
  expect(reason({ url: "https://good.example/camgirls" })).toBe("adult");
  expect(reason({ text: "five words are too few\n".repeat(40).trim() })).toBe("words-per-line-too-few");
  expect(reason({ text: "これは十文字以下\n".repeat(90), language: "jpn" })).toBe("characters-per-line-too-few");
  expect(reason({ text: `${"a b c d e f ".repeat(41)}12345678` })).toBe("length-too-short");
  expect(reason({ text: `${"a b c d e f ".repeat(41)}123456789` })).toBe("keep");
});

test("the score filter reads the annotation", () => {
  const decide = (annotations: Document["annotations"]) => webDocsScoreFilter({}).decide(document({ annotations }));
  expect(decide({ webDocsScore: { score: 5 } })).toEqual({ kept: true });
  expect(decide({ webDocsScore: 4.9 })).toEqual({ kept: false, reason: "score-below-min", value: 4.9, threshold: 5 });
  expect(decide({})).toEqual({ kept: false, reason: "not-scored" });
});

test("medians come from the fifth of documents with the best language score", () => {
  const texts = [{ text: "abcdefghi,1", languageScore: 0.9 }, ...Array.from({ length: 9 }, () => ({ text: "a,,,", languageScore: 0.1 }))];
  expect(measureMedians([texts[0]!, ...texts.slice(1, 5)])).toEqual({ numbers: 11.1, punctuation: 11.1, singular: 0 });
});

test("personal data are found in code points, phones and addresses only with their context", () => {
  const text = "😀 write to a.b=c@mail.example.org. Tel: +34 91 234-5678, IP 10.0.0.1, version 1.2.3.4, 91 234 5678";
  const points = [...text];
  expect(piiOffsets(text).map(([start, end]) => points.slice(start, end).join(""))).toEqual([
    "a.b=c@mail.example.org",
    "+34 91 234-5678",
    "10.0.0.1",
  ]);
  expect(piiOffsets("nobody@localhost or a@b.info")).toEqual([]);
  expect(piiOffsets(`${"a".repeat(300_000)} ${"a@".repeat(100_000)}`)).toEqual([]); // hours if every start were tried
});
