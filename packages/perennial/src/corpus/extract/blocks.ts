/** The text of an element as blocks: paragraphs, headings, list items, table rows, preformatted text. */
import type { PageElement } from "./tree.ts";

export interface Block {
  readonly kind: "paragraph" | "heading" | "item" | "row" | "preformatted";
  /** White space collapsed, but for line breaks that the page asks for. */
  readonly text: string;
  /** Characters without white space, and those of them inside links. */
  readonly characters: number;
  readonly linked: number;
  /** 1–6 of a heading; nesting of a list item, from 0; else 0. */
  readonly level: number;
  /** The list or table that the block is part of. */
  readonly group: PageElement | undefined;
}

const INLINE = new Set(
  "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd mark nobr q rp rt ruby s samp small span strike strong sub sup time tt u var wbr".split(
    " ",
  ),
);
/** Cells of a data table are short and hold no paragraphs of prose; others are laid out like the page. */
const MAX_CELL_CHARACTERS = 300;

export const isInline = (name: string): boolean => INLINE.has(name);

/** Collects blocks in the order of the page. `skip` says which elements are left out. */
export function blocksOf(root: PageElement, skip: (element: PageElement) => boolean): Block[] {
  const blocks: Block[] = [];
  let text = "";
  let characters = 0;
  let linked = 0;
  interface Place {
    readonly kind: Block["kind"];
    readonly level: number;
    readonly group: PageElement | undefined;
    readonly inLink: boolean;
    readonly preformatted: boolean;
  }

  const flush = ({ kind, level, group, preformatted }: Place) => {
    const clean = preformatted ? text.replace(/[ \t]+$/gm, "").replace(/^\n+|\n+$/g, "") : tidy(text);
    if (characters > 0) blocks.push({ kind, text: clean, characters, linked, level, group });
    [text, characters, linked] = ["", 0, 0];
  };
  const add = (piece: string, { inLink, preformatted }: Place) => {
    text += preformatted || !UNTIDY.test(piece) ? piece : piece.replace(/\s+/g, " ");
    const count = inkOf(piece);
    characters += count;
    if (inLink) linked += count;
  };

  const visit = (element: PageElement, place: Place): void => {
    for (const child of element.children) {
      if (typeof child === "string") {
        add(child, place);
        continue;
      }
      const { name } = child;
      if (skip(child)) continue;
      if (name === "br") text += "\n";
      else if (INLINE.has(name)) visit(child, name === "a" ? { ...place, inLink: true } : place);
      else {
        flush(place);
        const inner = placeOf(child, place);
        if (name === "table" && isDataTable(child, skip)) addRows(child, inner);
        else visit(child, inner);
        flush(inner);
      }
    }
  };

  const addRows = (table: PageElement, place: Place): void => {
    for (const row of descendants(table, "tr")) {
      const cells = row.children.filter(
        (cell): cell is PageElement => typeof cell !== "string" && (cell.name === "td" || cell.name === "th"),
      );
      const parts = cells.map((cell) => blocksOf(cell, skip));
      const line = parts.map((part) => part.map((block) => block.text.replace(/\s*\n\s*/g, " ")).join(" ")).join(" | ");
      for (const block of parts.flat()) {
        characters += block.characters;
        linked += block.linked;
      }
      text = line.replace(/^[ |]+$/, "");
      flush({ ...place, kind: "row", group: table, preformatted: false });
    }
  };

  visit(root, { kind: "paragraph", level: 0, group: undefined, inLink: false, preformatted: false });
  flush({ kind: "paragraph", level: 0, group: undefined, inLink: false, preformatted: false });
  return blocks;

  function placeOf(element: PageElement, outer: Place): Place {
    const { name } = element;
    if (/^h[1-6]$/.test(name)) return { ...outer, kind: "heading", level: Number(name[1]) };
    if (name === "pre") return { ...outer, kind: "preformatted", level: 0, preformatted: true };
    if (name === "ul" || name === "ol" || name === "dl")
      return { ...outer, kind: "paragraph", level: outer.group && outer.group.name !== "table" ? outer.level + 1 : 0, group: element };
    if (name === "li") return { ...outer, kind: "item" };
    // A paragraph inside an item is still the item's.
    return outer.kind === "item" && (name === "p" || name === "div") ? outer : { ...outer, kind: "paragraph" };
  }
}

/** White space other than single spaces: most pieces have none, and a look is cheaper than a copy. */
const UNTIDY = /[^\S ]| {2}/;

/** Characters that are not white space (`\s`), without making a string of them. */
function inkOf(text: string): number {
  let ink = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 32 ? code < 0xa0 || !isWideSpace(code) : code < 9 || (code > 13 && code < 32)) ink++;
  }
  return ink;
}

const isWideSpace = (code: number): boolean =>
  code === 0xa0 ||
  code === 0x1680 ||
  (code >= 0x2000 && code <= 0x200a) ||
  [0x2028, 0x2029, 0x202f, 0x205f, 0x3000].includes(code) ||
  code === 0xfeff;

const tidy = (text: string): string =>
  text
    .replace(/[^\S\n]+/g, " ")
    .replace(/ ?\n ?/g, "\n")
    .replace(/\n{2,}/g, "\n")
    .trim();

function isDataTable(table: PageElement, skip: (element: PageElement) => boolean): boolean {
  let rows = 0;
  for (const element of descendants(table)) {
    if (element.name === "table" || /^h[1-6]$/.test(element.name)) return false;
    if (element.name === "tr") rows++;
    if ((element.name === "td" || element.name === "th") && textLength(element, skip) > MAX_CELL_CHARACTERS) return false;
  }
  return rows > 0;
}

function* descendants(element: PageElement, name?: string): Generator<PageElement> {
  for (const child of element.children) {
    if (typeof child === "string") continue;
    if (name === undefined || child.name === name) yield child;
    yield* descendants(child, name);
  }
}

function textLength(element: PageElement, skip: (element: PageElement) => boolean): number {
  let length = 0;
  for (const child of element.children) length += typeof child === "string" ? child.length : skip(child) ? 0 : textLength(child, skip);
  return length;
}
