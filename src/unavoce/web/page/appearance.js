// Loaded as a plain script in the head, before anything is painted: the page must not flash in the other colours.
// The name of the entry and its values are those of settings.js.
(() => {
  try {
    const { appearance } = JSON.parse(localStorage.getItem("unavoce.settings") ?? "{}");
    if (appearance === "light" || appearance === "dark") document.documentElement.dataset.theme = appearance;
  } catch {
    // Nothing stored that can be read: the system's own appearance.
  }
})();
