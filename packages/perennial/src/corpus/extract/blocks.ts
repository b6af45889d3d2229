/** The text of an element as blocks: paragraphs, headings, list items, table rows, preformatted text. */
import { type PageElement, PageText } from "./tree.ts";

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

/** Cells of a data table are short and hold no paragraphs of prose; others are laid out like the page. */
const MAX_CELL_CHARACTERS = 300;

/** What text becomes at a place of the page. */
interface Place {
  readonly kind: Block["kind"];
  readonly level: number;
  readonly group: PageElement | undefined;
  readonly inLink: boolean;
  readonly preformatted: boolean;
}

/** All places are made here, so that they have one shape for the engine. */
const place = (kind: Block["kind"], level: number, group: PageElement | undefined, inLink: boolean, preformatted: boolean): Place => ({
  kind,
  level,
  group,
  inLink,
  preformatted,
});

const OUTSIDE = place("paragraph", 0, undefined, false, false);

/** The blocks of an element in the order of the page, without those of dropped elements. */
export function blocksOf(root: PageElement): Block[] {
  const collector = new Collector();
  collector.visit(root, OUTSIDE);
  collector.flush(OUTSIDE);
  return collector.blocks;
}

class Collector {
  readonly blocks: Block[] = [];
  /** Of the block that is being read. */
  private text = "";
  private characters = 0;
  private linked = 0;

  visit(element: PageElement, at: Place): void {
    for (const child of element.children) {
      if (child instanceof PageText) this.add(child, at);
      else if (child.dropped) continue;
      else if (child.name === "br") this.text += "\n";
      else if (child.inline)
        this.visit(child, child.name === "a" && !at.inLink ? place(at.kind, at.level, at.group, true, at.preformatted) : at);
      else {
        this.flush(at);
        const inner = placeOf(child, at);
        if (child.name === "table" && isDataTable(child)) this.addRows(child, inner);
        else this.visit(child, inner);
        this.flush(inner);
      }
    }
  }

  /** Ends the block. */
  flush({ kind, level, group, preformatted }: Place): void {
    const { text, characters, linked } = this;
    if (text === "") return;
    if (characters > 0) {
      const clean = preformatted ? text.replace(/[ \t]+$/gm, "").replace(/^\n+|\n+$/g, "") : tidy(text);
      this.blocks.push({ kind, text: clean, characters, linked, level, group });
    }
    this.text = "";
    this.characters = this.linked = 0;
  }

  private add({ text, ink, untidy }: PageText, { inLink, preformatted }: Place): void {
    if (preformatted) this.text += text;
    else if (ink === 0) this.text += this.text === "" ? "" : " ";
    else this.text += untidy ? text.replace(/\s+/g, " ") : text;
    this.characters += ink;
    if (inLink) this.linked += ink;
  }

  private addRows(table: PageElement, { level, inLink }: Place): void {
    const inRow = place("row", level, table, inLink, false);
    for (const row of descendants(table, "tr")) {
      const parts: Block[][] = [];
      for (const cell of row.children) if (!(cell instanceof PageText) && isCell(cell)) parts.push(blocksOf(cell));
      const line = parts.map((part) => part.map((block) => block.text.replace(/\s*\n\s*/g, " ")).join(" ")).join(" | ");
      for (const block of parts.flat()) {
        this.characters += block.characters;
        this.linked += block.linked;
      }
      this.text = line.replace(/^[ |]+$/, "");
      this.flush(inRow);
    }
  }
}

function placeOf(element: PageElement, outer: Place): Place {
  const { name } = element;
  const { level, group, inLink, preformatted } = outer;
  const heading = headingLevel(name);
  if (heading > 0) return place("heading", heading, group, inLink, preformatted);
  if (name === "pre") return place("preformatted", 0, group, inLink, true);
  if (name === "ul" || name === "ol" || name === "dl")
    return place("paragraph", group && group.name !== "table" ? level + 1 : 0, element, inLink, preformatted);
  if (name === "li") return place("item", level, group, inLink, preformatted);
  // A paragraph inside an item is still the item's.
  const same = outer.kind === "paragraph" || (outer.kind === "item" && (name === "p" || name === "div"));
  return same ? outer : place("paragraph", level, group, inLink, preformatted);
}

/** 1–6 of `h1` to `h6`, 0 of other elements. */
function headingLevel(name: string): number {
  const level = name.length === 2 && name.charCodeAt(0) === 0x68 ? name.charCodeAt(1) - 0x30 : 0;
  return level <= 6 ? Math.max(0, level) : 0;
}

/** White space other than single spaces: most blocks have none, and a look is cheaper than a copy. */
const UNTIDY = /[^\S ]| {2}/;

const tidy = (text: string): string =>
  UNTIDY.test(text)
    ? text
        .replace(/[^\S\n]+/g, " ")
        .replace(/ ?\n ?/g, "\n")
        .replace(/\n{2,}/g, "\n")
        .trim()
    : text.trim();

const isCell = ({ name }: PageElement): boolean => name === "td" || name === "th";

function isDataTable(table: PageElement): boolean {
  let rows = 0;
  for (const element of descendants(table)) {
    if (element.name === "table" || headingLevel(element.name) > 0) return false;
    if (element.name === "tr") rows++;
    else if (isCell(element) && textLength(element, MAX_CELL_CHARACTERS + 1) > MAX_CELL_CHARACTERS) return false;
  }
  return rows > 0;
}

/** All elements inside, in the order of the page; those of one name. */
function descendants(element: PageElement, name?: string, found: PageElement[] = []): PageElement[] {
  for (const child of element.children) {
    if (child instanceof PageText) continue;
    if (name === undefined || child.name === name) found.push(child);
    descendants(child, name, found);
  }
  return found;
}

/** Characters of text, counted until they are `enough`. */
function textLength(element: PageElement, enough: number): number {
  let length = 0;
  for (const child of element.children) {
    if (child instanceof PageText) length += child.text.length;
    else if (!child.dropped) length += textLength(child, enough - length);
    if (length >= enough) break;
  }
  return length;
}
