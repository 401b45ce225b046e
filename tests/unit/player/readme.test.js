import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { World } from "./fake-world.js";

const folder = new URL("../../../src/unavoce/web/player/", import.meta.url);
const read = (name) => readFileSync(new URL(name, folder), "utf8");

/** The names in the first column of the table whose head begins so. */
function named(head) {
  const [, table] = read("README.md").split(new RegExp(`^\\| ${head} +\\|`, "m"));
  return [...table.split("\n\n")[0].matchAll(/^\| `(?:await )?(\w+)/gm)].map(([, name]) => name);
}

/** The fields of an interface in types.d.ts. */
function declared(name) {
  const body = read("types.d.ts").match(new RegExp(`interface ${name} \\{\n([^]*?)\n\\}`))[1];
  return [...body.matchAll(/^ {2}(\w+)\??:/gm)].map(([, field]) => field);
}

test("the manual lists every event, and no other", () => {
  assert.deepEqual(named("event").sort(), declared("Events").sort());
});

test("the manual lists every option but the clock of the tests, and no other", () => {
  const options = declared("Options").filter((name) => name !== "clock");
  assert.deepEqual(named("option").sort(), options.sort());
});

test("the manual lists every method and property, and no other", () => {
  const { conversation } = new World();
  const prototype = Object.getPrototypeOf(conversation);
  const members = Object.getOwnPropertyNames(prototype).filter((name) => name !== "constructor");
  const listed = [...named("method"), ...named("property")];
  assert.deepEqual(listed.sort(), [...members, ...Object.keys(conversation)].sort());
});

test("the manual's events have the fields that they are told with", () => {
  const types = read("types.d.ts");
  for (const [, name, fields] of read("README.md").matchAll(/^\| `(\w+)` +\| `\{ (.*?) \}` +\|/gm)) {
    const [, body] = types.match(new RegExp(`^ {2}${name}: \\{([^}]*)\\}`, "m")) ?? [];
    assert.ok(body, name);
    const expected = [...body.matchAll(/(?<!\[)\b(\w+\??):/g)].map(([, field]) => field);
    assert.deepEqual(fields.split(", "), expected, name);
  }
});

test("what npm would pack is what a browser needs, the types and the manual", () => {
  const { files, exports, type, license, peerDependencies } = JSON.parse(read("package.json"));
  assert.deepEqual(
    [files, exports, type, license],
    [["*.js", "types.d.ts", "README.md"], "./unavoce-player.js", "module", "Apache-2.0"],
  );
  assert.deepEqual(Object.keys(peerDependencies), ["socket.io-client"]);
});
