/** Adapters into weights: in memory, with the way back, and from folder to folder. */
import { keep, noGrad, scope, type Tensor } from "@perennial/torch";
import { PerennialError } from "../../errors.ts";
import { type Decoder, readConfig, type WeightTable, weightsOf } from "../../model/index.ts";
import { rewriteWeights } from "../merge/index.ts";
import { type LoraAdapter, loraDelta, readAdapter } from "./adapter.ts";

/** How one tensor of the base model changes; `value` is float32. */
type Change = (value: Tensor) => Tensor;

/** By the names of the base model's files. */
function changesOf(adapter: LoraAdapter, table: WeightTable): Map<string, Change> {
  const changes = new Map<string, Change>();
  const set = (name: string, change: (value: Tensor, sameShape: (other: Tensor) => Tensor) => Tensor) => {
    const { theirs } = table.byTheirs(name);
    changes.set(theirs, (value) =>
      change(value, (other) => {
        if (other.shape.join() === value.shape.join()) return other;
        const [model, given] = [value, other].map(({ shape }) => `[${shape.join(", ")}]`);
        throw new PerennialError("ADAPTER_WEIGHT", `${theirs}: the model has ${model}, the adapter ${given}`);
      }),
    );
  };
  for (const module of adapter.modules.keys())
    set(`${module}.weight`, (value, sameShape) => value.add(sameShape(loraDelta(adapter, module))));
  for (const [name, saved] of adapter.saved) set(name, (_, sameShape) => sameShape(saved.float()));
  return changes;
}

/**
 * Adds an adapter to a model's weights. `unmerge` puts the weights back bit by bit: they are kept, since W + Δ − Δ is not
 * W in floating point. Memory: a copy of the weights that the adapter touches, until `unmerge` or `dispose`.
 * Errors: a module that the model lacks, or of another shape; nothing has changed then.
 */
export function mergeAdapter(model: Decoder, adapter: LoraAdapter): { unmerge(): void; dispose(): void } {
  const table = weightsOf(model.config);
  const own = model.stateDict();
  const originals = new Map<Tensor, Tensor>();
  const changed: [Tensor, Tensor][] = [];
  noGrad(() =>
    scope(() => {
      for (const [theirs, change] of changesOf(adapter, table)) {
        const place = table.byTheirs(theirs);
        // A tied output layer is the embedding.
        const parts = place.ours.map((name) => own.get(name === "lmHead.weight" && !own.has(name) ? "embedTokens.weight" : name));
        if (parts.some((part) => part === undefined)) throw new PerennialError("ADAPTER_WEIGHT", `The model has no weight ${theirs}`);
        const after = change(place.layout.join(parts.map((part) => part!.detach().float())));
        const shapes = parts.map((part) => part!.shape);
        for (const [i, value] of place.layout.split(after, shapes).entries()) changed.push([parts[i]!, value]);
      }
      for (const [part, value] of changed) {
        if (!originals.has(part)) originals.set(part, keep(part.detach().clone()));
        part.copy_(value);
      }
    }),
  );
  const dispose = () => {
    for (const original of originals.values()) original.dispose();
    originals.clear();
  };
  return {
    unmerge() {
      noGrad(() => {
        for (const [part, original] of originals) part.copy_(original);
      });
      dispose();
    },
    dispose,
  };
}

/** Writes the base model with the adapter in its weights to `output`, tensor by tensor. */
export function mergeAdapterFolder(base: string, adapterFolder: string, output: string): void {
  const table = weightsOf(readConfig(base).config);
  const changes = changesOf(readAdapter(adapterFolder), table);
  const left = new Set(changes.keys());
  rewriteWeights(base, output, (name, tensor) => {
    const { theirs } = table.byTheirs(name);
    left.delete(theirs);
    return changes.get(theirs)?.(tensor.float()) ?? tensor;
  });
  if (left.size > 0)
    throw new PerennialError("ADAPTER_WEIGHT", `${base} has no ${[...left].join(", ")}, which the adapter in ${adapterFolder} changes`);
}
