import { Permutation } from "./permutation.ts";

/** In which order the sequences of a source are drawn: plain JSON, so that a later run can draw the same ones again. */
export type OrderSpec =
  | { readonly kind: "sequential"; readonly size: number }
  | { readonly kind: "shuffled"; readonly size: number; readonly seed: number; readonly name: string }
  | {
      readonly kind: "replay";
      /** The order of the earlier run. */
      readonly of: OrderSpec;
      /** How many draws of it that run had made. */
      readonly seen: number;
      /** Draws already replayed; the next ones begin behind them. */
      readonly offset: number;
      readonly reshuffle: boolean;
    };

/** The sequence of draw 0, 1, 2, … Any draw is O(1). */
export type Order = (draw: number) => number;

/**
 * sequential   draw c gives sequence c mod size
 * shuffled     draw c gives Pₑ(c mod size), e = ⌊c / size⌋ the epoch, Pₑ a permutation of its own: each epoch is exactly one pass
 * replay       draw c gives what draw (offset + c) mod seen of the earlier order gave, or draw Q((offset + c) mod seen) of it where
 *              `reshuffle` is set, Q a permutation for each round over what was seen
 */
export function makeOrder(spec: OrderSpec): Order {
  switch (spec.kind) {
    case "sequential":
      return (draw) => draw % spec.size;
    case "shuffled":
      return shuffledRounds(spec.size, spec.seed, `mixture/${spec.name}`);
    case "replay": {
      const earlier = makeOrder(spec.of);
      if (!spec.reshuffle) return (draw) => earlier((spec.offset + draw) % spec.seen);
      // The key does not depend on the run that replays: a later stage continues the same round where this one stops.
      const [seed, name] = spec.of.kind === "shuffled" ? [spec.of.seed, spec.of.name] : [0, "sequential"];
      const rounds = shuffledRounds(spec.seen, seed, `replay/${name}`);
      return (draw) => earlier(rounds(spec.offset + draw));
    }
  }
}

function shuffledRounds(size: number, seed: number, name: string): Order {
  let round = -1;
  let permutation: Permutation | undefined;
  return (draw) => {
    const wanted = Math.floor(draw / size);
    if (permutation === undefined || wanted !== round) {
      permutation = new Permutation(size, seed, `${name}/${wanted}`);
      round = wanted;
    }
    return permutation.at(draw % size);
  };
}
