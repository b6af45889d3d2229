import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { FieldError } from "perennial";
import type { StarterOptions } from "perennial/recipe";
import { verb } from "../verb.ts";

interface Options {
  force?: boolean;
  fresh?: boolean;
  model?: string;
}

const SCHEMA = ".perennial/recipe.schema.json";

export default verb((command, effects) => {
  command
    .argument("[folder]", "where to write recipe.yaml", ".")
    .option("--model <folder>", "continue from this Hugging Face model folder")
    .option("--fresh", "begin with a new model and a tokenizer learned from the text")
    .option("--force", "write over a recipe that is there")
    .action(async (folder: string, options: Options) => {
      const { recipeJsonSchema, starterRecipe } = await import("perennial/recipe");
      const root = resolve(effects.cwd, folder);
      const path = join(root, "recipe.yaml");
      if (existsSync(path) && options.force !== true)
        throw new FieldError("RECIPE_EXISTS", { at: path, expected: "no recipe yet", todo: "--force writes over it" });
      const starter = await starterOptions(options, root, effects.cwd);
      // The schema lies beside the recipe, so that editors complete it without a network, in the version that will read it.
      mkdirSync(dirname(join(root, SCHEMA)), { recursive: true });
      writeFileSync(join(root, SCHEMA), `${JSON.stringify(recipeJsonSchema(), null, 2)}\n`);
      writeFileSync(path, starterRecipe(SCHEMA, starter));
      const edit = options.model === undefined && options.fresh !== true ? "model and corpora" : "corpora";
      effects.out(`Wrote ${join(folder, "recipe.yaml")}. Edit ${edit}, then: perennial train ${join(folder, "recipe.yaml")} --dry-run\n`);
    });
});

const DEFAULT_SEQUENCE_LENGTH = 512;

async function starterOptions({ model, fresh = false }: Options, root: string, cwd: string): Promise<StarterOptions> {
  if (model === undefined) return { fresh };
  if (fresh) throw new FieldError("INIT_MODEL", { at: "--fresh", expected: "no --model beside it: a fresh model continues from none" });
  const { readConfig } = await import("perennial/model");
  const { config } = readConfig(resolve(cwd, model));
  const path = relative(root, resolve(cwd, model));
  return {
    model: path.startsWith(".") ? path : `./${path}`,
    sequenceLength: Math.min(DEFAULT_SEQUENCE_LENGTH, config.maxPositionEmbeddings),
  };
}
