/** Writes the extended tokenizers that tools/golden/extended_tokenizers.py loads: FOLDER/<kind>/tokenizer.json and FOLDER/texts.json. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { comparedTexts, extendedKind, KINDS } from "../../packages/perennial/src/tokenizer/testing/extended-kinds.ts";

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: extended-tokenizers.ts FOLDER");
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "texts.json"), JSON.stringify(comparedTexts()));
for (const kind of KINDS) await (await extendedKind(kind)).save(join(folder, kind));
