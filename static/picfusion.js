// Loaded on every page.
(() => {
  // htmx's posts carry the form's own token; a copy in a header is not needed. Sign-out and language forms stay plain.

  // An address that is shown once is selected by a click, to be copied.
  document.addEventListener("focusin", (event) => {
    if (event.target.matches(".address")) event.target.select();
  });

  // Links that a key follows: previous and next.
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.target.closest?.("input, textarea, select, [contenteditable], [role=option]")) return;
    document.querySelector(`[data-key="${event.key}"]`)?.click();
  });
})();
