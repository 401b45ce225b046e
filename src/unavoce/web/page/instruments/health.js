/**
 * How the server's parts are, and that in words. Its `engine` events tell at once, and `/api/health` in full, which is
 * asked on coming online, when something has changed, when a person looks, and now and then while something is amiss.
 *
 * @typedef {object} EngineState
 * @property {string} engine
 * @property {"healthy" | "slow" | "down" | "loading"} status
 * @property {string} detail why, for a person
 * @property {string} remedy what helps; "" where nothing is known
 * @property {number} sinceMs Unix time
 * @property {string[]} voices its own names
 * @property {number | null} latencyMs
 * @property {number} clips made so far
 *
 * @typedef {{ status: string, detail: string, remedy: string, model?: string, latencyMs?: number | null, hits?: Record<string, number> }} PartState
 * @typedef {"connecting" | "online" | "offline" | "refused"} Connection
 *
 * @typedef {object} State
 * @property {Connection} connection
 * @property {EngineState[]} engines in the server's order, its first choice first
 * @property {PartState | null} model
 * @property {PartState | null} cache
 *
 * @typedef {"well" | "busy" | "warn" | "bad"} Level
 * @typedef {{ level: Level, words: string, more: string }} Notice `more`: the reason and what helps
 * @typedef {{ level: Level, brief: string, notices: Notice[] }} Verdict `brief`: for the indicator, a few words
 */

import { listed, timeOfDay } from "../times.js";
import { KeyNeeded } from "./access.js";

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

  /** @param {Connection} connection */
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

// -- in words

const REMEDY = "; remedy: ";

/**
 * The cause and the remedy of a reason, which come in one string over the socket.
 * @param {string} reason
 */
export function toldApart(reason) {
  const [detail, ...remedies] = reason.split(REMEDY);
  return { detail, remedy: remedies.join(REMEDY) };
}

/**
 * @param {State} state
 * @param {string | null} wanted the engine of the chosen voice, which is asked first
 * @param {number} nowMs Unix time
 * @returns {Verdict}
 */
export function verdictOn(state, wanted, nowMs) {
  if (state.connection !== "online") return { level: "busy", brief: CONNECTION[state.connection], notices: [] };
  const speech = speechOf(inOrder(state.engines, wanted), nowMs);
  const model = modelOf(state.model);
  const [first, second] = RANK[model.level] > RANK[speech.level] ? [model, speech] : [speech, model];
  return { level: first.level, brief: first.brief, notices: [...first.notices, ...second.notices] };
}

const CONNECTION = { connecting: "connecting", offline: "not connected", refused: "not admitted" };
const RANK = { well: 0, busy: 1, warn: 2, bad: 3 };

/**
 * @param {EngineState[]} engines
 * @param {string | null} wanted
 */
function inOrder(engines, wanted) {
  return [...engines.filter(({ engine }) => engine === wanted), ...engines.filter(({ engine }) => engine !== wanted)];
}

/**
 * @param {EngineState[]} engines in the order in which they are asked
 * @param {number} nowMs
 * @returns {Verdict}
 */
function speechOf(engines, nowMs) {
  if (!engines.length) return { level: "busy", brief: "asking", notices: [] };
  const [first] = engines;
  const healthy = engines.find(({ status }) => status === "healthy");
  const able = healthy ?? engines.find(({ status }) => status === "slow");
  if (!able) return speechless(engines);
  if (first === healthy) return { level: "well", brief: `${first.engine} · ready`, notices: [] };
  if (first.status === "loading") return { level: "busy", brief: `${first.engine} is loading`, notices: [] };
  if (first === able) return slow(first);
  return fallback(first, able, nowMs);
}

/**
 * @param {EngineState[]} engines
 * @returns {Verdict}
 */
function speechless(engines) {
  const loading = engines.filter(({ status }) => status === "loading");
  if (loading.length) return { level: "busy", brief: `${loading[0].engine} is loading`, notices: [] };
  const more = engines.map((engine) => `${engine.engine}: ${reasonOf(engine)}`).join(" ");
  return bad("no voice", "No engine can speak: the text still comes.", more);
}

/**
 * @param {EngineState} first
 * @returns {Verdict}
 */
function slow(first) {
  const words = `${first.engine} makes sound more slowly than it is heard: there may be pauses.`;
  return {
    level: "warn",
    brief: `${first.engine} is slow`,
    notices: [{ level: "warn", words, more: first.remedy && ended(`What helps: ${first.remedy}`) }],
  };
}

/**
 * @param {EngineState} first
 * @param {EngineState} able
 * @param {number} nowMs
 * @returns {Verdict}
 */
function fallback(first, able, nowMs) {
  const trouble = first.status === "slow" ? "cannot keep up" : "is not answering";
  const words = `${first.engine} ${trouble}; ${able.engine} speaks instead since ${timeOfDay(first.sinceMs, nowMs)}.`;
  return {
    level: "warn",
    brief: `${able.engine} for ${first.engine}`,
    notices: [{ level: "warn", words, more: reasonOf(first) }],
  };
}

/**
 * @param {PartState | null} model
 * @returns {Verdict}
 */
function modelOf(model) {
  if (!model || model.status === "ok") return { level: "well", brief: "", notices: [] };
  if (model.status === "loading") return { level: "busy", brief: "model is loading", notices: [] };
  return bad("no model", "The language model does not answer: messages will have no reply.", reasonOf(model));
}

/**
 * @param {string} brief
 * @param {string} words
 * @param {string} more
 * @returns {Verdict}
 */
function bad(brief, words, more) {
  return { level: "bad", brief, notices: [{ level: "bad", words, more }] };
}

/**
 * The reason, and what helps. Both are the server's own words and keep their letters: there may be a command in them.
 * @param {{ detail: string, remedy: string }} part
 */
export function reasonOf({ detail, remedy }) {
  return [detail, remedy && `What helps: ${remedy}`].filter(Boolean).map(ended).join(" ");
}

/** @param {string} words */
function ended(words) {
  return /[.!?…]$/.test(words) ? words : `${words}.`;
}

/** @type {Record<EngineState["status"], string>} */
export const STATUS_WORDS = {
  healthy: "ready",
  slow: "too slow to keep up",
  down: "not answering",
  loading: "loading",
};

/**
 * What came from the cache, since the server was started.
 * @param {Record<string, number> | undefined} hits
 */
export function hitWords(hits) {
  const found = ["memory", "disk"].filter((tier) => hits?.[tier]).map((tier) => `${hits?.[tier]} from ${tier}`);
  return found.length ? `clips used again since the start: ${listed(found)}` : "no clip used again yet";
}
