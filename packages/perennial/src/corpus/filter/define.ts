/** A filter looks at one document and says keep or drop; a drop always carries its reason, and the numbers that led to it. */
import type { z } from "zod";
import type { Document, Json } from "../document.ts";

export interface Keep {
  readonly kept: true;
  /** The text that goes on, where a filter removes lines of it. */
  readonly text?: string;
}

export interface Drop {
  readonly kept: false;
  /** What happened, in kebab case, e.g. `mean-word-length-above-max`. */
  readonly reason: string;
  /** What was measured or found. */
  readonly value?: number | string;
  /** What it was compared with. */
  readonly threshold?: number;
}

export type Decision = Keep | Drop;

export const keep: Keep = { kept: true };

export const drop = (reason: string, value?: number | string, threshold?: number): Drop => ({
  kept: false,
  reason,
  ...(value !== undefined && { value }),
  ...(threshold !== undefined && { threshold }),
});

export interface Filter {
  readonly name: string;
  /** With all defaults filled in: what a report shows. */
  readonly options: unknown;
  decide(document: Document): Decision;
}

/** A factory of filters: options are validated and completed once, then every document is judged by the inner function. */
export function defineFilter<Schema extends z.ZodType>(
  name: string,
  schema: Schema,
  make: (options: z.output<Schema>) => (document: Document) => Decision,
): (options: z.input<Schema>) => Filter {
  return (given) => {
    const options = schema.parse(given);
    return { name, options, decide: make(options) };
  };
}

/** Why a document was dropped: the filter's name and its decision, as kept in `annotations.dropped`. */
export interface DropRecord {
  readonly [key: string]: Json;
  readonly filter: string;
  readonly reason: string;
}

export function dropRecord(filter: string, { kept: _, ...why }: Drop): DropRecord {
  return { filter, ...why };
}

export type Outcome = { readonly document: Document; readonly dropped?: DropRecord };

/** The filters in order; the first drop ends it. The document that comes back carries the record of its drop. */
export function applyFilters(filters: readonly Filter[], given: Document): Outcome {
  let document = given;
  for (const { name, decide } of filters) {
    const decision = decide(document);
    if (!decision.kept) {
      const dropped = dropRecord(name, decision);
      return { document: { ...document, annotations: { ...document.annotations, dropped } }, dropped };
    }
    if (decision.text !== undefined && decision.text !== document.text) document = { ...document, text: decision.text };
  }
  return { document };
}
