/** The settings: a choice counts as soon as it is made; what concerns a reply, from the next message on. */
import { element, say } from "../dom.js";
import { choice, dialog, field } from "./dialog.js";
import { slider } from "./header.js";
import { isGone, LEAST_SPEED, MOST_SPEED } from "./settings.js";

/** @type {[string, string][]} */
const FORMATS = [
  ["", "Default"],
  ["wav", "WAV"],
  ["opus", "Opus"],
];
/** @type {[string, string][]} */
const APPEARANCES = [
  ["system", "System"],
  ["light", "Light"],
  ["dark", "Dark"],
];

export class SettingsDialog {
  #settings;
  #health;
  #keys;
  #controls;
  #opus;
  #voicesDrawn = "";
  #dialog;

  /**
   * @param {import("./settings.js").Settings} settings
   * @param {import("./health.js").Health} health
   * @param {import("./access.js").KeyStore} keys
   * @param {{ opus: boolean, forgetKey: () => void }} also whether this browser decodes Opus
   */
  constructor(settings, health, keys, { opus, forgetKey }) {
    this.#settings = settings;
    this.#health = health;
    this.#keys = keys;
    this.#opus = opus;
    this.#controls = controlsOf(settings);
    this.#controls.forget.addEventListener("click", forgetKey);
    this.#dialog = dialog("Settings", ...laidOut(this.#controls));
    settings.watch(() => this.#show());
    health.watch(() => this.#show());
  }

  open() {
    this.#health.refresh();
    this.#show();
    this.#dialog.showModal();
  }

  close() {
    this.#dialog.close();
  }

  #show() {
    const { choices } = this.#settings;
    const { speak, speed, volume, format, appearance } = this.#controls;
    speak.checked = choices.speak;
    speed.show(choices.speed);
    volume.show(choices.volume);
    format.show(choices.format ?? "");
    appearance.show(choices.appearance);
    this.#showVoices(choices.voice);
    this.#showOpus();
    this.#showKey();
  }

  /** @param {string | null} chosen */
  #showVoices(chosen) {
    const { voice, voiceNote } = this.#controls;
    const { engines } = this.#health.state;
    const drawn = JSON.stringify(engines.map((one) => [one.engine, one.voices]));
    if (drawn !== this.#voicesDrawn) voice.replaceChildren(...voiceOptions(engines));
    this.#voicesDrawn = drawn;
    const gone = isGone(chosen, engines);
    voice.value = chosen ?? "";
    // Not listed, and not gone for certain either: its engine is still loading.
    if (chosen !== null && !gone && voice.value !== chosen) {
      voice.append(element("option", { value: chosen }, chosen));
      voice.value = chosen;
    }
    if (gone) voice.value = "";
    voiceNote.hidden = !gone;
    say(voiceNote, gone ? `The voice ${chosen} is not here any more: the default speaks.` : "");
  }

  #showOpus() {
    const { format, formatNote } = this.#controls;
    formatNote.hidden = this.#opus;
    for (const input of format.inputs) input.disabled = input.value === "opus" && !this.#opus;
  }

  #showKey() {
    const { keyPart, keyWords } = this.#controls;
    keyPart.hidden = this.#keys.key === undefined;
    say(keyWords, this.#keys.isRemembered ? "Remembered on this device." : "Kept until this tab is closed.");
  }
}

/** @param {import("./settings.js").Settings} settings */
function controlsOf(settings) {
  const voice = element("select");
  voice.addEventListener("change", () => settings.choose({ voice: voice.value || null }));
  const speak = element("input", { type: "checkbox", role: "switch" });
  speak.addEventListener("change", () => settings.choose({ speak: speak.checked }));
  return {
    voice,
    voiceNote: element("p", { class: "field-note", hidden: true }),
    speak,
    speed: slider(LEAST_SPEED, MOST_SPEED, 0.05, speedWords, (speed) => settings.choose({ speed })),
    volume: slider(0, 1, 0.01, percent, (volume) => settings.choose({ volume })),
    format: choice("Format", FORMATS, (format) => settings.choose({ format: formatOf(format) })),
    formatNote: element("p", { class: "field-note" }, "This browser does not decode Opus: sound comes as WAV."),
    appearance: choice("Appearance", APPEARANCES, (chosen) => settings.choose({ appearance: appearanceOf(chosen) })),
    keyPart: element("section", { class: "key-part" }),
    keyWords: element("p", {}),
    forget: element("button", { type: "button", class: "plain-button" }, "Forget the key"),
  };
}

/** @param {ReturnType<typeof controlsOf>} controls */
function laidOut(controls) {
  const { voice, voiceNote, speak, speed, volume, format, formatNote, appearance, keyPart, keyWords, forget } =
    controls;
  keyPart.append(element("h3", {}, "Key"), keyWords, forget);
  return [
    field("Speak replies", speak),
    field("Voice", voice, voiceNote),
    field("Speed", speed.input, speed.value),
    field("Volume", volume.input, volume.value),
    element("div", {}, format.box, formatNote),
    appearance.box,
    keyPart,
    element("p", { class: "field-note" }, "Volume and appearance change at once, the rest with your next message."),
  ];
}

/**
 * The default, then each engine's voices under its name. They are asked for as `engine/voice`.
 * @param {import("./health.js").EngineState[]} engines
 */
function voiceOptions(engines) {
  const groups = engines.filter(({ voices }) => voices.length);
  return [
    element("option", { value: "" }, "Default"),
    ...groups.map(({ engine, voices }) => {
      const options = voices.map((voice) => element("option", { value: `${engine}/${voice}` }, voice));
      return element("optgroup", { label: engine }, ...options);
    }),
  ];
}

/** @param {number} speed */
function speedWords(speed) {
  return `${speed.toFixed(2).replace(/0$/, "")}×`;
}

/** @param {number} part */
function percent(part) {
  return `${Math.round(part * 100)} %`;
}

/**
 * @param {string} value
 * @returns {import("./settings.js").Choices["format"]}
 */
function formatOf(value) {
  return value === "wav" || value === "opus" ? value : null;
}

/**
 * @param {string} value
 * @returns {import("./settings.js").Appearance}
 */
function appearanceOf(value) {
  return value === "light" || value === "dark" ? value : "system";
}
