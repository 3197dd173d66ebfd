// Where the page begins: keeps it live and sends what the person does.
import "./composer.js";
import "./elements.js";
import { listen, openModal, remember } from "./live.js";
import { $, $$, here, post } from "./wire.js";

for (const part of ["messages", "thread"]) if ($(`#${part}`)) remember($(`#${part}`));
$("#modal").dataset.html = "";
openModal();
for (const stream of $$(".stream")) stream.scrollTop = stream.scrollHeight;
if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView({ block: "center" });
if (matchMedia("(min-width: 761px)").matches && !$("dialog[open]")) {
  ($("#reply-text") ?? $("#composer-text"))?.focus({ preventScroll: true });
}
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && here !== "home") post("read", { channel: here });
});
listen();
