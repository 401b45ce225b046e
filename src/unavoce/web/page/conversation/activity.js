/**
 * Which replies run, which sound here and which elsewhere: what decides whether there is something to stop, to listen to
 * or to unlock. Pure.
 *
 * @typedef {object} State
 * @property {boolean} busy a reply runs, or sounds here
 * @property {boolean} sounding sound of a reply came here that has not been heard to its end
 * @property {"none" | "other" | "taken"} elsewhere a reply that runs is heard elsewhere; `taken`: it was heard here before
 */

/** Rather long: an offer that leads to nothing is better than none. */
const CHARACTERS_PER_S = 12;

/** @typedef {{ own: boolean, taken: boolean, done: boolean, sounding: boolean, spokenUntilMs: number, beganMs: number }} Known */

export class Activity {
  /** @type {Map<string, Known>} */
  #replies = new Map();
  /** @type {Set<(state: State) => void>} */
  #listeners = new Set();
  #now;

  /** @param {() => number} [now] milliseconds */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** @returns {State} */
  get state() {
    const known = [...this.#replies.values()];
    const foreign = known.filter((reply) => !reply.own && (!reply.done || reply.spokenUntilMs > this.#now()));
    return {
      busy: known.some((reply) => !reply.done || reply.sounding),
      sounding: known.some((reply) => reply.sounding),
      elsewhere: foreign.some((reply) => reply.taken) ? "taken" : foreign.length ? "other" : "none",
    };
  }

  /** @param {(state: State) => void} listener told now, and after each change */
  watch(listener) {
    this.#listeners.add(listener);
    listener(this.state);
  }

  /** Look again: what is spoken elsewhere ends without a word. */
  refresh() {
    for (const [replyId, reply] of this.#replies)
      if (reply.done && !reply.own && reply.spokenUntilMs <= this.#now()) this.#replies.delete(replyId);
    const { state } = this;
    for (const listener of this.#listeners) listener(state);
  }

  /** @param {{ replyId: string, own: boolean }} event */
  reply({ replyId, own }) {
    const known = this.#replies.get(replyId);
    const taken = !own && (known?.own ?? false);
    const beganMs = known?.beganMs ?? this.#now();
    this.#replies.set(replyId, { done: false, spokenUntilMs: 0, ...known, own, taken, beganMs, sounding: false });
    this.refresh();
  }

  /** @param {{ replyId: string }} event sound of it has arrived */
  chunk({ replyId }) {
    this.#change(replyId, (reply) => {
      reply.sounding = reply.own;
    });
  }

  /** @param {{ replyId: string, sentence: number | null }} event */
  speaking({ replyId, sentence }) {
    this.#change(replyId, (reply) => {
      reply.sounding = sentence !== null;
    });
  }

  /** @param {{ replyId: string, reason: string, text: string }} event */
  done({ replyId, reason, text }) {
    this.#change(replyId, (reply) => {
      reply.done = true;
      if (reason === "aborted") reply.sounding = false;
      else reply.spokenUntilMs = reply.beganMs + (text.length / CHARACTERS_PER_S) * 1000;
    });
  }

  /** Nothing sounds here any more: all was heard, could not be played, or was stopped. */
  silent() {
    for (const [replyId, reply] of this.#replies) {
      reply.sounding = false;
      if (reply.done && reply.own) this.#replies.delete(replyId);
    }
    this.refresh();
  }

  /** All were told to stop; their ends are still to come, and are not waited for. */
  stopped() {
    this.#replies.clear();
    this.refresh();
  }

  /**
   * @param {string} replyId
   * @param {(reply: Known) => void} change
   */
  #change(replyId, change) {
    const reply = this.#replies.get(replyId);
    if (!reply) return;
    change(reply);
    if (reply.done && reply.own && !reply.sounding) this.#replies.delete(replyId);
    this.refresh();
  }
}
