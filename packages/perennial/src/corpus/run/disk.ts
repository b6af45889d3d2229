/** A full disk, told as one line: it is the one failure that no other shard escapes. */
import { PerennialError } from "../../errors.ts";

const FULL: Readonly<Record<string, string>> = {
  ENOSPC: "no space is left on its disk",
  EDQUOT: "its disk quota is used up",
  EFBIG: "a file grew beyond the largest size that is allowed",
  EROFS: "its disk can only be read",
};

export function explained(error: unknown, folder: string): unknown {
  const why = FULL[(error as NodeJS.ErrnoException | undefined)?.code ?? ""];
  if (why === undefined || error instanceof PerennialError) return error;
  return new PerennialError("DISK_FULL", `${folder}: ${why}. Make room, then run again: it goes on where it was.`, {
    cause: error,
  });
}
