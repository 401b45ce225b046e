/** How moments and lengths of time are said on the page. Pure. */

/**
 * A length of time in seconds, with as many places as say something: "0.07 s", "0.7 s", "12 s".
 * @param {number} durationMs
 */
export function seconds(durationMs) {
  const s = Math.max(0, durationMs) / 1000;
  if (s > 0 && s < 0.095) return `${s.toFixed(2)} s`;
  return s < 9.95 ? `${s.toFixed(1)} s` : `${Math.round(s)} s`;
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
