// A page in miniature: the player with a clock, a sound device and a server that do only what the test says.

import { Conversation } from "../../../src/unavoce/web/player/unavoce-player.js";
import { FakeContext } from "./fake-audio.js";

/** Everything that was promised has happened. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));

export class FakeClock {
  ms = 1_000;
  /** A hidden tab's timers fire once a second. */
  throttled = false;
  timers = new Map();
  #last = 0;

  now = () => this.ms;

  set = (call, delayMs) => {
    this.#last += 1;
    const dueMs = this.ms + delayMs;
    this.timers.set(this.#last, { call, dueMs: this.throttled ? Math.ceil(dueMs / 1000) * 1000 : dueMs });
    return this.#last;
  };

  clear = (timer) => this.timers.delete(timer);

  get nextMs() {
    return Math.min(...[...this.timers.values()].map(({ dueMs }) => dueMs));
  }

  fire() {
    for (const [timer, { call, dueMs }] of [...this.timers]) {
      if (dueMs <= this.ms && this.timers.delete(timer)) call();
    }
  }
}

export class FakeSocket {
  id = undefined;
  connected = false;
  active = false;
  sent = [];
  connections = 0;
  /** By event: what is acknowledged; one that is missing is not answered. */
  answers = {};
  #listeners = {};
  #anyListener = () => {};

  on(name, listener) {
    this.#listeners[name] = listener;
  }

  onAny(listener) {
    this.#anyListener = listener;
  }

  connect() {
    this.active = true;
    this.connections += 1;
    if (!this.shy) Promise.resolve().then(() => this.arrive());
    return this;
  }

  disconnect() {
    this.active = false;
    if (this.connected) this.lose("io client disconnect");
    return this;
  }

  timeout() {
    return { emit: (name, payload, answered) => this.emit(name, payload, answered) };
  }

  emit(name, payload, answered) {
    this.sent.push([name, structuredClone(payload)]);
    const answer = this.answers[name]?.(payload);
    if (answered && answer) Promise.resolve().then(() => answered(null, answer));
    else if (answered) this.unanswered = answered;
  }

  arrive() {
    Object.assign(this, { connected: true, id: `connection-${this.connections}` });
    this.#listeners.connect();
  }

  lose(reason = "transport close") {
    Object.assign(this, { connected: false, id: undefined });
    this.#listeners.disconnect(reason);
  }

  refuse(data, active = false) {
    this.active = active;
    this.#listeners.connect_error(Object.assign(new Error("no"), { data }));
  }

  receive(name, payload) {
    this.#anyListener(name, payload);
  }

  of(name) {
    return this.sent.filter(([sent]) => sent === name).map(([, payload]) => payload);
  }
}

const EVENTS =
  "connection session sessionLost reply token sentence chunk speaking heard underrun sound textDone audioDone done error engine";

export class World {
  clock = new FakeClock();
  socket = new FakeSocket();
  contexts = [];
  log = [];
  /** What a new context's state is. */
  contextState = "running";
  #replies = 0;

  constructor(options = {}) {
    Object.assign(this.socket.answers, {
      "chat:send": () => ({ ok: true, sessionId: "session", replyId: `reply-${++this.#replies}` }),
      "chat:join": () => ({ ok: true, replies: [] }),
      "chat:abort": () => ({ ok: true, aborted: 1 }),
      "chat:history": () => ({ ok: true, messages: [] }),
    });
    this.conversation = new Conversation({
      io: (url, settings) => Object.assign(this.socket, { url, settings }),
      clock: this.clock,
      createContext: (rateHz) => {
        const context = new FakeContext(rateHz, this.contextState);
        this.contexts.push(context);
        return context;
      },
      ...options,
    });
    for (const name of EVENTS.split(" ")) this.conversation.on(name, (event) => this.log.push({ name, ...event }));
  }

  get context() {
    return this.contexts[0];
  }

  of(name) {
    return this.log.filter((event) => event.name === name);
  }

  /** Connected, and a message sent. */
  async begun(options) {
    if (!this.socket.connected) await this.conversation.connect();
    return (await this.conversation.send("Hello.", options)).replyId;
  }

  async receive(name, payload) {
    this.socket.receive(name, payload);
    await settled();
  }

  /** A chunk of the given samples arrives. */
  async chunk(replyId, index, samples, more = {}) {
    const sampleRate = more.sampleRate ?? 24_000;
    const durationMs = Math.round((samples.length / sampleRate) * 1000);
    const audio = more.audio ?? wavOf(samples, sampleRate);
    const told = { replyId, index, sentence: index, durationMs, sampleRate, contentType: "audio/wav", audio };
    await this.receive("chat:audio_chunk", {
      ...told,
      last: true,
      engine: "piper",
      voice: "joe",
      cache: "none",
      ...more,
    });
  }

  async ended(replyId, reason = "complete") {
    await this.receive("chat:audio_done", { replyId, reason, engines: [], skipped: [], totalChunks: 0 });
    await this.receive("chat:done", { replyId, reason, text: "", timings: {} });
  }

  /** Time goes by, for timers and for the sound. */
  async advance(ms) {
    const untilMs = this.clock.ms + ms;
    for (;;) {
      const running = this.contexts.filter(({ state }) => state === "running");
      const ends = running.map((context) => this.clock.ms + (context.nextEndS - context.currentTime) * 1000);
      const nextMs = Math.max(this.clock.ms, Math.min(untilMs, this.clock.nextMs, ...ends));
      const byS = (nextMs - this.clock.ms) / 1000;
      this.clock.ms = nextMs;
      for (const context of running) context.advanceTo(context.currentTime + byS);
      this.clock.fire();
      await settled();
      if (nextMs >= untilMs) return;
    }
  }
}

/** A tone that has no two samples alike near its ends, as 16-bit numbers. */
export function tone(frames, seed = 1) {
  return Int16Array.from({ length: frames }, (_, at) =>
    Math.round(9_000 * Math.sin((at + 37 * seed) / (9 + seed)) + 5_000),
  );
}

export function wavOf(samples, rateHz = 24_000, { channels = 1, bits = 16, tag = 1, extra = [] } = {}) {
  const data = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
  const format = Buffer.alloc(16);
  format.writeUInt16LE(tag, 0);
  format.writeUInt16LE(channels, 2);
  format.writeUInt32LE(rateHz, 4);
  format.writeUInt32LE((rateHz * channels * (bits / 8)) % 2 ** 32, 8);
  format.writeUInt16LE(channels * (bits / 8), 12);
  format.writeUInt16LE(bits, 14);
  const body = Buffer.concat([Buffer.from("WAVE"), part("fmt ", format), ...extra, part("data", data)]);
  return toArrayBuffer(part("RIFF", body));
}

export function part(name, body) {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(body.length);
  return Buffer.concat([Buffer.from(name), size, body, Buffer.alloc(body.length % 2)]);
}

export function toArrayBuffer(buffer) {
  return buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.length);
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
