/** How moments and lengths of time are said on the page. Pure. */

/**
 * A length of time in as many places as say something: "70 ms", "0.7 s", "12 s".
 * @param {number} durationMs
 */
export function seconds(durationMs) {
  const ms = Math.max(0, durationMs);
  if (ms < 95) return `${Math.round(ms)} ms`;
  return ms < 9950 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}

/**
 * The time of day, for a moment of the last hours; with the date where it was another day.
 * @param {number} atMs Unix time
 * @param {number} nowMs Unix time
 */
export function timeOfDay(atMs, nowMs) {
  const at = new Date(atMs);
  const time = `${String(at.getHours()).padStart(2, "0")}:${String(at.getMinutes()).padStart(2, "0")}`;
  const sameDay = at.toDateString() === new Date(nowMs).toDateString();
  return sameDay ? time : `${at.getDate()} ${MONTHS[at.getMonth()]}, ${time}`;
}

/**
 * "1 gap", "2 gaps".
 * @param {number} number
 * @param {string} one
 * @param {string} [many]
 */
export function counted(number, one, many = `${one}s`) {
  return `${number} ${number === 1 ? one : many}`;
}

/**
 * "a", "a and b", "a, b and c".
 * @param {string[]} items
 */
export function listed(items) {
  if (items.length < 2) return items.join("");
  return `${items.slice(0, -1).join(", ")} and ${items[items.length - 1]}`;
}

const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
