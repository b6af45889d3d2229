/** docs/cli.md: what `--help` says, for every verb. `npx tsx packages/cli/src/reference.ts` writes it; a test keeps it current. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { main } from "./cli.ts";
import { memoryEffects } from "./testing/memory-effects.ts";
import { adapterVerbs } from "./verbs/adapter.ts";
import { corpusVerbs } from "./verbs/corpus.ts";
import { tokenizerVerbs } from "./verbs/tokenizer.ts";
import { verbs } from "./verbs.ts";

/** Verbs that have verbs of their own. */
const INNER: Readonly<Record<string, readonly string[]>> = { corpus: corpusVerbs, adapter: adapterVerbs, tokenizer: tokenizerVerbs };

export const REFERENCE_PATH: string = fileURLToPath(new URL("../../../docs/cli.md", import.meta.url));

export async function cliReference(): Promise<string> {
  const sections = [];
  for (const { name, summary } of verbs) {
    sections.push(`## perennial ${name}\n\n${capitalized(summary)}.\n\n${fenced(await help(name))}`);
    for (const inner of INNER[name] ?? []) sections.push(`### perennial ${name} ${inner}\n\n${fenced(await help(name, inner))}`);
  }
  return `# The command\n\n${INTRODUCTION}\n\n${sections.join("\n\n")}\n`;
}

const INTRODUCTION = `Generated from the commands themselves: \`npx tsx packages/cli/src/reference.ts\` writes this file.

In a clone of this repository, \`npm run setup\` builds the command and \`npx perennial\` calls it.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | it went wrong: one line on standard error for each mistake, naming file, line or field |
| 2 | it was called wrongly |
| 3 | done, but some inputs could not be read and were set aside; they are named on standard error |
| 130 | Ctrl-C: the step was finished and saved; \`--resume\` goes on |

Results go to standard output, progress to standard error. \`NO_COLOR\` turns colors off. \`PERENNIAL_DEBUG=1\` shows the stack of an error.`;

const fenced = (text: string) => `\`\`\`text\n${text.trim()}\n\`\`\``;
const capitalized = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

async function help(...path: string[]): Promise<string> {
  const effects = memoryEffects({ columns: 110 });
  await main([...path, "--help"], effects);
  return effects.stdout;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(REFERENCE_PATH, await cliReference());
