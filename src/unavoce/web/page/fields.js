/** The form fields of the settings, each with its label. */
import { element } from "./dom.js";

let made = 0;

/**
 * @template {HTMLElement} E
 * @param {string} label
 * @param {E} control
 * @param {...(Node | string)} after
 */
export function field(label, control, ...after) {
  made += 1;
  control.id ||= `field-${made}`;
  return element("div", { class: "field" }, element("label", { for: control.id }, label), control, ...after);
}

/**
 * One of a few, as buttons side by side.
 * @param {string} legend
 * @param {[value: string, words: string][]} options
 * @param {(value: string) => void} choose
 */
export function choice(legend, options, choose) {
  made += 1;
  const name = `choice-${made}`;
  const inputs = options.map(([value]) => element("input", { type: "radio", name, value }));
  const labels = options.map(([, words], place) => element("label", {}, inputs[place], element("span", {}, words)));
  const box = element("fieldset", { class: "choice" }, element("legend", {}, legend), element("div", {}, ...labels));
  box.addEventListener("change", () => choose(inputs.find((input) => input.checked)?.value ?? ""));
  /** @param {string} value */
  const show = (value) => {
    for (const input of inputs) input.checked = input.value === value;
  };
  return { box, inputs, show };
}

/**
 * A number on a scale, with its value in words beside it.
 * @param {number} least
 * @param {number} most
 * @param {number} step
 * @param {(value: number) => string} words
 * @param {(value: number) => void} choose
 */
export function slider(least, most, step, words, choose) {
  const input = element("input", { type: "range", min: least, max: most, step });
  const value = element("output");
  /** @param {number} number */
  const show = (number) => {
    input.value = String(number);
    input.setAttribute("aria-valuetext", words(number));
    input.style.setProperty("--part", String((number - least) / (most - least)));
    if (value.textContent !== words(number)) value.textContent = words(number);
  };
  input.addEventListener("input", () => choose(Number(input.value)));
  return { input, value, show };
}
