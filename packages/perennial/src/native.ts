/** Loads the native addon `text` (packages/perennial/native) on first use, never on import. */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { PerennialError } from "./errors.ts";

// The same relative path from src/ and from dist/.
const addonPath = fileURLToPath(new URL("../build/text.node", import.meta.url));

let addon: object | undefined;

/** The exports of the addon, typed by the caller: each unit under native/<folder>/ declares its own functions. */
export function native<Exports extends object>(): Exports {
  addon ??= load();
  return addon as Exports;
}

function load(): object {
  try {
    return createRequire(import.meta.url)(addonPath) as object;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new PerennialError(
      "NATIVE_TEXT_MISSING",
      `Could not load the native text addon: ${reason}\n  tried ${addonPath}\nRun \`npm run setup\` (it compiles the addon; a C++20 compiler is needed).`,
      { cause },
    );
  }
}
