/** Models of one shape → one model, streaming from safetensors to safetensors. */
import { resolve } from "node:path";
import type { SafetensorsReader, Tensor } from "@perennial/torch";
import { FieldError } from "../../errors.ts";
import { openWeights } from "../../model/index.ts";
import { stream } from "../../stream.ts";
import { linear } from "./linear.ts";
import { rewriteWeights } from "./rewrite.ts";
import { type Merge, type MergeSpec, mergeSchema } from "./schema.ts";
import { slerp } from "./slerp.ts";
import { dare, taskArithmetic, ties } from "./task-arithmetic.ts";

/**
 * Writes the merged model to `output`: weights, and every other file as in the base (or the first model, where the
 * method has no base). Paths are relative to `baseFolder`. Errors: a tensor that a model lacks, has more, or has in
 * another shape.
 */
export function mergeModels(spec: MergeSpec, output: string, options: { baseFolder?: string } = {}): void {
  const merge = mergeSchema.parse(spec);
  const locate = (path: string) => resolve(options.baseFolder ?? ".", path);
  const paths = merge.models.map((model) => locate(typeof model === "string" ? model : model.path));
  const readers = paths.map(openWeights);
  try {
    const source = "base" in merge ? locate(merge.base) : paths[0]!;
    checkSameTensors(source, paths, readers);
    rewriteWeights(source, output, (name, tensor) =>
      mergeTensors(
        merge,
        name,
        tensor,
        readers.map((reader) => reader.read(name)),
      ),
    );
  } finally {
    for (const reader of readers) reader.close();
  }
}

/** `source`: the base's tensor, or the first model's. Pure: the same arguments give the same numbers. */
export function mergeTensors(merge: Merge, name: string, source: Tensor, tensors: readonly Tensor[]): Tensor {
  // Integer buffers have no mean; they are as in the source.
  if (!/float/.test(source.dtype)) return source;
  if (merge.method === "slerp") return slerp(tensors[0]!, tensors[1]!, merge.t);
  const weights = merge.models.map((model) => model.weight);
  if (merge.method === "linear") return linear(tensors, weights, merge.normalize);
  const vectors = { base: source, models: tensors, weights, scale: merge.scale };
  if (merge.method === "taskArithmetic") return taskArithmetic(vectors);
  const densities = merge.models.map((model) => model.density);
  if (merge.method === "ties") return ties(vectors, densities);
  return dare(
    vectors,
    densities,
    tensors.map((_, i) => stream(merge.seed, `dare/${i}/${name}`).uint32()),
  );
}

function checkSameTensors(source: string, paths: readonly string[], readers: readonly SafetensorsReader[]): void {
  const reference = openWeights(source);
  const shapeOf = (reader: SafetensorsReader, name: string) => reader.describe(name).shape.join(", ");
  try {
    for (const [i, reader] of readers.entries()) {
      const names = new Set(reader.names);
      for (const name of reference.names) {
        const expected = `shape [${shapeOf(reference, name)}] as in ${source}`;
        const received = names.delete(name) ? `[${shapeOf(reader, name)}]` : null;
        if (received !== `[${shapeOf(reference, name)}]`)
          throw new FieldError("MERGE_SHAPE", { at: `${paths[i]} ${name}`, expected, received, todo: "merge models of one shape" });
      }
      for (const name of names)
        throw new FieldError("MERGE_SHAPE", { at: `${paths[i]} ${name}`, expected: `no such tensor, as in ${source}` });
    }
  } finally {
    reference.close();
  }
}
