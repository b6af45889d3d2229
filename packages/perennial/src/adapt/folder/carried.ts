/** What lies beside the weights of a model and belongs to it: configuration, tokenizer, chat template, model card. */
import { copyFileSync, readdirSync } from "node:fs";
import { extname, join } from "node:path";

const carried = new Set([".json", ".txt", ".model", ".jinja", ".md"]);

/** Copies those for which `isWanted` holds. The index of shards goes with the weights. */
export function copyCarried(source: string, target: string, isWanted: (file: string) => boolean = () => true): void {
  for (const file of readdirSync(source))
    if (carried.has(extname(file)) && !file.endsWith(".safetensors.index.json") && isWanted(file))
      copyFileSync(join(source, file), join(target, file));
}
