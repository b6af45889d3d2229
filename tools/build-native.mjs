/** Builds the native addons, without node-gyp or cmake: `node tools/build-native.mjs [torch|text]`, both without an argument. */
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { textAddon, torchAddon } from "./setup/addons.mjs";
import { buildAddon, findCompiler, sourcesIn } from "./setup/compile.mjs";
import { standingChoice, writeConfig } from "./setup/config.mjs";
import { findLibtorch, triedLines } from "./setup/libtorch.mjs";
import { withLock } from "./setup/lock.mjs";
import { installPackages } from "./setup/packages.mjs";
import { elapsed, runTool, SetupError } from "./setup/say.mjs";

/**
 * Brings the addons up to date, the torch addon only where a libtorch is given. An addon that has no sources yet is passed over.
 * @param {{ text: boolean, libtorch?: import("./setup/libtorch.mjs").Libtorch | undefined }} wanted
 * @returns {Promise<string[]>} one line for each addon that was built
 */
export async function buildNative({ text, libtorch }) {
  const compiler = await demandCompiler();
  /** @type {string[]} */
  const built = [];
  for (const addon of [...(libtorch ? [torchAddon(libtorch)] : []), ...(text ? [textAddon()] : [])]) {
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

/** The libtorch chosen before, else the first one found; never fetches. */
async function chooseLibtorch() {
  const { libtorch, tried } = standingChoice({}) ?? (await findLibtorch());
  if (libtorch === undefined) throw new SetupError(`There is no libtorch yet.\n${triedLines(tried)}`, "npm run setup, which fetches one");
  writeConfig({ libtorch, tried });
  return libtorch;
}

async function main() {
  const names = process.argv.slice(2);
  if (names.length > 1 || (names[0] !== undefined && names[0] !== "torch" && names[0] !== "text")) {
    throw new SetupError(`Expected one addon, torch or text, received ${names.join(" ")}.`, "node tools/build-native.mjs [torch|text]");
  }
  const libtorch = names[0] === "text" ? undefined : await chooseLibtorch();
  const built = await buildNative({ text: names[0] !== "torch", libtorch });
  console.log(built.length === 0 ? "nothing to build" : built.join("\n"));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await runTool(main);
