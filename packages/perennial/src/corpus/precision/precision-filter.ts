/**
 * Precision filter for a low-resource language whose crawl is mostly something else: a document stays if it holds at least one word
 * of the language's affinity list, or if its URL speaks for the language:
 *   the language's top-level domain at the end of the host
 *   the language code, upper case anywhere or delimited (not between letters or digits)
 *   a term (language, region, town) in the URL reduced to a–z, 0–9, `/` and `.`, lowercase
 * Apply it only where it would remove more than a tenth of random documents of the language (about a third of 1,900 languages).
 * Source: FineWeb2, arXiv 2506.20920. (The code looks for the domain with a slash in the host, which never matches; here it ends the host.)
 */
import { getHostname } from "tldts";
import { z } from "zod";
import type { Document } from "../document.ts";
import { AhoCorasick } from "../filter/aho-corasick.ts";
import { defineFilter, drop, type Filter, keep } from "../filter/define.ts";
import { affinityTokens } from "./affinity.ts";

export const precisionSchema = z.strictObject({
  language: z.string().describe("label of the language, e.g. glk_Arab"),
  words: z.array(z.string()).describe("its affinity words"),
  urlDomains: z.array(z.string().startsWith(".")).default([]).describe("top-level domains, e.g. .ir"),
  urlTerms: z.array(z.string()).default([]).describe("terms in a–z, 0–9"),
});

export const precision = defineFilter("precision", precisionSchema, ({ language, words, urlDomains, urlTerms }) => {
  const list = new Set(words);
  const code = language.split("_")[0]!;
  const delimitedCode = new RegExp(`(?<![a-zA-Z0-9])${code}(?![a-zA-Z0-9])`);
  const terms = new AhoCorasick(urlTerms);
  const urlSpeaksForIt = (url: string): boolean => {
    const host = getHostname(url);
    if (host !== null && urlDomains.some((domain) => host.endsWith(domain))) return true;
    if (url.includes(code.toUpperCase()) || delimitedCode.test(url)) return true;
    return terms.first(url.replace(/[^a-zA-Z0-9/.]+/g, "").toLowerCase()) !== undefined;
  };
  return ({ text, url }) => {
    if (url !== undefined && urlSpeaksForIt(url)) return keep;
    return affinityTokens(text, language).some((word) => list.has(word)) ? keep : drop("no-affinity-word");
  };
});

export const MIN_CONTAMINATION = 0.1;

/** Share of documents that the filter would remove; use some 10,000 random ones. */
export function contamination(documents: Iterable<Document>, filter: Filter): number {
  let all = 0;
  let removed = 0;
  for (const document of documents) {
    all++;
    if (!filter.decide(document).kept) removed++;
  }
  return all === 0 ? 0 : removed / all;
}

/** Precision to expect of a crawl: x true share of the language in it, R recall and FPR false-positive rate of the classifier, all 0–1. */
export const expectedPrecision = (share: number, recall: number, falsePositiveRate: number): number =>
  (share * recall) / (share * recall + (1 - share) * falsePositiveRate);
