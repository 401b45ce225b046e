import assert from "node:assert/strict";
import { test } from "node:test";
import { tone, World } from "./fake-world.js";

const near = (one, other, by = 1.5) => Math.abs(one - other) <= by;

/** Three chunks of two sentences, and when each is heard. */
async function threeChunks(world) {
  const reply = await world.begun();
  await world.chunk(reply, 0, tone(12_000, 1), { sentence: 0 });
  await world.chunk(reply, 1, tone(24_000, 2), { sentence: 0 });
  await world.chunk(reply, 2, tone(36_000, 3), { sentence: 1 });
  await world.ended(reply);
  const { startS } = world.context.sources[0];
  const beginMs = world.clock.ms + (startS - world.context.currentTime + world.context.outputLatency) * 1000;
  return { reply, beginMs };
}

test("a sentence is said to be heard when its sound leaves the loudspeaker, not when it arrives", async () => {
  const world = new World();
  const { reply, beginMs } = await threeChunks(world);
  const spoken = [];
  world.conversation.on("speaking", ({ replyId, sentence }) => spoken.push([world.clock.ms, replyId, sentence]));
  await world.advance(5_000);
  const expected = [beginMs, beginMs + 1_500, beginMs + 3_000];
  assert.deepEqual(
    spoken.map(([, replyId, sentence]) => [replyId, sentence]),
    [
      [reply, 0],
      [reply, 1],
      [reply, null],
    ],
  );
  assert.ok(
    spoken.every(([ms], at) => near(ms, expected[at])),
    `${spoken.map(([ms]) => ms)} for ${expected}`,
  );
  const heard = world.of("heard");
  assert.deepEqual(
    heard.map(({ sentence }) => sentence),
    [0, 1],
  );
  const times = heard.flatMap(({ fromMs, toMs }) => [fromMs, toMs]);
  assert.ok(
    times.every((ms, at) => near(ms, expected[[0, 1, 1, 2][at]], 0.1)),
    `${times}`,
  );
});

test("what was heard and when stays true when the timers of a hidden tab come late", async () => {
  const world = new World();
  world.clock.throttled = true;
  const { beginMs } = await threeChunks(world);
  await world.advance(6_000);
  const times = world.of("heard").flatMap(({ fromMs, toMs }) => [fromMs, toMs]);
  const expected = [beginMs, beginMs + 1_500, beginMs + 1_500, beginMs + 3_000];
  assert.ok(times.length === 4 && times.every((ms, at) => near(ms, expected[at], 0.1)), `${times}`);
  assert.equal(world.conversation.sound.underruns, 0);
  assert.equal(world.socket.of("chat:played").at(-1).positionMs, 1_500);
});

test("a device's own time stamp is believed while it makes sense, and its latency otherwise", async () => {
  for (const [stamp, aheadMs] of [
    [{ behindS: 0.2 }, 200],
    [{ behindS: 30 }, 30],
    [{ behindS: -5 }, 30],
    [null, 30],
  ]) {
    const world = new World();
    const reply = await world.begun();
    const { context } = world;
    if (stamp) {
      context.getOutputTimestamp = () => ({
        contextTime: context.currentTime - stamp.behindS + 10,
        performanceTime: world.clock.ms + 10_000,
      });
      await world.advance(1_000);
    }
    await world.chunk(reply, 0, tone(24_000));
    const startMs = world.clock.ms + (context.sources[0].startS - context.currentTime) * 1000;
    await world.advance(900);
    await world.ended(reply);
    await world.advance(3_000);
    assert.ok(near(world.of("heard")[0].fromMs, startMs + aheadMs), `${world.of("heard")[0].fromMs - startMs}`);
  }
});

test("the server is told how far the listener is: at each chunk's beginning, twice a second, and at the end", async () => {
  const world = new World();
  const { reply, beginMs } = await threeChunks(world);
  const told = [];
  const { emit } = world.socket;
  world.socket.emit = (name, payload, answered) => {
    if (name === "chat:played") told.push([world.clock.ms - beginMs, payload]);
    emit.call(world.socket, name, payload, answered);
  };
  await world.advance(5_000);
  assert.ok(told.every(([, { replyId }]) => replyId === reply));
  const begins = [0, 500, 1_500];
  for (const [index, ms] of begins.entries()) {
    assert.ok(
      told.some(([atMs, played]) => near(atMs, ms) && played.index === index && played.positionMs < 2),
      `chunk ${index}`,
    );
  }
  for (const [atMs, { index, positionMs }] of told)
    assert.ok(near(begins[index] + positionMs, atMs), `${index} ${positionMs}`);
  const gaps = told.slice(1).map(([ms], at) => ms - told[at][0]);
  assert.ok(Math.max(...gaps) <= 501 && told.length <= 12, `${told.length} reports, ${gaps}`);
  assert.deepEqual(told.at(-1)[1], { replyId: reply, index: 2, positionMs: 1_500 });
});

test("stop silences within 25 ms without a click, tells the server where, and drops what comes later", async () => {
  const world = new World();
  const reply = await world.begun();
  await world.chunk(reply, 0, tone(48_000, 1));
  await world.chunk(reply, 1, tone(48_000, 2));
  await world.advance(700);
  const stoppedS = world.context.currentTime;
  assert.equal(await world.conversation.stop(), 1);
  const names = world.socket.sent.map(([name]) => name);
  assert.ok(
    names.lastIndexOf("chat:played") < names.lastIndexOf("chat:abort"),
    "heard text is settled by the last report",
  );
  const { index, positionMs } = world.socket.of("chat:played").at(-1);
  assert.ok(index === 0 && near(positionMs, 640, 40));
  await world.chunk(reply, 2, tone(48_000, 3));
  await world.ended(reply, "aborted");
  await world.advance(8_000);
  const heard = world.context.render(8);
  assert.equal(world.context.sources.length, 2);
  assert.ok(heard.subarray(Math.round((stoppedS + 0.026) * 24_000)).every((sample) => sample === 0));
  const around = heard.subarray(Math.round((stoppedS - 0.1) * 24_000), Math.round((stoppedS + 0.1) * 24_000));
  const steps = around.slice(1).map((sample, frame) => Math.abs(sample - around[frame]));
  assert.ok(Math.max(...steps) < 0.04, `a step of ${Math.max(...steps)}`);
  assert.deepEqual(
    world.of("speaking").map(({ sentence }) => sentence),
    [0, null],
  );
  assert.equal(world.conversation.sound.state, "idle");
  assert.equal(world.conversation.sound.underruns, 0);
});

test("the reply that interrupts another is not touched by its fade", async () => {
  const world = new World();
  const first = await world.begun();
  await world.chunk(first, 0, tone(48_000, 1));
  await world.advance(500);
  const stoppedS = world.context.currentTime;
  const second = await world.begun({ interrupt: true });
  await world.chunk(second, 0, tone(24_000, 2));
  await world.ended(first, "aborted");
  await world.ended(second);
  await world.advance(2_000);
  const begin = Math.round(world.context.sources[1].startS * 24_000);
  assert.ok(world.context.sources[1].startS - stoppedS < 0.05);
  const heard = world.context.render();
  const expected = tone(24_000, 2);
  const clean = begin + Math.round(0.02 * 24_000);
  for (let frame = clean; frame < begin + 24_000 - 120; frame += 1)
    assert.equal(heard[frame], expected[frame - begin] / 32_768);
  assert.equal(world.socket.of("chat:send")[1].interrupt, true);
});

test("an interrupting message that is refused stops the others all the same", async () => {
  const world = new World();
  const reply = await world.begun();
  await world.chunk(reply, 0, tone(48_000));
  await world.advance(500);
  world.socket.answers["chat:send"] = () => ({ ok: false, error: { code: "unknown_voice", message: "No voice x." } });
  await assert.rejects(world.conversation.send("And?", { interrupt: true, voice: "x" }), {
    code: "unknown_voice",
    message: "No voice x.",
  });
  assert.deepEqual(world.socket.of("chat:abort"), [{ sessionId: "session" }]);
  assert.equal(world.conversation.sound.state, "idle");
});

test("a reply that someone else stopped falls silent here", async () => {
  const world = new World();
  const reply = await world.begun();
  await world.chunk(reply, 0, tone(48_000));
  await world.advance(500);
  await world.ended(reply, "aborted");
  assert.ok(world.context.sources[0].endS < world.context.currentTime + 0.026);
  assert.deepEqual(world.of("speaking").at(-1), { name: "speaking", replyId: reply, sentence: null });
});

test("several replies are heard one after another in the order in which they began", async () => {
  const world = new World();
  const [first, second] = [await world.begun(), await world.begun()];
  await world.chunk(second, 0, tone(24_000, 2));
  await world.advance(300);
  assert.equal(world.context.sources.length, 0);
  await world.chunk(first, 0, tone(24_000, 1));
  await world.chunk(second, 1, tone(24_000, 3));
  await world.ended(second);
  await world.advance(1_300);
  await world.chunk(first, 1, tone(24_000, 4));
  await world.ended(first);
  await world.advance(4_000);
  const order = world.context.sources.map(({ buffer }) => buffer.samples[0] * 32_768);
  assert.deepEqual(
    order,
    [1, 4, 2, 3].map((seed) => tone(1, seed)[0]),
  );
  const [, end, begin] = world.context.sources;
  assert.ok(begin.startS >= end.endS && begin.startS - end.endS < 0.06);
  assert.deepEqual(
    world.of("heard").map(({ replyId }) => replyId),
    [first, first, second, second],
  );
  assert.equal(world.of("underrun").length, 1);
});

test("a reply that waits for its turn is told to the server as not yet heard", async () => {
  const world = new World();
  const [first, second] = [await world.begun(), await world.begun()];
  await world.chunk(first, 0, tone(24_000 * 12));
  await world.chunk(second, 0, tone(24_000));
  await world.advance(11_000);
  const waiting = world.socket.of("chat:played").filter(({ replyId }) => replyId === second);
  assert.ok(waiting.length >= 3 && waiting.length <= 23);
  assert.deepEqual(waiting[0], { replyId: second, index: 0, positionMs: 0 });
});

test("replies of different rates follow each other, each in a context of its own rate, of which two are kept", async () => {
  const world = new World();
  for (const sampleRate of [24_000, 16_000, 22_050, 24_000]) {
    const reply = await world.begun();
    await world.chunk(reply, 0, tone(sampleRate), { sampleRate });
    await world.ended(reply);
    await world.advance(1_500);
  }
  assert.deepEqual(
    world.contexts.map(({ sampleRate }) => sampleRate),
    [24_000, 16_000, 22_050, 24_000],
  );
  assert.deepEqual(
    world.contexts.map(({ state }) => state),
    ["closed", "closed", "running", "running"],
  );
  assert.deepEqual(
    world.contexts.map(({ sources }) => sources.length),
    [1, 1, 1, 1],
  );
});

test("until the browser lets it play, all chunks wait, and then they are heard from the first on", async () => {
  const world = new World();
  world.contextState = "suspended";
  assert.equal(world.conversation.sound.state, "locked");
  const reply = await world.begun();
  assert.equal(world.context.resumed > 0, true);
  for (let index = 0; index < 3; index += 1) await world.chunk(reply, index, tone(24_000, index));
  await world.ended(reply);
  await world.advance(30_000);
  assert.equal(world.conversation.sound.state, "locked");
  assert.deepEqual(world.of("speaking"), []);
  const told = world.socket.of("chat:played");
  assert.ok(told.length >= 6 && told.every(({ index, positionMs }) => index === 0 && positionMs === 0));
  world.context.allowed = true;
  world.conversation.unlock();
  assert.equal(world.conversation.sound.state, "playing");
  await world.advance(4_000);
  assert.deepEqual(
    world.of("heard").map(({ sentence }) => sentence),
    [0, 1, 2],
  );
  assert.deepEqual(
    world.of("sound").map(({ state }) => state),
    ["playing", "idle"],
  );
});

test("a locked reply that is stopped leaves nothing behind", async () => {
  const world = new World();
  world.contextState = "suspended";
  const reply = await world.begun();
  await world.chunk(reply, 0, tone(24_000));
  await world.conversation.stop();
  await world.ended(reply, "aborted");
  world.context.allowed = true;
  world.conversation.unlock();
  await world.advance(2_000);
  assert.ok(world.context.render(2).every((sample) => sample === 0));
  assert.deepEqual(world.of("speaking"), []);
});

test("a device that the browser takes away, as Safari does during a call, pauses the sound and not more", async () => {
  const world = new World();
  const reply = await world.begun();
  await world.chunk(reply, 0, tone(48_000));
  await world.advance(1_000);
  world.context.change("interrupted");
  assert.equal(world.conversation.sound.state, "locked");
  await world.advance(60_000);
  world.context.change("running");
  assert.equal(world.conversation.sound.state, "playing");
  await world.ended(reply);
  await world.advance(1_500);
  assert.equal(world.conversation.sound.state, "idle");
  assert.equal(world.conversation.sound.underruns, 0);
});

test("the volume is between 0 and 1, holds for contexts to come, and changes without a click", async () => {
  const world = new World();
  world.conversation.volume = 7;
  assert.equal(world.conversation.volume, 1);
  world.conversation.volume = 0.25;
  const reply = await world.begun();
  await world.chunk(reply, 0, tone(24_000));
  const volume = world.context.sources[0].path.at(-2).gain;
  assert.equal(volume.value, 0.25);
  world.conversation.volume = -1;
  assert.deepEqual(
    volume.events.map(({ value }) => value),
    [0],
  );
});

test("a thousand replies in one page leave nothing behind", async () => {
  const world = new World();
  const grown = [];
  for (let count = 0; count < 1_000; count += 1) {
    const reply = await world.begun({ interrupt: true });
    for (let index = 0; index < 3; index += 1) await world.chunk(reply, index, tone(600, index));
    if (count % 3) await world.ended(reply);
    await world.advance(count % 3 === 1 ? 120 : 20);
    if (!(count % 3)) await world.ended(reply, "aborted");
    world.context.sources.length = 0;
    world.socket.sent.length = world.log.length = 0;
    grown.push(JSON.stringify(world.conversation.resumePoint()).length + world.clock.timers.size);
  }
  await world.advance(1_000);
  assert.deepEqual(world.conversation.resumePoint(), { sessionId: "session", replies: {} });
  assert.equal(world.clock.timers.size, 0);
  assert.ok(Math.max(...grown) < 300, `${Math.max(...grown)}`);
});

test("without a device, the page is told so and the text goes on", async () => {
  const world = new World({
    createContext: () => {
      throw new Error("no device");
    },
  });
  await world.conversation.connect();
  const { replyId } = await world.conversation.send("Hello.");
  await world.chunk(replyId, 0, tone(2_400));
  await world.receive("chat:token", { replyId, text: "Hi.", start: 0 });
  await world.ended(replyId);
  assert.match(world.of("error")[0].message, /no device/);
  assert.equal(world.of("done").length, 1);
});
