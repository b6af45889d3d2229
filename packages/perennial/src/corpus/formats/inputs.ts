import { type Dirent, existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import { FieldError, PerennialError } from "../../errors.ts";

export type Format = "jsonl" | "parquet" | "text";
export type Compression = "none" | "gzip" | "zstd";

/** A file of documents. What is inside is told by its name. */
export interface InputFile {
  readonly path: string;
  readonly format: Format;
  readonly compression: Compression;
  readonly sizeBytes: number;
}

const FORMATS: Readonly<Record<string, Format>> = { jsonl: "jsonl", ndjson: "jsonl", parquet: "parquet", txt: "text", md: "text" };
const COMPRESSIONS: Readonly<Record<string, Compression>> = { gz: "gzip", zst: "zstd" };
const KNOWN = ".jsonl, .ndjson, .txt or .md (each also with .gz or .zst), or .parquet";

/**
 * The files behind a list of files, folders and globs (`*`, `?`, `**`, `{a,b}`), each once, in the order of the list and by path
 * inside a folder or glob: the same on every machine. A folder gives the files that have a known ending, in all its subfolders;
 * names that begin with a dot are passed over.
 */
export function findInputs(paths: readonly string[]): InputFile[] {
  const found = new Map<string, InputFile>();
  for (const path of paths) {
    const before = found.size;
    let matches = 0;
    for (const file of expand(path)) {
      matches++;
      if (!found.has(file.path)) found.set(file.path, file);
    }
    if (matches === 0 && found.size === before)
      throw new FieldError("NO_INPUT_FILES", { at: path, expected: `at least one file with the ending ${KNOWN}` });
  }
  return [...found.values()];
}

function* expand(path: string): Generator<InputFile> {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  for (const file of matchPaths(path)) if (!isFolder || formatOf(file) !== undefined) yield inputFile(file);
}

/** The file at a path, all files under a folder, or those that a glob matches; whatever they are. */
export function* matchPaths(path: string): Generator<string> {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory()) {
    yield* walk(path);
  } else if (stats !== undefined) {
    yield path;
  } else if (/[*?{]/.test(path)) {
    const segments = path.split("/");
    const root = segments
      .slice(
        0,
        segments.findIndex((segment) => /[*?{]/.test(segment)),
      )
      .join("/");
    const pattern = globPattern(path);
    const folder = root === "" ? (path.startsWith("/") ? "/" : ".") : root;
    if (!existsSync(folder)) throw new PerennialError("INPUT_MISSING", `${path}: there is no folder ${folder}.`);
    for (const file of walk(folder)) if (pattern.test(file)) yield file;
  } else {
    throw new PerennialError("INPUT_MISSING", `${path}: no such file or folder.`);
  }
}

/** All files under a folder, sorted by name level by level. A folder that links back to one of its parents is entered once. */
function* walk(folder: string, parents: readonly string[] = []): Generator<string> {
  const real = realpathSync(folder);
  if (parents.includes(real)) return;
  const entries: Dirent[] = readdirSync(folder, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (entry.name.startsWith(".")) continue;
    const path = folder === "." ? entry.name : join(folder, entry.name).split(sep).join("/");
    const kind = entry.isSymbolicLink() ? statSync(path, { throwIfNoEntry: false }) : entry;
    if (kind?.isDirectory()) yield* walk(path, [...parents, real]);
    else if (kind?.isFile()) yield path;
  }
}

/** `*` and `?` stay inside a path segment, `**` crosses them, `{a,b}` is either. */
export function globPattern(glob: string): RegExp {
  let depth = 0;
  const source = glob.replace(/^\.\//, "").replace(/\*\*\/|\*\*|[*?{},]|[\\^$.|+()[\]]/g, (sign) => {
    if (sign === "**/") return "(?:.*/)?";
    if (sign === "**") return ".*";
    if (sign === "*") return "[^/]*";
    if (sign === "?") return "[^/]";
    if (sign === "{") return ++depth > 0 ? "(?:" : "";
    if (sign === "}") return depth-- > 0 ? ")" : "\\}";
    if (sign === ",") return depth > 0 ? "|" : ",";
    return `\\${sign}`;
  });
  if (depth !== 0) throw new FieldError("BAD_GLOB", { at: glob, expected: "every { to be closed by a }" });
  return new RegExp(`^(?:\\./)?${source}$`, "u");
}

/** What the ending of a name or address says; undefined for endings that are not known. */
export function formatOf(path: string): { format: Format; compression: Compression } | undefined {
  const [, inner, outer] = /(?:\.([a-z0-9]+))?\.([a-z0-9]+)$/.exec(path.toLowerCase()) ?? [];
  const compression = COMPRESSIONS[outer ?? ""];
  const format = FORMATS[(compression === undefined ? outer : inner) ?? ""];
  if (format === undefined || (format === "parquet" && compression !== undefined)) return undefined;
  return { format, compression: compression ?? "none" };
}

function inputFile(path: string): InputFile {
  const kind = formatOf(path);
  if (kind === undefined) throw new FieldError("UNKNOWN_FORMAT", { at: path, expected: `a file with the ending ${KNOWN}` });
  return { path, ...kind, sizeBytes: statSync(path).size };
}
