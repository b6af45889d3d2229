/**
 * Drops documents that hold a secret (key, token, password) which a scanner has flagged elsewhere in the crawl. Strings of 10 characters
 * or fewer are not used: they would be found in innocent text. The record of the drop does not repeat the secret.
 * Source: HPLT 3.0, arXiv 2511.01066.
 */
import { z } from "zod";
import { codePoints } from "../words/characters.ts";
import { AhoCorasick } from "./aho-corasick.ts";
import { defineFilter, drop, keep } from "./define.ts";

export const secretsSchema = z.strictObject({
  strings: z.array(z.string()),
  minLength: z.int().positive().default(11).describe("characters"),
});

export const secrets = defineFilter("secrets", secretsSchema, ({ strings, minLength }) => {
  const automaton = new AhoCorasick(strings.filter((string) => codePoints(string) >= minLength));
  return ({ text }) => (automaton.first(text) === undefined ? keep : drop("secret"));
});
