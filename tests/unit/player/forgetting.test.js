import assert from "node:assert/strict";
import { test } from "node:test";
import { tone, World } from "./fake-world.js";

test("a session that is forgotten falls silent, and what is said next begins another", async () => {
  const world = new World();
  world.socket.answers["chat:forget"] = () => ({ ok: true, messages: 4 });
  const reply = await world.begun();
  await world.chunk(reply, 0, tone(24_000, 0));
  await world.advance(500);
  assert.equal(await world.conversation.forget(), 4);
  assert.deepEqual(world.socket.of("chat:forget"), [{ sessionId: "session" }]);
  assert.equal(world.conversation.sound.state, "idle");
  assert.equal(world.conversation.sessionId, null);
  assert.equal(world.conversation.resumePoint(), null);
  assert.deepEqual(world.of("sessionLost"), []);
  await world.begun();
  assert.equal(world.socket.of("chat:send").at(-1).sessionId, undefined);
});

test("one that the server could not forget stays the session, so that it can be asked again", async () => {
  const world = new World();
  const error = { code: "history_unavailable", message: "the disk is full" };
  world.socket.answers["chat:forget"] = () => ({ ok: false, error });
  await world.begun();
  await assert.rejects(world.conversation.forget(), error);
  assert.equal(world.conversation.sessionId, "session");
});

test("without a session there is nothing to forget", async () => {
  const world = new World();
  await world.conversation.connect();
  assert.equal(await world.conversation.forget(), 0);
  assert.deepEqual(world.socket.of("chat:forget"), []);
});
