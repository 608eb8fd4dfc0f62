// Pictures that the phone shared lie in the browser's cache, where the service worker put them.
(async () => {
  const section = document.querySelector("[data-received]");
  const transfer = new DataTransfer();
  if (window.caches) {
    const cache = await caches.open("picfusion-received");
    for (const request of await cache.keys()) {
      const answer = await cache.match(request);
      const blob = await answer.blob();
      transfer.items.add(new File([blob], decodeURIComponent(answer.headers.get("X-Name")), { type: blob.type }));
    }
  }
  section.querySelector("[data-none]").hidden = transfer.files.length > 0;
  for (const file of transfer.files)
    section.querySelector(".strip").append(Object.assign(document.createElement("img"), { src: URL.createObjectURL(file), alt: file.name }));
  if (!transfer.files.length) return;
  for (const form of section.querySelectorAll("form")) {
    form.querySelector("[type=file]").files = transfer.files;
    form.querySelector("button:last-child").hidden = false;
    form.addEventListener("submit", () => caches.delete("picfusion-received"));
  }
})();
