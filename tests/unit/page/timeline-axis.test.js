import assert from "node:assert/strict";
import { test } from "node:test";
import { axisFor, xOf } from "../../../src/unavoce/web/page/timeline/model.js";

test("ticks are round, begin at nought, stay inside and leave room for their labels, whatever the length", () => {
  for (const lastMs of [0, 1, 90, 700, 2_500, 12_345, 61_000, 400_000, 6_000_000]) {
    for (const roomPx of [200, 480, 1200]) {
      const axis = axisFor(lastMs, roomPx);
      assert.equal(axis.ticks[0].label, "0");
      assert.ok(axis.spanMs >= lastMs && axis.widthPx >= Math.min(roomPx, 16_000));
      assert.ok(axis.ticks.length >= 2, `${lastMs} ms in ${roomPx} px has a mark besides 0`);
      axis.ticks.forEach((tick, place) => {
        assert.ok(tick.x >= 0 && tick.x <= axis.widthPx);
        assert.ok(Math.abs(tick.x - xOf(axis, tick.atMs)) < 1e-6);
        if (place) assert.ok(tick.x - axis.ticks[place - 1].x >= 55, `labels of ${lastMs} ms in ${roomPx} px`);
      });
      const labels = axis.ticks.map(({ label }) => label);
      assert.equal(new Set(labels).size, labels.length, labels.join());
    }
  }
});

test("labels have the unit and as many places as the step needs", () => {
  assert.deepEqual(labels(1_000, 600).slice(0, 3), ["0", "0.1 s", "0.2 s"]);
  assert.deepEqual(labels(20_000, 600).slice(0, 3), ["0", "2 s", "4 s"]);
  assert.deepEqual(labels(400, 700).slice(0, 3), ["0", "0.05 s", "0.10 s"]);
});

test("a long reply gets a wider plot, up to a bound, so that tenths of a second are still seen", () => {
  assert.equal(axisFor(10_000, 600).widthPx, 600);
  assert.ok(axisFor(100_000, 600).widthPx > 1_200);
  assert.equal(axisFor(6_000_000, 600).widthPx, 16_000);
});

test("what lies outside is put at the edge", () => {
  const axis = axisFor(1_000, 500);
  assert.equal(xOf(axis, -50), 0);
  assert.equal(xOf(axis, 99_999), 500);
});

/** @param {number} lastMs @param {number} roomPx */
function labels(lastMs, roomPx) {
  return axisFor(lastMs, roomPx).ticks.map(({ label }) => label);
}
