import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Health } from "../../../src/unavoce/web/page/instruments/health.js";

const page = { hidden: false, addEventListener: () => {} };
const EVENT = { engine: "xtts", status: "down", reason: "refused; remedy: start it", since: 1_000 };

/**
 * A server whose answers are counted, under a clock of the test's own.
 * @param {import("node:test").TestContext} context
 * @param {object} [report]
 */
function asked(context, report = {}) {
  mock.timers.enable({ apis: ["setTimeout"] });
  const clock = { nowMs: 1_000_000 };
  mock.method(performance, "now", () => clock.nowMs);
  Object.assign(globalThis, { document: page });
  context.after(() => {
    mock.timers.reset();
    mock.restoreAll();
    Reflect.deleteProperty(globalThis, "document");
  });
  const cache = { status: "ok", detail: "", latencyMs: null, hits: {} };
  const model = { status: "ok", detail: "ready", latencyMs: 1, model: "m" };
  const engines = {
    xtts: { status: "healthy", since: 2_000, detail: "ready", voices: ["a"], latencyMs: 90, clips: 1 },
  };
  const paths = /** @type {string[]} */ ([]);
  const get = async (/** @type {string} */ path) => {
    paths.push(path);
    return { status: 200, body: { engines, model, cache, ...report } };
  };
  const pass = async (/** @type {number} */ ms) => {
    clock.nowMs += ms;
    mock.timers.tick(ms);
    // The answer and what follows from it.
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  };
  return { health: new Health(/** @type {any} */ ({ get })), paths, pass };
}

test("an event is believed at once, its reason told apart", (context) => {
  const { health } = asked(context);
  health.engine(EVENT);
  const [engine] = health.state.engines;
  assert.deepEqual(
    [engine.status, engine.detail, engine.remedy, engine.sinceMs],
    ["down", "refused", "start it", 1_000],
  );
  health.engine({ ...EVENT, reason: "loading" });
  assert.equal(health.state.engines[0].status, "loading");
});

test("however many events come, the server is asked once in five seconds", async (context) => {
  const { health, paths, pass } = asked(context);
  health.connection("online");
  for (let number = 0; number < 50; number += 1) health.engine(EVENT);
  await pass(0);
  assert.deepEqual(paths, ["/api/health"]);
  for (let number = 0; number < 50; number += 1) health.refresh();
  await pass(4_999);
  assert.equal(paths.length, 1);
  await pass(1);
  assert.equal(paths.length, 2);
  await pass(60_000);
  assert.equal(paths.length, 2);
});

test("the report fills in what events do not tell", async (context) => {
  const { health, pass } = asked(context);
  health.engine(EVENT);
  health.connection("online");
  await pass(0);
  const [engine] = health.state.engines;
  assert.deepEqual([engine.status, engine.remedy, engine.voices, engine.latencyMs], ["healthy", "", ["a"], 90]);
  assert.equal(health.state.model?.model, "m");
});

test("without a connection the server is not asked", async (context) => {
  const { health, paths, pass } = asked(context);
  health.refresh();
  health.connection("refused");
  await pass(60_000);
  assert.deepEqual(paths, []);
});

test("a model that is down is asked after until it is there, but not while the page is hidden", async (context) => {
  const model = { status: "down", detail: "no answer", latencyMs: 1, model: "m" };
  const { health, paths, pass } = asked(context, { model });
  health.connection("online");
  await pass(0);
  await pass(10_000);
  await pass(10_000);
  assert.equal(paths.length, 3);
  model.status = "ok";
  await pass(10_000);
  await pass(60_000);
  assert.equal(paths.length, 4);
  model.status = "down";
  page.hidden = true;
  context.after(() => {
    page.hidden = false;
  });
  health.refresh();
  await pass(5_000);
  await pass(60_000);
  assert.equal(paths.length, 5);
});
