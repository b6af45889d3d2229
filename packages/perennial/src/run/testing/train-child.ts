/** Trains in a process of its own that a test may kill: `train-child.ts FOLDER RECIPE.json`. Tells its steps as JSON lines. */
import { readFileSync } from "node:fs";
import { setNumThreads } from "@perennial/torch";
import { type RecipeSpec, resolveRecipe } from "../../recipe/index.ts";
import { runRecipe } from "../index.ts";

const [folder, recipe] = process.argv.slice(2) as [string, string];
setNumThreads(1);
const abort = new AbortController();
process.on("SIGINT", () => (abort.signal.aborted ? process.exit(130) : abort.abort()));
const tell = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);
const [summary] = await runRecipe(resolveRecipe(JSON.parse(readFileSync(recipe, "utf8")) as RecipeSpec), {
  baseFolder: folder,
  resume: true,
  signal: abort.signal,
  listen: (message) => {
    if (message.kind === "step") tell({ step: message.step });
    if (message.kind === "warning") tell({ warning: message.text });
  },
});
tell({ status: summary!.result.status });
if (abort.signal.aborted) process.exitCode = 130;
