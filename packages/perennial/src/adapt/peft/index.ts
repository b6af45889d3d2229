/** LoRA adapters in PEFT's folders. */
export { type LoraAdapter, type LoraModule, loraDelta, readAdapter, writeAdapter } from "./adapter.ts";
export { mergeAdapter, mergeAdapterFolder } from "./merge-adapter.ts";
