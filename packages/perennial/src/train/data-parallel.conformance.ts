/** One of the processes that train in the test: `data-parallel.conformance.ts FOLDER RECIPE.json [rank to be killed]`. Rank 0 tells its steps. */
import { readFileSync } from "node:fs";
import { setNumThreads } from "@perennial/torch";
import { type RecipeSpec, resolveRecipe } from "../recipe/index.ts";
import { openWorld, runRecipe } from "../run/index.ts";

const [folder, recipe, victim] = process.argv.slice(2) as [string, string, string | undefined];
setNumThreads(1);
const world = await openWorld({ timeoutSeconds: 60 });
let sums = 0;
const mortal = {
  ...world,
  sum(value: number): number {
    if (String(world.rank) === victim && ++sums === 25) process.kill(process.pid, "SIGKILL");
    return world.sum(value);
  },
};
const [summary] = await runRecipe(resolveRecipe(JSON.parse(readFileSync(recipe, "utf8")) as RecipeSpec), {
  baseFolder: folder,
  resume: true,
  world: mortal,
  listen: (message) => {
    if (message.kind === "step") console.log(JSON.stringify({ step: message.step, loss: message.report.loss }));
  },
});
console.log(JSON.stringify({ rank: world.rank, after: [...summary!.result.after] }));
world.close();
