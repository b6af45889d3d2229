/**
 * The filters of HPLT's cleaned release, first match:
 *   adult       the host, or the host without its first one or two labels, is in a list (UT1 "adult"), or the URL contains a keyword
 *   words       mean words per line ≤ 5; for Japanese, Korean, Cantonese and Chinese mean characters per line ≤ 10
 *   length      ≤ 500 characters
 * and the score: Web Docs Scorer ≥ 5. Lines are split on \n, words on white space.
 * Source: HPLT 3.0, arXiv 2511.01066 and its code.
 */
import { z } from "zod";
import { defineFilter, drop, keep } from "../filter/define.ts";
import { codePoints } from "../words/characters.ts";
import { splitOnWhitespace } from "../words/whitespace.ts";

const WITHOUT_SPACES = new Set(["jpn", "kor", "yue", "cmn", "zho"]);

export const hpltSchema = z.strictObject({
  adultHosts: z.array(z.string()).default([]),
  adultKeywords: z.array(z.string()).default(["porn", "sex", "tube", "cams", "camgirls", "mature"]),
  maxShortMeanWords: z.number().default(5).describe("mean words per line up to which a document is dropped"),
  maxShortMeanCharacters: z.number().default(10).describe("the same in characters, for languages without spaces"),
  maxShortLength: z.int().default(500).describe("characters up to which a document is dropped"),
});

export const hplt = defineFilter("hplt", hpltSchema, (options) => {
  const hosts = new Set(options.adultHosts);
  return ({ url, text, language = "und" }) => {
    const adult = url && (adultHost(url, hosts) ?? options.adultKeywords.find((keyword) => url.toLowerCase().includes(keyword)));
    if (adult) return drop("adult", adult);
    const lines = text.split("\n");
    if (WITHOUT_SPACES.has(language)) {
      const mean = lines.reduce((sum, line) => sum + codePoints(line), 0) / lines.length;
      if (mean <= options.maxShortMeanCharacters) return drop("characters-per-line-too-few", mean, options.maxShortMeanCharacters);
    } else {
      const mean = lines.reduce((sum, line) => sum + splitOnWhitespace(line).length, 0) / lines.length;
      if (mean <= options.maxShortMeanWords) return drop("words-per-line-too-few", mean, options.maxShortMeanWords);
    }
    const length = codePoints(text);
    return length <= options.maxShortLength ? drop("length-too-short", length, options.maxShortLength) : keep;
  };
});

function adultHost(url: string, hosts: ReadonlySet<string>): string | undefined {
  const host = URL.canParse(url) ? new URL(url).hostname : "";
  const labels = host.split(".");
  return [0, 1, 2].map((skipped) => labels.slice(skipped).join(".")).find((name) => name !== "" && hosts.has(name));
}

export const webDocsScoreSchema = z.strictObject({ minScore: z.number().min(0).max(10).default(5) });

/** Decides on the score in `annotations.webDocsScore`, a number or a record with `score`. */
export const webDocsScoreFilter = defineFilter("web-docs-score", webDocsScoreSchema, ({ minScore }) => ({ annotations }) => {
  const found = annotations.webDocsScore;
  const score = typeof found === "object" && found !== null && "score" in found ? found.score : found;
  if (typeof score !== "number") return drop("not-scored");
  return score < minScore ? drop("score-below-min", score, minScore) : keep;
});
