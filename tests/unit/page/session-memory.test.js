import assert from "node:assert/strict";
import { test } from "node:test";
import { SessionMemory } from "../../../src/unavoce/web/page/conversation/session-memory.js";

/** As the browser's, of which only these three are used. */
class Store {
  /** @type {Map<string, string>} */
  #entries;

  /** @param {Iterable<[string, string]>} [entries] */
  constructor(entries = []) {
    this.#entries = new Map(entries);
  }

  /** @param {string} name */
  getItem(name) {
    return this.#entries.get(name) ?? null;
  }

  /** @param {string} name @param {string} value */
  setItem(name, value) {
    this.#entries.set(name, value);
  }

  /** @param {string} name */
  removeItem(name) {
    this.#entries.delete(name);
  }

  copy() {
    return new Store(this.#entries);
  }
}

const POINT = { sessionId: "one", replies: { a: { index: 3, positionMs: 120 } } };

test("a reload and a new tab come back to the session", () => {
  const [tab, browser] = [new Store(), new Store()];
  new SessionMemory(tab, browser).remember("one");
  assert.equal(new SessionMemory(tab, browser).sessionId, "one");
  assert.equal(new SessionMemory(new Store(), browser).sessionId, "one");
});

test("a tab stays in its own session when another tab begins one", () => {
  const [first, second, browser] = [new Store(), new Store(), new Store()];
  new SessionMemory(first, browser).remember("one");
  new SessionMemory(second, browser).remember("two");
  assert.equal(new SessionMemory(first, browser).sessionId, "one");
  assert.equal(new SessionMemory(new Store(), browser).sessionId, "two");
});

test("where the listener was is taken up once, and a duplicated tab has none of it", () => {
  const [tab, browser] = [new Store(), new Store()];
  const left = new SessionMemory(tab, browser);
  left.remember("one");
  left.leave(POINT);
  const reloaded = new SessionMemory(tab, browser);
  assert.deepEqual(reloaded.takeResumePoint(), POINT);
  assert.equal(reloaded.takeResumePoint(), undefined);
  assert.equal(new SessionMemory(tab.copy(), browser).takeResumePoint(), undefined);
});

test("nothing leads back to a conversation that was left, not even where its listener was", () => {
  const [tab, browser] = [new Store(), new Store()];
  const memory = new SessionMemory(tab, browser);
  memory.remember("one");
  memory.forget();
  memory.leave(POINT);
  const reloaded = new SessionMemory(tab, browser);
  assert.equal(reloaded.sessionId, undefined);
  assert.equal(reloaded.takeResumePoint(), undefined);
});

test("a tab that forgets its session leaves another tab's alone", () => {
  const [tab, browser] = [new Store(), new Store()];
  const memory = new SessionMemory(tab, browser);
  memory.remember("one");
  new SessionMemory(new Store(), browser).remember("two");
  memory.forget();
  assert.equal(new SessionMemory(new Store(), browser).sessionId, "two");
});

test("storage that is forbidden, full or torn counts as empty", () => {
  const full = new Store([["unavoce.resume", "{torn"]]);
  full.setItem = () => {
    throw new Error("full");
  };
  const memory = new SessionMemory(full, null);
  memory.remember("one");
  assert.equal(memory.sessionId, undefined);
  assert.equal(memory.takeResumePoint(), undefined);
});
