import assert from "node:assert/strict";
import { test } from "node:test";
import { Activity } from "../../../src/unavoce/web/page/conversation/activity.js";

const done = { replyId: "a", reason: "complete", text: "Good evening." };

/** An activity on a clock that stands still until it is set. */
function watched() {
  const clock = { ms: 0 };
  return { clock, activity: new Activity(() => clock.ms) };
}

test("a reply can be stopped while it runs, and after its end while it is heard", () => {
  const { activity } = watched();
  activity.reply({ replyId: "a", own: true });
  assert.deepEqual(activity.state, { busy: true, sounding: false, elsewhere: "none" });
  activity.chunk({ replyId: "a" });
  activity.done(done);
  assert.deepEqual(activity.state, { busy: true, sounding: true, elsewhere: "none" });
  activity.speaking({ replyId: "a", sentence: 0 });
  activity.speaking({ replyId: "a", sentence: null });
  assert.deepEqual(activity.state, { busy: false, sounding: false, elsewhere: "none" });
});

test("a reply without sound is over with its end", () => {
  const { activity } = watched();
  activity.reply({ replyId: "a", own: true });
  activity.done(done);
  assert.equal(activity.state.busy, false);
});

test("what was stopped is over at once, and its end changes nothing", () => {
  const { activity } = watched();
  activity.reply({ replyId: "a", own: true });
  activity.chunk({ replyId: "a" });
  activity.stopped();
  assert.equal(activity.state.busy, false);
  activity.done({ ...done, reason: "aborted" });
  assert.equal(activity.state.busy, false);
});

test("sound that could not be played is not waited for", () => {
  const { activity } = watched();
  activity.reply({ replyId: "a", own: true });
  activity.chunk({ replyId: "a" });
  activity.done(done);
  activity.silent();
  assert.equal(activity.state.busy, false);
});

test("a reply of another tab can be listened to for as long as it is likely to be heard there", () => {
  const { activity, clock } = watched();
  activity.reply({ replyId: "a", own: false });
  assert.deepEqual(activity.state, { busy: true, sounding: false, elsewhere: "other" });
  activity.done({ ...done, text: "x".repeat(120) });
  assert.deepEqual(activity.state, { busy: false, sounding: false, elsewhere: "other" });
  clock.ms = 9_999;
  assert.equal(activity.state.elsewhere, "other");
  clock.ms = 10_001;
  assert.equal(activity.state.elsewhere, "none");
});

test("a sound that was taken away is told from one that was never here, until it is brought back", () => {
  const { activity } = watched();
  activity.reply({ replyId: "a", own: true });
  activity.chunk({ replyId: "a" });
  activity.reply({ replyId: "a", own: false });
  assert.deepEqual(activity.state, { busy: true, sounding: false, elsewhere: "taken" });
  activity.reply({ replyId: "a", own: true });
  assert.equal(activity.state.elsewhere, "none");
});

test("a stopped reply of another tab is not offered", () => {
  const { activity } = watched();
  activity.reply({ replyId: "a", own: false });
  activity.done({ ...done, reason: "aborted" });
  assert.equal(activity.state.elsewhere, "none");
});

test("whoever watches is told at once and of every change", () => {
  const { activity } = watched();
  /** @type {boolean[]} */
  const told = [];
  activity.watch(({ busy }) => told.push(busy));
  activity.reply({ replyId: "a", own: true });
  activity.done(done);
  assert.deepEqual(told, [false, true, false]);
});
