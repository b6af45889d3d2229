import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { FieldError } from "perennial";
import { verb } from "../verb.ts";

const SCHEMA = ".perennial/recipe.schema.json";

export default verb((command, effects) => {
  command
    .argument("[folder]", "where to write recipe.yaml", ".")
    .option("--force", "write over a recipe that is there")
    .action(async (folder: string, { force = false }: { force?: boolean }) => {
      const { recipeJsonSchema, starterRecipe } = await import("perennial/recipe");
      const root = resolve(effects.cwd, folder);
      const path = join(root, "recipe.yaml");
      if (existsSync(path) && !force)
        throw new FieldError("RECIPE_EXISTS", { at: path, expected: "no recipe yet", todo: "--force writes over it" });
      // The schema lies beside the recipe, so that editors complete it without a network, in the version that will read it.
      mkdirSync(dirname(join(root, SCHEMA)), { recursive: true });
      writeFileSync(join(root, SCHEMA), `${JSON.stringify(recipeJsonSchema(), null, 2)}\n`);
      writeFileSync(path, starterRecipe(SCHEMA));
      effects.out(
        `Wrote ${join(folder, "recipe.yaml")}. Edit model and corpora, then: perennial train ${join(folder, "recipe.yaml")} --dry-run\n`,
      );
    });
});
