// The clipboard, which browsers give to pages that came over HTTPS or from this machine alone.

/** Rejects with a sentence, where it may not be written. @param {string} text @returns {Promise<void>} */
export async function copyText(text) {
  if (!navigator.clipboard) throw new Error("the browser gives the clipboard to pages over HTTPS only");
  await navigator.clipboard.writeText(text);
}
