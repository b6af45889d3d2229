/** The steps that this package's own set-up and the repository's share: compiler, libtorch, addon. */
import { accessSync, constants } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { buildAddon, findCompiler, sourcesIn } from "./compile.mjs";
import { packageFolder, standingChoice, writeConfig } from "./config.mjs";
import { fetchLibtorch } from "./fetch.mjs";
import { cachedRoot, compareVersions, findLibtorch, MINIMUM_VERSION, PINNED_VERSION, triedLines } from "./libtorch.mjs";
import { withLock } from "./lock.mjs";
import { installPackages } from "./packages.mjs";
import { run } from "./process.mjs";
import { elapsed, SetupError } from "./say.mjs";

/** @typedef {import("./compile.mjs").Addon} Addon */
/** @typedef {import("./libtorch.mjs").Libtorch} Libtorch */
/** @typedef {{ what: string, state: string, changed: boolean }} Done one line of the closing summary */

export const OPTIONS_HELP = `  --system-libtorch   build against the distribution's libtorch-dev (Debian 13) instead
  --quiet             say nothing when there is nothing to do
  --help              this text`;

export const LIBTORCH_HELP = `Where libtorch comes from, first found wins: $LIBTORCH; the module torch (2.6 or newer) of the python3 on PATH;
the cache ($PERENNIAL_CACHE, else ~/.cache/perennial); PyPI's torch ${PINNED_VERSION}, fetched into the cache.
The choice stands until one of these variables changes or the package's folder build is removed.`;

const MINIMUM_NODE = 20;

/**
 * A set-up from its options to its closing summary.
 * @param {{ args: string[], help: string, askForHelp: string, work: (options: { system: boolean }) => Promise<Done[]> }} setUp
 *   `askForHelp`: the command that prints `help`
 */
export async function runSetUp({ args, help, askForHelp, work }) {
  const options = readOptions(args, askForHelp);
  if (options.help) return console.log(help);
  if (Number(process.versions.node.split(".", 1)[0]) < MINIMUM_NODE) {
    throw new SetupError(
      `Node ${MINIMUM_NODE} or newer is needed, this is ${process.version}.`,
      "install it from https://nodejs.org or with your version manager",
    );
  }
  demandWritable();
  const did = await withLock(join(packageFolder, "build/setup.lock"), "the set-up", () => work(options));
  if (did.some(({ changed }) => changed) || !options.quiet) for (const { what, state } of did) console.log(`${what.padEnd(14)} ${state}`);
}

/**
 * @param {string[]} args
 * @param {string} askForHelp
 */
function readOptions(args, askForHelp) {
  try {
    const { values } = parseArgs({
      args,
      options: { "system-libtorch": { type: "boolean" }, quiet: { type: "boolean" }, help: { type: "boolean" } },
    });
    return { system: values["system-libtorch"] === true, quiet: values.quiet === true, help: values.help === true };
  } catch (error) {
    throw new SetupError(/** @type {Error} */ (error).message, askForHelp);
  }
}

/** The addon is built inside of the package, which somebody else may have installed. */
function demandWritable() {
  try {
    accessSync(packageFolder, constants.W_OK);
  } catch {
    throw new SetupError(
      `The addon is built in ${packageFolder}, where this user may not write.`,
      "npm install the package into a folder of your own, or become the user who installed it",
    );
  }
}

/** The C++ compiler, installed where that is allowed. */
export async function demandCompiler() {
  const found = await findCompiler();
  if (found !== undefined) return found;
  await installPackages("C++ compiler (looked for $CXX, g++ and clang++)", {
    debian: ["g++"],
    fedora: ["gcc-c++"],
    macos: "xcode-select --install",
  });
  const installed = await findCompiler();
  if (installed === undefined)
    throw new SetupError("The compiler that was just installed does not run.", "g++ --version, and see what it says");
  return installed;
}

/** @returns {Promise<Done[]>} what the set-up runs on; what can be missing for good is asked for before anything long begins */
export async function toolsStep() {
  const compiler = await demandCompiler();
  return [
    { what: "Node", state: process.version, changed: false },
    { what: "C++ compiler", state: compiler.identity, changed: false },
  ];
}

/**
 * Finds libtorch, or fetches it.
 * @param {{ system: boolean }} options
 * @returns {Promise<{ libtorch: Libtorch, done: Done }>}
 */
export async function libtorchStep(options) {
  const what = "libtorch";
  const standing = standingChoice(options);
  if (standing !== undefined) return { libtorch: standing.libtorch, done: { what, state: described(standing.libtorch), changed: false } };
  let { libtorch, tried } = await findLibtorch(options);
  let fetched = "";
  if (libtorch === undefined) {
    const began = performance.now();
    console.log(triedLines(tried));
    if (options.system) await demandNewPackage();
    await (options.system ? installPackages("libtorch of the system", SYSTEM_LIBTORCH) : fetchLibtorch());
    fetched = `, ${options.system ? "installed" : "fetched"} in ${elapsed(began)}`;
    ({ libtorch, tried } = await findLibtorch(options));
  }
  if (libtorch === undefined)
    throw new SetupError(
      `There is no libtorch to build against.\n${triedLines(tried)}`,
      options.system ? "leave out --system-libtorch" : `rm -r ${cachedRoot()}`,
    );
  writeConfig({ libtorch, tried });
  return { libtorch, done: { what, state: described(libtorch) + fetched, changed: true } };
}

/**
 * Brings addons up to date; one that has no sources is passed over.
 * @param {readonly Addon[]} addons
 * @returns {Promise<string[]>} one line for each addon that was built
 */
export async function buildAddons(addons) {
  const compiler = await demandCompiler();
  /** @type {string[]} */
  const built = [];
  for (const addon of addons) {
    if (sourcesIn(addon.sources).length === 0) continue;
    const began = performance.now();
    const { compiled, linked } = await withLock(join(dirname(addon.output), "lock"), `the build of ${addon.name}`, () =>
      buildAddon(addon, compiler),
    );
    if (linked)
      built.push(`${addon.name}: ${compiled} ${compiled === 1 ? "file" : "files"} compiled with ${compiler.identity} in ${elapsed(began)}`);
  }
  return built;
}

/**
 * @param {readonly Addon[]} addons
 * @returns {Promise<Done>}
 */
export async function addonsStep(addons) {
  const built = await buildAddons(addons);
  return { what: "native addons", state: built.length === 0 ? "up to date" : built.join("; "), changed: built.length > 0 };
}

/** Asked before it is installed: Debian 12 and Ubuntu 24.04 have releases that are too old. */
async function demandNewPackage() {
  const asked = await run("apt-cache", ["policy", SYSTEM_LIBTORCH.debian[0]]);
  const version = /Candidate: (\d+(\.\d+)+)/.exec(asked.stdout)?.[1];
  if (version !== undefined && compareVersions(version, MINIMUM_VERSION) < 0)
    throw new SetupError(
      `This distribution's ${SYSTEM_LIBTORCH.debian[0]} is ${version}, ${MINIMUM_VERSION} or newer is needed.`,
      "leave out --system-libtorch (then one is found or fetched)",
    );
}

/** Debian 13 has 2.6. */
const SYSTEM_LIBTORCH = { debian: /** @type {const} */ (["libtorch-dev"]), fedora: ["pytorch-devel"], macos: "brew install pytorch" };

/** @param {Libtorch} libtorch */
const described = ({ version, source, root }) =>
  `${version} from ${source === "$LIBTORCH" ? source : source === "cache" ? "the cache" : source === "system" ? "the system" : source}, ${root}`;
