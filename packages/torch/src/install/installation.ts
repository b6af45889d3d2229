/** Which libtorch the addon was built against, as the set-up wrote it down. Nothing is loaded here, so `doctor` can tell even when loading fails. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Libtorch {
  /** The folder that was found, e.g. `site-packages/torch`. */
  readonly root: string;
  readonly include: string;
  readonly lib: string;
  /** Of the headers that the addon was compiled with, e.g. `2.15.0`. */
  readonly version: string;
  readonly source: "$LIBTORCH" | "Python" | "cache" | "system";
}

/** A place that was looked at, and what was there. */
export interface Tried {
  readonly place: string;
  readonly found: string;
}

export interface Installation {
  readonly addon: string;
  readonly addonExists: boolean;
  /** Undefined until the set-up has run. */
  readonly libtorch: Libtorch | undefined;
  /** The version that lies in the folder now; undefined when the folder or its headers are gone. */
  readonly presentVersion: string | undefined;
  readonly tried: readonly Tried[];
}

// The same relative path from src/install/ and from dist/install/.
const BUILD_FOLDER = fileURLToPath(new URL("../../build", import.meta.url));

export function findLibtorch(buildFolder = BUILD_FOLDER): Installation {
  const addon = join(buildFolder, "torch.node");
  const config = join(buildFolder, "config.json");
  const addonExists = existsSync(addon);
  const variable = { place: "$LIBTORCH", found: process.env.LIBTORCH ?? "not set" };
  if (!existsSync(config)) {
    const tried = [{ place: "the build", found: `no ${config}` }, variable];
    return { addon, addonExists, libtorch: undefined, presentVersion: undefined, tried };
  }
  const { libtorch, tried } = JSON.parse(readFileSync(config, "utf8")) as { libtorch: Libtorch; tried: Tried[] };
  return { addon, addonExists, libtorch, presentVersion: headerVersion(libtorch.include), tried };
}

/** Newer releases keep the version in a header of its own. */
function headerVersion(include: string): string | undefined {
  for (const header of ["torch/headeronly/version.h", "torch/csrc/api/include/torch/version.h"]) {
    const path = join(include, header);
    if (!existsSync(path)) continue;
    const text = readFileSync(path, "utf8");
    const parts = ["MAJOR", "MINOR", "PATCH"].map((part) => text.match(new RegExp(`^#define TORCH_VERSION_${part} (\\d+)`, "m"))?.[1]);
    if (parts.every((part) => part !== undefined)) return parts.join(".");
  }
  return undefined;
}
