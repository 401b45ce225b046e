/** Dialogs as the page has them, and the fields in them. Loaded when the first one is opened. */
import { element } from "../dom.js";
import { icon } from "./header.js";

/** Ids and names that tell them apart. */
let made = 0;

/**
 * A closed dialog, part of the page. Opened with `showModal()`, it keeps the focus inside and gives it back.
 * @param {string} title
 * @param {...(Node | string)} children
 */
export function dialog(title, ...children) {
  made += 1;
  const id = `dialog-${made}`;
  const close = element("button", { type: "button", class: "icon-button", "aria-label": "Close" }, icon("close"));
  const heading = element("h2", { id }, title);
  const box = element(
    "dialog",
    { class: "dialog", "aria-labelledby": id },
    element("header", { class: "dialog-head" }, heading, close),
    element("div", { class: "dialog-body" }, ...children),
  );
  close.addEventListener("click", () => box.close());
  // The backdrop belongs to the dialog itself, everything in it to a child. Pressed there: not where a selection ends.
  box.addEventListener("pointerdown", (event) => {
    if (event.target === box) box.close();
  });
  box.addEventListener("keydown", (event) => {
    // The page's Escape silences the reply; this one only closes the dialog.
    if (event.key === "Escape") event.stopPropagation();
  });
  document.body.append(box);
  return box;
}

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
