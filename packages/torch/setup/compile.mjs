/** Compiles the sources of one addon with g++ (or clang) and links them: an object per source, rebuilt only when something that it reads has changed. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join, relative } from "node:path";
import { run, which } from "./process.mjs";
import { elapsed, SetupError } from "./say.mjs";

/**
 * @typedef {object} Addon
 * @property {string} name
 * @property {string} against version of the library that it is built against: headers may change under the same path
 * @property {string} sources folder that is searched for .cpp files
 * @property {string} output  the .node file
 * @property {readonly string[]} compileFlags
 * @property {readonly string[]} linkFlags
 *
 * @typedef {{ program: string, identity: string }} Compiler
 */

/**
 * The C++ compiler: `$CXX`, else g++, else clang++.
 * @returns {Promise<Compiler | undefined>}
 */
export async function findCompiler() {
  const program = process.env.CXX || ["g++", "clang++"].find((name) => which(name));
  if (program === undefined) return undefined;
  const asked = await run(program, ["--version"]);
  if (asked.status !== 0) return undefined;
  return { program, identity: asked.stdout.split("\n", 1)[0] ?? program };
}

/**
 * Brings the addon up to date.
 * @param {Addon} addon
 * @param {Compiler} compiler
 * @returns {Promise<{ compiled: number, linked: boolean }>}
 */
export async function buildAddon(addon, compiler) {
  const objects = join(dirname(addon.output), "obj");
  const units = sourcesIn(addon.sources).map((source) => unitOf(addon, source, objects, compiler));
  removeOrphans(objects, new Set(units.map(({ object }) => object)));
  const stale = units.filter((unit) => !isUpToDate(unit));
  // The longest first: with a worker per core, a long file begun last would be waited for alone.
  stale.sort((a, b) => readFileSync(b.source).length - readFileSync(a.source).length);
  await inParallel(stale, availableParallelism(), (unit) => compile(unit, compiler));

  const linkArguments = ["-shared", ...platformLinkFlags, ...units.map(({ object }) => object), ...addon.linkFlags];
  const linkStamp = digest([compiler.identity, ...linkArguments, ...units.map(({ stamp }) => readFileSync(stamp, "utf8"))]);
  const stampFile = `${addon.output}.stamp`;
  if (existsSync(addon.output) && readIfThere(stampFile) === linkStamp) return { compiled: stale.length, linked: false };
  await link(addon, compiler, linkArguments);
  writeFileSync(stampFile, linkStamp);
  return { compiled: stale.length, linked: true };
}

/** N-API's own symbols are resolved by the node executable that loads the addon. */
const platformLinkFlags = process.platform === "darwin" ? ["-undefined", "dynamic_lookup"] : ["-Wl,-z,noexecstack"];

/**
 * @param {string} folder
 * @returns {string[]} full paths, in a fixed order; empty when there is no such folder
 */
export function sourcesIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".cpp"))
    .sort()
    .map((name) => join(folder, name));
}

/** @typedef {{ source: string, sources: string, object: string, dependencies: string, stamp: string, args: string[], identity: string }} Unit
 *   identity: compiler and library */

/**
 * @param {Addon} addon
 * @param {string} source
 * @param {string} objects
 * @param {Compiler} compiler
 * @returns {Unit}
 */
function unitOf(addon, source, objects, { identity }) {
  const base = join(objects, relative(addon.sources, source));
  const args = [...addon.compileFlags, ...ownFlags(readFileSync(source, "utf8"))];
  return {
    source,
    sources: addon.sources,
    object: `${base}.o`,
    dependencies: `${base}.d`,
    stamp: `${base}.stamp`,
    args,
    identity: `${identity}, ${addon.against}`,
  };
}

/**
 * A source may ask for instructions that not every processor has, for kernels that are chosen at run time:
 * a leading comment `// build: -mavx512f -mavx512bw`. Elsewhere than on x86-64 it is compiled without them.
 * @param {string} text
 */
export function ownFlags(text, architecture = process.arch) {
  if (architecture !== "x64") return [];
  const head = text.match(/^(?:\s*\/\/.*\n)*/)?.[0] ?? "";
  return [...head.matchAll(/^\s*\/\/ build:(.*)$/gm)].flatMap(([, flags = ""]) => flags.trim().split(/\s+/)).filter(Boolean);
}

/** @param {Unit} unit */
const isUpToDate = (unit) => existsSync(unit.object) && readIfThere(unit.stamp) === stampOf(unit);

/**
 * Everything that decides what the object holds: compiler, flags, the source and those headers of the addon that it read.
 * Headers from outside belong to a versioned folder that the flags name.
 * @param {Unit} unit
 */
function stampOf({ source, sources, dependencies, args, identity }) {
  const rule = readIfThere(dependencies) ?? "";
  const headers = rule
    .replace(/^[^:]*:/, "")
    .replaceAll("\\\n", " ")
    .split(/\s+/)
    .filter((path) => path.startsWith(`${sources}/`) && path !== source);
  return digest([identity, ...args, ...[source, ...headers].map((path) => readIfThere(path) ?? "missing")]);
}

/**
 * @param {Unit} unit
 * @param {Compiler} compiler
 */
async function compile(unit, { program, identity }) {
  const began = performance.now();
  mkdirSync(dirname(unit.object), { recursive: true });
  rmSync(unit.stamp, { force: true });
  const { status, stderr } = await run(program, [...unit.args, "-MMD", "-MF", unit.dependencies, "-c", unit.source, "-o", unit.object]);
  const name = relative(dirname(unit.sources), unit.source);
  if (status !== 0) {
    const todo = `look at the message above; ${identity} was used, g++ 11 or newer is needed (another compiler: CXX=<program>)`;
    throw new SetupError(
      `${name} does not compile:\n${stderr.trim() || "the compiler was killed, probably for want of memory (1.5 GB a file)"}`,
      todo,
    );
  }
  if (stderr !== "") console.error(stderr.trimEnd());
  // A source edited while it was compiled gets no stamp that it did not earn: the next build compares with what is read now.
  writeFileSync(unit.stamp, stampOf(unit));
  console.log(`  compiled ${name} in ${elapsed(began)}`);
}

/**
 * Linked beside its place and renamed, so that a process that has the old addon open keeps it.
 * @param {Addon} addon
 * @param {Compiler} compiler
 * @param {readonly string[]} args
 */
async function link(addon, { program }, args) {
  const temporary = `${addon.output}.new`;
  const { status, stderr } = await run(program, [...args, "-o", temporary]);
  if (status !== 0) throw new SetupError(`${addon.name} does not link:\n${stderr.trim()}`, "look at the message above");
  renameSync(temporary, addon.output);
  console.log(`  linked ${addon.name}`);
}

/**
 * Objects whose source was renamed or removed.
 * @param {string} folder
 * @param {ReadonlySet<string>} wanted
 */
function removeOrphans(folder, wanted) {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const path = join(folder, name);
    if (name.endsWith(".o") && !wanted.has(path)) rmSync(path);
  }
}

/**
 * Begins nothing after a failure, and throws it once nothing is under way any more, since a lock may cover the work.
 * @template T
 * @param {readonly T[]} items
 * @param {number} workers
 * @param {(item: T) => Promise<void>} work
 */
async function inParallel(items, workers, work) {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  const stopAll = (/** @type {unknown} */ error) => {
    queue.length = 0;
    throw error;
  };
  const ended = await Promise.allSettled(Array.from({ length: workers }, () => worker().catch(stopAll)));
  for (const result of ended) if (result.status === "rejected") throw result.reason;
}

/** @param {readonly string[]} parts */
function digest(parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}\n`).update(part);
  return hash.digest("hex");
}

/** @param {string} path */
function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}
