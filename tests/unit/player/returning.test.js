import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { ConnectionRefused, Refused } from "../../../src/unavoce/web/player/unavoce-player.js";
import { settled, tone, World } from "./fake-world.js";

/** A reply in its second chunk, its connection just lost. */
async function lost() {
  const world = new World();
  const reply = await world.begun();
  await world.receive("chat:token", { replyId: reply, text: "One. Two. Three.", start: 0 });
  await world.chunk(reply, 0, tone(24_000, 0));
  await world.chunk(reply, 1, tone(24_000, 1));
  await world.advance(500);
  world.socket.lose();
  return { world, reply };
}

async function back(world, join) {
  if (join) world.socket.answers["chat:join"] = join;
  world.socket.connect();
  await settled();
  await settled();
}

/** The next chunk that each reply sends; whoever takes a reply over gets those from the first one on that are kept. */
const joinedAt =
  (nextIndexes, kept = {}) =>
  ({ after }) => ({
    ok: true,
    replies: Object.entries(nextIndexes).map(([replyId, nextIndex]) => ({
      replyId,
      nextIndex: after?.[replyId] === -1 ? (kept[replyId] ?? 0) : nextIndex,
    })),
  });

test("after a lost connection the sound goes on from the buffer, and what was missed joins it without a seam", async () => {
  const { world, reply } = await lost();
  await world.advance(700);
  assert.deepEqual(
    world.of("connection").map(({ state }) => state),
    ["connecting", "online", "offline"],
  );
  await back(world, joinedAt({ [reply]: 2 }));
  assert.deepEqual(world.socket.of("chat:join"), [{ sessionId: "session", after: { [reply]: 1 } }]);
  await world.chunk(reply, 1, tone(24_000, 1));
  await world.chunk(reply, 2, tone(24_000, 2));
  await world.chunk(reply, 2, tone(24_000, 2));
  await world.ended(reply);
  await world.ended(reply);
  await world.advance(3_000);
  assert.deepEqual(
    world.of("chunk").map(({ index }) => index),
    [0, 1, 2],
  );
  const { startS } = world.context.sources[0];
  const starts = world.context.sources.map((source) => Math.round((source.startS - startS) * 24_000));
  assert.deepEqual(starts, [0, 24_000, 48_000]);
  assert.equal(world.of("done").length, 1);
  assert.equal(world.of("connection").at(-1).state, "online");
  assert.equal(world.conversation.sound.underruns, 0);
});

test("nothing is told or asked while the connection is lost, and what is asked waits for it", async () => {
  const { world, reply } = await lost();
  const before = world.socket.sent.length;
  await world.advance(900);
  const history = world.conversation.history();
  await settled();
  assert.equal(world.socket.sent.length, before);
  await back(world, joinedAt({ [reply]: 2 }));
  assert.deepEqual(await history, []);
  assert.deepEqual(
    world.socket.sent
      .slice(before)
      .map(([name]) => name)
      .filter((name) => name !== "chat:played"),
    ["chat:join", "chat:history"],
  );
});

test("sound that is gone from the server's buffer is said to be lost, and the reply goes on after it", async () => {
  const { world, reply } = await lost();
  await back(world, joinedAt({ [reply]: 5 }));
  await world.chunk(reply, 5, tone(24_000, 5));
  const [error] = world.of("error");
  assert.deepEqual([error.code, error.replyId], ["sound_lost", reply]);
  assert.match(error.message, /^3 pieces/);
  assert.equal(world.context.sources.length, 3);
});

test("a session that the server no longer knows is lost, its replies end, and the next message begins another", async () => {
  const { world, reply } = await lost();
  await back(world, () => ({ ok: false, error: { code: "unknown_session", message: "?" } }));
  assert.equal(world.of("sessionLost").length, 1);
  assert.equal(world.conversation.sessionId, null);
  assert.deepEqual(
    world.of("done").map(({ replyId, reason, text }) => [replyId, reason, text]),
    [[reply, "failed", "One. Two. Three."]],
  );
  assert.equal(world.of("connection").at(-1).state, "online");
  await world.advance(3_000);
  assert.deepEqual(
    world.of("heard").map(({ sentence }) => sentence),
    [0, 1],
  );
  await world.conversation.send("Again.");
  assert.equal(
    "sessionId" in world.socket.of("chat:send")[1] && world.socket.of("chat:send")[1].sessionId !== undefined,
    false,
  );
});

test("where one of several replies is gone, the others are come back to", async () => {
  const world = new World();
  const [first, second] = [await world.begun(), await world.begun()];
  await world.chunk(second, 0, tone(2_400));
  world.socket.lose();
  await back(world, ({ after }) => {
    if (first in after) return { ok: false, error: { code: "unknown_reply", message: "?" } };
    return { ok: true, replies: [{ replyId: second, nextIndex: 1 }] };
  });
  assert.deepEqual(
    world.socket.of("chat:join").map(({ after }) => after),
    [{ [first]: -1, [second]: 0 }, { [second]: 0 }],
  );
  assert.deepEqual(
    world.of("done").map(({ replyId, reason }) => [replyId, reason]),
    [[first, "failed"]],
  );
  await world.chunk(second, 1, tone(2_400));
  await world.ended(second);
  await world.advance(1_000);
  assert.equal(world.context.sources.length, 2);
});

test("a connection that is lost again while it comes back is come back to once more", async () => {
  const { world, reply } = await lost();
  await back(world, () => undefined);
  world.socket.lose();
  world.socket.unanswered(new Error("socket has been disconnected"));
  await back(world, joinedAt({ [reply]: 2 }));
  assert.equal(world.of("connection").at(-1).state, "online");
  assert.equal(world.socket.of("chat:join").length, 2);
});

test("after a reload a reply goes on inside the chunk that was being heard, softly, with its text as it was", async () => {
  const { world: old, reply } = await lost();
  await old.receive("chat:sentence", { replyId: reply, sentence: 0, start: 0, end: 4, text: "One." });
  await old.receive("chat:sentence", { replyId: reply, sentence: 1, start: 5, end: 9, text: "Two." });
  await old.advance(1_000);
  const point = JSON.parse(JSON.stringify(old.conversation.resumePoint()));
  const { index, positionMs } = point.replies[reply];
  assert.equal(index, 1);
  assert.ok(Math.abs(positionMs - 1_500 + 1_000 + 60) < 5, `${positionMs}`);
  const world = new World({ resume: point });
  world.socket.answers["chat:join"] = joinedAt({ [reply]: 1 });
  await world.conversation.connect();
  assert.deepEqual(world.socket.of("chat:join"), [{ sessionId: "session", after: { [reply]: 0 } }]);
  assert.deepEqual(world.of("reply"), [{ name: "reply", replyId: reply, own: true }]);
  assert.equal(world.of("token")[0].whole, "One. Two. Three.");
  assert.deepEqual(
    world.of("sentence").map(({ from, to, text }) => [from, to, text]),
    [
      [0, 4, "One."],
      [5, 9, "Two."],
    ],
  );
  assert.deepEqual(world.conversation.resumePoint().replies[reply], point.replies[reply]);
  await world.chunk(reply, 1, tone(24_000, 1));
  await world.chunk(reply, 2, tone(24_000, 2));
  await world.ended(reply);
  await world.advance(4_000);
  const skipped = Math.round(positionMs * 24);
  const [first, second] = world.context.sources;
  const heard = world.context.render().subarray(Math.round(first.startS * 24_000));
  const expected = [...tone(24_000, 1).subarray(skipped), ...tone(24_000, 2)];
  assert.equal(heard[0], 0);
  for (let frame = 130; frame < expected.length - 130; frame += 1) assert.equal(heard[frame], expected[frame] / 32_768);
  assert.equal(Math.round((second.startS - first.startS) * 24_000), 24_000 - skipped);
  assert.deepEqual(world.of("underrun"), []);
  const last = world.socket.of("chat:played").at(-1);
  assert.deepEqual(last, { replyId: reply, index: 2, positionMs: 1_000 });
});

test("where the chunk that was being heard is gone after a reload, the next one is heard from its beginning", async () => {
  const world = new World({ resume: { sessionId: "session", replies: { r: { index: 1, positionMs: 700 } } } });
  world.socket.answers["chat:join"] = joinedAt({ r: 3 });
  await world.conversation.connect();
  await world.chunk("r", 3, tone(24_000));
  assert.equal(world.context.sources[0].offsetS, 0);
  assert.equal(world.of("error")[0].code, "sound_lost");
});

test("whatever a store gives back as a resume point, the page starts", async () => {
  const odd = [
    null,
    7,
    "x",
    [],
    { sessionId: 5 },
    { sessionId: "s", replies: 3 },
    { sessionId: "s", replies: { a: null, b: { index: -1 } } },
  ];
  const sentences = [[1], null, "x", [2, "3"]];
  odd.push({ sessionId: "s", replies: { c: { index: 2, positionMs: Number.NaN } } });
  odd.push({ sessionId: "s", replies: { d: { index: 2, positionMs: 5, sentences } } });
  for (const resume of odd) {
    const world = new World({ resume });
    world.socket.answers["chat:join"] = joinedAt({ d: 2 });
    await world.conversation.connect();
    assert.equal(world.of("connection").at(-1).state, "online");
    assert.ok(world.of("reply").every(({ replyId }) => replyId === "d"));
  }
});

test("a second tab gets the text and stays silent until it takes the sound over, from the sentence being heard on", async () => {
  const world = new World({ sessionId: "session" });
  world.socket.answers["chat:join"] = joinedAt({ r: 4 });
  await world.conversation.connect();
  await world.receive("chat:token", { replyId: "r", text: "A b. C d. E f.", start: 0 });
  assert.deepEqual(world.of("reply"), [{ name: "reply", replyId: "r", own: false }]);
  await world.chunk("r", 3, tone(2_400));
  assert.deepEqual(world.of("chunk"), []);
  const heardText = "A b. C";
  world.socket.answers["chat:history"] = () => ({
    ok: true,
    messages: [{ role: "assistant", text: "A b. C d. E f.", heardText, replyId: "r" }],
  });
  await world.conversation.listen();
  assert.deepEqual(world.socket.of("chat:join").at(-1), { sessionId: "session", after: { r: -1 } });
  assert.deepEqual(world.of("reply").at(-1), { name: "reply", replyId: "r", own: true });
  const pieces = [
    [0, "A b."],
    [1, "C d."],
    [1, ""],
    [2, "E f."],
  ];
  for (const [index, [sentence, text]] of pieces.entries())
    await world.chunk("r", index, tone(2_400, index), { sentence, text });
  await world.ended("r");
  await world.advance(1_000);
  assert.deepEqual(
    world.of("heard").map(({ sentence }) => sentence),
    [1, 2],
  );
  assert.equal(world.context.sources.length, 3);
  assert.deepEqual(world.conversation.resumePoint().replies, {});
});

test("a reply that had ended before this tab came is taken over to its last chunk, and then let go of", async () => {
  const world = new World({ sessionId: "session" });
  world.socket.answers["chat:join"] = joinedAt({ r: 2 });
  await world.conversation.connect();
  await world.conversation.listen();
  for (const index of [0, 1]) await world.chunk("r", index, tone(2_400, index), { text: `${index}.` });
  await world.advance(1_000);
  assert.deepEqual(
    world.of("speaking").map(({ sentence }) => sentence),
    [0, 1, null],
  );
  assert.equal(world.conversation.sound.state, "idle");
});

test("a reply whose end came while another listener had its sound is taken over to its last chunk", async () => {
  const world = new World({ sessionId: "session" });
  world.socket.answers["chat:join"] = joinedAt({ r: 2 });
  await world.conversation.connect();
  await world.receive("chat:token", { replyId: "r", text: "A. B.", start: 0 });
  await world.receive("chat:audio_done", { replyId: "r", reason: "complete" });
  await world.conversation.listen();
  for (const index of [0, 1]) await world.chunk("r", index, tone(2_400, index), { text: `${index}.` });
  await world.receive("chat:done", { replyId: "r", reason: "complete" });
  await world.advance(1_000);
  assert.deepEqual(
    world.of("speaking").map(({ sentence }) => sentence),
    [0, 1, null],
  );
});

test("a stopped reply, of which no chunk comes, does not keep the one after it from being taken over", async () => {
  const world = new World({ sessionId: "session" });
  world.socket.answers["chat:join"] = joinedAt({ stopped: 2, running: 1 }, { stopped: 2 });
  await world.conversation.connect();
  await world.receive("chat:token", { replyId: "running", text: "A.", start: 0 });
  await world.conversation.listen();
  await world.chunk("running", 0, tone(2_400), { text: "A." });
  await world.ended("running");
  await world.advance(500);
  assert.deepEqual(
    world.of("speaking").map(({ replyId }) => replyId),
    ["running", "running"],
  );
});

test("a reply without sound that is taken over does not keep the next one from being heard", async () => {
  const world = new World({ sessionId: "session" });
  world.socket.answers["chat:join"] = joinedAt({ silent: 0 });
  await world.conversation.connect();
  await world.conversation.listen();
  const reply = await world.begun();
  await world.chunk(reply, 0, tone(2_400));
  await world.ended(reply);
  await world.advance(500);
  assert.deepEqual(
    world.of("speaking").map(({ replyId }) => replyId),
    [reply, reply],
  );
});

test("whoever loses the sound to another socket falls silent, says so, and still gets the text", async () => {
  const world = new World();
  const reply = await world.begun();
  await world.chunk(reply, 0, tone(48_000));
  await world.advance(500);
  await world.receive("chat:sound_taken", { sessionId: "session", replies: [reply, 7, "other"] });
  assert.ok(world.context.sources[0].endS < world.context.currentTime + 0.026);
  assert.deepEqual(world.of("reply").at(-1), { name: "reply", replyId: reply, own: false });
  const told = world.socket.of("chat:played").length;
  await world.receive("chat:token", { replyId: reply, text: "More.", start: 0 });
  await world.ended(reply);
  await world.advance(3_000);
  assert.equal(world.of("token").length, 1);
  assert.equal(world.of("done").length, 1);
  assert.equal(world.socket.of("chat:played").length, told);
  world.socket.lose();
  await back(world);
  assert.deepEqual(world.socket.of("chat:join").at(-1).after, {});
});

test("a wrong key is refused with its code, and connect() with a right one goes on", async () => {
  const world = new World({ apiKey: "wrong" });
  world.socket.shy = true;
  const connecting = world.conversation.connect();
  world.socket.refuse({ code: "unauthorised" });
  await assert.rejects(connecting, (error) => error instanceof ConnectionRefused && error.code === "unauthorised");
  assert.deepEqual(
    world.of("connection").map(({ state, code }) => [state, code]),
    [
      ["connecting", undefined],
      ["refused", "unauthorised"],
    ],
  );
  await assert.rejects(
    world.conversation.send("Hello."),
    (error) => error instanceof Refused && error.code === "refused",
  );
  world.conversation.apiKey = "right";
  world.socket.shy = false;
  await world.conversation.connect();
  const shown = [];
  world.socket.settings.auth((data) => shown.push(data));
  assert.deepEqual(shown, [{ apiKey: "right" }]);
  assert.equal(world.of("connection").at(-1).state, "online");
});

test("while a server cannot be reached, connect() waits and the page is told", async () => {
  const world = new World();
  world.socket.shy = true;
  const connecting = world.conversation.connect();
  world.socket.refuse(undefined, true);
  world.socket.refuse(undefined, true);
  assert.deepEqual(
    world.of("connection").map(({ state }) => state),
    ["connecting", "offline"],
  );
  world.socket.arrive();
  await connecting;
  assert.equal(world.of("connection").at(-1).state, "online");
});

test("connect() while connected does nothing, unless there is another key to show", async () => {
  const world = new World();
  await world.conversation.connect();
  await world.conversation.connect();
  assert.equal(world.socket.connections, 1);
  world.conversation.apiKey = "other";
  await world.conversation.connect();
  assert.equal(world.socket.connections, 2);
});

test("a server that closed the connection is come back to, which Socket.IO leaves to its user", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const { world } = await lost();
    world.socket.arrive();
    await settled();
    const { connections } = world.socket;
    world.socket.lose("io server disconnect");
    mock.timers.tick(1_000);
    assert.equal(world.socket.connections, connections + 1);
  } finally {
    mock.timers.reset();
  }
});

test("a server that is stopping is come back to, and whoever waits for the connection gets the next server", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const world = new World();
    world.socket.shy = true;
    const connecting = world.conversation.connect();
    world.socket.refuse({ code: "stopping" });
    mock.timers.tick(1_000);
    assert.equal(world.socket.connections, 2);
    world.socket.arrive();
    await connecting;
    assert.deepEqual(
      world.of("connection").map(({ state }) => state),
      ["connecting", "offline", "online"],
    );
  } finally {
    mock.timers.reset();
  }
});

test("a question without an answer is refused as a time-out, one whose connection broke as offline", async () => {
  const world = new World();
  await world.conversation.connect();
  world.socket.answers["chat:send"] = () => undefined;
  for (const [code, connected] of [
    ["timeout", true],
    ["offline", false],
  ]) {
    const sending = world.conversation.send("Hello.");
    await settled();
    world.socket.connected = connected;
    world.socket.unanswered(new Error("operation has timed out"));
    await assert.rejects(sending, (error) => error instanceof Refused && error.code === code);
  }
});

test("without a connection a question is refused after ten seconds, and at once when the conversation is closed", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const { world } = await lost();
    const history = world.conversation.history();
    await settled();
    mock.timers.tick(10_000);
    await assert.rejects(history, { code: "offline" });
    const sending = world.conversation.send("Hello.");
    await settled();
    world.conversation.close();
    await assert.rejects(sending, { code: "offline", message: "The conversation was closed." });
    assert.equal(world.clock.timers.size, 0);
    assert.equal(world.context.state, "closed");
  } finally {
    mock.timers.reset();
  }
});
