/**
 * Adapters into the weights of model folders, and out again. W + Δ − Δ is not W in floating point, so the exact way back is to
 * keep what was there: a reversible merge writes the tensors that it changes, as they were, beside the merged ones, with
 * checksums of both the adapter and the merged tensors, so that nothing else is taken for what it was.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { type Dtype, openSafetensors, scope, type Tensor, torch } from "@perennial/torch";
import { FieldError } from "../../errors.ts";
import { formatConfig, type ModelFolder, openModelFolder, placeOf } from "../../model/index.ts";
import {
  bytesOf,
  checkOutput,
  copyCarried,
  type OutputOptions,
  type OutputTensor,
  type Shards,
  shardsOf,
  writeWeights,
  writeWhole,
} from "../folder/index.ts";
import { working } from "../merge/index.ts";
import { ADAPTER_WEIGHTS, readAdapter } from "./adapter.ts";
import { type Change, changesOf, checkFits } from "./changes.ts";

export interface FolderOptions extends OutputOptions {
  readonly signal?: AbortSignal;
  readonly onTensor?: (done: number, total: number) => void;
}

export interface FolderReport {
  readonly output: string;
  /** Names of the tensors that were changed. */
  readonly changed: readonly string[];
  readonly bytes: number;
  /** The head is a matrix of its own now. */
  readonly untied: boolean;
  /** The result can be undone to the bit (merge), or was (unmerge). */
  readonly exact: boolean;
}

/** In a reversibly merged folder: the changed tensors as they were. */
export const ORIGINALS = "adapter_originals.safetensors";

/**
 * Writes the base model with the adapter in its weights to `output`, tensor by tensor. `reversible`: with what it takes to undo
 * that exactly. The folder appears when it is whole. Errors, before anything is written: tensors that the base lacks or has in
 * another shape, a folder that is taken.
 */
export async function mergeAdapterFolder(
  base: string,
  adapterFolder: string,
  output: string,
  options: FolderOptions & { readonly reversible?: boolean } = {},
): Promise<FolderReport> {
  checkOutput(output, [base, adapterFolder], options);
  const files = openModelFolder(base);
  try {
    const { byName, unties } = changesOf(readAdapter(adapterFolder), files.config);
    const sources = sourcesOf(base, files, unties);
    const changes = changesIn(base, files, byName, sources);
    const digests = new Map<string, string>();
    const tensors = [...sources].map(([name, source]) =>
      rewritten(files, name, source, (value) => {
        const after = (changes.get(name)?.apply(working(value)) ?? value).to(value.dtype);
        if (options.reversible === true && (changes.has(name) || name !== source)) digests.set(name, digestOf(after));
        return after;
      }),
    );
    // A new head has no original.
    const lost = [...changes.keys()].filter((name) => sources.get(name) === name);
    const originals = options.reversible === true ? lost.map((name) => rewritten(files, name)) : [];
    const bytes = sum([...tensors, ...originals]);
    await writeWhole(output, bytes, async (folder) => {
      await writeWeights(folder, guarded(tensors, options.signal), withNewHead(shardsOf(base), sources), options.onTensor);
      copyCarried(base, folder);
      if (unties) writeFileSync(join(folder, "config.json"), formatConfig({ ...files.raw, tie_word_embeddings: false }));
      if (options.reversible !== true) return;
      const metadata = {
        adapter_sha256: fileDigest(join(adapterFolder, ADAPTER_WEIGHTS)),
        merged_sha256: JSON.stringify(Object.fromEntries(digests)),
        base_config: readFileSync(join(base, "config.json"), "utf8"),
      };
      await writeWeights(folder, guarded(originals, options.signal), new Map([[ORIGINALS, lost]]), undefined, metadata);
    });
    return { output, changed: [...changes.keys()], bytes, exact: options.reversible === true, untied: unties };
  } finally {
    files.reader.close();
  }
}

/** Stored tensors by the names that they get; an untied head begins as the embedding. */
function sourcesOf(base: string, { reader, table }: ModelFolder, unties: boolean): ReadonlyMap<string, string> {
  const isHead = (name: string) => placeOf(base, table, name).ours[0] === "lmHead.weight";
  const sources = new Map(reader.names.filter((name) => !(unties && isHead(name))).map((name) => [name, name]));
  if (unties)
    sources.set(
      table.byOurs("lmHead.weight").theirs,
      reader.names.find((name) => placeOf(base, table, name).ours[0] === "embedTokens.weight")!,
    );
  return sources;
}

/** A head that no shard has goes beside the embedding. */
function withNewHead(shards: Shards, sources: ReadonlyMap<string, string>): Shards {
  const known = new Set([...shards.values()].flat());
  const added = [...sources].filter(([name]) => !known.has(name));
  return new Map(
    [...shards].map(([file, names]) => [file, [...names, ...added.filter(([, source]) => names.includes(source)).map(([name]) => name)]]),
  );
}

/**
 * Writes the model that an adapter was merged into to `output`. Where the merge was reversible, every bit is as it was;
 * otherwise `approximate` subtracts the adapter, to within the rounding of the stored type.
 * Errors: no way back, an adapter other than the merged one, tensors that have changed since.
 */
export async function unmergeAdapterFolder(
  merged: string,
  output: string,
  options: FolderOptions & { readonly adapter?: string; readonly approximate?: boolean } = {},
): Promise<FolderReport> {
  const { adapter } = options;
  checkOutput(output, [merged, ...(adapter === undefined ? [] : [adapter])], options);
  const files = openModelFolder(merged);
  try {
    const path = join(merged, ORIGINALS);
    const exact = existsSync(path);
    if (!exact && !(options.approximate === true && adapter !== undefined))
      throw new FieldError("ADAPTER_UNMERGE", {
        at: path,
        expected: "the weights as they were, which a merge with --reversible keeps",
        todo: "merge again with it, or give the adapter and --approximate to subtract it",
      });
    const { tensors, changed, config } = exact ? restored(merged, files, path, adapter) : subtracted(merged, files, adapter!);
    const bytes = sum(tensors);
    await writeWhole(output, bytes, async (folder) => {
      await writeWeights(folder, guarded(tensors, options.signal), shardsOf(merged), options.onTensor);
      copyCarried(merged, folder);
      if (config !== undefined) writeFileSync(join(folder, "config.json"), config);
    });
    return { output, changed, bytes, exact, untied: false };
  } finally {
    files.reader.close();
  }
}

function restored(merged: string, files: ModelFolder, path: string, adapter: string | undefined) {
  const originals = openSafetensors(path);
  const { adapter_sha256: expected, merged_sha256: digests, base_config: config } = originals.metadata;
  if (adapter !== undefined && fileDigest(join(adapter, ADAPTER_WEIGHTS)) !== expected)
    throw new FieldError("ADAPTER_UNMERGE", { at: adapter, expected: `the adapter that was merged into ${merged}` });
  const known = JSON.parse(digests ?? "{}") as Record<string, string>;
  for (const [name, digest] of Object.entries(known))
    if (!files.reader.names.includes(name) || scope(() => digestOf(files.reader.read(name))) !== digest)
      throw new FieldError("ADAPTER_UNMERGE", {
        at: `${merged} ${name}`,
        expected: "the weights as the merge left them",
        todo: "they have changed since; unmerging would lose that",
      });
  const from = { reader: originals };
  // What the merge wrote and has no original is a head that it untied.
  const kept = files.reader.names.filter((name) => known[name] === undefined || originals.names.includes(name));
  return { tensors: kept.map((name) => rewritten(known[name] === undefined ? files : from, name)), changed: originals.names, config };
}

function subtracted(merged: string, files: ModelFolder, adapter: string) {
  const sources = sourcesOf(merged, files, false);
  const changes = changesIn(merged, files, changesOf(readAdapter(adapter), files.config).byName, sources);
  const lost = [...changes].filter(([, { undo }]) => undo === undefined).map(([name]) => name);
  if (lost.length > 0)
    throw new FieldError("ADAPTER_UNMERGE", {
      at: adapter,
      expected: `an adapter that adds to weights; this one replaces ${lost.slice(0, 3).join(", ")}${lost.length > 3 ? ` and ${lost.length - 3} more` : ""}`,
      todo: "merge with --reversible",
    });
  const tensors = files.reader.names.map((name) => {
    const undo = changes.get(name)?.undo;
    return rewritten(files, name, name, (value) => undo?.(working(value)) ?? value);
  });
  return { tensors, changed: [...changes.keys()], config: undefined };
}

/** By the names in the folder's files. Errors: tensors that it lacks, or has in another shape. */
function changesIn(
  base: string,
  { reader, table }: ModelFolder,
  changes: ReadonlyMap<string, Change>,
  sources: ReadonlyMap<string, string>,
): Map<string, Change> {
  const stored = new Map([...sources.keys()].map((name) => [placeOf(base, table, name).theirs, name]));
  const found = new Map<string, Change>();
  for (const [theirs, change] of changes) {
    const name = stored.get(theirs);
    checkFits(theirs, change, name === undefined ? undefined : reader.describe(sources.get(name)!).shape, base);
    found.set(name!, change);
  }
  return found;
}

/** `source`: the tensor that it is made of. */
function rewritten({ reader }: Pick<ModelFolder, "reader">, name: string, source = name, change = (value: Tensor) => value): OutputTensor {
  const { dtype, shape } = reader.describe(source);
  return { name, dtype: dtype as Dtype, shape, write: (append) => scope(() => append(change(reader.read(source)))) };
}

/** Ctrl-C is heard after each tensor. */
const guarded = (tensors: readonly OutputTensor[], signal: AbortSignal | undefined): OutputTensor[] =>
  tensors.map((tensor) => ({
    ...tensor,
    async write(append) {
      await tensor.write(append);
      await setImmediate();
      signal?.throwIfAborted();
    },
  }));

const sum = (tensors: readonly OutputTensor[]) => tensors.reduce((total, tensor) => total + bytesOf(tensor), 0);

const PIECE_BYTES = 1 << 24;

function digestOf(tensor: Tensor): string {
  const hash = createHash("sha256");
  const bytes = torch.view(tensor.contiguous().view([-1]), "uint8");
  for (let start = 0; start < bytes.numel; start += PIECE_BYTES)
    scope(() => hash.update(bytes.slice(0, start, Math.min(start + PIECE_BYTES, bytes.numel)).toTypedArray() as Uint8Array));
  return hash.digest("hex");
}

const fileDigest = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
