// One picture: zoom by wheel, pinch, double tap and keys; a swipe, arrows or the clock lead to the next one.
(() => {
  const SECONDS = 5;
  const root = document.documentElement;
  let zoomBy = () => {};
  const go = (way) => document.querySelector(`.stage [rel=${way}]`);

  const start = (frame) => {
    const picture = frame.querySelector("img");
    let scale = 1, x = 0, y = 0, pinch = 0, began = null, tapped = -1e9, toggled = -1e9;
    const fingers = new Map();
    // As far as twice the file's own pixels, of a long panorama as well.
    const most = () => Math.max(8, (2 * picture.getAttribute("width")) / picture.clientWidth, (2 * picture.getAttribute("height")) / picture.clientHeight);

    const show = () => {
      if (scale <= 1) [scale, x, y] = [1, 0, 0];
      picture.style.transform = scale === 1 ? "" : `translate(${x}px, ${y}px) scale(${scale})`;
      frame.classList.toggle("zoomed", scale > 1);
      // The thumbnail is not sharp enough any more: the file itself is, where browsers can show it.
      if (scale > 1.5 && picture.dataset.original) {
        picture.src = picture.dataset.original;
        delete picture.dataset.original;
      }
    };

    // Zoom by a factor and leave the point (in the window) where it is.
    const zoom = (factor, clientX, clientY) => {
      const box = frame.getBoundingClientRect();
      const fromX = clientX - box.x - box.width / 2, fromY = clientY - box.y - box.height / 2;
      const next = Math.min(most(), Math.max(1, scale * factor));
      x = fromX - ((fromX - x) * next) / scale;
      y = fromY - ((fromY - y) * next) / scale;
      scale = next;
      show();
    };
    zoomBy = (factor) => {
      const box = frame.getBoundingClientRect();
      zoom(factor, box.x + box.width / 2, box.y + box.height / 2);
    };
    const toggle = (event) => zoom(scale > 1 ? 0 : 2.5, event.clientX, event.clientY);

    frame.addEventListener("wheel", (event) => {
      if (scale === 1 && !event.ctrlKey && event.deltaY > 0) return; // nothing to zoom out of: the page scrolls
      event.preventDefault();
      zoom(Math.exp(-event.deltaY / 300), event.clientX, event.clientY);
    }, { passive: false });
    frame.addEventListener("dblclick", (event) => event.timeStamp - toggled > 500 && toggle(event));

    frame.addEventListener("pointerdown", (event) => {
      fingers.set(event.pointerId, event);
      if (fingers.size === 1) began = event;
      if (scale > 1) frame.setPointerCapture(event.pointerId);
    });
    frame.addEventListener("pointermove", (event) => {
      const before = fingers.get(event.pointerId);
      if (!before) return;
      fingers.set(event.pointerId, event);
      const [one, two] = [...fingers.values()];
      if (two) {
        const distance = Math.hypot(one.clientX - two.clientX, one.clientY - two.clientY);
        if (pinch) zoom(distance / pinch, (one.clientX + two.clientX) / 2, (one.clientY + two.clientY) / 2);
        pinch = distance;
        began = null;
      } else if (scale > 1) {
        x += event.clientX - before.clientX;
        y += event.clientY - before.clientY;
        show();
      }
    });
    const up = (event) => {
      fingers.delete(event.pointerId);
      pinch = 0;
      if (event.type !== "pointerup" || began?.pointerId !== event.pointerId || event.pointerType === "mouse") return;
      const across = event.clientX - began.clientX, down = Math.abs(event.clientY - began.clientY);
      if (scale === 1 && Math.abs(across) > 60 && down < 60) go(across < 0 ? "next" : "prev")?.click();
      else if (Math.abs(across) < 10 && down < 10) { // two taps: some browsers tell a double click of fingers, too
        if (event.timeStamp - tapped < 300) {
          toggle(event);
          toggled = event.timeStamp;
        }
        tapped = event.timeStamp;
      }
    };
    frame.addEventListener("pointerup", up);
    frame.addEventListener("pointercancel", up);
    picture.addEventListener("dragstart", (event) => scale > 1 && event.preventDefault());
    preload();
    label();
    tick();
  };

  // The neighbours' pictures are fetched while one looks at this one.
  const preload = () => {
    for (const way of ["next", "prev"]) {
      const link = go(way);
      if (link) new Image().src = `${new URL(link.href).pathname}thumbnail/large`;
    }
  };

  // The slide show goes on by itself until it is stopped, or the list ends.
  let clock = 0;
  const isPlaying = () => root.classList.contains("playing");
  const tick = () => {
    clearTimeout(clock);
    if (!isPlaying()) return;
    if (go("next")) clock = setTimeout(() => go("next").click(), SECONDS * 1000);
    else play(false);
  };
  const label = () => {
    for (const button of document.querySelectorAll("[data-play]")) {
      button.textContent = isPlaying() ? "⏸" : "▶";
      button.setAttribute("aria-label", isPlaying() ? button.dataset.pause : button.dataset.start);
    }
  };
  const play = (on) => {
    root.classList.toggle("playing", on);
    immerse(on);
    label();
    tick();
  };
  // The picture alone, on the whole screen where the browser lets it.
  const immerse = (on) => {
    root.classList.toggle("immersed", on);
    if (on && navigator.userActivation?.isActive !== false) root.requestFullscreen?.().catch(() => {});
    else if (document.fullscreenElement) document.exitFullscreen();
  };
  document.addEventListener("fullscreenchange", () => {
    if (!document.fullscreenElement && root.classList.contains("immersed")) { root.classList.remove("playing"); immerse(false); label(); tick(); }
  });
  const DETAILS = "picture details";
  const details = (shown) => {
    root.classList.toggle("without-details", !shown);
    try { localStorage.setItem(DETAILS, shown); } catch { /* switched off */ }
  };

  // On a phone the details stand below the picture.
  const isBelow = () => document.querySelector(".drawer")?.checkVisibility() && document.querySelector(".drawer").getBoundingClientRect().top > innerHeight - 100;

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-play], [data-full], [data-details]");
    if (button?.matches("[data-play]")) play(!isPlaying());
    else if (button?.matches("[data-full]")) immerse(!root.classList.contains("immersed"));
    else if (button && isBelow()) document.querySelector(".drawer").scrollIntoView({ behavior: "smooth" });
    else if (button) {
      details(root.classList.contains("without-details"));
      if (isBelow()) document.querySelector(".drawer").scrollIntoView({ behavior: "smooth" });
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.closest?.("input, textarea, select") || event.ctrlKey || event.metaKey) return;
    if (event.key === "+" || event.key === "=") zoomBy(1.4);
    else if (event.key === "-") zoomBy(1 / 1.4);
    else if (event.key === "0") zoomBy(0);
    else if (document.querySelector(`.drawer [data-key="${CSS.escape(event.key)}"]`)) { // what the key leads to is seen
      if (root.classList.contains("immersed")) immerse(false);
      details(true);
    }
    else if (event.key === "Escape" && root.classList.contains("immersed")) {
      event.preventDefault(); // the list comes at the next one
      if (isPlaying()) play(false);
      else immerse(false);
    }
  }, true);

  try {
    if (localStorage.getItem(DETAILS) === "false") root.classList.add("without-details");
  } catch { /* switched off */ }
  if (new URLSearchParams(location.search).has("play")) play(true);
  htmx.onLoad((part) => part.querySelectorAll("[data-viewer]").forEach(start));
})();
