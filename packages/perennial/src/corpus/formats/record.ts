import { isUtf8 } from "node:buffer";
import type { Document, Json, Provenance } from "../document.ts";

/** Why a record was set aside. */
export type RejectionReason =
  | "invalid-json"
  | "not-an-object"
  | "missing-text"
  | "invalid-utf-8"
  | "lone-surrogate"
  | "oversized-record"
  | "damaged-file";

/** A record that could not be read: where it is, why, and how it begins. */
export interface Rejection {
  readonly file: string;
  /** Line in a file of lines, row in Parquet; from 1. Absent when the whole file is meant. */
  readonly line?: number;
  readonly reason: RejectionReason;
  readonly detail?: string;
  readonly excerpt?: string;
}

export type ReadRecord = { readonly document: Document } | { readonly rejection: Rejection };

/** Where a record stands, for its id, its provenance and its rejection. */
export interface RecordPlace {
  readonly file: string;
  readonly line: number;
  readonly offset: number;
  readonly sizeBytes?: number;
}

export interface RecordFields {
  readonly textField: string;
  readonly idField: string;
}

const MAX_EXCERPT_CHARACTERS = 200;

export function rejected(
  place: { file: string; line?: number },
  reason: RejectionReason,
  about: { detail?: string; excerpt?: string } = {},
) {
  const { file, line } = place;
  return { rejection: { file, ...(line === undefined ? {} : { line }), reason, ...about } } satisfies ReadRecord;
}

export const excerptOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, MAX_EXCERPT_CHARACTERS)).toString("utf8");

/** The text of bytes, or the reason why they are none. */
export function decodeText(bytes: Uint8Array): string | undefined {
  return isUtf8(bytes) ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8") : undefined;
}

/** Node 20 has it, TypeScript's ES2023 library does not know it yet. */
const isWellFormed = (text: string): boolean => (text as string & { isWellFormed(): boolean }).isWellFormed();

/**
 * A document from an object with a text field. The fields that a `Document` has are taken as they are where their types agree, so what
 * was written as a document is read as the same document; every other field goes to `metadata`.
 */
export function documentFromObject(value: unknown, place: RecordPlace, fields: RecordFields): ReadRecord {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return rejected(place, "not-an-object");
  const object = value as Record<string, Json>;
  const known: [string, Json][] = [];
  const metadata: [string, Json][] = isObject(object.metadata) ? Object.entries(object.metadata) : [];
  for (const [key, field] of Object.entries(object)) {
    if (key === fields.textField || key === fields.idField || (key === "metadata" && isObject(field))) continue;
    (KNOWN_FIELDS.get(key)?.(field) === true ? known : metadata).push([key, field]);
  }
  const text = object[fields.textField];
  if (typeof text !== "string") return rejected(place, "missing-text", { detail: `no text in the field "${fields.textField}"` });
  const id = object[fields.idField];
  return plainDocument(text, place, {
    ...Object.fromEntries(known),
    ...(typeof id === "string" || typeof id === "number" ? { id: String(id) } : {}),
    metadata: Object.fromEntries(metadata),
  });
}

/** A document of nothing but text (and what is handed in). */
export function plainDocument(text: string, place: RecordPlace, more: Partial<Document> = {}): ReadRecord {
  if (!isWellFormed(text)) return rejected(place, "lone-surrogate", { excerpt: text.slice(0, MAX_EXCERPT_CHARACTERS) });
  const provenance: Provenance = {
    file: place.file,
    offset: place.offset,
    ...(place.sizeBytes === undefined ? {} : { sizeBytes: place.sizeBytes }),
  };
  const lines = text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
  return { document: { id: `${place.file}:${place.line}`, provenance, metadata: {}, annotations: {}, ...more, text: lines } };
}

const isObject = (value: unknown): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isString = (value: unknown) => typeof value === "string";
const isNumber = (value: unknown) => typeof value === "number";

const KNOWN_FIELDS: ReadonlyMap<string, (value: unknown) => boolean> = new Map<string, (value: unknown) => boolean>([
  ["url", isString],
  ["language", isString],
  ["languageScore", isNumber],
  ["script", isString],
  ["clusterSize", isNumber],
  ["provenance", (value) => isObject(value) && typeof value.file === "string"],
  ["annotations", isObject],
]);
