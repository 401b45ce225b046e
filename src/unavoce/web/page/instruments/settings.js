/**
 * What a person has chosen, remembered in this browser. What is stored is read as anything from outside is: each value
 * is checked by itself, and an odd one counts as not chosen.
 *
 * @typedef {"system" | "light" | "dark"} Appearance
 * @typedef {object} Choices
 * @property {string | null} voice `engine/voice`; null for the server's own
 * @property {number} speed 0.5 to 2.0
 * @property {number} volume 0 to 1
 * @property {"wav" | "opus" | null} format null for the server's own
 * @property {boolean} speak
 * @property {Appearance} appearance
 */
import { attempt } from "../storage.js";

/** `appearance.js` reads the same entry, before anything else runs. */
export const STORED_AS = "unavoce.settings";
export const LEAST_SPEED = 0.5;
export const MOST_SPEED = 2;
const LONGEST_VOICE = 200;

/** @type {Readonly<Choices>} */
export const DEFAULTS = Object.freeze({
  voice: null,
  speed: 1,
  volume: 1,
  format: null,
  speak: true,
  appearance: "system",
});

/** @type {{ [Name in keyof Choices]: (value: unknown) => boolean }} */
const RIGHT = {
  voice: (value) => value === null || (typeof value === "string" && value.length > 0 && value.length <= LONGEST_VOICE),
  speed: (value) => within(value, LEAST_SPEED, MOST_SPEED),
  volume: (value) => within(value, 0, 1),
  format: (value) => value === null || value === "wav" || value === "opus",
  speak: (value) => typeof value === "boolean",
  appearance: (value) => value === "system" || value === "light" || value === "dark",
};

/**
 * @param {string | null} stored
 * @returns {Choices}
 */
export function readChoices(stored) {
  const found = parsed(stored);
  const chosen = Object.entries(RIGHT).filter(([name, right]) => Object.hasOwn(found, name) && right(found[name]));
  return { ...DEFAULTS, ...Object.fromEntries(chosen.map(([name]) => [name, found[name]])) };
}

/**
 * @param {string | null} stored
 * @returns {Record<string, unknown>}
 */
function parsed(stored) {
  try {
    const found = JSON.parse(stored ?? "{}");
    return typeof found === "object" && found !== null ? found : {};
  } catch {
    return {}; // Not ours, or torn: as if nothing had been chosen.
  }
}

/**
 * @param {unknown} value
 * @param {number} least
 * @param {number} most
 */
function within(value, least, most) {
  return typeof value === "number" && value >= least && value <= most;
}

export class Settings {
  #storage;
  /** @type {Set<(choices: Readonly<Choices>) => void>} */
  #listeners = new Set();
  #choices;

  /** @param {Pick<Storage, "getItem" | "setItem"> | null} storage null where the browser allows none */
  constructor(storage) {
    this.#storage = storage;
    this.#choices = readChoices(this.#stored());
  }

  /** @returns {Readonly<Choices>} */
  get choices() {
    return this.#choices;
  }

  /**
   * `listener` is told now, and after each change.
   * @param {(choices: Readonly<Choices>) => void} listener
   */
  watch(listener) {
    this.#listeners.add(listener);
    listener(this.#choices);
  }

  /** @param {Partial<Choices>} changed */
  choose(changed) {
    this.#choices = { ...this.#choices, ...changed };
    // Where there is no room, or it is not allowed, they hold until the page is left.
    attempt(() => this.#storage?.setItem(STORED_AS, JSON.stringify(this.#choices)));
    this.#tell();
  }

  /** Another tab has chosen. */
  reread() {
    this.#choices = readChoices(this.#stored());
    this.#tell();
  }

  #tell() {
    for (const listener of this.#listeners) listener(this.#choices);
  }

  #stored() {
    return attempt(() => this.#storage?.getItem(STORED_AS)) ?? null;
  }
}

/**
 * The engine of a voice's name `engine/voice`.
 * @param {string | null} voice
 */
export function engineOf(voice) {
  return voice === null ? null : voice.split("/", 1)[0];
}

/**
 * Whether a chosen voice is gone for certain. One of an engine that is loading, or whose list is cut at a hundred, may
 * still be there.
 * @param {string | null} voice
 * @param {import("./health.js").EngineState[]} engines
 */
export function isGone(voice, engines) {
  if (voice === null || !engines.length) return false;
  const engine = engines.find((one) => one.engine === engineOf(voice));
  if (!engine) return true;
  const { status, voices } = engine;
  if (status === "loading" || !voices.length || voices.length >= MOST_LISTED) return false;
  return !voices.includes(voice.slice(engine.engine.length + 1));
}

const MOST_LISTED = 100;
