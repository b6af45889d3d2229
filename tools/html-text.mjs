// Pages of documentation as plain text, for the scripts that make excerpts.
const BLOCKS = new Set(["h1", "h2", "h3", "h4", "h5", "h6", "p", "li", "td", "th", "dt", "dd", "pre"]);
const LEFT_OUT = new Set(["script", "style", "nav", "header", "footer", "aside", "noscript", "button", "img", "svg"]);

/**
 * A node of the parsed page, as far as it is read here.
 * @typedef {{ type: string, name?: string, data?: string, attribs?: Record<string, string>, children?: Node[] }} Node
 */

/**
 * The text of a page: one line per block, in reading order, each line once.
 * @param {unknown} document as htmlparser2 parses it
 * @param {(node: Node) => boolean} isBody the part of the page that is text
 * @param {ReadonlySet<string>} [leftOut] further classes that are no text
 */
export function textOf(document, isBody, leftOut = new Set()) {
  /** @type {string[]} */
  const lines = [];
  const body = find(/** @type {Node} */ (document), isBody);
  if (body !== undefined) blocks(body, lines, leftOut);
  return [...new Set(lines)].join("\n");
}

/** @param {Node} node @param {ReadonlySet<string>} leftOut */
const isLeftOut = ({ name = "", attribs }, leftOut) =>
  LEFT_OUT.has(name) || (attribs?.class ?? "").split(" ").some((part) => leftOut.has(part));

/** @param {Node} node @param {string[]} lines @param {ReadonlySet<string>} leftOut */
function blocks(node, lines, leftOut) {
  for (const child of node.children ?? []) {
    if (isLeftOut(child, leftOut)) continue;
    if (BLOCKS.has(child.name ?? "") && find(child, (inner) => inner !== child && BLOCKS.has(inner.name ?? "")) === undefined) {
      const text = plain(child, leftOut).replace(/\s+/g, " ").trim();
      if (text !== "") lines.push(text);
    } else blocks(child, lines, leftOut);
  }
}

/** @param {Node} node @param {ReadonlySet<string>} leftOut @returns {string} */
function plain(node, leftOut) {
  if (node.type === "text") return node.data ?? "";
  return isLeftOut(node, leftOut) ? "" : (node.children ?? []).map((child) => plain(child, leftOut)).join("");
}

/** @param {Node} node @param {(node: Node) => boolean} test @returns {Node | undefined} */
function find(node, test) {
  if (test(node)) return node;
  for (const child of node.children ?? []) {
    const found = find(child, test);
    if (found !== undefined) return found;
  }
  return undefined;
}
