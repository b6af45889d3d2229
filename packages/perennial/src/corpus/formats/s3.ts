/**
 * Requests to S3-compatible stores: where `s3://bucket/key` lies, and the signature that a private bucket asks for (AWS Signature Version 4).
 *
 *   canonical   method \n path \n query \n host, x-amz-content-sha256, x-amz-date \n names \n SHA-256 of the (empty) body
 *   to sign     AWS4-HMAC-SHA256 \n time \n date/region/s3/aws4_request \n SHA-256(canonical)
 *   key         HMAC(HMAC(HMAC(HMAC("AWS4" + secret, date), region), "s3"), "aws4_request")
 *
 * With an endpoint the bucket is the first part of the path, which every compatible store understands.
 */
import { createHash, createHmac } from "node:crypto";
import { FieldError } from "../../errors.ts";

export interface S3Settings {
  /** Address of the store; default: $AWS_ENDPOINT_URL_S3, $AWS_ENDPOINT_URL, else Amazon's. */
  readonly endpoint?: string;
  /** Default: $AWS_REGION, $AWS_DEFAULT_REGION, else us-east-1. */
  readonly region?: string;
  /** Sign with the keys in the environment; "auto": where they are set. */
  readonly signed?: boolean | "auto";
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

export function s3Region({ region }: S3Settings, env: Environment): string {
  return region ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? "us-east-1";
}

/** The address of an object, or of its bucket where the key is empty. */
export function s3Address(location: string, settings: S3Settings = {}, env: Environment = process.env): string {
  const [, bucket, key = ""] = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(location) ?? [];
  if (bucket === undefined) throw new FieldError("S3_ADDRESS", { at: location, expected: "s3://bucket/key" });
  const path = key.split("/").map(encodePart).join("/");
  const endpoint = settings.endpoint ?? env.AWS_ENDPOINT_URL_S3 ?? env.AWS_ENDPOINT_URL;
  if (endpoint !== undefined) return `${endpoint.replace(/\/$/, "")}/${bucket}/${path}`;
  const region = s3Region(settings, env);
  const host = region === "us-east-1" ? "s3.amazonaws.com" : `s3.${region}.amazonaws.com`;
  // A bucket with dots in its name has no certificate as a host.
  return bucket.includes(".") ? `https://${host}/${bucket}/${path}` : `https://${bucket}.${host}/${path}`;
}

/** RFC 3986, stricter than `encodeURIComponent`, as the signature wants it. */
const encodePart = (part: string): string =>
  encodeURIComponent(part).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

/** Keys from the environment if requests are to be signed. */
export function s3Credentials({ signed = "auto" }: S3Settings, env: Environment = process.env): Credentials | undefined {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken } = env;
  if (signed === false) return undefined;
  if (accessKeyId !== undefined && secretAccessKey !== undefined)
    return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
  if (signed === "auto") return undefined;
  throw new FieldError("S3_CREDENTIALS", {
    at: "environment",
    expected: "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for signed requests",
    todo: "set both, or signed: false for a public bucket",
  });
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
const EMPTY_BODY = sha256("");

export interface SignInput {
  readonly method: string;
  readonly address: string;
  readonly region: string;
  readonly credentials: Credentials;
  /** More headers that the signature covers. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly now: Date;
}

/** The headers of a signed request without a body. */
export function signRequest({ method, address, region, credentials, headers = {}, now }: SignInput): Record<string, string> {
  const url = new URL(address);
  const time = now.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const date = time.slice(0, 8);
  const signed: Record<string, string> = {
    ...headers,
    host: url.host,
    "x-amz-content-sha256": EMPTY_BODY,
    "x-amz-date": time,
    ...(credentials.sessionToken === undefined ? {} : { "x-amz-security-token": credentials.sessionToken }),
  };
  const names = Object.keys(signed).sort();
  const query = [...url.searchParams]
    .map(([name, value]) => `${encodePart(name)}=${encodePart(value)}`)
    .sort()
    .join("&");
  const canonical = [
    method,
    url.pathname,
    query,
    ...names.map((name) => `${name}:${signed[name]!.trim()}`),
    "",
    names.join(";"),
    EMPTY_BODY,
  ].join("\n");
  const scope = `${date}/${region}/s3/aws4_request`;
  const key = hmac(hmac(hmac(hmac(`AWS4${credentials.secretAccessKey}`, date), region), "s3"), "aws4_request");
  const signature = hmac(key, ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n")).toString("hex");
  const { host: _, ...sent } = signed;
  const authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope},SignedHeaders=${names.join(";")},Signature=${signature}`;
  return { ...sent, authorization };
}
