import assert from "node:assert/strict";
import { test } from "node:test";
import { generator, tone, World } from "./fake-world.js";

/** What is heard from the first frame that is not silent on. */
function heardOf(world) {
  const heard = world.context.render();
  return heard.subarray(Math.round(world.context.sources[0].startS * world.context.sampleRate));
}

function joined(parts) {
  return Float64Array.from(
    parts.flatMap((part) => [...part]),
    (sample) => sample / 32_768,
  );
}

/** All but the last 120 frames, over which the last chunk is faded out. */
function assertSame(heard, expected) {
  assert.equal(heard.length, expected.length);
  const wrong = expected.findIndex((sample, frame) => frame < expected.length - 120 && sample !== heard[frame]);
  assert.equal(wrong, -1, `frame ${wrong} of ${expected.length} differs`);
}

for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
  test(`chunks of any length, arriving at any time ahead, are heard sample for sample (seed ${seed})`, async () => {
    const [random, world] = [generator(seed), new World()];
    const reply = await world.begun();
    await world.advance(random() * 5_000);
    const parts = Array.from({ length: 12 }, (_, at) =>
      tone(1 + Math.floor(random() * (random() < 0.3 ? 400 : 30_000)), at),
    );
    let [aheadMs, index] = [0, 0];
    for (const samples of parts) {
      await world.chunk(reply, index, samples);
      aheadMs += samples.length / 24;
      index += 1;
      const waitMs = Math.max(0, Math.min(aheadMs - 120, random() * 900));
      aheadMs -= waitMs;
      await world.advance(waitMs);
    }
    await world.ended(reply);
    await world.advance(20_000);
    assertSame(heardOf(world), joined(parts));
    assert.equal(world.conversation.sound.underruns, 0);
    assert.deepEqual(world.of("error"), []);
  });
}

test("the first chunk begins a small lead after it came, whatever the clock says then", async () => {
  const world = new World();
  const reply = await world.begun();
  await world.advance(1_234.5);
  const nowS = world.context.currentTime;
  await world.chunk(reply, 0, tone(5_000));
  const leadS = world.context.sources[0].startS - nowS;
  assert.ok(leadS >= 0.02 && leadS <= 0.05, `${leadS}`);
});

test("a chunk that comes too late is one underrun with its gap, begins softly, and the one before it ended softly", async () => {
  const world = new World();
  const reply = await world.begun();
  await world.chunk(reply, 0, tone(24_000, 1));
  await world.advance(1_500);
  await world.chunk(reply, 1, tone(24_000, 2));
  const [first, second] = world.context.sources;
  const gapMs = (second.startS - first.endS) * 1000;
  assert.equal(world.of("underrun").length, 1);
  assert.ok(Math.abs(world.of("underrun")[0].gapMs - gapMs) < 0.01 && gapMs > 400 && gapMs < 600);
  assert.equal(world.conversation.sound.underruns, 1);
  assert.ok(Math.abs(world.conversation.sound.underrunMs - gapMs) < 0.01);
  await world.ended(reply);
  await world.advance(3_000);
  const heard = heardOf(world);
  const steps = heard.slice(1).map((sample, frame) => Math.abs(sample - heard[frame]));
  const own = Math.max(...[1, 2].map((seed) => ownStep(tone(24_000, seed))));
  assert.ok(Math.max(...steps) <= own * 1.1, "a step that the sound itself does not have is a click");
  assert.ok(Math.abs(heard[24_000]) === 0 && Math.abs(heard[23_999]) < 0.01);
});

function ownStep(samples) {
  return Math.max(...samples.slice(1).map((sample, at) => Math.abs(sample - samples[at]))) / 32_768;
}

test("where the machine was too busy to begin a chunk in time, it gets another place, and its follower joins it", async () => {
  const world = new World();
  const reply = await world.begun();
  const { context } = world;
  const create = context.createBufferSource.bind(context);
  let busy = 2;
  context.createBufferSource = () => {
    const source = create();
    const start = source.start.bind(source);
    source.start = (...when) => {
      start(...when);
      if (busy > 0) context.currentTime += 0.2;
      busy -= 1;
    };
    return source;
  };
  await world.chunk(reply, 0, tone(9_000, 1));
  await world.chunk(reply, 1, tone(9_000, 2));
  const begun = context.sources.filter(({ outputs }) => outputs.size);
  assert.equal(context.sources.length, 4);
  assert.deepEqual(
    begun.map(({ buffer }) => buffer.samples[0] * 32_768),
    [1, 2].map((seed) => tone(1, seed)[0]),
  );
  assert.ok(begun[0].startS > context.currentTime);
  assert.equal(Math.round((begun[1].startS - begun[0].startS) * 24_000), 9_000);
  await world.ended(reply);
  await world.advance(2_000);
  assert.deepEqual(world.of("underrun"), []);
  assert.equal(world.conversation.sound.state, "idle");
});

test("a follower that comes in time withdraws the fade, and one that comes within it does not break it off", async () => {
  const world = new World();
  const reply = await world.begun();
  await world.chunk(reply, 0, tone(24_000, 1));
  const { endS } = world.context.sources[0];
  await world.advance((endS - world.context.currentTime) * 1000 - 4);
  await world.chunk(reply, 1, tone(2_400, 2));
  const gain = world.context.sources[0].path[0].gain;
  assert.ok(gain.at(endS - 0.0001) < 0.05);
  assert.equal(world.of("underrun").length, 1);
  assert.ok(world.context.sources[1].startS >= endS);
});

test("silence before the first chunk, between replies and while the browser does not let it play is no underrun", async () => {
  const world = new World();
  for (const pauseMs of [3_000, 2_000]) {
    const reply = await world.begun();
    await world.advance(pauseMs);
    await world.chunk(reply, 0, tone(12_000));
    world.context.change("suspended");
    await world.advance(7_000);
    world.context.change("running");
    await world.chunk(reply, 1, tone(12_000));
    await world.ended(reply);
    await world.advance(1_500);
  }
  assert.equal(world.conversation.sound.underruns, 0);
  assert.deepEqual(world.of("underrun"), []);
});

test("a chunk that cannot be decoded is named, the seam is closed, and the reply goes on", async () => {
  const world = new World();
  const reply = await world.begun();
  await world.chunk(reply, 0, tone(9_000, 1));
  await world.chunk(reply, 1, tone(9_000, 2), { audio: new ArrayBuffer(30) });
  await world.chunk(reply, 2, tone(9_000, 3), { durationMs: 900 });
  await world.chunk(reply, 3, tone(9_000, 4));
  await world.ended(reply);
  await world.advance(2_000);
  assertSame(heardOf(world), joined([tone(9_000, 1), tone(9_000, 4)]));
  const errors = world.of("error");
  assert.deepEqual(
    errors.map(({ code, replyId }) => [code, replyId]),
    Array(2).fill(["sound_broken", reply]),
  );
  assert.match(errors[0].message, /Chunk 1 .*no WAV/);
  assert.match(errors[1].message, /Chunk 2 .*900 ms .* 375\.0/);
});

test("decoding that takes its time does not let one chunk overtake another", async () => {
  const decoding = [];
  globalThis.OfflineAudioContext = class {
    decodeAudioData(data) {
      return new Promise((resolve) =>
        decoding.push(() => resolve(world.context.createBuffer(1, data.byteLength, 48_000))),
      );
    }
  };
  const world = new World();
  const reply = await world.begun({ format: "opus" });
  const opus = { contentType: "audio/ogg; codecs=opus" };
  for (const [index, ms] of [300, 100, 200].entries()) {
    await world.chunk(reply, index, tone(1), { ...opus, durationMs: ms, audio: new ArrayBuffer(48 * ms) });
  }
  while (decoding.length) {
    decoding.shift()();
    await world.advance(5);
  }
  const lengths = world.context.sources.map(({ buffer }) => buffer.length);
  assert.deepEqual(lengths, [14_400, 4_800, 9_600]);
  assert.equal(world.context.sampleRate, 48_000);
  const [first, second, third] = world.context.sources;
  assert.equal(Math.round((second.startS - first.startS) * 48_000), 14_400);
  assert.equal(Math.round((third.startS - second.startS) * 48_000), 4_800);
  delete globalThis.OfflineAudioContext;
});

test("no more than twenty seconds are decoded ahead, and the rest follows without a seam", async () => {
  const world = new World();
  const reply = await world.begun();
  for (let index = 0; index < 10; index += 1) await world.chunk(reply, index, tone(96_000, index));
  assert.equal(world.context.sources.length, 5);
  await world.ended(reply);
  await world.advance(45_000);
  assertSame(heardOf(world), joined(Array.from({ length: 10 }, (_, index) => tone(96_000, index))));
  assert.equal(world.conversation.sound.underruns, 0);
});

test("a chunk that is longer than what is decoded ahead does not leave the next one too late", async () => {
  const world = new World();
  const reply = await world.begun();
  const parts = [24_000, 600_000, 24_000].map((frames, at) => tone(frames, at));
  for (const [index, samples] of parts.entries()) await world.chunk(reply, index, samples);
  assert.equal(world.context.sources.length, 2);
  await world.ended(reply);
  await world.advance(28_000);
  assertSame(heardOf(world), joined(parts));
  assert.equal(world.conversation.sound.underruns, 0);
});

test("what waits is bounded, and what is too much is named", async () => {
  const world = new World();
  world.contextState = "suspended";
  const reply = await world.begun();
  await world.chunk(reply, 0, tone(600_000));
  const audio = new ArrayBuffer(9_000_000);
  for (let index = 1; index < 7; index += 1) await world.chunk(reply, index, tone(1), { audio, durationMs: 187_500 });
  assert.deepEqual(
    world.of("error").map(({ message }) => message),
    [5, 6].map((index) => `Chunk ${index} cannot be played: too much of it waits already.`),
  );
});
