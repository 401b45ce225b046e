/** The line above the composer: how the connection and the sound are, where that is not as one expects. */
import { element } from "../dom.js";

const CONNECTING_MS = 700;
const GOOD_NEWS_MS = 3_000;
/** The browser takes a moment to begin, even when it may. */
const UNLOCKING_MS = 500;
const LOOK_AGAIN_MS = 1_000;
const GESTURES = ["keydown", "pointerdown", "pointerup", "click"];

/** @typedef {import("../../player/unavoce-player.js").Conversation} Conversation */
/**
 * @typedef {object} Said
 * @property {string} words
 * @property {"plain" | "bad"} [level]
 * @property {{ words: string, act: () => void }} [action]
 */

export class Strip {
  #element;
  /** @type {Map<string, { said: string, drawn: HTMLElement }>} */
  #shown = new Map();

  /** @param {HTMLElement} place */
  constructor(place) {
    this.#element = place;
  }

  /**
   * Says it in the place of what `id` said before.
   * @param {string} id
   * @param {Said | null} said null: nothing any more
   */
  show(id, said) {
    const before = this.#shown.get(id);
    if (before?.said === said?.words) return;
    before?.drawn.remove();
    this.#shown.delete(id);
    if (!said) return;
    const drawn = draw(id, said);
    this.#shown.set(id, { said: said.words, drawn });
    this.#element.append(drawn);
  }
}

/**
 * @param {string} id
 * @param {Said} said
 */
function draw(id, { words, level = "plain", action }) {
  const drawn = element(
    "p",
    { class: "strip-line", "data-level": level, "data-notice": id },
    element("span", {}, words),
  );
  if (action) {
    const button = element("button", { type: "button", class: "strip-button" }, action.words);
    button.addEventListener("click", action.act);
    drawn.append(button);
  }
  return drawn;
}

/** The connection in plain words. What is usual (it connects at once) is not said. */
export class ConnectionNotice {
  #strip;
  #wasLost = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {Conversation} conversation
   * @param {Strip} strip
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
    else if (state === "connecting") this.#timer = setTimeout(() => this.#say("Connecting …"), CONNECTING_MS);
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
      this.#wasLost || performance.now() > CONNECTING_MS * 3 ? "Connection lost." : "The server does not answer.";
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

/** Whether a reply is heard here: the browser may not let the page play yet, or another tab has the sound. */
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
   * @param {Strip} strip
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
      this.#lockedTimer ??= setTimeout(() => this.#sayLocked(), UNLOCKING_MS);
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
