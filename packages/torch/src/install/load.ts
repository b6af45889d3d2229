import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { findLibtorch, type Installation } from "./installation.ts";

/** The addon or its libtorch cannot be loaded: what was tried, what was found and what to type. */
export class InstallationError extends Error {
  readonly code = "TORCH_INSTALLATION";

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "InstallationError";
  }
}

/** The addon's exports. Throws an InstallationError that says how to get there. */
export function loadNative(buildFolder?: string): unknown {
  const installation = findLibtorch(buildFolder);
  const { addon, addonExists, libtorch, presentVersion } = installation;
  if (!addonExists || libtorch === undefined) throw failure(installation, `no ${addon}`);
  // Another release under the same path loads half-way, or crashes at the first call.
  if (presentVersion !== undefined && presentVersion !== libtorch.version) {
    throw failure(installation, `built for libtorch ${libtorch.version}, but ${libtorch.root} now holds ${presentVersion}`);
  }
  try {
    return createRequire(import.meta.url)(addon);
  } catch (cause) {
    throw failure(installation, firstLine(cause), cause);
  }
}

function failure({ libtorch, tried }: Installation, reason: string, cause?: unknown): InstallationError {
  const rows = [
    ...tried,
    ...(libtorch === undefined ? [] : [{ place: "its libraries", found: stateOf(libtorch.lib) }]),
    { place: "the addon", found: reason },
  ];
  const lines = rows.map(({ place, found }) => `  tried ${place.padEnd(15)} ${found}`);
  const message = [
    `Could not load libtorch (${process.platform} ${process.arch}).`,
    ...lines,
    "Do one of these, then run `npx perennial-torch doctor`:  npx perennial-torch setup (finds or fetches libtorch and builds the addon; in a clone of the repository npm run setup)  ·  export LIBTORCH=<folder with include/ and lib/>, then the same",
  ].join("\n");
  return new InstallationError(message, { cause });
}

function stateOf(lib: string): string {
  const library = join(lib, process.platform === "darwin" ? "libtorch_cpu.dylib" : "libtorch_cpu.so");
  return existsSync(library) ? library : `${library} is gone`;
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";
}
