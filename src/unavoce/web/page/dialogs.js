/** Dialogs as the page has them: a title, a cross, Escape, a click beside it, and focus back where it was. */
import { element } from "./dom.js";
import { icon } from "./icons.js";

let made = 0;

/**
 * A closed dialog. Opened with `showModal()`, it keeps the focus inside and gives it back.
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
  return box;
}
