/**
 * The page's instruments, put together: what a person sets, what the server is like, and how each reply was made.
 *
 *   const instruments = new Instruments(conversation);
 *   header.append(instruments.header);  header.after(instruments.notices);
 *   await instruments.send(message, { interrupt: true });      in the voice, speed and format that are set
 *   article.append(instruments.replyLine(replyId));            below each reply
 */
import { Api } from "./api.js";
import { element } from "./dom.js";
import { Health } from "./health.js";
import { HealthView } from "./health-view.js";
import { icon } from "./icons.js";
import { KeyDialog } from "./key-dialog.js";
import { KeyStore } from "./key-store.js";
import { LevelMeter } from "./level-meter.js";
import { Notices } from "./notices.js";
import { decodesOpus } from "./opus-check.js";
import { Records } from "./records.js";
import { ReplyLine } from "./reply-line.js";
import { Settings, STORED_AS, storageOf } from "./settings.js";
import { SettingsDialog } from "./settings-dialog.js";
import { speechControls } from "./speech-controls.js";
import { engineOf, isGone } from "./voices.js";

/** @typedef {import("../player/unavoce-player.js").Conversation} Conversation */

export class Instruments {
  #conversation;
  #settings = new Settings(storageOf("localStorage"));
  #keys = new KeyStore(storageOf("sessionStorage"), storageOf("localStorage"));
  #notices = new Notices();
  #api;
  #health;
  #healthView;
  #meter;
  #records;
  #keyDialog;
  #settingsDialog;
  #opus = true;
  /** @type {Map<string, ReplyLine>} */
  #lines = new Map();

  /** @param {Conversation} conversation not connected yet: its key is set here */
  constructor(conversation) {
    this.#conversation = conversation;
    conversation.apiKey = this.#keys.key;
    this.#api = new Api(() => conversation.apiKey);
    this.#health = new Health(this.#api);
    this.#healthView = new HealthView(this.#health, this.#notices, () => engineOf(this.#voice));
    this.#meter = new LevelMeter(() => conversation.sound);
    this.#records = new Records(conversation, (replyId) => this.#lines.get(replyId)?.refresh());
    this.#keyDialog = new KeyDialog(this.#keys, (key) => this.#connectWith(key));
    this.#settingsDialog = new SettingsDialog(this.#settings, this.#health, this.#keys, () => this.#forgetKey());
    this.header = this.#drawHeader();
    this.notices = this.#notices.element;
    document.body.append(this.#healthView.dialog, this.#settingsDialog.dialog, this.#keyDialog.dialog);
    this.#listen();
    void this.#checkOpus();
  }

  /**
   * Sends a message as the settings say. A voice that the server no longer has is left out, and that is said.
   * @param {string} message
   * @param {{ interrupt?: boolean }} [options]
   * @returns {Promise<{ sessionId: string, replyId: string }>}
   */
  async send(message, options = {}) {
    const { speak, speed } = this.#settings.choices;
    const manner = { ...options, speak, speed, voice: this.#voice, format: this.#format };
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
   * @param {import("../player/types.d.ts").SendOptions} manner
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

  /** Without Opus in this browser it has to be WAV, whatever the server's default is. */
  get #format() {
    return this.#opus ? this.#settings.choices.format : "wav";
  }

  #drawHeader() {
    const label = "Settings";
    const open = element(
      "button",
      { type: "button", class: "icon-button", "aria-label": label, title: label },
      icon("settings"),
    );
    open.addEventListener("click", () => this.#settingsDialog.open());
    const { indicator } = this.#healthView;
    return element(
      "div",
      { class: "instruments" },
      this.#meter.element,
      indicator,
      speechControls(this.#settings),
      open,
    );
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

  /** @param {{ state: import("./health-words.js").Connection, code?: string }} event */
  #connection({ state, code }) {
    this.#health.connection(state);
    if (state === "refused" && code === "unauthorised") {
      const action = { words: "Enter the key", act: () => this.#keyDialog.refused() };
      this.#notices.show("key", { level: "bad", words: "This server wants a key.", action });
      this.#keyDialog.refused();
    } else if (state === "online") {
      this.#notices.clear("key");
      this.#keyDialog.accepted();
    } else if (state === "offline") {
      this.#keyDialog.unanswered();
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
    this.#settingsDialog.dialog.close();
    this.#connectWith(undefined);
  }

  /** @param {Readonly<import("./settings.js").Choices>} choices */
  #apply({ speak, volume, appearance, voice }) {
    this.#conversation.volume = speak ? volume : 0;
    const root = document.documentElement;
    if (appearance === "system") delete root.dataset.theme;
    else root.dataset.theme = appearance;
    this.#healthView.refresh();
    this.#sayGone(voice);
  }

  /** @param {string | null} voice */
  #sayGone(voice) {
    if (!isGone(voice, this.#health.state.engines)) return this.#notices.clear("voice");
    const act = () => this.#settingsDialog.open();
    const words = `The voice ${voice} is not here any more: the default speaks.`;
    this.#notices.show("voice", { level: "warn", words, action: { words: "Choose another", act } });
  }

  async #checkOpus() {
    this.#opus = await decodesOpus();
    if (!this.#opus) this.#settingsDialog.withoutOpus();
  }
}
