// Runs before a page's own scripts: what any AudioContext sends to its destination is also kept here, every sample.
// A page makes a new one when the sound's rate changes: what is told is of the last one. Sound waits until the tap is in
// place, so that nothing is missed; the rules of autoplay hold as ever.

(() => {
  // about:blank, where every tab begins, has neither sound nor storage.
  if (!location.protocol.startsWith("http")) return;
  const QUIET = 1e-4;
  const contexts = [];
  const gestures = [];
  let waiting = [];
  let loud = 0;

  /** Everything that one context has played; the place of a sample here is its place on the context's clock. */
  class Kept {
    constructor() {
      this.blocks = [];
      this.length = 0;
      /** The first sample that is not silence. */
      this.began = null;
    }

    add(from, samples) {
      // A tap that came late missed nothing: the context stood still until it was there, but for its first moment.
      if (this.length === 0) this.push(new Float32Array(from));
      if (from !== this.length) console.error(`the tap missed samples before ${from}`);
      this.push(samples);
    }

    push(samples) {
      const first = samples.findIndex((sample) => Math.abs(sample) > QUIET);
      if (first >= 0) this.began ??= this.length + first;
      this.blocks.push(samples);
      this.length += samples.length;
    }
  }

  class HeardContext extends AudioContext {
    constructor(options) {
      super(options);
      this.kept = new Kept();
      this.wanted = true;
      this.entrance = new GainNode(this);
      super.suspend();
      this.tapped = this.putTap();
      contexts.push(this);
    }

    async putTap() {
      await this.audioWorklet.addModule("/listen-in/tap.js");
      this.tap = new AudioWorkletNode(this, "tap");
      this.tap.port.onmessage = ({ data }) => take(this.kept, data);
      connect.call(this.entrance, this.tap);
      connect.call(this.tap, this.destination);
      if (this.wanted && this.state !== "closed") super.resume();
    }

    async resume() {
      this.wanted = true;
      await this.tapped;
      return super.resume();
    }

    async suspend() {
      this.wanted = false;
      await this.tapped;
      return super.suspend();
    }
  }

  function take(kept, { from, samples, asked }) {
    if (samples.length) kept.add(from, samples);
    loud += samples.reduce((count, sample) => count + (Math.abs(sample) > QUIET ? 1 : 0), 0);
    const over = waiting.filter(({ holds }) => holds(asked));
    waiting = waiting.filter((one) => !over.includes(one));
    for (const { resolve } of over) resolve();
  }

  /** Looked at whenever something was played. */
  function until(holds) {
    if (holds()) return Promise.resolve();
    return new Promise((resolve) => waiting.push({ holds, resolve }));
  }

  /** What the tap has not handed over yet. */
  async function rest(context) {
    await context.tapped;
    const mine = crypto.randomUUID();
    const handed = until((asked) => asked === mine);
    context.tap.port.postMessage(mine);
    await handed;
  }

  const played = (length) => until(() => (contexts.at(-1)?.kept.length ?? 0) >= length);

  function base64(bytes) {
    let text = "";
    for (let at = 0; at < bytes.length; at += 32_768) text += String.fromCharCode(...bytes.subarray(at, at + 32_768));
    return btoa(text);
  }

  const { connect } = AudioNode.prototype;
  AudioNode.prototype.connect = function (to, ...more) {
    return connect.call(this, to === this.context.destination ? (this.context.entrance ?? to) : to, ...more);
  };
  window.AudioContext = HeardContext;

  /** The sample that is being played. */
  function now() {
    const context = contexts.at(-1);
    return context ? Math.round(context.currentTime * context.sampleRate) : 0;
  }

  for (const type of ["keydown", "pointerdown", "click"]) {
    const note = ({ key }) => gestures.push({ type, key: key ?? null, at: now() });
    window.addEventListener(type, note, { capture: true });
  }
  window.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
    console.error(`policy: ${violatedDirective} ${blockedURI}`),
  );

  // A tab that is still empty has no store, and Firefox throws where one is asked for.
  const store = origin === "null" ? null : sessionStorage;
  const leftAt = Number(store?.getItem("listen-in"));
  window.addEventListener("pagehide", () => {
    store?.setItem("listen-in", String(now() - (contexts.at(-1)?.kept.began ?? 0)));
  });

  window.listenIn = {
    leftAt,
    now,
    began: () => contexts.at(-1)?.kept.began ?? null,
    gestures,
    rateHz: () => contexts.at(-1)?.sampleRate ?? 0,
    states: () => contexts.map(({ state }) => state),
    heard: (length) => until(() => loud >= length),
    played,
    passed: (length) => played(length + (contexts.at(-1)?.kept.length ?? 0)),
    async samples() {
      const context = contexts.at(-1);
      if (context) await rest(context);
      const blocks = context?.kept.blocks ?? [];
      return base64(new Uint8Array(await new Blob(blocks).arrayBuffer()));
    },
  };
})();
