/** The button of a block of code. */

const SAID_MS = 2000;

/**
 * Makes the buttons of all replies work, those to come too.
 * @param {Document} page
 */
export function letCopy(page) {
  page.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest(".reply-text button.copy") : null;
    const code = button?.closest(".code")?.querySelector("pre code");
    if (button && code) copy(button, code);
  });
}

/** @param {Element} button @param {Element} code */
async function copy(button, code) {
  try {
    // Missing where the page did not come over https and not from this machine.
    await navigator.clipboard.writeText(code.textContent ?? "");
    say(button, "copied", "Copied");
  } catch {
    getSelection()?.selectAllChildren(code);
    const copied = document.execCommand("copy");
    if (copied) say(button, "copied", "Copied");
    else say(button, "selected", "Selected: copy it with your keyboard");
  }
}

/** @param {Element} button @param {string} state @param {string} words */
function say(button, state, words) {
  button.classList.remove("copied", "selected");
  button.classList.add(state);
  button.setAttribute("aria-label", words);
  setTimeout(() => {
    button.classList.remove(state);
    button.setAttribute("aria-label", "Copy code");
  }, SAID_MS);
}
