// Runs before the first paint, so that what scripts show or hide does not move the page afterwards.
document.documentElement.classList.add("js", "parsing");
// Rows are laid out once all of their pictures are known: before, the last ones of what has come would move.
document.addEventListener("readystatechange", () => document.documentElement.classList.remove("parsing"), { once: true });

// What differs from element to element, and so cannot stand in the style sheet: the shape and the colour of a picture, the
// length of a bar. Pages have no styles of their own (their Content-Security-Policy forbids them), so it is set here, while the
// page is being read and whenever a part of it is replaced.
(() => {
  const style = (element) => {
    const { ratio, color, share } = element.dataset;
    if (ratio) element.style.setProperty("--ratio", ratio);
    if (color) element.style.setProperty("--color", color);
    if (share) element.style.width = `${share}%`;
  };
  const WITH = "[data-ratio], [data-color], [data-share]";
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) for (const node of addedNodes) {
      if (!(node instanceof Element)) continue;
      if (node.matches(WITH)) style(node);
      for (const element of node.querySelectorAll(WITH)) style(element);
    }
  }).observe(document, { childList: true, subtree: true });
})();
