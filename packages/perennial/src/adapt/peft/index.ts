/** LoRA adapters in PEFT's folders. */
export { type LoraAdapter, type LoraModule, loraDelta, readAdapter, writeAdapter } from "./adapter.ts";
export { mergeAdapter } from "./merge-adapter.ts";
export { type FolderOptions, type FolderReport, mergeAdapterFolder, unmergeAdapterFolder } from "./merge-folder.ts";
