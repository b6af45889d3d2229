/**
 * A page as a tree of elements and text, read with a budget: hostile pages (very large, deeply nested, millions of elements) are cut, and what
 * was read so far is used. Scripts, styles and other things without text of their own are left out.
 */
import { Parser } from "htmlparser2";

/** Elements that stand inside a line of text. */
const INLINE = new Set(
  "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd mark nobr q rp rt ruby s samp small span strike strong sub sup time tt u var wbr".split(
    " ",
  ),
);

export class PageElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly parent: PageElement | undefined;
  readonly children: (PageElement | PageText)[] = [];
  readonly inline: boolean;
  /** Filled in by main-text.ts: how much the element holds, by weight; all text, text inside links, text of blocks that look like prose. */
  text = 0;
  linked = 0;
  prose = 0;
  /** Left out of the main text, with all that it holds. */
  dropped = false;

  constructor(name: string, attributes: Readonly<Record<string, string>>, parent?: PageElement) {
    this.name = name;
    this.attributes = attributes;
    this.parent = parent;
    this.inline = INLINE.has(name);
  }
}

/** Text between two tags, looked through once. */
export class PageText {
  readonly text: string;
  /** Characters that are not white space (`\s`). */
  readonly ink: number;
  /** `weightOf` the text. */
  readonly weight: number;
  /** Holds white space other than single spaces. */
  readonly untidy: boolean;

  constructor(text: string) {
    let ink = 0;
    let weight = 0;
    let untidy = false;
    let before = 0;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (isSpace(code)) untidy ||= code !== 32 || before === 32;
      else ink++;
      weight += weightOfUnit(code);
      before = code;
    }
    this.text = text;
    this.ink = ink;
    this.weight = weight;
    this.untidy = untidy;
  }
}

/** `\s` */
const isSpace = (code: number): boolean => (code <= 32 ? code === 32 || (code >= 9 && code <= 13) : code >= 0xa0 && isWideSpace(code));

const isWideSpace = (code: number): boolean =>
  code === 0xa0 ||
  code === 0x1680 ||
  (code >= 0x2000 && (code <= 0x200a || code === 0x2028 || code === 0x2029 || code === 0x202f || code === 0x205f)) ||
  code === 0x3000 ||
  code === 0xfeff;

const weightOfUnit = (code: number): number => {
  if (code < 0x0e00) return code > 32 && code !== 0xa0 ? 1 : 0;
  // Thai to Khmer, kana, Han, Hangul
  return code < 0x1000 || (code >= 0x3040 && code < 0xd7b0) ? 2 : 1;
};

/** Characters without white space; scripts that write without spaces count double: a Han character says about as much as two letters. */
export function weightOf(text: string): number {
  let weight = 0;
  for (let i = 0; i < text.length; i++) weight += weightOfUnit(text.charCodeAt(i));
  return weight;
}

export interface Budget {
  /** Characters of HTML that are parsed. */
  readonly maxCharacters: number;
  readonly maxElements: number;
  /** Deeper elements lose their tags and keep their text; at ten times the depth reading stops, since parsing gets slow there. */
  readonly maxDepth: number;
  readonly maxSeconds: number;
}

/** FineWeb2's second a page; sizes far above those of real pages. */
export const DEFAULT_BUDGET: Budget = { maxCharacters: 20_000_000, maxElements: 300_000, maxDepth: 300, maxSeconds: 1 };

export class OverTime extends Error {}

export interface ParsedPage {
  readonly body: PageElement;
  readonly title?: string;
  /** `lang` of the `html` element, or what a `<meta>` says. */
  readonly htmlLanguage?: string;
  /** Address that a `rel="license"` link gives. */
  readonly license?: string;
  /** What of the budget ran out. */
  readonly cut: readonly ("characters" | "elements" | "depth")[];
}

const WITHOUT_TEXT = new Set(
  "script style noscript template svg math canvas iframe object embed audio video map head select option datalist textarea button".split(
    " ",
  ),
);
const CHUNK_CHARACTERS = 1 << 14;

/** Throws `OverTime` when `deadline` (of `performance.now()`) passes. */
export function parsePage(html: string, budget: Budget, deadline: number): ParsedPage {
  const body = new PageElement("body", {});
  const found: { title?: string; htmlLanguage?: string; license?: string } = {};
  const cut = new Set<"characters" | "elements" | "depth">();
  let at = body;
  let depth = 0;
  let tooDeep = 0;
  let elements = 0;
  /** Open elements without text, innermost last; their content is not read. */
  const silent: string[] = [];
  let inTitle = false;
  let hopeless = false;

  const parser = new Parser({
    onopentag(name, attributes) {
      if (name === "html" && attributes.lang) found.htmlLanguage ??= attributes.lang.trim();
      else if (name === "meta") readMeta(attributes, found);
      else if ((name === "a" || name === "link") && attributes.href && /(^|\s)license(\s|$)/i.test(attributes.rel ?? ""))
        found.license ??= attributes.href;
      if (name === "title" && silent.at(-1) === "head") inTitle = true;
      if (WITHOUT_TEXT.has(name)) {
        silent.push(name);
        return;
      }
      if (silent.length > 0 || name === "html" || name === "body") return;
      if (depth >= budget.maxDepth || elements >= budget.maxElements) {
        cut.add(depth >= budget.maxDepth ? "depth" : "elements");
        tooDeep++;
        if (tooDeep > 9 * budget.maxDepth && depth >= budget.maxDepth) hopeless = true;
        return;
      }
      const element = new PageElement(name, attributes, at);
      at.children.push(element);
      at = element;
      depth++;
      elements++;
    },
    ontext(text) {
      if (inTitle) found.title = (found.title ?? "") + text;
      if (silent.length === 0) at.children.push(new PageText(text));
    },
    onclosetag(name) {
      if (name === "title") inTitle = false;
      if (WITHOUT_TEXT.has(name)) {
        const index = silent.lastIndexOf(name);
        if (index >= 0) silent.length = index;
        return;
      }
      if (silent.length > 0 || name === "html" || name === "body") return;
      if (tooDeep > 0) tooDeep--;
      else if (at.parent) {
        at = at.parent;
        depth--;
      }
    },
  });
  const end = Math.min(html.length, budget.maxCharacters);
  if (end < html.length) cut.add("characters");
  for (let from = 0; from < end && !hopeless; from += CHUNK_CHARACTERS) {
    if (performance.now() > deadline) throw new OverTime();
    parser.write(html.slice(from, Math.min(end, from + CHUNK_CHARACTERS)));
  }
  if (!hopeless) parser.end();
  const title = found.title?.replace(/\s+/g, " ").trim();
  const { title: _, ...rest } = found;
  return { body, ...rest, ...(title ? { title } : {}), cut: [...cut] };
}

function readMeta(attributes: Record<string, string>, found: { title?: string; htmlLanguage?: string }): void {
  const name = (attributes.name ?? attributes.property ?? attributes["http-equiv"] ?? "").toLowerCase();
  if ((name === "content-language" || name === "language") && attributes.content) found.htmlLanguage ??= attributes.content.trim();
}
