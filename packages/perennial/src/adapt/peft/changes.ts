/** What an adapter does to the tensors of a base model's files. */
import type { Tensor } from "@perennial/torch";
import { FieldError } from "../../errors.ts";
import { type DecoderConfig, weightsOf } from "../../model/index.ts";
import { isTurned, type LoraAdapter, loraDelta, scalingOf } from "./adapter.ts";

export interface Change {
  readonly shape: readonly number[];
  /** `value`: float32, of `shape`. */
  apply(value: Tensor): Tensor;
  /** Back, to within rounding; undefined where what was there is lost. */
  readonly undo?: (value: Tensor) => Tensor;
}

export interface Changes {
  /** By the names of the architecture. */
  readonly byName: ReadonlyMap<string, Change>;
  /**
   * The model's head is its embedding, and the adapter changes one of them alone, or each in its way: the adapted model
   * computes with two matrices from there on.
   */
  readonly unties: boolean;
}

/** Errors: a name that the architecture does not have. */
export function changesOf(adapter: LoraAdapter, config: DecoderConfig): Changes {
  const table = weightsOf(config);
  const byName = new Map<string, Change>();
  const set = (name: string, change: Change) => {
    const { theirs } = table.byTheirs(name);
    const before = byName.get(theirs);
    byName.set(theirs, before === undefined ? change : both(before, change));
  };
  for (const [name, saved] of adapter.saved) set(name, { shape: saved.shape, apply: () => saved.float() });
  for (const module of adapter.modules.keys()) {
    set(`${module}.weight`, moduleChange(adapter, module));
    const { bias } = adapter.modules.get(module)!;
    if (bias === undefined) continue;
    const delta = () => bias.float().mul(scalingOf(adapter, module));
    set(`${module}.bias`, { shape: bias.shape, apply: (value) => value.add(delta()), undo: (value) => value.sub(delta()) });
  }
  if (!config.tieWordEmbeddings) return { byName, unties: false };
  const [embedding, head] = ["embedTokens.weight", "lmHead.weight"].map((ours) => table.byOurs(ours).theirs) as [string, string];
  if (tiesCopy(adapter, embedding, head)) byName.delete(head);
  else if (byName.has(embedding) || byName.has(head)) return { byName, unties: true };
  return { byName, unties: false };
}

/** PEFT saves the head beside the embedding that it is tied to, or leaves it out and says `ensure_weight_tying`. */
function tiesCopy({ rawConfig, modules, saved }: LoraAdapter, embedding: string, head: string): boolean {
  if (modules.has(head.replace(/\.weight$/, ""))) return false;
  const [a, b] = [saved.get(embedding), saved.get(head)];
  if (b === undefined) return rawConfig.ensure_weight_tying === true;
  return a !== undefined && a.shape.join() === b.shape.join() && a.equal(b);
}

function moduleChange(adapter: LoraAdapter, module: string): Change {
  const { a, b, magnitude } = adapter.modules.get(module)!;
  const turned = isTurned(adapter, module);
  const shape = turned ? [a.size(1), b.size(0)] : [b.size(0), a.size(1)];
  if (magnitude === undefined)
    return { shape, apply: (value) => value.add(loraDelta(adapter, module)), undo: (value) => value.sub(loraDelta(adapter, module)) };
  return {
    shape,
    apply(value) {
      const direction = value.add(loraDelta(adapter, module));
      const inputs = turned ? 0 : 1;
      const lengths = direction.square().sum([inputs], true).sqrt();
      return direction.mul(
        magnitude
          .float()
          .view(turned ? [1, -1] : [-1, 1])
          .div(lengths),
      );
    },
  };
}

/** First a saved bias, then what is added to it. */
const both = (first: Change, second: Change): Change => ({ shape: first.shape, apply: (value) => second.apply(first.apply(value)) });

/** Errors: the model's tensor has another shape, or there is none. */
export function checkFits(name: string, change: Change, shape: readonly number[] | undefined, model: string): void {
  if (shape?.join() === change.shape.join()) return;
  throw new FieldError("ADAPTER_WEIGHT", {
    at: `${model} ${name}`,
    expected: `[${change.shape.join(", ")}] as the adapter changes it`,
    received: shape ?? null,
    todo: "give the base model that the adapter was trained on",
  });
}
