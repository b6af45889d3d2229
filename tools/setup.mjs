/**
 * Makes a fresh clone ready: `node tools/setup.mjs` needs Node and nothing else. It may be interrupted and run again, also twice at a time;
 * what stands is left alone, so that `npm test` and `npm run quickstart` can afford to run it first.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildNative, demandCompiler } from "./build-native.mjs";
import { standingChoice, writeConfig } from "./setup/config.mjs";
import { fetchLibtorch } from "./setup/fetch.mjs";
import { cachedRoot, findLibtorch, PINNED_VERSION, triedLines } from "./setup/libtorch.mjs";
import { withLock } from "./setup/lock.mjs";
import { dependenciesAreInstalled, installDependencies } from "./setup/npm.mjs";
import { installPackages } from "./setup/packages.mjs";
import { elapsed, repository, runTool, SetupError } from "./setup/say.mjs";
import { buildTypescript } from "./setup/typescript.mjs";

/** @typedef {import("./setup/libtorch.mjs").Libtorch} Libtorch */

const HELP = `npm run setup -- [options]      makes this clone ready to run

  --system-libtorch   build against the distribution's libtorch-dev (Debian 13) instead
  --quiet             say nothing when there is nothing to do
  --help              this text

It installs the npm dependencies, finds or fetches libtorch, and builds the native addons and the packages.
Where libtorch comes from, first found wins: $LIBTORCH; the module torch (2.6 or newer) of the python3 on PATH;
the cache ($PERENNIAL_CACHE, else ~/.cache/perennial); PyPI's torch ${PINNED_VERSION}, fetched into the cache.
The choice stands until one of these variables changes or packages/torch/build is removed.`;

const MINIMUM_NODE = 20;

async function main() {
  const options = readOptions();
  if (options.help) return console.log(HELP);
  if (Number(process.versions.node.split(".", 1)[0]) < MINIMUM_NODE) {
    throw new SetupError(
      `Node ${MINIMUM_NODE} or newer is needed, this is ${process.version}.`,
      "install it from https://nodejs.org or with your version manager",
    );
  }
  const did = await withLock(join(repository, "build/setup.lock"), "the set-up", () => setUp(options));
  if (did.some(({ changed }) => changed) || !options.quiet) for (const { what, state } of did) console.log(`${what.padEnd(14)} ${state}`);
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: { "system-libtorch": { type: "boolean" }, quiet: { type: "boolean" }, help: { type: "boolean" } },
    });
    return { system: values["system-libtorch"] === true, quiet: values.quiet === true, help: values.help === true };
  } catch (error) {
    throw new SetupError(/** @type {Error} */ (error).message, "npm run setup -- --help");
  }
}

/** @typedef {{ what: string, state: string, changed: boolean }} Done one line of the closing summary */

/**
 * @param {{ system: boolean }} options
 * @returns {Promise<Done[]>}
 */
async function setUp(options) {
  // What can be missing for good is asked for before anything long begins.
  const compiler = await demandCompiler();
  const [dependencies, { libtorch, done }] = await together(dependenciesStep(), libtorchStep(options));
  const [addons, packages] = await together(nativeStep(libtorch), typescriptStep());
  return [
    { what: "Node", state: process.version, changed: false },
    { what: "C++ compiler", state: compiler.identity, changed: false },
    dependencies,
    done,
    addons,
    packages,
  ];
}

/**
 * Both results; where one fails, only once the other has ended, since the lock must cover it.
 * @template A, B
 * @param {Promise<A>} a
 * @param {Promise<B>} b
 * @returns {Promise<[A, B]>}
 */
async function together(a, b) {
  await Promise.allSettled([a, b]);
  return [await a, await b];
}

/** @returns {Promise<Done>} */
async function dependenciesStep() {
  const what = "npm packages";
  if (dependenciesAreInstalled()) return { what, state: "up to date", changed: false };
  const began = performance.now();
  console.log("installing the npm packages");
  await installDependencies();
  return { what, state: `installed in ${elapsed(began)}`, changed: true };
}

/**
 * @param {{ system: boolean }} options
 * @returns {Promise<{ libtorch: Libtorch, done: Done }>}
 */
async function libtorchStep(options) {
  const what = "libtorch";
  const standing = standingChoice(options);
  if (standing !== undefined) return { libtorch: standing.libtorch, done: { what, state: described(standing.libtorch), changed: false } };
  let { libtorch, tried } = await findLibtorch(options);
  let fetched = "";
  if (libtorch === undefined) {
    const began = performance.now();
    console.log(triedLines(tried));
    await (options.system ? installPackages("libtorch of the system", SYSTEM_LIBTORCH) : fetchLibtorch());
    fetched = `, ${options.system ? "installed" : "fetched"} in ${elapsed(began)}`;
    ({ libtorch, tried } = await findLibtorch(options));
  }
  if (libtorch === undefined)
    throw new SetupError(
      `There is no libtorch to build against.\n${triedLines(tried)}`,
      options.system ? "npm run setup without --system-libtorch" : `rm -r ${cachedRoot()}`,
    );
  writeConfig({ libtorch, tried });
  return { libtorch, done: { what, state: described(libtorch) + fetched, changed: true } };
}

/**
 * @param {Libtorch} libtorch
 * @returns {Promise<Done>}
 */
async function nativeStep(libtorch) {
  const built = await buildNative({ text: true, libtorch });
  return { what: "native addons", state: built.length === 0 ? "up to date" : built.join("; "), changed: built.length > 0 };
}

/** @returns {Promise<Done>} */
async function typescriptStep() {
  const began = performance.now();
  const compiled = await buildTypescript();
  return { what: "TypeScript", state: compiled ? `compiled in ${elapsed(began)}` : "up to date", changed: compiled };
}

/** Debian 13 has 2.6. */
const SYSTEM_LIBTORCH = { debian: ["libtorch-dev"], fedora: ["pytorch-devel"], macos: "brew install pytorch" };

/** @param {Libtorch} libtorch */
const described = ({ version, source, root }) =>
  `${version} from ${source === "$LIBTORCH" ? source : source === "cache" ? "the cache" : source === "system" ? "the system" : source}, ${root}`;

await runTool(main);
