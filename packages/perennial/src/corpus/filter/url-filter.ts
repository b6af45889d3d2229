/**
 * URL filter: the first match drops the document.
 *   registered domain, then host name, then the exact URL, in a block list
 *   a banned word among the URL's tokens (split at what is not a letter or digit of ASCII; case counts, as in the reference)
 *   ≥ 2 distinct soft banned words among them
 *   a banned substring in the lowercased URL without everything but letters and digits
 * Lists are the user's; entries are lowercased and reduced to letters and digits where the URL is. A document without a URL is kept.
 * Source: FineWeb (arXiv 2406.17557), datatrove's `URLFilter`.
 */
import { getDomain, getHostname } from "tldts";
import { z } from "zod";
import { AhoCorasick } from "./aho-corasick.ts";
import { defineFilter, drop, keep } from "./define.ts";

const list = z.array(z.string()).default([]);

export const urlFilterSchema = z.strictObject({
  domains: list.describe("registered domains and host names"),
  urls: list.describe("exact URLs"),
  bannedWords: list,
  softBannedWords: list,
  maxSoftBannedWords: z.int().min(0).default(1).describe("distinct soft banned words that are still accepted"),
  bannedSubstrings: list,
});

const reduced = (text: string): string => text.replace(/[^a-zA-Z0-9]+/g, "").toLowerCase();
const reducedSet = (entries: readonly string[]): Set<string> => new Set(entries.map(reduced).filter((entry) => entry !== ""));

export const urlFilter = defineFilter("url", urlFilterSchema, (options) => {
  const domains = new Set(options.domains);
  const urls = new Set(options.urls);
  const banned = reducedSet(options.bannedWords);
  const soft = reducedSet(options.softBannedWords);
  const substrings = new AhoCorasick(reducedSet(options.bannedSubstrings));

  return ({ url }) => {
    if (url === undefined) return keep;
    const domain = getDomain(url);
    if (domain !== null && domains.has(domain)) return drop("url-domain", domain);
    const host = getHostname(url);
    if (host !== null && domains.has(host)) return drop("url-host", host);
    if (urls.has(url)) return drop("url", url);
    const tokens = new Set(url.split(/[^a-zA-Z0-9]+/));
    for (const token of tokens) if (banned.has(token)) return drop("url-banned-word", token);
    let softWords = 0;
    for (const token of tokens) if (soft.has(token)) softWords++;
    if (softWords > options.maxSoftBannedWords) return drop("url-soft-banned-words", softWords, options.maxSoftBannedWords);
    const substring = substrings.first(reduced(url));
    return substring === undefined ? keep : drop("url-banned-substring", substring);
  };
});
