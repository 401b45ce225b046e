/** Whether a reply is heard here: the browser may not let the page play yet, or another tab has the sound. */

/** The browser takes a moment to begin, even when it may. */
const PATIENCE_MS = 500;
const LOOK_AGAIN_MS = 1_000;
const GESTURES = ["keydown", "pointerdown", "pointerup", "click"];

/** @typedef {import("../../player/unavoce-player.js").Conversation} Conversation */

export class SoundNotice {
  #conversation;
  #strip;
  #activity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #lockedTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #elsewhereTimer;

  /**
   * @param {Conversation} conversation
   * @param {import("./strip.js").Strip} strip
   * @param {import("./activity.js").Activity} activity
   */
  constructor(conversation, strip, activity) {
    this.#conversation = conversation;
    this.#strip = strip;
    this.#activity = activity;
    conversation.on("sound", () => this.#tellLocked());
    activity.watch((state) => {
      this.#tellLocked();
      this.#tellElsewhere(state.elsewhere);
    });
    for (const gesture of GESTURES) addEventListener(gesture, () => this.#unlock(), { capture: true, passive: true });
  }

  get #locked() {
    return this.#activity.state.sounding && this.#conversation.sound.state === "locked";
  }

  /** Any gesture will do, and only when there is something to hear. */
  #unlock() {
    if (this.#locked) this.#conversation.unlock();
  }

  #tellLocked() {
    if (!this.#locked) {
      clearTimeout(this.#lockedTimer);
      this.#lockedTimer = undefined;
      this.#strip.show("locked", null);
    } else {
      this.#lockedTimer ??= setTimeout(() => this.#sayLocked(), PATIENCE_MS);
    }
  }

  #sayLocked() {
    this.#lockedTimer = undefined;
    const act = () => this.#conversation.unlock();
    if (this.#locked)
      this.#strip.show("locked", { words: "Press any key or click to hear.", action: { words: "Hear it", act } });
  }

  /** @param {import("./activity.js").State["elsewhere"]} elsewhere */
  #tellElsewhere(elsewhere) {
    clearTimeout(this.#elsewhereTimer);
    if (elsewhere === "none") return this.#strip.show("elsewhere", null);
    const words = elsewhere === "taken" ? "The sound has moved to another tab." : "This reply is heard in another tab.";
    this.#strip.show("elsewhere", { words, action: { words: "Listen here", act: () => this.#listen() } });
    this.#elsewhereTimer = setTimeout(() => this.#activity.refresh(), LOOK_AGAIN_MS);
  }

  async #listen() {
    try {
      await this.#conversation.listen();
      this.#strip.show("listen", null);
    } catch (error) {
      const { message } = /** @type {Error} */ (error);
      this.#strip.show("listen", { words: `The sound could not be brought here: ${message}`, level: "bad" });
    }
  }
}
