import assert from "node:assert/strict";
import { test } from "node:test";
import { hitWords, reasonOf, toldApart, verdictOn } from "../../../src/unavoce/web/page/instruments/health.js";

const NOON = new Date(2026, 10, 24, 12, 3).getTime();
const NOW = NOON + 3_600_000;

/**
 * @param {string} name
 * @param {"healthy" | "slow" | "down" | "loading"} status
 */
function engine(name, status, detail = "", remedy = "") {
  return { engine: name, status, detail, remedy, sinceMs: NOON, voices: [], latencyMs: null, clips: 0 };
}

/**
 * @param {ReturnType<typeof engine>[]} engines
 * @param {Partial<import("../../../src/unavoce/web/page/instruments/health.js").State>} [rest]
 * @param {string | null} [wanted]
 */
function verdict(engines, rest = {}, wanted = null) {
  return verdictOn({ connection: "online", engines, model: null, cache: null, ...rest }, wanted, NOW);
}

test("all well is a few quiet words", () => {
  assert.deepEqual(verdict([engine("piper", "healthy")]), { level: "well", brief: "piper · ready", notices: [] });
  const ok = { model: { status: "ok", detail: "ready", remedy: "" } };
  assert.deepEqual(verdict([engine("piper", "healthy")], ok).level, "well");
});

test("a fallback that is not needed is nobody's business but the dialog's", () => {
  assert.equal(verdict([engine("piper", "healthy"), engine("xtts", "down")]).level, "well");
});

test("the fallback that speaks: who, since when, why, and what helps", () => {
  const engines = [engine("xtts", "down", "connection refused", "start the server"), engine("piper", "healthy")];
  assert.deepEqual(verdict(engines), {
    level: "warn",
    brief: "piper for xtts",
    notices: [
      {
        level: "warn",
        words: "xtts is not answering; piper speaks instead since 12:03.",
        more: "connection refused. What helps: start the server.",
      },
    ],
  });
});

test("an engine that cannot keep up is passed over where another can speak", () => {
  const [notice] = verdict([engine("xtts", "slow"), engine("piper", "healthy")]).notices;
  assert.equal(notice.words, "xtts cannot keep up; piper speaks instead since 12:03.");
  const alone = verdict([engine("xtts", "slow"), engine("piper", "down")]);
  assert.equal(alone.brief, "xtts is slow");
  assert.match(alone.notices[0].words, /there may be pauses/);
});

test("the chosen voice's engine is the one that is asked first", () => {
  const engines = [engine("piper", "healthy"), engine("kokoro", "down")];
  assert.equal(verdict(engines, {}, "piper").level, "well");
  assert.match(verdict(engines, {}, "kokoro").notices[0].words, /^kokoro is not answering; piper speaks instead/);
  assert.equal(verdict(engines, {}, "gone").brief, "piper · ready");
});

test("loading is no trouble", () => {
  assert.deepEqual(verdict([engine("piper", "loading")]), { level: "busy", brief: "piper is loading", notices: [] });
  assert.equal(verdict([engine("xtts", "down"), engine("piper", "loading")]).brief, "piper is loading");
  assert.equal(verdict([engine("xtts", "loading"), engine("piper", "healthy")]).brief, "xtts is loading");
  const model = { model: { status: "loading", detail: "", remedy: "" } };
  assert.equal(verdict([engine("piper", "healthy")], model).brief, "model is loading");
});

test("no engine can speak", () => {
  const found = verdict([engine("xtts", "down", "refused", "start it"), engine("piper", "down", "no voice file")]);
  assert.equal(found.level, "bad");
  assert.equal(found.brief, "no voice");
  assert.equal(found.notices[0].words, "No engine can speak: the text still comes.");
  assert.equal(found.notices[0].more, "xtts: refused. What helps: start it. piper: no voice file.");
});

test("a model that is down counts more than a fallback, and both are said", () => {
  const model = { model: { status: "down", detail: "no answer", remedy: "ollama serve" } };
  const found = verdict([engine("xtts", "down"), engine("piper", "healthy")], model);
  assert.equal(found.brief, "no model");
  assert.deepEqual(
    found.notices.map(({ words }) => words.split(" ")[0]),
    ["The", "xtts"],
  );
  assert.equal(found.notices[0].more, "no answer. What helps: ollama serve.");
});

test("without a connection nothing is claimed about the server", () => {
  const model = { model: { status: "down", detail: "", remedy: "" } };
  for (const connection of /** @type {const} */ (["connecting", "offline", "refused"])) {
    const found = verdict([engine("piper", "down")], { connection, ...model });
    assert.equal(found.level, "busy");
    assert.deepEqual(found.notices, []);
  }
  assert.equal(verdict([]).level, "busy");
});

test("a reason that came over the socket is told apart", () => {
  assert.deepEqual(toldApart("no voice file; remedy: unavoce voices"), {
    detail: "no voice file",
    remedy: "unavoce voices",
  });
  assert.deepEqual(toldApart("ready"), { detail: "ready", remedy: "" });
});

test("the server's own words keep their letters and get one stop", () => {
  assert.equal(reasonOf({ detail: "it broke.", remedy: "" }), "it broke.");
  assert.equal(reasonOf({ detail: "", remedy: "" }), "");
});

test("what the cache was good for", () => {
  assert.equal(hitWords({ memory: 3, disk: 0 }), "clips used again since the start: 3 from memory");
  assert.equal(
    hitWords({ memory: 3, disk: 2, none: 9 }),
    "clips used again since the start: 3 from memory and 2 from disk",
  );
  assert.equal(hitWords(undefined), "no clip used again yet");
});
