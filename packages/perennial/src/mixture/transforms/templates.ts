/**
 * Marco-LLM's eleven templates for sentence pairs: one is drawn uniformly per occurrence, and the direction too.
 *    A, B       two lines, `{A} phrase: x` and `{B} phrase: y`; B says text
 *    C, D, E    the same below an instruction line that names both languages
 *    F, G       one imperative line with x and both languages, a colon, y
 *    H, I, J    one line asking to change x into {B}, the source language not named, and a clause with y
 *    K          x in {A} means y in {B}
 *  Structures are published, exact words are ours. Several pairs share a sequence, separated by the end token; every token
 *  counts in the loss. Source: Ming et al., arXiv 2412.04003, table 13.
 */
import { FieldError, nearest } from "../../errors.ts";
import { checkAligned, eitherDirection, type ParallelFormat } from "./parallel.ts";

/** Text around {A}, {B} language names and {x}, {y} sentences. */
export const marcoTemplates = {
  A: "{A} phrase: {x}\n{B} phrase: {y}",
  B: "{A} text: {x}\n{B} text: {y}",
  C: "Translate the text from {A} to {B}.\n{A} text: {x}\n{B} text: {y}",
  D: "Translate the words from {A} to {B}.\n{A} words: {x}\n{B} words: {y}",
  E: "Convert the phrase from {A} to {B}.\n{A} phrase: {x}\n{B} phrase: {y}",
  F: 'Render the {A} sentence "{x}" to {B}: {y}',
  G: 'Provide the translation of the sentence "{x}" from {A} to {B}: {y}',
  H: 'Change the phrase "{x}" into {B}, and the translated phrase is "{y}"',
  I: 'Please change the phrase "{x}" into {B}, and the resulting translation is "{y}"',
  J: 'Change the phrase "{x}" into {B}, resulting in "{y}"',
  K: 'The sentence "{x}" in {A} means "{y}" in {B}',
} as const;
export type MarcoTemplate = keyof typeof marcoTemplates;

const SLOT = /\{([ABxy])\}/;

interface Slots {
  readonly A: string;
  readonly B: string;
  readonly x: string;
  readonly y: string;
}

export const renderTemplate = (template: MarcoTemplate, slots: Slots): string =>
  marcoTemplates[template]
    .split(SLOT)
    .map((part, i) => (i % 2 === 1 ? slots[part as keyof Slots] : part))
    .join("");

/** x and y of a rendered pair of known languages, or null. Ambiguous only where a sentence contains the words between the slots. */
export function parseTemplate(template: MarcoTemplate, text: string, { A, B }: Pick<Slots, "A" | "B">): { x: string; y: string } | null {
  const pattern = marcoTemplates[template]
    .split(SLOT)
    .map((part, i) => (i % 2 === 0 ? escaped(part) : part === "A" ? escaped(A) : part === "B" ? escaped(B) : `(?<${part}>[^\\r\\n]*?)`))
    .join("");
  const groups = new RegExp(`^${pattern}$`, "u").exec(text)?.groups;
  return groups === undefined ? null : { x: groups.x!, y: groups.y! };
}

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");

const TEMPLATES = Object.keys(marcoTemplates) as MarcoTemplate[];

/** Every segment pair by a template of its own, joined by `separator`, e.g. the text of the end token. */
export const templated =
  (separator: string): ParallelFormat =>
  (document, random) => {
    checkAligned(document);
    return document.source.segments
      .map((segment, i) => {
        const pair = {
          source: { ...document.source, segments: [segment] },
          target: { ...document.target, segments: [document.target.segments[i]!] },
        };
        const { source, target } = eitherDirection(pair, random);
        const template = TEMPLATES[random.integer(TEMPLATES.length)]!;
        return renderTemplate(template, { A: source.language, B: target.language, x: source.segments[0]!, y: target.segments[0]! });
      })
      .join(separator);
  };

/** Names of Marco-LLM's 29 languages: templates use these and no others, so that none is called two names. */
const LANGUAGE_NAMES: Readonly<Record<string, string>> = {
  ...{ en: "English", zh: "Chinese", ar: "Arabic", de: "German", es: "Spanish", fr: "French", ko: "Korean", ja: "Japanese" },
  ...{ pt: "Portuguese", tr: "Turkish", bn: "Bengali", he: "Hebrew", id: "Indonesian", it: "Italian", ms: "Malay", nl: "Dutch" },
  ...{ pl: "Polish", ru: "Russian", th: "Thai", uk: "Ukrainian", ur: "Urdu", vi: "Vietnamese", cs: "Czech", el: "Greek" },
  ...{ hu: "Hungarian", kk: "Kazakh", ro: "Romanian", az: "Azerbaijani", ne: "Nepali" },
};

/** The English name of a language of the table; `more` adds others. */
export function languageName(code: string, more: Readonly<Record<string, string>> = {}): string {
  const names = { ...LANGUAGE_NAMES, ...more };
  const name = names[code];
  if (name !== undefined) return name;
  const near = nearest(code, Object.keys(names));
  throw new FieldError("LANGUAGE_NAME", {
    at: "language",
    expected: "a language code with a known English name",
    received: code,
    todo: near === undefined ? "give its name in the table of names" : `write ${near}, or give its name in the table of names`,
  });
}
