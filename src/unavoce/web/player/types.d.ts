// The types that several modules share. Only for editors and `tsc`: no browser loads this file.

/** What `Conversation.on` can be told: each event's payload, by its name. README.md says what they mean. */
export interface Events {
  connection: { state: ConnectionState; code?: string; message?: string };
  session: { sessionId: string };
  sessionLost: Record<string, never>;
  reply: { replyId: string; own: boolean };
  token: { replyId: string; text: string; start: number; whole: string };
  sentence: { replyId: string; sentence: number; from: number; to: number; text: string };
  chunk: {
    replyId: string;
    index: number;
    sentence: number;
    durationMs: number;
    contentType: string;
    bytes: number;
    engine: string;
    voice: string;
    cache: string;
    atMs: number;
  };
  speaking: { replyId: string; sentence: number | null };
  heard: { replyId: string; sentence: number; fromMs: number; toMs: number };
  underrun: { replyId: string; gapMs: number; count: number };
  sound: { state: SoundState };
  textDone: { replyId: string; text: string };
  audioDone: { replyId: string; reason: string; engines: string[]; skipped: Skipped[]; totalChunks: number };
  done: { replyId: string; reason: string; text: string; timings: { [name: string]: number | null } };
  error: { replyId?: string; code: string; message: string };
  engine: { engine: string; status: string; reason: string; since: number };
}

export type Emit = <Name extends keyof Events>(name: Name, payload: Events[Name]) => void;
export type ConnectionState = "connecting" | "online" | "offline" | "refused";
export type SoundState = "locked" | "idle" | "playing";
export type Skipped = { sentence: number; reason: string; partial: boolean };
export type Message = { role: string; text: string; heardText?: string; replyId?: string; at: number };

export interface Options {
  /** socket.io-client's `io`. */
  io: Io;
  /** The server; the page's own origin without it. */
  url?: string;
  apiKey?: string;
  /** A session to attach to on connecting. */
  sessionId?: string | null;
  /** What `resumePoint()` gave before a reload. */
  resume?: unknown;
  createContext?: CreateContext;
  /** For tests. */
  clock?: Clock;
}

export interface SendOptions {
  voice?: string | null;
  /** 0.5 to 2. */
  speed?: number | null;
  /** false: text only. */
  speak?: boolean;
  format?: "wav" | "opus" | null;
  /** First stop the session's other replies. */
  interrupt?: boolean;
}

/** What a page keeps over a reload. */
export interface ResumePoint {
  sessionId: string;
  replies: { [replyId: string]: ReplyPoint };
}

export interface ReplyPoint {
  /** The chunk being heard, and how far into it. */
  index: number;
  positionMs: number;
  /** What was known of the reply's text and its sentences (from, to), which the server does not tell again. */
  text: string;
  sentences: [number, number][];
}

/** What the player uses of Socket.IO, whose own types are known to its package only. */
export type Io = (url: string | undefined, options: object) => Socket;
export interface Socket {
  id?: string;
  connected: boolean;
  active: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: each event has arguments of its own
  on(name: string, listener: (value: any) => void): void;
  onAny(listener: (name: string, payload: unknown) => void): void;
  emit(name: string, payload: object, answered?: (fault: unknown, answer: unknown) => void): void;
  timeout(limitMs: number): Socket;
  connect(): Socket;
  disconnect(): Socket;
}
export type CreateContext = (rateHz: number) => BaseAudioContext;
/** Anything from outside. */
export type Payload = { [name: string]: unknown };

/** `now` as `performance.now()`; the others as `setTimeout` and `clearTimeout`. */
export interface Clock {
  now: () => number;
  set: (call: () => void, delayMs: number) => unknown;
  clear: (timer: unknown) => void;
}

/** A chunk that waits. */
export interface Chunk {
  index: number;
  sentence: number;
  contentType: string;
  audio: ArrayBuffer;
  durationMs: number;
  sampleRate: number;
}

/** A chunk that is on the audio clock, in frames of the reply's rate. */
export interface Placed extends Placement {
  index: number;
  sentence: number;
  /** Of its beginning, where a listener came back into its middle. */
  skippedFrames: number;
  source: AudioBufferSourceNode;
  gain: AudioParam;
}

export interface Placement {
  startFrame: number;
  /** Exclusive. */
  endFrame: number;
  /** Where the fade at its end begins. */
  fadeFrame: number;
  /** It begins in the very frame in which the one before it ends, whose fade is to be withdrawn. */
  joins: boolean;
  /** Frames of silence before it that were not meant; null where there was no underrun. */
  gapFrames: number | null;
}

export interface ConnectionOptions {
  /** What to show the server. */
  auth: () => object;
  state: (state: ConnectionState, reason?: { code?: string; message?: string }) => void;
  event: (name: string, payload: Payload) => void;
  /** Connected anew: take up what there was, before anything else is asked. */
  arrived: () => Promise<void>;
}
