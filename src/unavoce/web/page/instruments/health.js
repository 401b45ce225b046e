/**
 * How the server's parts are: told by its `engine` events at once, and by `/api/health` in full, which is asked on
 * coming online, when something has changed, when a person looks, and now and then while something is amiss.
 *
 * @typedef {import("./health-words.js").State} State
 * @typedef {import("./health-words.js").EngineState} EngineState
 */
import { KeyNeeded } from "./access.js";
import { toldApart } from "./health-words.js";

/** Between two questions; the server asks its model no more often either. */
const BETWEEN_MS = 5000;
/** While something is amiss that no event tells the end of: the model. */
const WATCH_MS = 10_000;

export class Health {
  #api;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer = undefined;
  #asking = false;
  /** @type {Map<string, EngineState>} */
  #engines = new Map();
  /** @type {Omit<State, "engines">} */
  #rest = { connection: "connecting", model: null, cache: null };
  /** @type {Set<() => void>} */
  #listeners = new Set();

  /** @param {import("./access.js").Api} api */
  constructor(api) {
    this.#api = api;
    document.addEventListener("visibilitychange", () => this.#plan());
  }

  /** @returns {State} */
  get state() {
    return { ...this.#rest, engines: [...this.#engines.values()] };
  }

  /** Whether `/api/health` has answered: until then no voice is known. */
  reported = false;

  /** @param {() => void} listener told at every change */
  watch(listener) {
    this.#listeners.add(listener);
  }

  /** @param {import("./health-words.js").Connection} connection */
  connection(connection) {
    this.#rest = { ...this.#rest, connection };
    this.#tell();
    if (connection === "online") this.refresh();
  }

  /** @param {{ engine: string, status: string, reason: string, since: number }} event */
  engine({ engine, status, reason, since }) {
    const known = this.#engines.get(engine);
    const now = /** @type {EngineState["status"]} */ (reason === "loading" ? "loading" : status);
    const told = { engine, status: now, ...toldApart(reason), sinceMs: since };
    this.#engines.set(engine, { voices: [], latencyMs: null, clips: 0, ...known, ...told });
    this.#tell();
    this.refresh();
  }

  /** Ask soon: at once, or as soon as it may be asked again. */
  refresh() {
    const waitMs = Math.max(0, this.#askedAtMs + BETWEEN_MS - performance.now());
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(), waitMs);
  }

  async #ask() {
    if (this.#asking || this.#rest.connection !== "online") return;
    this.#asking = true;
    this.#askedAtMs = performance.now();
    try {
      const { status, body } = await this.#api.get("/api/health");
      if (status === 200 || status === 503) this.#take(/** @type {Report} */ (body));
    } catch (error) {
      // The socket tells of a lost connection and of a missing key, in words; here the last report stays.
      if (!(error instanceof KeyNeeded)) this.#tell();
    }
    this.#asking = false;
    this.#plan();
  }

  /** @param {Report} report */
  #take({ engines, model, cache }) {
    this.reported = true;
    for (const [engine, found] of Object.entries(engines)) this.#engines.set(engine, engineState(engine, found));
    this.#rest = { ...this.#rest, model: { remedy: "", ...model }, cache: { remedy: "", ...cache } };
    this.#tell();
  }

  #plan() {
    const { model, connection } = this.#rest;
    const amiss = connection === "online" && model !== null && model.status !== "ok";
    if (!amiss || document.hidden) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(), WATCH_MS);
  }

  #tell() {
    for (const listener of this.#listeners) listener();
  }
}

/**
 * @typedef {{ status: string, detail: string, remedy?: string, latencyMs: number | null }} Reported
 * @typedef {Reported & { since: number, voices: string[], clips: number }} ReportedEngine
 * @typedef {{ engines: Record<string, ReportedEngine>, model: Reported & { model: string }, cache: Reported & { hits: Record<string, number> } }} Report
 */

/**
 * @param {string} engine
 * @param {ReportedEngine} found
 * @returns {EngineState}
 */
function engineState(engine, { status, detail, remedy = "", since, voices, latencyMs, clips }) {
  const known = /** @type {EngineState["status"]} */ (status);
  return { engine, status: known, detail, remedy, sinceMs: since, voices, latencyMs, clips };
}
