import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { GrowingText } from "../../../src/unavoce/web/player/code-points.js";
import { generator, World } from "./fake-world.js";

const PIECES = ["a", "é", "e\u0301", "ß", "漢", "😀", "👩‍👩‍👧", "𝄞", "\n", "مر", "\ud83d", "🇬🇧", " "];

for (const seed of [1, 2, 3, 4]) {
  test(`places in code points become places in UTF-16, whatever the text and however it is cut (seed ${seed})`, () => {
    const random = generator(seed);
    const text = Array.from(
      { length: 300 },
      () => PIECES[Math.floor(random() * (seed === 1 ? 5 : PIECES.length))],
    ).join("");
    const points = [...text];
    const growing = new GrowingText();
    for (let start = 0; start < points.length; ) {
      const from = Math.max(0, start - Math.floor(random() * 3));
      const to = Math.min(points.length, from + 1 + Math.floor(random() * 9));
      assert.equal(growing.put(points.slice(from, to).join(""), from), points.slice(0, from).join("").length);
      start = Math.max(start, to);
      assert.equal(growing.text, points.slice(0, start).join(""));
    }
    for (let at = 0; at <= points.length + 2; at += 1)
      assert.equal(growing.unitAt(at), points.slice(0, at).join("").length);
  });
}

test("a hole that a server does not leave keeps later places true", () => {
  const growing = new GrowingText();
  growing.put("😀", 0);
  assert.equal(growing.put("c", 3), 4);
  assert.equal(growing.text, "😀  c");
});

test("tokens and sentences come with places that a string can be cut at", async () => {
  const world = new World();
  const replyId = await world.begun();
  await world.receive("chat:token", { replyId, text: "Oh 😀. ", start: 0 });
  await world.receive("chat:token", { replyId, text: "Yes.", start: 6 });
  await world.receive("chat:sentence", { replyId, sentence: 0, start: 0, end: 5, text: "Oh 😀." });
  await world.receive("chat:sentence", { replyId, sentence: 1, start: 6, end: 10, text: "Yes." });
  const [first, second] = world.of("token");
  assert.deepEqual([first.start, first.whole, second.start, second.whole], [0, "Oh 😀. ", 7, "Oh 😀. Yes."]);
  for (const { from, to, text } of world.of("sentence")) assert.equal(second.whole.slice(from, to), text);
});

test("text that comes twice after a lost connection changes nothing", async () => {
  const world = new World();
  const replyId = await world.begun();
  for (const [start, text] of [
    [0, "One "],
    [4, "two "],
    [0, "One two "],
    [4, "two "],
    [8, "three."],
  ]) {
    await world.receive("chat:token", { replyId, text, start });
  }
  assert.equal(world.of("token").at(-1).whole, "One two three.");
  await world.receive("chat:text_done", { replyId, text: "One two three." });
  assert.deepEqual(world.of("textDone"), [{ name: "textDone", replyId, text: "One two three." }]);
});

test("a reply that the page learns of by its events is announced first, and is not its own", async () => {
  const world = new World();
  await world.conversation.connect();
  await world.receive("chat:token", { replyId: "other", text: "x", start: 0 });
  await world.receive("chat:done", {
    replyId: "other",
    reason: "complete",
    text: "x",
    timings: { firstToken: 3, lastAudio: null, odd: "x" },
  });
  assert.deepEqual(
    world.log.slice(2).map(({ name }) => name),
    ["reply", "token", "done"],
  );
  assert.equal(world.of("reply")[0].own, false);
  assert.deepEqual(world.of("done")[0].timings, { firstToken: 3, lastAudio: null, odd: null });
});

test("events with fields that are missing, of the wrong type or unknown break nothing", async () => {
  const world = new World();
  const replyId = await world.begun();
  const odd = [
    undefined,
    null,
    5,
    "x",
    [],
    {},
    { replyId },
    { replyId, start: -1, end: 3 },
    { replyId: 4, text: "x", start: 0 },
  ];
  odd.push({
    replyId,
    index: 0,
    sentence: 0,
    durationMs: 5,
    sampleRate: 24_000,
    contentType: "audio/wav",
    audio: "text",
  });
  odd.push({
    replyId,
    index: 0,
    sentence: 0,
    durationMs: 5,
    sampleRate: 1e9,
    contentType: "audio/wav",
    audio: new ArrayBuffer(4),
  });
  const names = ["token", "sentence", "audio_chunk", "text_done", "audio_done", "done", "error"].map(
    (name) => `chat:${name}`,
  );
  for (const name of [...names, "engine:status"]) for (const payload of odd) await world.receive(name, payload);
  await world.receive("chat:sound_taken", odd);
  await world.receive("something:new", {});
  assert.ok(world.of("error").length > 75 && world.of("error").every(({ code }) => code === "odd_event"));
  assert.deepEqual(
    world.log
      .map(({ name }) => name)
      .filter((name) => !["connection", "sound", "session", "reply", "error"].includes(name)),
    [],
  );
  await world.receive("chat:token", { replyId, text: "x", start: 0, extra: 1 });
  await world.receive("engine:status", { engine: "piper", status: "healthy", reason: "ready", since: 1.5, extra: 1 });
  await world.receive("chat:error", { replyId, code: "model_broken", message: "It broke off." });
  assert.deepEqual(world.of("engine"), [
    { name: "engine", engine: "piper", status: "healthy", reason: "ready", since: 1.5 },
  ]);
  assert.deepEqual(world.of("error").at(-1), {
    name: "error",
    replyId,
    code: "model_broken",
    message: "It broke off.",
  });
});

test("a listener that throws, or goes while it is told, keeps no other from being told", async () => {
  const world = new World();
  const later = mock.method(globalThis, "queueMicrotask", () => {});
  const told = [];
  world.conversation.on("session", () => {
    off();
    throw new Error("mine");
  });
  const off = world.conversation.on("session", () => told.push("gone"));
  world.conversation.on("session", () => told.push("kept"));
  await world.begun();
  assert.deepEqual(told, ["gone", "kept"]);
  assert.equal(later.mock.callCount(), 1);
  assert.throws(later.mock.calls[0].arguments[0], /mine/, "it comes up as an uncaught error");
  mock.restoreAll();
});

test("a message without sound makes no context and no report", async () => {
  const world = new World();
  const replyId = await world.begun({ speak: false });
  await world.receive("chat:done", { replyId, reason: "complete", text: "Hi.", timings: {} });
  assert.equal(world.contexts.length, 0);
  assert.deepEqual(world.socket.of("chat:played"), []);
  assert.deepEqual(world.conversation.resumePoint().replies, {});
  assert.equal(world.socket.of("chat:send")[0].speak, false);
});
