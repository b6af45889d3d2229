/** build/config.json: which libtorch the addon is built against. Read by the set-up, by the addon's loader and by `doctor`. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cachedRoot, headerVersion, sharedLibrary } from "./libtorch.mjs";

/** Where this package is. */
export const packageFolder = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

const path = join(packageFolder, "build/config.json");

/**
 * @typedef {object} BuildConfig
 * @property {import("./libtorch.mjs").Libtorch} libtorch
 * @property {import("./libtorch.mjs").Tried[]} tried what was seen when it was chosen
 * @property {Asked} asked
 *
 * @typedef {{ LIBTORCH: string | null, PERENNIAL_CACHE: string | null }} Asked the variables that the choice depends on
 */

/** @returns {BuildConfig | undefined} */
export function readConfig() {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
}

/** @param {Pick<BuildConfig, "libtorch" | "tried">} choice */
export function writeConfig({ libtorch, tried }) {
  mkdirSync(dirname(path), { recursive: true });
  const text = `${JSON.stringify({ libtorch, tried, asked: asked() }, undefined, 2)}\n`;
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileSync(path, text);
}

/**
 * The choice that was made before, while nothing that it depends on has changed: saves asking Python each time,
 * and a Python environment that happens to be active does not set off a rebuild.
 * @param {{ system?: boolean }} options
 */
export function standingChoice({ system = false }) {
  const config = readConfig();
  if (config === undefined || !existsSync(join(config.libtorch.lib, sharedLibrary("torch_cpu")))) return undefined;
  if (JSON.stringify(config.asked) !== JSON.stringify(asked())) return undefined;
  // Python's torch may have been upgraded in its place.
  if (headerVersion(config.libtorch.include) !== config.libtorch.version) return undefined;
  // A GPU that came or went asks for the other copy.
  if (config.libtorch.source === "cache" && config.libtorch.root !== cachedRoot()) return undefined;
  return system && config.libtorch.source !== "system" ? undefined : config;
}

/** @returns {Asked} */
const asked = () => ({ LIBTORCH: process.env.LIBTORCH ?? null, PERENNIAL_CACHE: process.env.PERENNIAL_CACHE ?? null });
