export { type JsonSchema, recipeJsonSchema } from "./json-schema.ts";
export { learningRateOf } from "./learning-rate.ts";
export { formatCount, parseCount } from "./parts/units.ts";
export { type Plan, type PlannedSource, type PlannedStage, planOf } from "./plan.ts";
export { RecipeError } from "./problems.ts";
export { recipeReference } from "./reference.ts";
export { loadRecipe, type ResolvedRecipe, type ResolveOptions, resolveRecipe, resolveText } from "./resolve.ts";
export { type Recipe, type RecipeSpec, type RecipeStage, recipeSchema } from "./schema.ts";
export { starterRecipe } from "./starter.ts";
