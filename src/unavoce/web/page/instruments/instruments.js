/**
 * The page's instruments, put together: what a person sets, what the server is like, and how each reply was made. The
 * dialogs and the timeline are loaded when they are opened.
 *
 *   const instruments = new Instruments(conversation);
 *   header.append(instruments.header);  header.after(instruments.notices);
 *   await instruments.send(message, { interrupt: true });      in the voice, speed and format that are set
 *   article.append(instruments.replyLine(replyId));            below each reply
 */
import { canPlayOpus } from "../../player/unavoce-player.js";
import { element } from "../dom.js";
import { storageOf } from "../storage.js";
import { Api, KeyStore } from "./access.js";
import { HealthIndicator, icon, LevelMeter, Notices, speechControls } from "./header.js";
import { Health } from "./health.js";
import { ReplyLine } from "./reply-line.js";
import { Records } from "./reply-record.js";
import { engineOf, isGone, Settings, STORED_AS } from "./settings.js";

/** @typedef {import("../../player/unavoce-player.js").Conversation} Conversation */

export class Instruments {
  #conversation;
  #settings = new Settings(storageOf("localStorage"));
  #keys = new KeyStore(storageOf("sessionStorage"), storageOf("localStorage"));
  #notices = new Notices();
  #api;
  #health;
  #indicator;
  #meter;
  #records;
  #opus = true;
  /** @type {Map<string, ReplyLine>} */
  #lines = new Map();
  #keyDialog = loaded(async () => {
    const { KeyDialog } = await import("./key-dialog.js");
    return new KeyDialog(this.#keys, (key) => this.#connectWith(key));
  });
  #healthDialog = loaded(async () => {
    const { HealthDialog } = await import("./health-dialog.js");
    return new HealthDialog(this.#health);
  });
  #settingsDialog = loaded(async () => {
    const { SettingsDialog } = await import("./settings-dialog.js");
    const also = { opus: this.#opus, forgetKey: () => this.#forgetKey() };
    return new SettingsDialog(this.#settings, this.#health, this.#keys, also);
  });

  /** @param {Conversation} conversation not connected yet: its key is set here */
  constructor(conversation) {
    this.#conversation = conversation;
    conversation.apiKey = this.#keys.key;
    this.#api = new Api(() => conversation.apiKey);
    this.#health = new Health(this.#api);
    const wanted = () => engineOf(this.#voice);
    const openHealth = () => this.#show(this.#healthDialog, (shown) => shown.open());
    this.#indicator = new HealthIndicator(this.#health, this.#notices, wanted, openHealth);
    this.#meter = new LevelMeter(() => conversation.sound);
    this.#records = new Records(conversation, (replyId) => this.#lines.get(replyId)?.refresh());
    this.header = this.#drawHeader();
    this.notices = this.#notices.element;
    this.#listen();
    void canPlayOpus().then((can) => {
      this.#opus = can;
    });
  }

  /**
   * Sends a message as the settings say. A voice that the server no longer has is left out, and that is said.
   * @param {string} message
   * @param {{ interrupt?: boolean }} [options]
   * @returns {Promise<{ sessionId: string, replyId: string }>}
   */
  async send(message, options = {}) {
    const { speak, speed, format } = this.#settings.choices;
    // Without Opus in this browser it has to be WAV, whatever the server's default is.
    const manner = { ...options, speak, speed, voice: this.#voice, format: this.#opus ? format : "wav" };
    try {
      return await this.#sendTimed(message, manner);
    } catch (error) {
      if (manner.voice === null || /** @type {{ code?: string }} */ (error).code !== "unknown_voice") throw error;
      this.#sayGone(manner.voice);
      return this.#sendTimed(message, { ...manner, voice: null });
    }
  }

  /**
   * The line below a reply: who speaks, how soon, and the way to its timeline.
   * @param {string} replyId
   * @returns {HTMLElement}
   */
  replyLine(replyId) {
    const line = this.#lines.get(replyId) ?? new ReplyLine(this.#records.of(replyId), this.#api);
    this.#lines.set(replyId, line);
    return line.element;
  }

  /**
   * @param {string} message
   * @param {import("../../player/types.d.ts").SendOptions} manner
   */
  async #sendTimed(message, manner) {
    const sentMs = performance.now();
    const begun = await this.#conversation.send(message, manner);
    this.#records.of(begun.replyId).sent(sentMs, performance.now(), manner.speak !== false);
    return begun;
  }

  /** The chosen voice, but for one that is gone. */
  get #voice() {
    const { voice } = this.#settings.choices;
    return isGone(voice, this.#health.state.engines) ? null : voice;
  }

  #drawHeader() {
    const attributes = { type: "button", class: "icon-button", "aria-label": "Settings", title: "Settings" };
    const open = element("button", attributes, icon("settings"));
    open.addEventListener("click", () => this.#openSettings());
    const controls = speechControls(this.#settings);
    return element("div", { class: "instruments" }, this.#meter.element, this.#indicator.element, controls, open);
  }

  #listen() {
    const conversation = this.#conversation;
    conversation.on("connection", (event) => this.#connection(event));
    conversation.on("engine", (event) => this.#health.engine(event));
    conversation.on("error", () => this.#health.refresh());
    conversation.on("sound", () => this.#meter.refresh());
    this.#settings.watch((choices) => this.#apply(choices));
    this.#health.watch(() => this.#sayGone(this.#settings.choices.voice));
    addEventListener("storage", ({ key }) => {
      if (key === STORED_AS) this.#settings.reread();
    });
  }

  /** @param {{ state: import("./health.js").Connection, code?: string }} event */
  #connection({ state, code }) {
    this.#health.connection(state);
    if (state === "refused" && code === "unauthorised") {
      const action = { words: "Enter the key", act: () => this.#askKey() };
      this.#notices.show("key", { level: "bad", words: "This server wants a key.", action });
      this.#askKey();
    } else if (state === "online") {
      this.#notices.clear("key");
      void this.#keyDialog.now?.then((asked) => asked.accepted());
    } else if (state === "offline") {
      void this.#keyDialog.now?.then((asked) => asked.unanswered());
    }
  }

  #askKey() {
    this.#show(this.#keyDialog, (asked) => asked.refused());
  }

  #openSettings() {
    this.#show(this.#settingsDialog, (shown) => shown.open());
  }

  /**
   * @template Dialog
   * @param {Loaded<Dialog>} loading
   * @param {(dialog: Dialog) => void} use
   */
  async #show(loading, use) {
    try {
      use(await loading.get());
      this.#notices.clear("loading");
    } catch {
      this.#notices.show("loading", { level: "bad", words: "This could not be loaded. Is the server still running?" });
    }
  }

  /** @param {string | undefined} key */
  #connectWith(key) {
    this.#conversation.apiKey = key;
    // How it ends is told by `connection` events.
    this.#conversation.connect().catch(() => {});
  }

  /** Nothing is to be had with it any more on this page either: the server is shown that there is none, and asks. */
  #forgetKey() {
    this.#keys.forget();
    void this.#settingsDialog.now?.then((shown) => shown.close());
    this.#connectWith(undefined);
  }

  /** @param {Readonly<import("./settings.js").Choices>} choices */
  #apply({ speak, volume, appearance, voice }) {
    this.#conversation.volume = speak ? volume : 0;
    const root = document.documentElement;
    if (appearance === "system") delete root.dataset.theme;
    else root.dataset.theme = appearance;
    this.#indicator.refresh();
    this.#sayGone(voice);
  }

  /** @param {string | null} voice */
  #sayGone(voice) {
    if (!isGone(voice, this.#health.state.engines)) return this.#notices.clear("voice");
    const action = { words: "Choose another", act: () => this.#openSettings() };
    const words = `The voice ${voice} is not here any more: the default speaks.`;
    this.#notices.show("voice", { level: "warn", words, action });
  }
}

/**
 * @template T
 * @typedef {{ now: Promise<T> | null, get: () => Promise<T> }} Loaded `now`: null until somebody has asked for it
 */

/**
 * What is loaded when it is first asked for. Loading that failed is tried again by the next who asks.
 * @template T
 * @param {() => Promise<T>} load
 * @returns {Loaded<T>}
 */
function loaded(load) {
  /** @type {Loaded<T>} */
  const kept = {
    now: null,
    get() {
      kept.now ??= load().catch((error) => {
        kept.now = null;
        throw error;
      });
      return kept.now;
    },
  };
  return kept;
}
