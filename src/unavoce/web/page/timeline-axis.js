/** The time axis of a timeline: how long, how wide, where its marks stand. Pure. */

const STEPS_MS = [50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000];
/** A second has at least so much room: what takes a few tenths stays to be seen, and a long reply is scrolled. */
const LEAST_PX_PER_S = 14;
const MOST_PX = 16_000;
const BETWEEN_TICKS_PX = 56;
const LEAST_SPAN_MS = 500;

/**
 * @typedef {{ atMs: number, x: number, label: string }} Tick
 * @typedef {{ spanMs: number, widthPx: number, ticks: Tick[] }} Axis
 */

/**
 * @param {number} lastMs what must be in the picture
 * @param {number} roomPx the width there is; the axis may be wider, not narrower
 * @returns {Axis}
 */
export function axisFor(lastMs, roomPx) {
  const spanMs = Math.max(LEAST_SPAN_MS, lastMs * 1.02);
  const widthPx = Math.min(MOST_PX, Math.max(roomPx, (spanMs / 1000) * LEAST_PX_PER_S));
  const stepMs = stepFor(spanMs, widthPx);
  const ticks = [];
  for (let atMs = 0; atMs <= spanMs; atMs += stepMs) {
    ticks.push({ atMs, x: (atMs / spanMs) * widthPx, label: tickLabel(atMs, stepMs) });
  }
  return { spanMs, widthPx, ticks };
}

/**
 * @param {Axis} axis
 * @param {number} atMs
 */
export function xOf(axis, atMs) {
  return (Math.min(Math.max(atMs, 0), axis.spanMs) / axis.spanMs) * axis.widthPx;
}

/**
 * @param {number} spanMs
 * @param {number} widthPx
 */
function stepFor(spanMs, widthPx) {
  const wantedMs = (spanMs * BETWEEN_TICKS_PX) / widthPx;
  const last = STEPS_MS[STEPS_MS.length - 1];
  return STEPS_MS.find((stepMs) => stepMs >= wantedMs) ?? Math.ceil(wantedMs / last) * last;
}

/**
 * Seconds, with as many places as the step needs; minutes where the steps are minutes.
 * @param {number} atMs
 * @param {number} stepMs
 */
function tickLabel(atMs, stepMs) {
  if (atMs === 0) return "0";
  if (stepMs >= 60_000) return `${atMs / 60_000} min`;
  const places = stepMs >= 1000 ? 0 : stepMs >= 100 ? 1 : 2;
  return `${(atMs / 1000).toFixed(places)} s`;
}
