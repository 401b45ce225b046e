// WAV as the server sends it: RIFF with 16-bit mono PCM. Not left to `decodeAudioData`, which resamples each chunk by itself
// to its context's rate and so puts a seam between any two.

/**
 * @param {ArrayBuffer} file
 * @returns {{ rateHz: number, samples: Float32Array<ArrayBuffer> }} samples from -1 to 1
 * @throws {Error} that says what is wrong with it
 */
export function parseWav(file) {
  const view = new DataView(file);
  const name = (/** @type {number} */ at) => String.fromCharCode(...new Uint8Array(file, at, 4));
  if (file.byteLength < 12 || name(0) !== "RIFF" || name(8) !== "WAVE") throw new Error("this is no WAV file");
  let rateHz = 0;
  // Every part has a name and a size, and is padded to an even length.
  for (let at = 12; at + 8 <= file.byteLength; ) {
    const [part, size, start] = [name(at), view.getUint32(at + 4, true), at + 8];
    const missing = start + size - file.byteLength;
    if (missing > 0) throw new Error(`the WAV is cut off: ${missing} bytes of its part '${part}' are missing`);
    if (part === "fmt ") rateHz = parseFormat(view, start, size);
    if (part === "data" && !rateHz) throw new Error("the WAV has sound before its format");
    if (part === "data") return { rateHz, samples: toFloat(view, start, size) };
    at = start + size + (size % 2);
  }
  throw new Error("the WAV is cut off before its sound");
}

/** @param {DataView} view @param {number} start @param {number} size */
function parseFormat(view, start, size) {
  if (size < 16) throw new Error(`the WAV's format has ${size} bytes, and 16 are the least`);
  const [tag, channels, bits] = [0, 2, 14].map((offset) => view.getUint16(start + offset, true));
  const rateHz = view.getUint32(start + 4, true);
  if (tag !== 1 || channels !== 1 || bits !== 16 || rateHz < 8_000 || rateHz > 96_000) {
    throw new Error(
      `the WAV is format ${tag}, ${channels} × ${bits} bits at ${rateHz} Hz; played is mono PCM of 16 bits`,
    );
  }
  return rateHz;
}

/** @param {DataView} view @param {number} start @param {number} size */
function toFloat(view, start, size) {
  if (size % 2) throw new Error("the WAV is cut off in the middle of a sample");
  return Float32Array.from({ length: size / 2 }, (_, index) => view.getInt16(start + 2 * index, true) / 32_768);
}
