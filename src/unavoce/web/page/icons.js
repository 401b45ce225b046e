/** The page's few pictures, drawn with lines in the colour of the text. */
import { svg } from "./dom.js";

/** @type {Record<"speaker" | "silent" | "settings" | "close", string[]>} */
const PATHS = {
  speaker: ["M4 9.5v5h3.5L12 18.5v-13L7.5 9.5z", "M15 9a4.2 4.2 0 0 1 0 6", "M17.5 6.5a8 8 0 0 1 0 11"],
  silent: ["M4 9.5v5h3.5L12 18.5v-13L7.5 9.5z", "m15.5 9.5 5 5m0-5-5 5"],
  settings: ["M4 7h9m4 0h3M4 12h3m4 0h9M4 17h10m4 0h2", "M15 5v4M9 10v4M16 15v4"],
  close: ["M6 6l12 12M18 6 6 18"],
};

/** @param {keyof typeof PATHS} name */
export function icon(name) {
  return svg(
    "svg",
    { class: "icon", viewBox: "0 0 24 24", width: 24, height: 24, "aria-hidden": "true" },
    ...PATHS[name].map((d) => svg("path", { d })),
  );
}
