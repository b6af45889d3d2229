/** Rows for new tokens, and models of another vocabulary. */
export { type EmbeddingInitializer, type InitializerInput, initializers } from "./initializer.ts";
export { type ResizeOptions, resizeModel } from "./resize.ts";
