/** An adapter into the weights of a model in memory, with the way back. */
import { keep, noGrad, scope, type Tensor } from "@perennial/torch";
import { PerennialError } from "../../errors.ts";
import { type Decoder, weightsOf } from "../../model/index.ts";
import type { LoraAdapter } from "./adapter.ts";
import { changesOf, checkFits } from "./changes.ts";

/**
 * Adds an adapter to a model's weights. `unmerge` puts the weights back bit by bit: they are kept, since W + Δ − Δ is not
 * W in floating point. Memory: a copy of the weights that the adapter touches, until `unmerge` or `dispose`.
 * Errors: a module that the model lacks, or of another shape; a tied head that is tied no more. Nothing has changed then.
 */
export function mergeAdapter(model: Decoder, adapter: LoraAdapter): { unmerge(): void; dispose(): void } {
  const table = weightsOf(model.config);
  const { byName, unties } = changesOf(adapter, model.config);
  if (unties)
    throw new PerennialError(
      "ADAPTER_WEIGHT",
      "The adapter changes the embedding or the head of a model that has one matrix for both: merge the folder, which then gets two",
    );
  const own = model.stateDict();
  const originals = new Map<Tensor, Tensor>();
  const changed: [Tensor, Tensor][] = [];
  noGrad(() =>
    scope(() => {
      for (const [theirs, change] of byName) {
        const place = table.byTheirs(theirs);
        const parts = place.ours.flatMap((name) => own.get(name) ?? []);
        const whole = parts.length === place.ours.length ? place.layout.join(parts.map((part) => part.detach().float())) : undefined;
        checkFits(theirs, change, whole?.shape, "the model's");
        const shapes = parts.map((part) => part.shape);
        for (const [i, value] of place.layout.split(change.apply(whole!), shapes).entries()) changed.push([parts[i]!, value]);
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
