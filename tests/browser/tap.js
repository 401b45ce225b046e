// Runs on the audio thread: passes sound on, and hands a copy to listen_in.js with the number of its first sample.

const BLOCK = 1024;
const QUANTUM = 128;

class Tap extends AudioWorkletProcessor {
  constructor() {
    super();
    this.samples = new Float32Array(BLOCK);
    this.from = currentFrame;
    this.length = 0;
    this.port.onmessage = ({ data }) => this.hand(data);
  }

  process([input], [output]) {
    for (const [number, channel] of output.entries()) channel.set(input[number] ?? new Float32Array(QUANTUM));
    if (this.length === 0) this.from = currentFrame;
    this.samples.set(input[0] ?? new Float32Array(QUANTUM), this.length);
    this.length += QUANTUM;
    if (this.length === BLOCK) this.hand();
    return true;
  }

  /** `asked` comes back with what is at hand, for whoever waits for it. */
  hand(asked) {
    const samples = this.samples.slice(0, this.length);
    this.port.postMessage({ from: this.from, samples, asked }, [samples.buffer]);
    this.length = 0;
  }
}

registerProcessor("tap", Tap);
