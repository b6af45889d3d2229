// B batch · K key-value heads · S positions so far · E headDim
import { keep, type Tensor, torch } from "@perennial/torch";
import { sentTo } from "./device.ts";

/** Keys and values of one layer, [B,K,S,E]; room grows by doubling, so that a token costs no copy of all before it. */
export class LayerCache {
  private keys: Tensor | undefined;
  private values: Tensor | undefined;
  private readonly cache: KeyValueCache;

  constructor(cache: KeyValueCache) {
    this.cache = cache;
  }

  /** Adds positions and returns all keys and values up to them. */
  append(k: Tensor, v: Tensor): [Tensor, Tensor] {
    const start = this.cache.length;
    const end = start + k.size(2);
    this.keys = grown(this.keys, k, start, end);
    this.values = grown(this.values, v, start, end);
    this.keys.slice(2, start, end).copy_(k);
    this.values.slice(2, start, end).copy_(v);
    return [this.keys.slice(2, 0, end), this.values.slice(2, 0, end)];
  }

  /** Keeps the rows of the batch that `rows` (int64) names, in that order. */
  select(rows: Tensor): void {
    if (this.keys === undefined || this.values === undefined) return;
    const here = sentTo(rows, this.keys.device);
    const [keys, values] = [keep(this.keys.indexSelect(0, here)), keep(this.values.indexSelect(0, here))];
    this.dispose();
    [this.keys, this.values] = [keys, values];
  }

  /** @internal Takes over copies of the first `length` positions of another layer's only row, once for each of `rows`. */
  fill(source: LayerCache, length: number, rows: number): void {
    const copies = (held: Tensor | undefined) => {
      const [, K, , E] = held!.shape as [number, number, number, number];
      return keep(held!.slice(2, 0, length).expand([rows, K, length, E]).contiguous());
    };
    [this.keys, this.values] = [copies(source.keys), copies(source.values)];
  }

  dispose(): void {
    this.keys?.dispose();
    this.values?.dispose();
    this.keys = undefined;
    this.values = undefined;
  }
}

function grown(room: Tensor | undefined, like: Tensor, used: number, needed: number): Tensor {
  if (room !== undefined && room.size(2) >= needed) return room;
  const [B, K, , E] = like.shape as [number, number, number, number];
  const larger = keep(torch.empty([B, K, Math.max(needed, 2 * used, 64), E], { dtype: like.dtype, device: like.device }));
  if (room !== undefined) {
    larger.slice(2, 0, used).copy_(room.slice(2, 0, used));
    room.dispose();
  }
  return larger;
}

/** What generation remembers of the positions before. Belongs to the caller: `dispose()` it. */
export class KeyValueCache {
  readonly layers: readonly LayerCache[];
  /** Positions held. */
  length = 0;

  constructor(numHiddenLayers: number) {
    this.layers = Array.from({ length: numHiddenLayers }, () => new LayerCache(this));
  }

  /** @internal Called by the model when all layers have appended. */
  advance(positions: number): void {
    this.length += positions;
  }

  select(rows: Tensor): void {
    for (const layer of this.layers) layer.select(rows);
  }

  /** A cache of `rows` rows, each of which begins with what this one holds in its only row. The caller disposes of both. */
  repeated(rows: number): KeyValueCache {
    const copy = new KeyValueCache(this.layers.length);
    for (const [i, layer] of copy.layers.entries()) layer.fill(this.layers[i]!, this.length, rows);
    copy.advance(this.length);
    return copy;
  }

  dispose(): void {
    for (const layer of this.layers) layer.dispose();
    this.length = 0;
  }
}
