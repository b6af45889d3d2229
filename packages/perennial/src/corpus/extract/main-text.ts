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
 * Scripts that write without spaces count double: a Han character says about as much as two letters.
 */
import { type Block, blocksOf, isInline } from "./blocks.ts";
import { isChrome, type Mass } from "./boilerplate.ts";
import type { PageElement } from "./tree.ts";

const MIN_PROSE_CHARACTERS = 40;
const MAX_PROSE_LINKED = 1 / 3;
const CONTAINER_SHARE = 0.75;
const MAX_BLOCK_LINKED = 0.5;
const MAX_GROUP_LINKED = 0.6;
/** A block that is repeated is dropped from here on; shorter ones are often cells and labels. */
const MIN_REPEATED_CHARACTERS = 20;

/** The lines of the main text; empty when the page has none. */
export function mainText(body: PageElement): string[] {
  const masses = new Map<PageElement, Mass>();
  const page = measure(body, masses);
  const dropped = new Set<PageElement>();
  dropChrome(body, masses, page.prose, dropped);
  masses.clear();
  measure(body, masses, dropped);
  const container = containerOf(body, masses);
  const skip = (element: PageElement) => dropped.has(element);
  const blocks = withoutRepeats(chosenBlocks(blocksOf(container, skip)));
  if (blocks.length === 0) return [];
  const title = blocks.some(({ kind, level }) => kind === "heading" && level === 1) ? undefined : titleBefore(container, skip);
  return [...(title ? [title] : []), ...blocks.map(render)];
}

/** Characters of prose weight: those of unspaced scripts twice. */
function weight(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code <= 32 || code === 0xa0) continue;
    // Thai to Khmer, kana, Han, Hangul
    count += (code >= 0x0e00 && code < 0x1000) || (code >= 0x3040 && code < 0xd7b0) ? 2 : 1;
  }
  return count;
}

function measure(element: PageElement, masses: Map<PageElement, Mass>, dropped?: ReadonlySet<PageElement>): Mass {
  let text = 0;
  let linked = 0;
  let prose = 0;
  // A block is what stands between block-level children.
  let run = 0;
  let runLinked = 0;
  const closeRun = () => {
    if (run >= MIN_PROSE_CHARACTERS && runLinked < run * MAX_PROSE_LINKED) prose += run - runLinked;
    run = runLinked = 0;
  };
  for (const child of element.children) {
    if (typeof child === "string") {
      const count = weight(child);
      text += count;
      run += count;
      continue;
    }
    if (dropped?.has(child)) continue;
    const mass = measure(child, masses, dropped);
    text += mass.text;
    linked += mass.linked;
    if (isInline(child.name) || child.name === "br") {
      run += mass.text;
      runLinked += mass.linked;
    } else {
      closeRun();
      prose += mass.prose;
    }
  }
  if (isInline(element.name))
    prose = 0; // counted by the block around it
  else closeRun();
  if (element.name === "a") linked = text;
  const mass = { text, linked, prose };
  masses.set(element, mass);
  return mass;
}

function dropChrome(element: PageElement, masses: ReadonlyMap<PageElement, Mass>, pageProse: number, dropped: Set<PageElement>): void {
  for (const child of element.children) {
    if (typeof child === "string") continue;
    if (isChrome(child, masses.get(child)!, pageProse)) dropped.add(child);
    else dropChrome(child, masses, pageProse, dropped);
  }
}

function containerOf(body: PageElement, masses: ReadonlyMap<PageElement, Mass>): PageElement {
  let at = body;
  for (;;) {
    const prose = masses.get(at)?.prose ?? 0;
    const next = at.children.find(
      (child): child is PageElement =>
        typeof child !== "string" && !isInline(child.name) && (masses.get(child)?.prose ?? 0) >= Math.max(1, prose * CONTAINER_SHARE),
    );
    // A single paragraph is not the container: its heading stands beside it.
    if (!next || /^(p|ul|ol|dl|table|pre|blockquote|tbody|tr|li)$/.test(next.name)) return at;
    at = next;
  }
}

/** The nearest `h1` in front of an element: many pages set the title outside of the text's own container. */
function titleBefore(container: PageElement, skip: (element: PageElement) => boolean): string | undefined {
  for (let at = container; at.parent; at = at.parent) {
    const { children } = at.parent;
    for (let i = children.indexOf(at) - 1; i >= 0; i--) {
      const child = children[i]!;
      if (typeof child === "string" || skip(child)) continue;
      const title = blocksOf(child, skip).findLast(({ kind, level }) => child.name === "h1" || (kind === "heading" && level === 1));
      if (title) return title.text;
    }
  }
  return undefined;
}

const isProse = (block: Block): boolean => {
  const length = weight(block.text);
  return length >= MIN_PROSE_CHARACTERS && block.linked < block.characters * MAX_PROSE_LINKED;
};

function chosenBlocks(blocks: readonly Block[]): Block[] {
  const groups = new Map<PageElement, { characters: number; linked: number; prose: boolean }>();
  for (const block of blocks) {
    if (!block.group) continue;
    const group = groups.get(block.group) ?? { characters: 0, linked: 0, prose: false };
    group.characters += block.characters;
    group.linked += block.linked;
    group.prose ||= isProse(block);
    groups.set(block.group, group);
  }
  const prose = blocks.map(isProse);
  if (!prose.includes(true)) return [];
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
    if (block.kind !== "heading" || block.linked > block.characters * MAX_BLOCK_LINKED * 1.9) continue;
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
