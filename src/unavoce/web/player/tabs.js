// Tells the browser's other tabs which reply's sound this one has taken over: the server does not tell them, and they
// would play on what they have.

const NAME = "unavoce";

/** @param {(replyId: string) => void} taken @returns {{ tell: (replyId: string) => void, close: () => void }} */
export function otherTabs(taken) {
  // Not in a program without tabs, which it would keep from ending.
  if (!("document" in globalThis)) return { tell() {}, close() {} };
  const channel = new BroadcastChannel(NAME);
  channel.addEventListener("message", ({ data }) => {
    if (typeof data?.taken === "string") taken(data.taken);
  });
  return { tell: (replyId) => channel.postMessage({ taken: replyId }), close: () => channel.close() };
}
