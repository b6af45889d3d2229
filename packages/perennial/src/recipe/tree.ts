/**
 * A recipe while it is still text: YAML nodes, each of which knows its line or the `--set` it came from. Overrides and inheritance move
 * nodes instead of values, so that whatever is wrong in the end can be traced to what somebody wrote.
 */
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type LineCounter, type Node, type ParsedNode, visit, YAMLMap } from "yaml";
import { type FieldErrorData, nearest } from "../errors.ts";

export type Path = readonly (string | number)[];
export type Tree = Document<Node> | Document.Parsed<ParsedNode>;

const ORIGIN = Symbol("origin");
type Marked = Node & { [ORIGIN]?: string };

export class Origins {
  private readonly file: string;
  private readonly lines: LineCounter;

  constructor(file: string, lines: LineCounter) {
    this.file = file;
    this.lines = lines;
  }

  /** Marks a node, and all inside it, that does not stand in the file. Copies of the node keep the mark. */
  mark(node: Node, origin: string): void {
    visit(node, {
      Node: (_, inner: Marked) => {
        inner[ORIGIN] = origin;
      },
    });
  }

  /** `recipe.yaml:14` of the deepest node on `path`; with `key`, of that key in the map at `path`. */
  at(root: Node | null, path: Path, document: Tree, key?: string): string {
    let place = this.file;
    let node: Node | null | undefined = root;
    const look = (found: Node | null | undefined) => {
      const origin = this.originOf(found);
      if (origin !== undefined) place = origin;
    };
    look(node);
    for (const segment of key === undefined ? path : [...path, key]) {
      const { key: keyNode, value } = child(node, segment, document);
      look(keyNode);
      // The value of a map starts on a line of its own; its key says better where it stands.
      if (!isMap(value) || keyNode === undefined) look(value);
      node = value;
      if (node === undefined || node === null) break;
    }
    return place;
  }

  private originOf(node: Node | null | undefined): string | undefined {
    if (node === undefined || node === null) return undefined;
    const given = (node as Marked)[ORIGIN];
    if (given !== undefined) return given;
    return node.range === undefined || node.range === null ? undefined : `${this.file}:${this.lines.linePos(node.range[0]).line}`;
  }
}

function child(node: Node | null | undefined, segment: string | number, document: Tree): { key?: Node; value?: Node | null } {
  const resolved = isAlias(node) ? node.resolve(document as Document) : node;
  if (isMap(resolved)) {
    const pair = resolved.items.find((item) => keyOf(item.key) === String(segment));
    if (pair === undefined) return {};
    return { ...(isNode(pair.key) ? { key: pair.key } : {}), value: isNode(pair.value) ? pair.value : null };
  }
  if (isSeq(resolved)) {
    const item = resolved.items[Number(segment)];
    return isNode(item) ? { value: item } : {};
  }
  return {};
}

const keyOf = (key: unknown): string => String(isScalar(key) ? key.value : key);

/** `stages[0].train` and `stages.basque.train` → segments. */
export function parsePath(path: string): string[] {
  return path
    .replace(/\[(\w+|\*)\]/g, ".$1")
    .split(".")
    .filter((segment) => segment !== "");
}

export function formatPath(path: Path): string {
  return path.map((segment, i) => (typeof segment === "number" ? `[${segment}]` : i === 0 ? segment : `.${segment}`)).join("");
}

/**
 * Puts `value` at `path`, making maps on the way; null removes what is there. A list is entered by number, by the `name` of an entry, or
 * by `*` for all of them. Returns a problem when the path leads nowhere.
 */
export function setAt(root: Node, path: readonly string[], value: Node, at: string): FieldErrorData | undefined {
  const [segment, ...rest] = path;
  if (segment === undefined) return { at, expected: "a path such as train.tokens" };
  if (isSeq(root)) {
    const items = root.items.filter(isNode);
    if (segment === "*") return items.map((item) => setAt(item, rest, value, at)).find((problem) => problem !== undefined);
    const entry = /^\d+$/.test(segment) ? items[Number(segment)] : items.find((item) => nameOf(item) === segment);
    if (entry !== undefined && rest.length > 0) return setAt(entry, rest, value, at);
    const names = items.map(nameOf).filter((name) => name !== undefined);
    const near = nearest(segment, names);
    return {
      at,
      expected: `an entry of the list by number or name (${names.join(", ")}) and then a field`,
      received: segment,
      ...(near === undefined ? {} : { todo: `did you mean ${near}?` }),
    };
  }
  if (!isMap(root)) return { at, expected: `a map or list to find ${segment} in` };
  const pair = root.items.find((item) => keyOf(item.key) === segment);
  if (rest.length === 0) {
    if (isScalar(value) && value.value === null) {
      root.delete(segment);
      return undefined;
    }
    for (const rival of rivalsOf(segment)) if (rival !== segment) root.delete(rival);
    if (pair === undefined) root.set(segment, value);
    else pair.value = value;
    return undefined;
  }
  if (isMap(pair?.value) || isSeq(pair?.value)) return setAt(pair.value, rest, value, at);
  const made: Marked = new YAMLMap();
  made[ORIGIN] = at;
  if (pair === undefined) root.set(segment, made);
  else pair.value = made;
  return setAt(made, rest, value, at);
}

function nameOf(node: Node): string | undefined {
  const name = isMap(node) ? node.get("name") : undefined;
  return typeof name === "string" ? name : undefined;
}

/** Fields of which only one may be given: the nearer one drives the inherited ones out. */
const EXCLUSIVE = [
  ["tokens", "steps"],
  ["tokensPerStep", "gradientAccumulationSteps"],
];

/** Besides those above: a phase in steps or as a share. */
function rivalsOf(key: string): readonly string[] {
  const group = EXCLUSIVE.find((fields) => fields.includes(key));
  if (group !== undefined) return group;
  const phase = /^(.+)(Steps|Share)$/.exec(key);
  return phase === null ? [] : [`${phase[1]}${phase[2] === "Steps" ? "Share" : "Steps"}`];
}

/** `own` over `inherited`. Maps are merged, except those that name another kind of thing: another schedule inherits nothing. */
export function inherit(own: YAMLMap, inherited: YAMLMap): YAMLMap {
  const merged = new YAMLMap();
  merged.range = own.range ?? null;
  merged.items = [...own.items];
  for (const pair of inherited.items) {
    const key = keyOf(pair.key);
    const mine = own.items.find((item) => keyOf(item.key) === key);
    const rivals = rivalsOf(key);
    if (mine === undefined) {
      if (!rivals.some((rival) => own.has(rival))) merged.items.push(pair);
    } else if (isMap(mine.value) && isMap(pair.value) && sameKind(mine.value, pair.value))
      merged.items[merged.items.indexOf(mine)] = withValue(mine, inherit(mine.value, pair.value));
  }
  return merged;
}

function sameKind(own: YAMLMap, inherited: YAMLMap): boolean {
  return ["name", "rule", "schedule"].every((key) => !own.has(key) || !inherited.has(key) || own.get(key) === inherited.get(key));
}

function withValue(pair: YAMLMap["items"][number], value: Node): YAMLMap["items"][number] {
  const copy = pair.clone();
  copy.key = pair.key;
  copy.value = value;
  return copy;
}
