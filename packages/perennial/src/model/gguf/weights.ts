/** The weights of a GGUF file, as the loader of models reads them. */
import { dtypeOf, openGguf } from "../../gguf/index.ts";
import type { ModelFiles } from "../open.ts";
import { readGgufConfig } from "./config.ts";
import { LLAMA3_FACTORS, LONG_FACTORS, SHORT_FACTORS } from "./rope.ts";

/** Told by the configuration already. */
const inConfig = new Set([LLAMA3_FACTORS, LONG_FACTORS, SHORT_FACTORS]);

export function openGgufModel(path: string): ModelFiles {
  const reader = openGguf(path);
  try {
    const { architecture, config, raw } = readGgufConfig(reader);
    return {
      config,
      raw,
      table: architecture.weights(config),
      reader: {
        names: reader.names.filter((name) => !inConfig.has(name)),
        describe: (name) => ({ dtype: dtypeOf(reader.describe(name).type.name), shape: reader.describe(name).shape }),
        read: reader.read,
        close: reader.close,
      },
    };
  } catch (error) {
    reader.close();
    throw error;
  }
}
