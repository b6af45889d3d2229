/** HTML bytes to main text: encoding, tree, main text, with a budget of time and size per page. */
import { z } from "zod";
import { decodePage } from "./charset.ts";
import { mainText } from "./main-text.ts";
import { DEFAULT_BUDGET, OverTime, parsePage } from "./tree.ts";

export const extractSchema = z.strictObject({
  maxSeconds: z.number().positive().default(DEFAULT_BUDGET.maxSeconds).describe("time for a page; a page that takes longer is set aside"),
  maxCharacters: z
    .int()
    .positive()
    .default(DEFAULT_BUDGET.maxCharacters)
    .describe("characters of HTML that are parsed; the rest is cut off"),
  maxElements: z.int().positive().default(DEFAULT_BUDGET.maxElements).describe("elements of a page; the tags of later ones are ignored"),
  maxDepth: z.int().min(1).max(1000).default(DEFAULT_BUDGET.maxDepth).describe("nesting of elements; the tags of deeper ones are ignored"),
});
export type ExtractSettings = z.output<typeof extractSchema>;

export interface ExtractedText {
  /** Lines separated by line feeds. */
  readonly text: string;
  readonly title?: string;
  readonly htmlLanguage?: string;
  /** Address of the licence that the page links to. */
  readonly license?: string;
  readonly encoding: string;
  /** What of the budget ran out, if anything. */
  readonly cut: readonly string[];
}

/** Why a page gives no text. */
export type ExtractFailure = "extraction-over-time" | "no-main-text";

const settingsOf = extractSchema.parse({});

export function extractText(
  bytes: Uint8Array,
  contentType?: string,
  settings: ExtractSettings = settingsOf,
): ExtractedText | ExtractFailure {
  const deadline = performance.now() + 1000 * settings.maxSeconds;
  const { text: html, encoding } = decodePage(bytes, contentType);
  try {
    const { body, ...page } = parsePage(html, settings, deadline);
    if (performance.now() > deadline) return "extraction-over-time";
    const text = wellFormed(mainText(body).join("\n"));
    if (performance.now() > deadline) return "extraction-over-time";
    return text === "" ? "no-main-text" : { text, encoding, ...page };
  } catch (error) {
    if (error instanceof OverTime) return "extraction-over-time";
    throw error;
  }
}

/**
 * References such as `&#xd800;` can make lone surrogates, `&#0;` and others control characters. Those from U+0080 on stay: they are what wrongly
 * decoded text is repaired by.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must go
const wellFormed = (text: string): string => text.replace(/\p{Cs}/gu, "\ufffd").replace(/[\0-\x08\x0b-\x1f\x7f]/g, "");
