/** The keys below a prefix of an S3-compatible bucket (ListObjectsV2), a page of 1,000 after another. */
import { PerennialError } from "../../errors.ts";
import { type ByteOptions, request } from "./bytes.ts";

export interface StoredObject {
  /** `s3://bucket/key` */
  readonly location: string;
  readonly sizeBytes: number;
}

export async function listObjects(prefix: string, options: ByteOptions = {}): Promise<StoredObject[]> {
  const [, bucket, keyPrefix = ""] = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(prefix) ?? [];
  if (bucket === undefined) throw new PerennialError("S3_ADDRESS", `${prefix}: expected s3://bucket/prefix/.`);
  const found: StoredObject[] = [];
  for (let token: string | undefined; ; ) {
    const query = [
      ...(token === undefined ? [] : [`continuation-token=${encodeURIComponent(token)}`]),
      "list-type=2",
      `prefix=${encodeURIComponent(keyPrefix)}`,
    ].join("&");
    const answer = await (await request(`s3://${bucket}`, { query }, options)).text();
    for (const [, entry] of answer.matchAll(/<Contents>(.*?)<\/Contents>/gs)) {
      const key = /<Key>(.*?)<\/Key>/s.exec(entry!)?.[1];
      if (key !== undefined)
        found.push({ location: `s3://${bucket}/${plainText(key)}`, sizeBytes: Number(/<Size>(\d+)</.exec(entry!)?.[1] ?? 0) });
    }
    const next = /<NextContinuationToken>(.*?)<\/NextContinuationToken>/s.exec(answer)?.[1];
    if (next === undefined || !/<IsTruncated>true</.test(answer)) return found.sort((a, b) => (a.location < b.location ? -1 : 1));
    token = plainText(next);
  }
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

const plainText = (text: string): string =>
  text.replace(/&(?:(lt|gt|quot|apos|amp)|#(\d+));/g, (_, name?: string, code?: string) =>
    name === undefined ? String.fromCodePoint(Number(code)) : ENTITIES[name]!,
  );
