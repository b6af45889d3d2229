/**
 * Which elements are page chrome and not content: by what they are (`nav`, `footer` …), by their role, and by words in their class and
 * id. An element that holds much of the page's running text is content whatever it is called; sites wrap whole pages in `form` or in
 * `with-sidebar`.
 */
import type { PageElement } from "./tree.ts";

/** How much text an element holds. All counts are characters without the white space between words. */
export interface Mass {
  /** All text. */
  readonly text: number;
  /** Text inside links. */
  readonly linked: number;
  /** Text of blocks that look like prose: long enough, few links. */
  readonly prose: number;
}

const CHROME_ELEMENTS = new Set(["nav", "footer", "aside", "form", "dialog", "menu", "label", "input", "fieldset"]);
const CHROME_ROLES = new Set(
  "navigation banner contentinfo complementary search dialog alertdialog menu menubar toolbar tooltip alert status tablist".split(" "),
);
const CHROME_WORDS = new Set(
  "nav navbar navi navigation menu submenu megamenu sidebar sidenav footer breadcrumb breadcrumbs crumbs cookie cookies consent gdpr share sharing shares social follow related recommended recommendations ad ads advert adverts advertisement sponsor sponsored promo promotion banner newsletter subscribe subscription signup login popup modal overlay toolbar pagination pager skip skiplink widget widgets tags taglist tagcloud masthead noprint rating ratings search searchbox languages langs topbar bottombar copyright feedback donate trending popular outbrain taboola byline editlink headerlink navheader navfooter sphinxsidebar toctree".split(
    " ",
  ),
);
const COMMENT_WORDS = new Set("comment comments disqus commentlist respond replies".split(" "));
const HIDDEN_WORDS = new Set(["hidden", "invisible", "visuallyhidden"]);

/** Shares of the page's prose up to which an element is taken at its word. */
const MAX_PROSE_OF_NAMED = 0.35;
const MAX_PROSE_OF_CHROME = 0.6;
const MAX_PROSE_OF_COMMENTS = 0.85;

export function isChrome(element: PageElement, mass: Mass, pageProse: number): boolean {
  const { name, attributes } = element;
  if (isHidden(attributes)) return true;
  const share = pageProse > 0 ? mass.prose / pageProse : 0;
  if (CHROME_ELEMENTS.has(name) || (name === "header" && !isInside(element, "article", "main"))) return share < MAX_PROSE_OF_CHROME;
  if (CHROME_ROLES.has(attributes.role ?? "")) return share < MAX_PROSE_OF_CHROME;
  if (name === "article" || name === "main" || name === "h1") return false;
  const words = nameWords(attributes);
  if (words.some((word) => COMMENT_WORDS.has(word))) return share < MAX_PROSE_OF_COMMENTS;
  return words.some((word) => CHROME_WORDS.has(word)) && share < MAX_PROSE_OF_NAMED;
}

function isHidden(attributes: Readonly<Record<string, string>>): boolean {
  if (attributes.hidden !== undefined || attributes["aria-hidden"] === "true") return true;
  if (attributes.style && /display\s*:\s*none|visibility\s*:\s*hidden/i.test(attributes.style)) return true;
  return (attributes.class ?? "").split(/\s+/).some((name) => HIDDEN_WORDS.has(name.toLowerCase()));
}

/** The words of class and id: `siteNav main-menu` → site, nav, main, menu; `sidebar-1` and `sidebar1` → sidebar. */
function nameWords({ class: classes = "", id = "" }: Readonly<Record<string, string>>): string[] {
  if (classes === "" && id === "") return [];
  return `${classes} ${id}`
    .slice(0, 500)
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z]+/);
}

function isInside(element: PageElement, ...names: string[]): boolean {
  for (let at = element.parent; at; at = at.parent) if (names.includes(at.name)) return true;
  return false;
}
