// A page with the real player and a server that delivers what the test says.

import { Conversation } from "/player/unavoce-player.js";

/** A stand-in for Socket.IO that acknowledges everything and lets the test deliver what it likes. */
function standIn() {
  const listeners = {};
  const answers = {
    "chat:send": { ok: true, sessionId: "session", replyId: "reply" },
  };
  const socket = {
    id: "one",
    connected: true,
    active: true,
    on: (name, listener) => (listeners[name] = listener),
    onAny: (listener) => (socket.receive = listener),
    emit: (name, _, answered) => answered?.(null, answers[name] ?? { ok: true, replies: [] }),
    timeout: () => socket,
    disconnect: () => socket,
    connect: () => {
      queueMicrotask(() => listeners.connect());
      return socket;
    },
  };
  return socket;
}

const bytesOf = (packed) => Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0)).buffer;

/** The bytes of an array of floats, as base64. */
function pack(samples) {
  const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  let text = "";
  for (let at = 0; at < bytes.length; at += 32_768) text += String.fromCharCode(...bytes.subarray(at, at + 32_768));
  return btoa(text);
}

/**
 * What the player makes of these chunks (docs/protocol.md; `audio` in base64), all delivered before the first is heard.
 * `starts`: of each source, in seconds.
 */
async function render(chunks, rateHz, seconds) {
  const context = new OfflineAudioContext(1, seconds * rateHz, rateHz);
  const sources = [];
  const create = context.createBufferSource.bind(context);
  const [starts, errors, lengths] = [[], [], []];
  context.createBufferSource = () => {
    const source = create();
    const start = source.start.bind(source);
    source.start = (startS, offsetS) => {
      starts.push(startS);
      lengths.push(source.buffer.length);
      start(startS, offsetS);
    };
    sources.push(source);
    return source;
  };
  const socket = standIn();
  const conversation = new Conversation({ io: () => socket, createContext: () => context });
  conversation.on("error", ({ message }) => errors.push(message));
  await conversation.connect();
  const format = rateHz === 48_000 ? "opus" : "wav";
  await conversation.send("Go on.", { format });
  for (const chunk of chunks) {
    socket.receive("chat:audio_chunk", { ...chunk, replyId: "reply", audio: bytesOf(chunk.audio) });
  }
  while (starts.length + errors.length < chunks.length) await new Promise((resolve) => setTimeout(resolve));
  const rendered = await context.startRendering();
  const { underruns } = conversation.sound;
  return { samples: pack(rendered.getChannelData(0)), starts, lengths, errors, underruns };
}

/** A conversation with a sound device of the browser's. `events`: what it told, as [name, payload]. */
function talk() {
  const socket = standIn();
  const conversation = new Conversation({ io: () => socket });
  const events = [];
  for (const name of ["underrun", "speaking", "heard", "sound", "error"]) {
    conversation.on(name, (payload) => events.push([name, payload]));
  }
  const chunk = (index, audio, durationMs) => ({
    replyId: "reply",
    index,
    sentence: index,
    durationMs,
    sampleRate: 24_000,
    contentType: "audio/wav",
    audio: bytesOf(audio),
  });
  const deliver = (...what) => socket.receive("chat:audio_chunk", chunk(...what));
  const silent = new Promise((resolve) => {
    conversation.on("speaking", ({ sentence }) => sentence === null && resolve());
  });
  /** The reply is over; returns when it has been heard. */
  const end = () => {
    socket.receive("chat:audio_done", { replyId: "reply", reason: "complete" });
    socket.receive("chat:done", { replyId: "reply", reason: "complete" });
    return silent;
  };
  return { conversation, events, deliver, end };
}

const talking = talk();
document.querySelector("button").addEventListener("click", () => talking.conversation.unlock());
await talking.conversation.connect();
Object.assign(window, { render, talking });
document.querySelector("output").textContent = "ready";
