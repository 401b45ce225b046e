/** The conversation as a whole: saying something, stopping, and coming back to what was said before. */

/** A server that does not answer does not keep one in the old conversation. */
const PARTING_MS = 1_500;

/** @typedef {import("../../player/unavoce-player.js").Conversation} Conversation */
/** @typedef {(message: string, options: { interrupt: boolean }) => Promise<{ replyId: string }>} Send as the settings say */

export class Talk {
  #conversation;
  /** @type {(send: Send) => void} */
  #ready = () => {};
  /** Who sends, once all is there that knows how. @type {Promise<Send>} */
  #send = new Promise((resolve) => {
    this.#ready = resolve;
  });
  #messages;
  #replies;
  #follower;
  #activity;
  #memory;
  #strip;
  /** Whether there is history still to come. */
  restoring;

  /**
   * @param {object} parts
   * @param {Conversation} parts.conversation not connected yet
   * @param {import("./messages.js").Messages} parts.messages
   * @param {import("./replies.js").Replies} parts.replies
   * @param {import("./follower.js").Follower} parts.follower
   * @param {import("./activity.js").Activity} parts.activity
   * @param {import("./session-memory.js").SessionMemory} parts.memory
   * @param {import("./strip.js").Strip} parts.strip
   */
  constructor({ conversation, messages, replies, follower, activity, memory, strip }) {
    this.#conversation = conversation;
    this.#messages = messages;
    this.#replies = replies;
    this.#follower = follower;
    this.#activity = activity;
    this.#memory = memory;
    this.#strip = strip;
    this.restoring = memory.sessionId !== undefined;
  }

  /**
   * Connects, and comes back to the session that is remembered.
   * @param {Send} send
   */
  begin(send) {
    this.#ready(send);
    const conversation = this.#conversation;
    const activity = this.#activity;
    conversation.on("session", ({ sessionId }) => this.#memory.remember(sessionId));
    conversation.on("sessionLost", () => this.#lost());
    conversation.on("connection", ({ state }) => state === "online" && this.#restore());
    conversation.on("reply", (event) => activity.reply(event));
    conversation.on("chunk", (event) => activity.chunk(event));
    conversation.on("speaking", (event) => activity.speaking(event));
    conversation.on("done", (event) => activity.done(event));
    conversation.on("sound", ({ state }) => state === "idle" && activity.silent());
    this.#replies.onForeign(() => this.#restore());
    addEventListener("pagehide", () => this.#memory.leave(conversation.resumePoint()));
    addEventListener("pageshow", ({ persisted }) => persisted && this.#memory.takeResumePoint());
    // How it ends is told by `connection` events.
    conversation.connect().catch(() => {});
  }

  /**
   * @param {string} message
   * @throws what the server refused it with
   */
  async send(message) {
    const said = this.#messages.say(message);
    this.#follower.follow();
    this.#strip.show("session", null);
    try {
      const send = await this.#send;
      const { replyId } = await this.#replies.silencing(() => send(message, { interrupt: true }));
      this.#messages.answered(said, replyId);
    } catch (error) {
      this.#messages.takeBack(said);
      throw error;
    }
  }

  /** Silence at once, here and on the server. */
  async stop() {
    try {
      const stopping = this.#replies.silencing(() => this.#conversation.stop());
      this.#activity.stopped();
      await stopping;
      this.#strip.show("stop", null);
    } catch (error) {
      const { message } = /** @type {Error} */ (error);
      this.#strip.show("stop", { words: `Silent here, but the server could not be told: ${message}`, level: "bad" });
    }
  }

  /** Leaves this conversation for a new one. */
  async startAnew() {
    const waited = new Promise((resolve) => setTimeout(resolve, PARTING_MS));
    if (this.#activity.state.busy) await Promise.race([this.stop(), waited]);
    this.#memory.forget();
    location.reload();
  }

  async #restore() {
    try {
      const history = await this.#conversation.history();
      this.restoring = false;
      this.#messages.merge(history);
      this.#strip.show("history", null);
    } catch (error) {
      const { message } = /** @type {Error} */ (error);
      this.#strip.show("history", { words: `The earlier messages could not be fetched: ${message}`, level: "bad" });
    }
  }

  #lost() {
    this.#memory.forget();
    this.restoring = false;
    const words = "The server no longer knows this conversation. What you say next begins a new one.";
    this.#strip.show("session", { words });
  }
}
