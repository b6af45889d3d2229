/** Which libtorch to build against. First found wins: `$LIBTORCH`, an importable Python torch, our own cache; the system's by choice. */
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { run } from "./process.mjs";
import { SetupError } from "./say.mjs";

/**
 * @typedef {object} Libtorch
 * @property {string} root   folder that was found, e.g. site-packages/torch
 * @property {string} include folder with ATen/, c10/ and torch/
 * @property {string} lib    folder with libtorch_cpu
 * @property {string} version e.g. 2.15.0
 * @property {"$LIBTORCH" | "Python" | "cache" | "system"} source
 *
 * @typedef {{ place: string, found: string }} Tried
 */

export const PINNED_VERSION = "2.15.0";
export const MINIMUM_VERSION = "2.6";

export const sharedLibrary = (/** @type {string} */ name) => (process.platform === "darwin" ? `lib${name}.dylib` : `lib${name}.so`);

/** The user's cache folder: `$PERENNIAL_CACHE`, else `perennial` in the XDG cache folder. */
export function cacheFolder() {
  return process.env.PERENNIAL_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "perennial");
}

/** An NVIDIA driver is loaded, so the CUDA libraries are of use. */
export const hasNvidiaGpu = () =>
  ["/dev/nvidia0", "/proc/driver/nvidia/version", "/usr/lib/wsl/lib/libcuda.so.1"].some((path) => existsSync(path));

/** Where our own copy lies. `torch/` and `nvidia/` in it stand to each other as in site-packages, which is what the wheel's run paths expect. */
export function cachedRoot(device = hasNvidiaGpu() ? "cuda" : "cpu") {
  return join(cacheFolder(), `libtorch-${PINNED_VERSION}-${process.platform}-${process.arch}-${device}`, "torch");
}

/**
 * Looks in every place in order, and says what it saw in each.
 * @param {{ system?: boolean }} [options] `system`: take the distribution's libtorch-dev and nothing else
 * @returns {Promise<{ libtorch: Libtorch | undefined, tried: Tried[] }>}
 */
export async function findLibtorch({ system = false } = {}) {
  /** @type {Tried[]} */
  const tried = [];
  for (const [place, look] of system ? [systemPlace] : userPlaces) {
    const seen = await look();
    if (typeof seen !== "string") return { libtorch: seen, tried: [...tried, { place, found: `${seen.version} in ${seen.root}` }] };
    tried.push({ place, found: seen });
  }
  return { libtorch: undefined, tried };
}

/** @typedef {readonly [place: string, look: () => Promise<Libtorch | string>]} Place a string says why there is none */

/** @type {Place} */
const systemPlace = [
  "the system",
  async () => {
    const root = "/usr";
    const multiarch = { x64: "x86_64-linux-gnu", arm64: "aarch64-linux-gnu" }[/** @type {"x64" | "arm64"} */ (process.arch)] ?? "";
    return checked({ root, include: "/usr/include", lib: join("/usr/lib", multiarch), source: "system" });
  },
];

/** @type {readonly Place[]} */
const userPlaces = [
  [
    "$LIBTORCH",
    async () => {
      if (!process.env.LIBTORCH) return "not set";
      const found = checked(below(resolve(process.env.LIBTORCH), "$LIBTORCH"));
      // What was asked for is taken or refused, never passed over.
      if (typeof found === "string") {
        throw new SetupError(
          `LIBTORCH=${process.env.LIBTORCH}: ${found}.`,
          "unset LIBTORCH (then one is found or fetched), or point it to a folder with include/ and lib/",
        );
      }
      return found;
    },
  ],
  ["Python", pythonTorch],
  [
    "the cache",
    async () => {
      const root = cachedRoot();
      return existsSync(root) ? checked(below(root, "cache")) : `no ${root}`;
    },
  ],
];

/** Asks where the module is without importing it, which would take seconds. */
const ASK_PYTHON = `
import importlib.util as u
spec = u.find_spec("torch")
print(spec.submodule_search_locations[0] if spec and spec.submodule_search_locations else "")`;

async function pythonTorch() {
  const asked = await run("python3", ["-c", ASK_PYTHON]);
  if (asked.status === null) return "python3 is not on PATH";
  const root = asked.stdout.trim();
  if (asked.status !== 0 || root === "") return "python3 found, it has no module torch";
  return checked(below(root, "Python"));
}

/**
 * @param {string} root
 * @param {Libtorch["source"]} source
 */
const below = (root, source) => ({ root, include: join(root, "include"), lib: join(root, "lib"), source });

/**
 * A complete and new enough libtorch, or the reason why it is not one.
 * @param {Omit<Libtorch, "version">} candidate
 * @returns {Libtorch | string}
 */
function checked(candidate) {
  const library = join(candidate.lib, sharedLibrary("torch_cpu"));
  if (!existsSync(library)) return `${library} does not exist`;
  const version = headerVersion(candidate.include);
  if (version === undefined) return `no headers (torch/version.h) in ${candidate.include}`;
  if (compareVersions(version, MINIMUM_VERSION) < 0) return `found ${version} in ${candidate.root}, ${MINIMUM_VERSION} or newer is needed`;
  return { ...candidate, version };
}

/**
 * The version that the headers declare. Newer releases keep it in a header of its own.
 * @param {string} include
 */
export function headerVersion(include) {
  for (const header of ["torch/headeronly/version.h", "torch/csrc/api/include/torch/version.h"]) {
    const path = join(include, header);
    const text = existsSync(path) ? readFileSync(path, "utf8") : "";
    const parts = ["MAJOR", "MINOR", "PATCH"].map((part) => text.match(new RegExp(`^#define TORCH_VERSION_${part} (\\d+)`, "m"))?.[1]);
    if (parts.every((part) => part !== undefined)) return parts.join(".");
  }
  return undefined;
}

/**
 * Negative, zero or positive as `a` is older than, equal to or newer than `b`; missing parts count as 0.
 * @param {string} a
 * @param {string} b
 */
export function compareVersions(a, b) {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * What was tried, as the lines of an error message.
 * @param {readonly Tried[]} tried
 */
export const triedLines = (tried) => tried.map(({ place, found }) => `  tried ${place.padEnd(14)} ${found}`).join("\n");
