/** The connection in plain words. What is usual (it connects at once) is not said. */

const PATIENCE_MS = 700;
const GOOD_NEWS_MS = 3_000;

/** @typedef {import("../../player/unavoce-player.js").Conversation} Conversation */

export class ConnectionNotice {
  #strip;
  #wasLost = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {Conversation} conversation
   * @param {import("./strip.js").Strip} strip
   */
  constructor(conversation, strip) {
    this.#strip = strip;
    conversation.on("connection", (event) => this.#tell(event));
  }

  /** @param {{ state: string, code?: string, message?: string }} event */
  #tell({ state, code, message }) {
    clearTimeout(this.#timer);
    if (state === "online") this.#online();
    else if (state === "offline") this.#lost();
    else if (state === "connecting") this.#timer = setTimeout(() => this.#say("Connecting …"), PATIENCE_MS);
    // The instruments ask for a key.
    else if (code === "unauthorised") this.#strip.show("connection", null);
    else
      this.#say(
        `The server would not have us: ${message || "it gave no reason"}. Reload the page to try again.`,
        "bad",
      );
  }

  #lost() {
    const words =
      this.#wasLost || performance.now() > PATIENCE_MS * 3 ? "Connection lost." : "The server does not answer.";
    this.#wasLost = true;
    this.#say(`${words} What has arrived still plays; trying again …`, "bad");
  }

  #online() {
    if (!this.#wasLost) return this.#strip.show("connection", null);
    this.#wasLost = false;
    this.#say("Connected again.");
    this.#timer = setTimeout(() => this.#strip.show("connection", null), GOOD_NEWS_MS);
  }

  /**
   * @param {string} words
   * @param {"plain" | "bad"} [level]
   */
  #say(words, level = "plain") {
    this.#strip.show("connection", { words, level });
  }
}
