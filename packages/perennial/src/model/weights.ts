import { type Tensor, torch } from "@perennial/torch";
import { nearest, PerennialError } from "../errors.ts";

/** How weights of ours lie inside one tensor of a format; lossless in both directions. */
export interface WeightLayout {
  /** The format's tensor → ours, of the given shapes. */
  split(theirs: Tensor, shapes: readonly (readonly number[])[]): Tensor[];
  join(ours: readonly Tensor[]): Tensor;
}

/** One of ours, as it is. */
export const same: WeightLayout = { split: (theirs) => [theirs], join: ([ours]) => ours! };

/** Ours one below the other. */
export const stacked: WeightLayout = {
  split: (theirs, shapes) =>
    torch.splitWithSizes(
      theirs,
      shapes.map(([rows]) => rows!),
    ),
  join: (ours) => torch.cat([...ours], 0),
};

/** Inputs × outputs instead of outputs × inputs. Vectors stay. */
export const transposed = (inner: WeightLayout = same): WeightLayout => ({
  split: (theirs, shapes) => inner.split(theirs.t(), shapes),
  join: (ours) => inner.join(ours).t().contiguous(),
});

/**
 * Queries, keys and values group by group: the H/K query heads of a group, its key head, its value head.
 * H heads · K key-value heads · E headDim: [K · (H/K + 2) · E, ...].
 */
export function headGroups({ numAttentionHeads: H, numKeyValueHeads: K, headDim: E }: GroupedHeads): WeightLayout {
  const counts = [H / K, 1, 1];
  return {
    split: (theirs, shapes) =>
      torch
        .splitWithSizes(theirs.reshape([K, H / K + 2, E, ...theirs.shape.slice(1)]), counts, 1)
        .map((part, i) => part.reshape([...shapes[i]!])),
    join: (ours) => {
      const rest = ours[0]!.shape.slice(1);
      const groups = torch.cat(
        ours.map((part, i) => part.reshape([K, counts[i]!, E, ...rest])),
        1,
      );
      return groups.reshape([(H + 2 * K) * E, ...rest]);
    },
  };
}

interface GroupedHeads {
  readonly numAttentionHeads: number;
  readonly numKeyValueHeads: number;
  readonly headDim: number;
}

/** A tensor of a format and the weights of ours that it holds. */
export interface WeightPlace {
  readonly theirs: string;
  readonly ours: readonly string[];
  readonly layout: WeightLayout;
}

/**
 * Names of weights, ours and a format's, as one table read in both directions. `{layer}` stands for a number.
 * A name that is in no row is an error that shows the nearest row.
 */
export interface WeightTable {
  byTheirs(name: string): WeightPlace;
  byOurs(name: string): WeightPlace;
}

export type WeightRow = readonly [theirs: string, ours: string | readonly string[], layout?: WeightLayout];

/** `optionalPrefix`: the part of their names that some files leave out. */
export function weightTable(rows: readonly WeightRow[], optionalPrefix = ""): WeightTable {
  const places = rows.map(([theirs, ours, layout = same]) => ({ theirs, ours: typeof ours === "string" ? [ours] : ours, layout }));
  const lookup = (namesOf: (place: WeightPlace) => readonly string[], prefixes: readonly string[]) => {
    const patterns = places.flatMap((place) =>
      namesOf(place).map((name) => ({
        pattern: new RegExp(`^${name.replace(/[.]/g, "\\.").replaceAll("{layer}", "(\\d+)")}$`),
        place,
      })),
    );
    return (name: string): WeightPlace => {
      for (const prefix of prefixes) {
        for (const { pattern, place } of patterns) {
          const match = pattern.exec(prefix + name);
          if (match === null) continue;
          const numbered = (text: string) => text.replace("{layer}", match[1] ?? "");
          return { theirs: numbered(place.theirs), ours: place.ours.map(numbered), layout: place.layout };
        }
      }
      const guess = nearest(name.replace(/\d+/, "{layer}"), places.flatMap(namesOf));
      throw new PerennialError(
        "WEIGHT_NAME",
        `There is no weight "${name}" in this architecture${guess === undefined ? "" : `; the nearest name is ${guess}`}`,
      );
    };
  };
  return { byTheirs: lookup(({ theirs }) => [theirs], ["", optionalPrefix]), byOurs: lookup(({ ours }) => ours, [""]) };
}

/** Ours → a format's names and layout, in the order of ours. Works for gradients as well. */
export function toTheirs(table: WeightTable, ours: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const theirs = new Map<string, Tensor>();
  for (const name of ours.keys()) {
    const place = table.byOurs(name);
    if (theirs.has(place.theirs)) continue;
    theirs.set(place.theirs, place.layout.join(place.ours.map((part) => ours.get(part)!)));
  }
  return theirs;
}

/** Rows for a module's weight and bias. */
export const withBias = (theirs: string, ours: string | readonly string[], layout?: WeightLayout): WeightRow[] =>
  ["weight", "bias"].map((kind) => [
    `${theirs}.${kind}`,
    typeof ours === "string" ? `${ours}.${kind}` : ours.map((name) => `${name}.${kind}`),
    ...(layout === undefined ? ([] as const) : ([layout] as const)),
  ]);

/** The same rows for every layer: prefixed by `theirs` and by `layers.{layer}`. */
export const inLayers = (theirs: string, rows: readonly WeightRow[]): WeightRow[] =>
  rows.map(([name, ours, ...layout]) => [
    `${theirs}.{layer}.${name}`,
    typeof ours === "string" ? `layers.{layer}.${ours}` : ours.map((one) => `layers.{layer}.${one}`),
    ...layout,
  ]);
