/** Real text that this repository holds: excerpts of documentation in many languages and domains, each under its own license (NOTICE). */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { FieldError, nearest } from "../errors.ts";

export interface RealText {
  readonly name: string;
  /** JSONL, gzip: `{ id, text }` a document. */
  readonly path: string;
  /** BCP-47. */
  readonly language: string;
  readonly about: string;
}

type Row = Omit<RealText, "name" | "path"> & { readonly file: string };

const TEXTS: Readonly<Record<string, Row>> = {
  english: { file: "quickstart/english", language: "en", about: "LibreOffice help" },
  basque: { file: "quickstart/basque", language: "eu", about: "LibreOffice help" },
  ...languages({ spanish: "es", french: "fr", german: "de", italian: "it", finnish: "fi" }),
  "python-manual": { file: "domains/python-manual", language: "en", about: "Python's manual" },
  postgresql: { file: "domains/postgresql", language: "en", about: "PostgreSQL's manual" },
  desktop: { file: "domains/desktop", language: "en", about: "GNOME's help" },
  "python-code": { file: "domains/python-code", language: "zxx", about: "Python's standard library, source code" },
};

export const realTextNames = (): string[] => Object.keys(TEXTS);

/** The examples lie beside the packages, at the same distance from the sources and from what is built. */
export function realText(name: string): RealText {
  const found = TEXTS[name];
  if (found === undefined) {
    const near = nearest(name, Object.keys(TEXTS));
    throw new FieldError("REAL_TEXT", {
      at: "realText",
      expected: `one of ${Object.keys(TEXTS).join(", ")}`,
      received: name,
      ...(near === undefined ? {} : { todo: `did you mean ${near}?` }),
    });
  }
  const { file, language, about } = found;
  const path = fileURLToPath(new URL(`../../../../examples/${file}.jsonl.gz`, import.meta.url));
  if (!existsSync(path))
    throw new FieldError("REAL_TEXT", {
      at: path,
      expected: "an excerpt of real text",
      todo: "reproductions need a clone of the repository",
    });
  return { name, path, language, about };
}

/** The same help pages in other languages. */
function languages(tags: Readonly<Record<string, string>>): Record<string, Row> {
  return Object.fromEntries(
    Object.entries(tags).map(([name, language]) => [name, { file: `domains/${name}`, language, about: "LibreOffice help" }]),
  );
}
