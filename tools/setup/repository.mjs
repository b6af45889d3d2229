/** Where the repository is. */
export const repository = new URL("../../", import.meta.url).pathname.replace(/\/$/, "");
