// A Web Audio that renders on demand: time is set by the test, and every automation is evaluated as the specification says.

export class FakeParam {
  value = 1;
  events = [];

  setValueAtTime(value, timeS) {
    return this.#add({ kind: "set", value, timeS });
  }

  linearRampToValueAtTime(value, timeS) {
    return this.#add({ kind: "ramp", value, timeS });
  }

  setTargetAtTime(value, timeS) {
    return this.#add({ kind: "set", value, timeS });
  }

  cancelScheduledValues(fromS) {
    this.events = this.events.filter(({ timeS }) => timeS < fromS);
    return this;
  }

  /** The value that is heard at a time. */
  at(timeS) {
    let value = this.value;
    let sinceS = 0;
    for (const event of this.events) {
      if (event.timeS > timeS) {
        if (event.kind === "set") return value;
        return value + ((event.value - value) * (timeS - sinceS)) / (event.timeS - sinceS);
      }
      [value, sinceS] = [event.value, event.timeS];
    }
    return value;
  }

  #add(event) {
    if (!Number.isFinite(event.timeS) || event.timeS < 0) throw new RangeError(`automation at ${event.timeS}`);
    this.events.push(event);
    this.events.sort((one, other) => one.timeS - other.timeS);
    return this;
  }
}

class FakeNode {
  outputs = new Set();

  constructor(context) {
    this.context = context;
  }

  connect(node) {
    this.outputs.add(node);
    return node;
  }

  disconnect() {
    this.outputs.clear();
  }
}

class FakeGain extends FakeNode {
  gain = new FakeParam();
}

class FakeSource extends FakeNode {
  buffer = null;
  onended = null;
  startS = null;
  stopS = Number.POSITIVE_INFINITY;
  ended = false;

  start(startS, offsetS = 0) {
    if (this.startS !== null) throw new Error("started twice");
    this.startS = startS;
    this.offsetS = offsetS;
    // What it was connected to when it began is what is rendered, though it is disconnected at its end.
    this.path = pathFrom(this);
    this.context.sources.push(this);
  }

  stop(stopS = this.context.currentTime) {
    if (this.startS === null) throw new Error("stopped before it was started");
    this.stopS = stopS;
  }

  get endS() {
    return Math.max(this.startS, Math.min(this.stopS, this.startS + this.buffer.duration - this.offsetS));
  }
}

function pathFrom(node) {
  const [next] = node.outputs;
  return next ? [next, ...pathFrom(next)] : [];
}

export class FakeBuffer {
  constructor(length, sampleRate) {
    if (length < 1) throw new Error("NotSupportedError: a buffer of no frames");
    Object.assign(this, { length, sampleRate, duration: length / sampleRate, samples: new Float32Array(length) });
  }

  copyToChannel(samples) {
    this.samples.set(samples);
  }
}

export class FakeContext {
  currentTime = 0;
  baseLatency = 0.01;
  outputLatency = 0.03;
  onstatechange = null;
  sources = [];
  resumed = 0;

  constructor(sampleRate, state = "running") {
    this.sampleRate = sampleRate;
    this.state = state;
    this.allowed = state === "running";
    this.destination = new FakeNode(this);
  }

  createGain() {
    return new FakeGain(this);
  }

  createAnalyser() {
    return new FakeNode(this);
  }

  createBufferSource() {
    return new FakeSource(this);
  }

  createBuffer(_, length, sampleRate) {
    return new FakeBuffer(length, sampleRate);
  }

  async resume() {
    this.resumed += 1;
    if (!this.allowed) return new Promise(() => {});
    this.change("running");
  }

  async close() {
    this.change("closed");
  }

  change(state) {
    if (state === this.state) return;
    this.state = state;
    this.onstatechange?.();
  }

  /** When the next source ends. */
  get nextEndS() {
    return Math.min(...this.sources.filter(({ ended }) => !ended).map(({ endS }) => endS));
  }

  /** The clock goes on, and sources that have ended say so. */
  advanceTo(timeS) {
    this.currentTime = Math.max(this.currentTime, timeS);
    for (const source of this.sources.filter(({ ended, endS }) => !ended && endS <= this.currentTime + 1e-9)) {
      source.ended = true;
      source.onended?.();
    }
  }

  /** All that was and will be heard, from the clock's beginning. */
  render(untilS = Math.max(0, ...this.sources.map(({ endS }) => endS))) {
    const heard = new Float64Array(Math.round(untilS * this.sampleRate));
    for (const source of this.sources.filter(({ outputs, ended }) => outputs.size || ended)) this.#add(source, heard);
    return heard;
  }

  #add(source, heard) {
    const first = source.startS * this.sampleRate;
    if (Math.abs(first - Math.round(first)) > 1e-6) throw new Error(`a source begins between frames, at ${first}`);
    const { samples, sampleRate } = source.buffer;
    if (sampleRate !== this.sampleRate) throw new Error("a source would be resampled");
    const skipped = Math.round(source.offsetS * sampleRate);
    const gains = source.path.filter(({ gain }) => gain).map(({ gain }) => gain);
    for (let index = skipped; index < samples.length; index += 1) {
      const frame = Math.round(first) + index - skipped;
      const timeS = frame / this.sampleRate;
      if (frame >= heard.length || timeS >= source.stopS) return;
      heard[frame] += gains.reduce((value, gain) => value * gain.at(timeS), samples[index]);
    }
  }
}
