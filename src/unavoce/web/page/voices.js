/** The voices there are, and whether the chosen one is among them. Pure. */

/**
 * @typedef {{ value: string, words: string }} VoiceOption
 * @typedef {{ engine: string, voices: VoiceOption[] }} VoiceGroup
 * @param {import("./health-words.js").EngineState[]} engines
 * @returns {VoiceGroup[]}
 */
export function voiceGroups(engines) {
  return engines
    .filter(({ voices }) => voices.length)
    .map(({ engine, voices }) => ({
      engine,
      voices: voices.map((voice) => ({ value: `${engine}/${voice}`, words: voice })),
    }));
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
 * @param {import("./health-words.js").EngineState[]} engines
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
