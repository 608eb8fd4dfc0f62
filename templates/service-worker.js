// Without a network a page says so; nothing else is kept. Pictures that the phone shares wait here for their page.
const KEPT = "picfusion-1", RECEIVED = "picfusion-received";
const OFFLINE = "{% url 'offline' %}", TARGET = "{% url 'received' %}";

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll([OFFLINE, "{{ style }}", "{{ icon }}"])).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => {
  event.waitUntil(caches.keys().then((names) => Promise.all(
    names.filter((name) => name.startsWith("picfusion-") && ![KEPT, RECEIVED].includes(name)).map((name) => caches.delete(name)),
  )).then(() => self.clients.claim()));
});
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method === "POST" && new URL(request.url).pathname === TARGET) event.respondWith(receive(request));
  else if (request.mode === "navigate" && request.method === "GET")
    event.respondWith(fetch(request).catch(() => caches.match(OFFLINE)));
  else if (["{{ style }}", "{{ icon }}"].includes(new URL(request.url).pathname))
    event.respondWith(fetch(request).catch(() => caches.match(request)));
});

const receive = async (request) => {
  const files = (await request.formData()).getAll("files");
  await caches.delete(RECEIVED);
  const cache = await caches.open(RECEIVED);
  await Promise.all(files.map((file, number) => cache.put(`${TARGET}${number}`, new Response(file, {
    headers: { "Content-Type": file.type, "X-Name": encodeURIComponent(file.name) },
  }))));
  return Response.redirect(TARGET, 303);
};
