/**
 * Log-likelihoods of continuations, many at once. The work is cut so that no token is computed twice and nothing depends on the batch:
 *   row        one context with all its continuations behind it, each of which sees the context and itself (`branches` of the decoder);
 *              the last token of a continuation is never read, so a choice of one token costs nothing beyond its context
 *   prefix     what all contexts begin with (a description, fixed examples) is read once and kept in the cache
 *   batch      rows whose padded lengths are equal, up to `batchSize` of them: their shapes follow from the row alone, padding stands behind
 *              them, and `fixedRows` makes each matrix product independent of how many rows there are. A score has the same bits at
 *              every batch size (CPU, same machine, same number of threads).
 */
// B rows · T padded tokens of a row · D hiddenSize · N scored tokens
import { nn, noGrad, scope, type Tensor, tensor, torch } from "@perennial/torch";
import type { Decoder } from "../../model/decoder.ts";
import { sentTo } from "../../model/device.ts";
import { KeyValueCache } from "../../model/key-value-cache.ts";

/** A context (at least one token) and what may follow it. Together they fit the model. */
export interface ScoreRequest {
  readonly contextIds: readonly number[];
  readonly continuations: readonly (readonly number[])[];
}

export interface ContinuationScore {
  /** Nats; 0 of an empty continuation. */
  readonly logLikelihood: number;
  /** Whether each token is the likeliest one. */
  readonly greedy: boolean;
}

export interface ScoreOptions {
  /** Rows computed at once; fewer where they are long. Does not change the numbers. */
  readonly batchSize?: number;
  /** Told the share of the work that is done, 0–1. */
  readonly onProgress?: (share: number) => void;
}

export const DEFAULT_BATCH_SIZE = 16;

/** Lengths of rows are rounded up to multiples of this. */
const LENGTH_STEP = 16;
/** A pass holds at most so many tokens (or one row), which bounds its memory. */
const MAX_PASS_TOKENS = 8192;
/** Below this a context is read again for each of its continuations: plain causal attention is cheaper than a mask. */
const MIN_SHARED_CONTEXT = 4;
/** A shorter common prefix is not worth a cache. */
const MIN_PREFIX = 16;
/** Rows of logits computed at once: [64,V]. */
const LOGIT_ROWS = 64;

interface Row {
  readonly request: number;
  /** Number of the first continuation in the row; a row has one, or all of the request. */
  readonly first: number;
  readonly ids: readonly number[];
  readonly positions: readonly number[];
  /** Undefined when nothing branches. */
  readonly branches: readonly number[] | undefined;
  /** Where the next token of a continuation is predicted, and which it is. */
  readonly targets: readonly { readonly at: number; readonly id: number; readonly continuation: number }[];
}

/** One list per request, one score per continuation. */
export function scoreContinuations(
  model: Decoder,
  requests: readonly ScoreRequest[],
  { batchSize = DEFAULT_BATCH_SIZE, onProgress }: ScoreOptions = {},
): ContinuationScore[][] {
  // Angles that depend on the longest sequence of a pass: every sequence by itself, as it is.
  const alone = model.config.ropeScaling?.type === "dynamic" || model.config.ropeScaling?.type === "longrope";
  const lengthStep = alone ? 1 : LENGTH_STEP;
  const prefixLength = alone ? 0 : commonPrefix(requests);
  const sums = requests.map(({ continuations }) => continuations.map(() => ({ logLikelihood: 0, greedy: true })));
  const rows = requests.flatMap((request, i) => rowsOf(request, i, prefixLength, !alone));
  const paddedLength = ({ ids }: Row) => Math.ceil(ids.length / lengthStep) * lengthStep;
  const groups = new Map<string, Row[]>();
  for (const row of rows.sort((a, b) => b.ids.length - a.ids.length)) {
    const key = `${paddedLength(row)} ${row.branches === undefined}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  const wasTraining = model.training;
  model.eval();
  const prefix = new KeyValueCache(model.config.numHiddenLayers);
  try {
    nn.fixedRows(() =>
      noGrad(() => {
        if (prefixLength > 0) readPrefix(model, prefix, requests[0]!.contextIds.slice(0, prefixLength));
        let done = 0;
        for (const group of groups.values()) {
          const length = paddedLength(group[0]!);
          const size = alone ? 1 : Math.max(1, Math.min(batchSize, Math.floor(MAX_PASS_TOKENS / (prefixLength + length))));
          for (let start = 0; start < group.length; start += size) {
            const batch = group.slice(start, start + size);
            scope(() => scoreRows(model, prefix, batch, length, sums));
            done += batch.length;
            onProgress?.(done / rows.length);
          }
        }
      }),
    );
  } finally {
    prefix.dispose();
    model.train(wasTraining);
  }
  return sums;
}

/** How many tokens all contexts share, the last of each context left out: what follows it is predicted from there. */
function commonPrefix(requests: readonly ScoreRequest[]): number {
  if (requests.length < 2) return 0;
  const first = requests[0]!.contextIds;
  let shared = first.length - 1;
  for (const { contextIds } of requests) {
    shared = Math.min(shared, contextIds.length - 1);
    for (let i = 0; i < shared; i++) if (contextIds[i] !== first[i]) shared = i;
  }
  return shared < MIN_PREFIX ? 0 : shared;
}

function rowsOf({ contextIds, continuations }: ScoreRequest, request: number, prefixLength: number, mayShare: boolean): Row[] {
  const trunk = contextIds.slice(prefixLength);
  const numContext = contextIds.length;
  const shared = mayShare && continuations.length > 1 && trunk.length >= MIN_SHARED_CONTEXT;
  const build = (members: readonly (readonly number[])[], first: number): Row => {
    const ids = [...trunk];
    const positions = trunk.map((_, i) => prefixLength + i);
    const branches = trunk.map(() => 0);
    const targets: Row["targets"][number][] = [];
    for (const [k, continuation] of members.entries()) {
      for (const [i, id] of continuation.entries()) {
        targets.push({ at: i === 0 ? trunk.length - 1 : ids.length - 1, id, continuation: k });
        if (i === continuation.length - 1) break;
        ids.push(id);
        positions.push(numContext + i);
        branches.push(k + 1);
      }
    }
    const plain = members.length === 1 || ids.length === trunk.length;
    return { request, first, ids, positions, branches: plain ? undefined : branches, targets };
  };
  return shared ? [build(continuations, 0)] : continuations.map((continuation, k) => build([continuation], k));
}

function readPrefix(model: Decoder, cache: KeyValueCache, ids: readonly number[]): void {
  scope(() => model.hiddenStates({ inputIds: tensor([ids], { dtype: "int64" }), cache }));
}

function scoreRows(
  model: Decoder,
  prefix: KeyValueCache,
  rows: readonly Row[],
  length: number,
  sums: readonly { logLikelihood: number; greedy: boolean }[][],
): void {
  const B = rows.length;
  const filled = (values: (row: Row) => readonly number[], padding: (row: Row) => number) => {
    const flat = new Int32Array(B * length);
    for (const [b, row] of rows.entries()) {
      flat.fill(padding(row), b * length, (b + 1) * length);
      flat.set(values(row), b * length);
    }
    return tensor(flat, { shape: [B, length], dtype: "int64" });
  };
  const branching = rows[0]!.branches !== undefined;
  const cache = prefix.length === 0 ? undefined : prefix.repeated(B);
  let hidden: Tensor;
  try {
    hidden = model.hiddenStates({
      inputIds: filled(
        ({ ids }) => ids,
        () => 0,
      ),
      positionIds: filled(
        ({ positions }) => positions,
        ({ positions }) => positions.at(-1)!,
      ),
      ...(branching
        ? {
            branches: filled(
              ({ branches }) => branches!,
              () => -1,
            ),
          }
        : {}),
      ...(cache === undefined ? {} : { cache }),
    });
  } finally {
    cache?.dispose();
  }
  const targets = rows.flatMap((row, b) => row.targets.map((target) => ({ ...target, row, at: b * length + target.at })));
  const flat = hidden.flatten(0, 1); // [B·T,D]
  for (let start = 0; start < targets.length; start += LOGIT_ROWS) {
    const block = targets.slice(start, start + LOGIT_ROWS);
    const { logLikelihoods, greedy } = scope(() => scoreTokens(model, flat, block));
    for (const [i, { row, continuation }] of block.entries()) {
      const sum = sums[row.request]![row.first + continuation]!;
      sum.logLikelihood += logLikelihoods[i]!;
      sum.greedy &&= greedy[i]!;
    }
  }
}

/** Of up to 64 tokens: always 64 rows are computed, so that the shape never varies. */
function scoreTokens(
  model: Decoder,
  flat: Tensor,
  block: readonly { readonly at: number; readonly id: number }[],
): { logLikelihoods: Float32Array; greedy: boolean[] } {
  const padded = Array.from({ length: LOGIT_ROWS }, (_, i) => block[i] ?? block[0]!);
  const at = tensor(
    Int32Array.from(padded, (target) => target.at),
    { dtype: "int64" },
  );
  const ids = tensor(
    Int32Array.from(padded, (target) => target.id),
    { dtype: "int64" },
  );
  const logits = model.logitsOf(flat.indexSelect(0, sentTo(at, model.device))).float(); // [64,V]
  const chosen = logits.gather(1, sentTo(ids, model.device).unsqueeze(1)).squeeze(1);
  const logLikelihoods = chosen.sub(torch.logsumexp(logits, [-1])).toFloat32Array();
  const likeliest = logits.argmax(-1).toTypedArray() as BigInt64Array;
  return { logLikelihoods, greedy: block.map(({ id }, i) => Number(likeliest[i]) === id) };
}
