/**
 * When a reply's message reached the server, by the page's own clock. The server counts from that moment; the page from
 * its own start (`performance.now()`). Neither's clock is set by the other, so the offset is measured as NTP does: the
 * server read `serverMs` at some moment between question and answer, and half-way is the best guess. It is wrong by at
 * most half the round trip, so the shortest round trip seen is believed. Pure.
 */
export class ReplyClock {
  constructor() {
    /** @type {number | null} */
    this.zeroMs = null;
    /** How far off it may be. */
    this.uncertaintyMs = Number.POSITIVE_INFINITY;
  }

  /**
   * @param {number} askedMs by the page's clock: a message was sent, a trace asked for
   * @param {number} answeredMs by the page's clock: its acknowledgement, its answer
   * @param {number} serverMs by the reply's clock: 0 for the message itself, a trace's `nowMs`
   */
  observe(askedMs, answeredMs, serverMs) {
    const uncertaintyMs = (answeredMs - askedMs) / 2;
    if (uncertaintyMs < 0 || uncertaintyMs >= this.uncertaintyMs) return;
    this.uncertaintyMs = uncertaintyMs;
    this.zeroMs = askedMs + uncertaintyMs - serverMs;
  }

  /**
   * A moment of the page's clock, since the message reached the server; null while nothing is known.
   * @param {number} pageMs
   */
  sinceMessage(pageMs) {
    return this.zeroMs === null ? null : pageMs - this.zeroMs;
  }
}
