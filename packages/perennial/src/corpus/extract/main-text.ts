/**
 * The main text of a page, precision before recall (as trafilatura's `favor_precision`):
 *
 *   1. mass      characters, linked characters and prose of every element; prose = blocks of ≥ 40 characters with < 1/3 in links
 *   2. chrome    navigation, footers, forms, what its class calls a sidebar … are left out (boilerplate.ts)
 *   3. place     from the body down, as long as one child holds ≥ 3/4 of the prose: that child is the text's container
 *   4. blocks    of the container; blocks and groups that are mostly links go, short blocks stay beside prose, headings before text
 *   5. title     the nearest `h1` in front, where the container has none
 *   6. repeats   a block that the page has had before is dropped
 *
 * Lengths are weights (`weightOf`).
 */
import { type Block, blocksOf } from "./blocks.ts";
import { isChrome } from "./boilerplate.ts";
import { type PageElement, PageText, weightOf } from "./tree.ts";

const MIN_PROSE_CHARACTERS = 40;
const MAX_PROSE_LINKED = 1 / 3;
const CONTAINER_SHARE = 0.75;
const MAX_BLOCK_LINKED = 0.5;
const MAX_GROUP_LINKED = 0.6;
const MAX_HEADING_LINKED = 0.95;
/** A block that is repeated is dropped from here on; shorter ones are often cells and labels. */
const MIN_REPEATED_CHARACTERS = 20;

/** The lines of the main text; empty when the page has none. */
export function mainText(body: PageElement): string[] {
  measure(body);
  if (dropChrome(body, body.prose)) measure(body);
  const container = containerOf(body);
  const blocks = withoutRepeats(chosenBlocks(blocksOf(container)));
  if (blocks.length === 0) return [];
  const title = blocks.some(({ kind, level }) => kind === "heading" && level === 1) ? undefined : titleBefore(container);
  return [...(title ? [title] : []), ...blocks.map(render)];
}

/** Fills in how much the element, and each inside that is not dropped, holds. */
function measure(element: PageElement): void {
  let text = 0;
  let linked = 0;
  let prose = 0;
  // A block is what stands between block-level children.
  let run = 0;
  let runLinked = 0;
  for (const child of element.children) {
    if (child instanceof PageText) {
      text += child.weight;
      run += child.weight;
    } else if (!child.dropped) {
      measure(child);
      text += child.text;
      linked += child.linked;
      if (child.inline || child.name === "br") {
        run += child.text;
        runLinked += child.linked;
      } else {
        prose += proseOf(run, runLinked) + child.prose;
        run = runLinked = 0;
      }
    }
  }
  element.text = text;
  element.linked = element.name === "a" ? text : linked;
  element.prose = element.inline ? 0 : prose + proseOf(run, runLinked); // inline: counted by the block around it
}

const proseOf = (run: number, linked: number): number =>
  run >= MIN_PROSE_CHARACTERS && linked < run * MAX_PROSE_LINKED ? run - linked : 0;

/** Was anything dropped? */
function dropChrome(element: PageElement, pageProse: number): boolean {
  let any = false;
  for (const child of element.children) {
    if (child instanceof PageText) continue;
    child.dropped = isChrome(child, pageProse);
    if (child.dropped || dropChrome(child, pageProse)) any = true;
  }
  return any;
}

function containerOf(body: PageElement): PageElement {
  let at = body;
  for (;;) {
    const least = Math.max(1, at.prose * CONTAINER_SHARE);
    const next = at.children.find(
      (child): child is PageElement => !(child instanceof PageText) && !child.inline && !child.dropped && child.prose >= least,
    );
    if (!next) return at;
    const cell = next.name === "table" ? layoutCell(next, least) : undefined;
    // A single paragraph is not the container: its heading stands beside it.
    if (!cell && /^(p|ul|ol|dl|table|pre|blockquote|tbody|tr|li)$/.test(next.name)) return at;
    at = cell ?? next;
  }
}

/** The cell of a table that holds this much prose in blocks of its own: the table lays out the page. */
function layoutCell(table: PageElement, leastProse: number): PageElement | undefined {
  for (const child of table.children) {
    if (child instanceof PageText || child.dropped || child.prose < leastProse) continue;
    if (child.name === "td") return child.children.some((inner) => !(inner instanceof PageText) && isSection(inner)) ? child : undefined;
    return layoutCell(child, leastProse);
  }
  return undefined;
}

const isSection = ({ name }: PageElement): boolean => /^(p|div|section|article|main|table|ul|ol|h[1-6])$/.test(name);

/** The nearest `h1` in front of an element: many pages set the title outside of the text's own container. */
function titleBefore(container: PageElement): string | undefined {
  for (let at = container; at.parent; at = at.parent) {
    const { children } = at.parent;
    for (let i = children.indexOf(at) - 1; i >= 0; i--) {
      const child = children[i]!;
      if (child instanceof PageText || child.dropped) continue;
      const title = blocksOf(child).findLast(({ kind, level }) => child.name === "h1" || (kind === "heading" && level === 1));
      if (title) return title.text;
    }
  }
  return undefined;
}

const isProse = (block: Block): boolean =>
  block.linked < block.characters * MAX_PROSE_LINKED && weightOf(block.text) >= MIN_PROSE_CHARACTERS;

function chosenBlocks(blocks: readonly Block[]): Block[] {
  const groups = new Map<PageElement, { characters: number; linked: number; prose: boolean }>();
  const prose = blocks.map(isProse);
  if (!prose.includes(true)) return [];
  for (const [i, block] of blocks.entries()) {
    if (!block.group) continue;
    const group = groups.get(block.group) ?? { characters: 0, linked: 0, prose: false };
    group.characters += block.characters;
    group.linked += block.linked;
    group.prose ||= prose[i]!;
    groups.set(block.group, group);
  }
  const kept = blocks.map((block, i) => {
    if (block.kind === "heading") return false; // decided below
    if (block.linked > block.characters * MAX_BLOCK_LINKED) {
      // A link on its own is chrome; an item of a list of prose, or a row of a table, is not.
      const group = block.group && groups.get(block.group);
      return group?.prose === true && group.linked <= group.characters * MAX_GROUP_LINKED;
    }
    if (block.kind === "preformatted") return true;
    if (block.group) {
      const group = groups.get(block.group)!;
      return group.linked <= group.characters * MAX_GROUP_LINKED;
    }
    if (prose[i]) return true;
    // Short lines: beside prose, or ending like a sentence.
    return (
      prose[i - 1] === true || prose[i + 1] === true || blocks[i - 1]?.kind === "heading" || /[.!?:;。！？।؟…]["'”’»)]?$/u.test(block.text)
    );
  });
  // A heading stays when text of its section stays.
  for (let i = blocks.length - 1; i >= 0; i--) {
    const block = blocks[i]!;
    if (block.kind !== "heading") continue;
    // A heading that is one link is kept only above prose of its own.
    if (block.linked > block.characters * MAX_HEADING_LINKED && !(kept[i + 1] && prose[i + 1])) continue;
    for (let j = i + 1; j < blocks.length; j++) {
      const next = blocks[j]!;
      if (next.kind === "heading" && next.level <= block.level) break;
      if (!kept[j]) continue;
      kept[i] = true;
      break;
    }
  }
  return blocks.filter((_, i) => kept[i]);
}

function withoutRepeats(blocks: readonly Block[]): Block[] {
  const seen = new Set<string>();
  return blocks.filter(({ text, characters }) => {
    if (characters < MIN_REPEATED_CHARACTERS) return true;
    if (seen.has(text)) return false;
    seen.add(text);
    return true;
  });
}

function render({ kind, text, level }: Block): string {
  return kind === "item" ? `${"  ".repeat(level)}- ${text}` : text;
}
