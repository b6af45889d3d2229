/** A step of the set-up that cannot go on: what happened, and the exact command (or choice) that helps. */
export class SetupError extends Error {
  /**
   * @param {string} message one sentence: what happened
   * @param {string} todo what to type or do, without a final period
   */
  constructor(message, todo) {
    super(`${message}\nDo this, then run the same command again:  ${todo}`);
    this.name = "SetupError";
  }
}

/**
 * Runs the `main` of a tool: a SetupError is shown without a stack, anything else is a defect of ours and keeps it.
 * @param {() => Promise<void>} main
 */
export async function runTool(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}

/**
 * A duration for people.
 * @param {number} since milliseconds, of `performance.now()`
 */
export const elapsed = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;
