/** Tokenizers of six kinds, extended by Basque, and the texts on which they are compared with the reference. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { extendTokenizer } from "../extend.ts";
import type { JsonTokenizer } from "../json-tokenizer.ts";
import { tokenizerOf } from "../trainer.ts";

export const KINDS = ["llama3", "llama2", "gemma", "xlmr", "t5", "unigram-bytes"] as const;
export type Kind = (typeof KINDS)[number];

const json = (name: string) => JSON.parse(readFileSync(new URL(`../golden/${name}.json`, import.meta.url), "utf8"));

export const openGolden = (name: string): JsonTokenizer => tokenizerOf(json(name).tokenizer);

export const quickstartTexts = (language: "basque" | "english"): string[] =>
  gunzipSync(readFileSync(new URL(`../../../../../examples/quickstart/${language}.jsonl.gz`, import.meta.url)))
    .toString("utf8")
    .trim()
    .split("\n")
    .slice(0, 25)
    .map((line) => JSON.parse(line).text);

export const extendedKind = async (kind: Kind): Promise<JsonTokenizer> =>
  (await extendTokenizer(openGolden(kind), quickstartTexts("basque"), { newTokens: 200 })).tokenizer;

/** Hard ones, real ones, and rows of zeros, which Unigram cuts in several ways of equal score. */
export const comparedTexts = (): string[] => [
  ...json("texts"),
  ...quickstartTexts("basque")
    .slice(0, 20)
    .map((text) => text.slice(0, 200)),
  ...Array.from({ length: 12 }, (_, i) => `eta balioak ${"aurkeztu ".repeat(i)}${"0".repeat(i + 1)} "A1000"`),
];
