/** Language models: configuration, architecture, weights in and out, generation, cost. */
export {
  type DecoderConfig,
  decoderConfig,
  type FreshConfig,
  fromHuggingFace,
  type RopeScaling,
  readConfig,
  toHuggingFace,
} from "./config.ts";
export { Decoder, type DecoderInput, DecoderLayer } from "./decoder.ts";
export { type LoadedModel, loadModel, type SaveOptions, saveModel } from "./folder.ts";
export { KeyValueCache } from "./key-value-cache.ts";
export { applyRope, ropeFrequencies, ropeTable } from "./rope.ts";
export { llamaWeights, weightTable } from "./weights.ts";
