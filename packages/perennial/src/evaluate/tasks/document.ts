/**
 * A document as text, target and choices. A field of the task is the name of a field of the data, whose value is taken as it is, or a Jinja
 * template over the document (strict: what is missing is an error). Where there are choices, a rendered number is the number of a choice;
 * a rendered list `['a', 'b']` is a list.
 */
import { FieldError } from "../../errors.ts";
import { Template, type TemplateFunction } from "../../tokenizer/chat/index.ts";
import type { DocumentField, Formatting } from "./config.ts";
import type { Doc } from "./data.ts";
import { literalEval } from "./python/literal.ts";
import { pythonRegex, substitute } from "./python/regex.ts";

export type Target = string | number | readonly (string | number)[];

export interface DocumentReader {
  text(doc: Doc): string | number;
  target(doc: Doc): Target;
  /** Undefined when the task has no choices. */
  choices(doc: Doc): string[] | undefined;
  genPrefix(doc: Doc): string | undefined;
}

export function documentReader(format: Formatting, features: ReadonlySet<string>, at: (field: string) => string): DocumentReader {
  const hasChoices = format.docToChoice !== undefined;
  const text = compiled(format.docToText, features, at("doc_to_text"));
  const target = format.docToTarget === undefined ? undefined : compiled(format.docToTarget, features, at("doc_to_target"));
  const choices = format.docToChoice === undefined ? undefined : compiled(format.docToChoice, features, at("doc_to_choice"));
  const genPrefix = format.genPrefix === undefined ? undefined : fieldOrTemplate(format.genPrefix, at("gen_prefix"));
  const numberOf = (rendered: string) => (hasChoices && /^\p{Nd}+$/u.test(rendered) ? Number(rendered) : rendered);
  return {
    text(doc) {
      const { value, rendered } = text(doc);
      if (typeof value !== "string" && typeof value !== "number") throw wrong(at("doc_to_text"), "a text", value);
      return rendered && typeof value === "string" ? numberOf(value) : value;
    },
    target(doc) {
      if (target === undefined) return "";
      const { value, rendered } = target(doc);
      if (!rendered || typeof value !== "string") return checkedTarget(value, at("doc_to_target"));
      const number = numberOf(value);
      if (typeof number === "number") return number;
      const list = /^\[.*\]$/s.test(value) ? literalEval(value) : undefined;
      return list === undefined ? value : checkedTarget(list, at("doc_to_target"));
    },
    choices(doc) {
      if (choices === undefined) return undefined;
      const { value, rendered } = choices(doc);
      const list = rendered && typeof value === "string" ? literalEval(value) : value;
      const all = typeof list === "object" && list !== null && !Array.isArray(list) ? Object.values(list) : list;
      if (!Array.isArray(all) || all.length === 0 || !all.every((choice) => typeof choice === "string"))
        throw wrong(at("doc_to_choice"), "a list of texts", value);
      return all as string[];
    },
    genPrefix: (doc) => genPrefix?.(doc),
  };
}

/** A field of the document where it has one of this name, else a template. */
export function fieldOrTemplate(written: string, at: string): (doc: Doc) => string {
  if (!/[{]/.test(written)) return (doc) => (Object.hasOwn(doc, written) ? String(doc[written] ?? "") : written);
  const template = taskTemplate(written, at);
  return (doc) => (Object.hasOwn(doc, written) ? String(doc[written] ?? "") : template.render(doc));
}

function compiled(field: DocumentField, features: ReadonlySet<string>, at: string): (doc: Doc) => { value: unknown; rendered: boolean } {
  if (typeof field !== "string") return () => ({ value: field, rendered: false });
  if (features.has(field)) return (doc) => ({ value: doc[field], rendered: false });
  const template = taskTemplate(field, at);
  return (doc) => ({ value: template.render(doc), rendered: true });
}

function taskTemplate(source: string, at: string): Template {
  const filters: Readonly<Record<string, TemplateFunction>> = {
    regex_replace: (value, pattern, replacement, count = 0) =>
      substitute(pythonRegex(String(pattern), at), String(replacement), String(value), count as number),
  };
  return new Template(source, { at, strict: true, filters });
}

function checkedTarget(value: unknown, at: string): Target {
  const plain = typeof value === "boolean" ? Number(value) : value;
  const simple = (item: unknown) => typeof item === "string" || typeof item === "number";
  if (simple(plain) || (Array.isArray(plain) && plain.length > 0 && plain.every(simple))) return plain as Target;
  throw wrong(at, "a text, a number, or a list of them", value);
}

const wrong = (at: string, expected: string, received: unknown) =>
  new FieldError("TASK_DOCUMENT", { at, expected, received: received ?? null });
