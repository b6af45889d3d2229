/**
 * A model as tasks ask it: likelihoods of texts, likelihoods of documents, continuations up to a stop. How texts become tokens, and which are
 * dropped when there are too many, is lm-evaluation-harness' way, so that the numbers are comparable with published ones:
 *   a text begins with the tokens that the tokenizer's own template puts before it, an empty context is the begin (else the end) of a text;
 *   of context and continuation the last maxLength + 1 tokens count, of a prompt the last maxLength − max_gen_toks;
 *   a document's first token is predicted too, and if the template begins texts with a token, that one as well.
 */
import { rollingWindows } from "../../mixture/rolling-windows.ts";
import type { Decoder } from "../../model/decoder.ts";
import { generate } from "../../model/generate.ts";
import { type Stream, stream } from "../../stream.ts";
import type { Tokenizer } from "../../tokenizer/index.ts";
import { continuationTokens, fitContinuation } from "../likelihood/continuation.ts";
import type { Generation } from "./config.ts";
import { type ContinuationScore, DEFAULT_BATCH_SIZE, type ScoreOptions, type ScoreRequest, scoreContinuations } from "./score.ts";

export interface LikelihoodRequest {
  readonly context: string;
  readonly continuation: string;
}

export interface GenerationRequest {
  readonly prompt: string;
  readonly generation: Generation;
  /** Names the random numbers of this answer; without sampling it does not matter. */
  readonly name: string;
}

/** Prompts are padded to multiples of this, so that their shape does not depend on the batch. */
const PROMPT_STEP = 32;

export class TaskModel {
  readonly maxLength: number;
  private readonly model: Decoder;
  private readonly tokenizer: Tokenizer;
  private readonly prefixId: number;
  private readonly prefixText: string;
  /** What the tokenizer's template puts before a text. */
  private readonly templateIds: readonly number[];
  private readonly endIds: readonly number[];

  constructor(model: Decoder, tokenizer: Tokenizer, { maxLength }: { maxLength?: number | undefined } = {}) {
    this.model = model;
    this.tokenizer = tokenizer;
    this.maxLength = Math.min(maxLength ?? Number.POSITIVE_INFINITY, model.config.maxPositionEmbeddings);
    const { bos, eos } = tokenizer.specialTokens;
    this.prefixId = bos ?? eos ?? model.config.bosTokenId ?? model.config.eosTokenIds[0] ?? 0;
    this.prefixText = tokenizer.idToToken(this.prefixId) ?? "";
    const body = [...tokenizer.encode("a", { addSpecialTokens: false })];
    const whole = [...tokenizer.encode("a")];
    const start = whole.findIndex((_, i) => body.every((id, j) => whole[i + j] === id));
    this.templateIds = whole.slice(0, Math.max(0, start));
    this.endIds = [...new Set([...tokenizer.endIds, ...model.config.eosTokenIds])];
  }

  /** One score per request. Requests of one context should stand together: it is read once for all of them. */
  logLikelihoods(requests: readonly LikelihoodRequest[], options: ScoreOptions = {}): ContinuationScore[] {
    const grouped: { contextIds: readonly number[]; continuations: (readonly number[])[] }[] = [];
    for (const request of requests) {
      const { contextIds, continuationIds } = this.pair(request);
      const last = grouped.at(-1);
      if (last !== undefined && sameIds(last.contextIds, contextIds)) last.continuations.push(continuationIds);
      else grouped.push({ contextIds, continuations: [continuationIds] });
    }
    return scoreContinuations(this.model, grouped, options).flat();
  }

  /** Of whole documents, in windows that each predict what the one before did not. */
  documentLogLikelihoods(documents: readonly string[], options: ScoreOptions = {}): number[] {
    const windows: (ScoreRequest & { readonly document: number })[] = [];
    for (const [document, text] of documents.entries()) {
      const ids = this.encode(text);
      const inputs = [this.prefixId, ...ids];
      for (const { from, to, firstTarget } of rollingWindows(ids.length, this.maxLength))
        windows.push({ document, contextIds: inputs.slice(from, firstTarget + 1), continuations: [ids.slice(firstTarget, to)] });
    }
    const sums = documents.map(() => 0);
    for (const [i, [score]] of scoreContinuations(this.model, windows, options).entries())
      sums[windows[i]!.document]! += score!.logLikelihood;
    return sums;
  }

  /** Texts that continue prompts, up to a stop text, an end token or the greatest length. */
  generateUntil(
    requests: readonly GenerationRequest[],
    { batchSize = DEFAULT_BATCH_SIZE, onProgress, seed = 0 }: GenerateOptions = {},
  ): string[] {
    const answers = requests.map(() => "");
    const prompts = requests.map((request) => this.promptIds(request));
    // As in scoring: where the angles depend on the longest sequence of a pass, each prompt goes by itself.
    const alone = this.model.config.ropeScaling?.type === "dynamic" || this.model.config.ropeScaling?.type === "longrope";
    const groups = new Map<string, number[]>();
    for (const i of requests.keys()) {
      const { maxGenToks, temperature, topK, topP } = requests[i]!.generation;
      const key = JSON.stringify([paddedLength(prompts[i]!), maxGenToks, temperature, topK, topP]);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [i]);
      else group.push(i);
    }
    let done = 0;
    const longestFirst = [...groups.values()].sort((a, b) => prompts[b[0]!]!.length - prompts[a[0]!]!.length);
    for (const group of longestFirst) {
      const size = alone ? 1 : batchSize;
      for (let start = 0; start < group.length; start += size) {
        const batch = group.slice(start, start + size);
        for (const [row, text] of this.generateBatch(
          batch.map((i) => requests[i]!),
          batch.map((i) => prompts[i]!),
          alone,
          seed,
        ).entries())
          answers[batch[row]!] = text;
        done += batch.length;
        onProgress?.(done / requests.length);
      }
    }
    return answers;
  }

  private generateBatch(
    requests: readonly GenerationRequest[],
    prompts: readonly (readonly number[])[],
    alone: boolean,
    seed: number,
  ): string[] {
    const { maxGenToks, temperature, topK, topP } = requests[0]!.generation;
    const decode = (ids: readonly number[]) => this.tokenizer.decode(ids, { skipSpecialTokens: true });
    const stops = requests.map(({ generation }) => [...generation.until, this.endText()].filter((stop) => stop !== ""));
    const rows = generate(this.model, prompts, {
      maxNewTokens: maxGenToks,
      temperature,
      ...(topK === undefined || topK === 0 ? {} : { topK }),
      ...(topP === undefined ? {} : { topP }),
      ...(temperature === 0 ? {} : { stream: requests.map(({ name }): Stream => stream(seed, name)) }),
      ...(alone ? {} : { paddedLength: paddedLength(prompts[0]!) }),
      endIds: this.endIds,
      stop: (row, ids) => {
        const text = decode(ids);
        return stops[row]!.some((stop) => text.includes(stop));
      },
    });
    return rows.map((ids, row) => stops[row]!.reduce((text, stop) => text.split(stop, 1)[0]!, decode(ids)));
  }

  private endText(): string {
    const { eos } = this.tokenizer.specialTokens;
    return eos === undefined ? "" : (this.tokenizer.idToToken(eos) ?? "");
  }

  private promptIds({ prompt, generation }: GenerationRequest): number[] {
    const room = Math.max(1, this.maxLength - generation.maxGenToks);
    const ids = this.encode(prompt).slice(-room);
    return ids.length === 0 ? [this.prefixId] : ids;
  }

  private pair({ context, continuation }: LikelihoodRequest) {
    const encode = context === "" ? (text: string) => this.plainIds(text) : (text: string) => this.encode(text);
    const tokens = continuationTokens(context, continuation, encode, this.prefixId);
    const withContext = tokens.contextIds.length === 0 ? { ...tokens, contextIds: [this.prefixId] } : tokens;
    const { inputIds, targetIds } = fitContinuation(withContext, this.maxLength);
    return { contextIds: inputIds.slice(0, inputIds.length - targetIds.length + 1), continuationIds: targetIds };
  }

  /** With what the template puts before texts, unless the text begins with it already. */
  private encode(text: string): number[] {
    const ids = this.plainIds(text);
    const begun = this.prefixText !== "" && text.startsWith(this.prefixText);
    return begun ? ids : [...this.templateIds, ...ids];
  }

  private plainIds(text: string): number[] {
    return [...this.tokenizer.encode(text, { addSpecialTokens: false })];
  }
}

export interface GenerateOptions extends ScoreOptions {
  /** Of the random numbers, where answers are sampled. */
  readonly seed?: number;
}

const paddedLength = (ids: readonly number[]) => Math.ceil(ids.length / PROMPT_STEP) * PROMPT_STEP;

const sameIds = (a: readonly number[], b: readonly number[]) => a.length === b.length && a.every((id, i) => id === b[i]);
