/**
 * Which elements are page chrome and not content: by what they are (`nav`, `footer` …), by their role, and by words in their class and
 * id. An element that holds much of the page's running text is content whatever it is called; sites wrap whole pages in `form` or in
 * `with-sidebar`.
 */
import type { PageElement } from "./tree.ts";

const CHROME_ELEMENTS = new Set(["nav", "footer", "aside", "form", "dialog", "menu", "label", "input", "fieldset"]);
const CHROME_ROLES = new Set(
  "navigation banner contentinfo complementary search dialog alertdialog menu menubar toolbar tooltip alert status tablist".split(" "),
);
const CHROME_WORDS =
  "nav navbar navi navigation menu submenu megamenu sidebar sidenav footer breadcrumb breadcrumbs crumbs cookie cookies consent gdpr share sharing shares social follow related recommended recommendations ad ads advert adverts advertisement sponsor sponsored promo promotion banner newsletter subscribe subscription signup login popup modal overlay toolbar pagination pager skip skiplink widget widgets tags taglist tagcloud masthead noprint rating ratings search searchbox languages langs topbar bottombar copyright feedback donate trending popular outbrain taboola byline editlink headerlink navheader navfooter sphinxsidebar toctree";
const COMMENT_WORDS = "comment comments disqus commentlist respond replies";
const CHROME = 1;
const COMMENT = 2;
/** What a word in a name says. */
const WORDS: ReadonlyMap<string, number> = new Map([
  ...CHROME_WORDS.split(" ").map((word) => [word, CHROME] as const),
  ...COMMENT_WORDS.split(" ").map((word) => [word, COMMENT] as const),
]);
const HIDDEN_WORDS = new Set(["hidden", "invisible", "visuallyhidden"]);

/** Shares of the page's prose up to which an element is taken at its word. */
const MAX_PROSE_OF_NAMED = 0.35;
const MAX_PROSE_OF_CHROME = 0.6;
const MAX_PROSE_OF_COMMENTS = 0.85;

/** `pageProse`: the prose of the whole page. */
export function isChrome(element: PageElement, pageProse: number): boolean {
  const { name, attributes } = element;
  if (isHidden(attributes)) return true;
  const share = pageProse > 0 ? element.prose / pageProse : 0;
  if (CHROME_ELEMENTS.has(name) || (name === "header" && !isInside(element, "article", "main"))) return share < MAX_PROSE_OF_CHROME;
  if (CHROME_ROLES.has(attributes.role ?? "")) return share < MAX_PROSE_OF_CHROME;
  if (name === "article" || name === "main" || name === "h1") return false;
  const kind = kindOfNames(attributes);
  if (kind & COMMENT) return share < MAX_PROSE_OF_COMMENTS;
  return kind !== 0 && share < MAX_PROSE_OF_NAMED;
}

function isHidden(attributes: Readonly<Record<string, string>>): boolean {
  if (attributes.hidden !== undefined || attributes["aria-hidden"] === "true") return true;
  if (attributes.style && /display\s*:\s*none|visibility\s*:\s*hidden/i.test(attributes.style)) return true;
  const names = attributes.class;
  return names !== undefined && /hidden|invisible/i.test(names) && names.split(/\s+/).some((name) => HIDDEN_WORDS.has(name.toLowerCase()));
}

/** Characters of class and id that are looked at. */
const MAX_NAME_CHARACTERS = 500;

function kindOfNames({ class: classes = "", id = "" }: Readonly<Record<string, string>>): number {
  return kindOf(classes, MAX_NAME_CHARACTERS) | kindOf(id, MAX_NAME_CHARACTERS - classes.length - 1);
}

/** What the words of a name say: `siteNav main-menu` → site, nav, main, menu; `sidebar-1` and `sidebar1` → sidebar. */
function kindOf(names: string, maxCharacters: number): number {
  let kind = 0;
  const length = Math.min(names.length, maxCharacters);
  let start = -1; // of the word
  let wasLower = false;
  for (let i = 0; i <= length; i++) {
    const code = i < length ? names.charCodeAt(i) : 0;
    const lower = code >= 0x61 && code <= 0x7a;
    const upper = code >= 0x41 && code <= 0x5a;
    if (start >= 0 && ((!lower && !upper) || (upper && wasLower))) {
      kind |= WORDS.get(names.slice(start, i).toLowerCase()) ?? 0;
      start = -1;
    }
    if (start < 0 && (lower || upper)) start = i;
    wasLower = lower;
  }
  return kind;
}

function isInside(element: PageElement, ...names: string[]): boolean {
  for (let at = element.parent; at; at = at.parent) if (names.includes(at.name)) return true;
  return false;
}
