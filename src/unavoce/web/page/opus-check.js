/** Whether this browser decodes Opus as the server sends it. Some say "maybe" and cannot; so it is tried. */

/** Ten milliseconds of silence as an Ogg Opus file. */
const SAMPLE =
  "T2dnUwACAAAAAAAAAABZuYcJAAAAAPVlvnMBE09wdXNIZWFkAQE4AcBdAAAAAABPZ2dTAAAAAAAAAAAAAFm5hwkBAAAAWFNg3gE2T3B1c1RhZ3MNAAAATGF2" +
  "ZjYyLjEyLjEwMgEAAAAVAAAAZW5jb2Rlcj1MYXZmNjIuMTIuMTAyT2dnUwAEGAMAAAAAAABZuYcJAgAAAGAXGdcBBwgL5jsQYxE=";

/** @returns {Promise<boolean>} */
export async function decodesOpus() {
  const bytes = Uint8Array.from(atob(SAMPLE), (letter) => letter.charCodeAt(0));
  try {
    // A context without a device: this needs no gesture.
    const sound = await new OfflineAudioContext(1, 1, 48_000).decodeAudioData(bytes.buffer);
    return sound.duration > 0;
  } catch {
    return false;
  }
}
