/** In the header: one press silences the page, and the volume beside it. */
import { element } from "./dom.js";
import { slider } from "./fields.js";
import { icon } from "./icons.js";

/**
 * @param {import("./settings.js").Settings} settings
 * @returns {HTMLElement}
 */
export function speechControls(settings) {
  const button = element("button", { type: "button", class: "icon-button", "aria-label": "Speak replies" });
  button.addEventListener("click", () => settings.choose({ speak: !settings.choices.speak }));
  const volume = slider(
    0,
    1,
    0.01,
    (part) => `${Math.round(part * 100)} %`,
    (chosen) => {
      // Whoever turns it up wants to hear.
      settings.choose({ volume: chosen, speak: settings.choices.speak || chosen > 0 });
    },
  );
  volume.input.setAttribute("aria-label", "Volume");
  settings.watch(({ speak, volume: chosen }) => {
    button.setAttribute("aria-pressed", String(speak));
    button.title = speak ? "Replies are spoken. Press for text only." : "Replies are text only. Press to hear them.";
    button.replaceChildren(icon(speak ? "speaker" : "silent"));
    volume.show(speak ? chosen : 0);
  });
  return element("div", { class: "speech-controls" }, button, volume.input);
}
