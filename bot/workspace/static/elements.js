// Buttons, menus, pickers and modals: what happens when a person uses them.
import { refresh } from "./live.js";
import { $, $$, post, toast } from "./wire.js";

// ---------------------------------------------------------------- modals

async function closeView(dialog) {
  const { error } = await post("close", { view: dialog.dataset.view });
  if (error) { toast(error); refresh("modal"); }
}

async function submitView(dialog) {
  const button = $("button[type=submit]", dialog);
  const values = {};
  for (const block of $$(".b-input[data-block]", dialog)) {
    const field = $("[data-action]", block);
    if (field) values[block.dataset.block] = { [field.dataset.action]: valueOf(field) };
  }
  if (button) { button.disabled = true; button.setAttribute("aria-busy", "true"); }
  const { error } = await post("submit", { view: dialog.dataset.view, values });
  if (button) { button.disabled = false; button.removeAttribute("aria-busy"); }
  if (error) modalError(dialog, error);
}

function modalError(dialog, error) {
  $(".modal-error", dialog)?.remove();
  const note = document.createElement("p");
  note.className = "modal-error";
  note.setAttribute("role", "alert");
  note.textContent = error;
  $("footer", dialog).before(note);
}

// ---------------------------------------------------------------- using elements

function valueOf(field) {
  const kind = field.dataset.kind;
  if (field.classList.contains("choices")) {
    const chosen = $$("input:checked", field).map((input) => input.value);
    return kind === "radio_buttons" ? chosen[0] ?? null : chosen;
  }
  if (kind === "overflow") return field.dataset.value;
  if (kind === "button") return null;
  if (kind === "datetimepicker") return { local: field.value };
  return field.value || null;
}

function confirmed(element) {
  const text = element.dataset.confirmWith;
  if (!text) return Promise.resolve(true);
  const dialog = $("#confirm");
  const words = JSON.parse(text);
  $("h2", dialog).textContent = words.title;
  $("p", dialog).textContent = words.text;
  const [deny, confirm] = [$("[data-deny]", dialog), $("[data-confirm]", dialog)];
  deny.textContent = words.deny;
  confirm.textContent = words.confirm;
  confirm.className = `button ${words.style}`;
  dialog.showModal();
  return new Promise((resolve) => {
    const done = (answer) => { dialog.close(); resolve(answer); };
    deny.onclick = () => done(false);
    confirm.onclick = () => done(true);
    dialog.oncancel = () => resolve(false);
  });
}

async function use(field) {
  if (!(await confirmed(field))) return;
  const value = valueOf(field);
  const body = { action: field.dataset.action, block: field.closest("[data-block]")?.dataset.block, value };
  const view = field.closest("[data-view]");
  const message = field.closest("[data-ts]");
  field.closest("details.menu")?.removeAttribute("open");
  const shown = field.dataset.kind === "overflow" ? field.closest("details")?.querySelector("summary") ?? field : field;
  shown.classList.remove("failed");
  shown.setAttribute("aria-busy", "true");
  const { error } = view
    ? await post("click_view", { ...body, view: view.dataset.view })
    : await post("click", { ...body, channel: message.dataset.channel, ts: message.dataset.ts });
  shown.removeAttribute("aria-busy");
  if (error) {
    const now = document.getElementById(shown.id) ?? shown;
    now.classList.add("failed");
    now.title = error;
    toast(error);
  }
}

async function onMessage(button, action, extra) {
  const message = button.closest("[data-ts]");
  button.closest("details.menu")?.removeAttribute("open");
  const { error } = await post(action, { channel: message.dataset.channel, ts: message.dataset.ts, ...extra });
  if (error) toast(error);
}

document.addEventListener("click", (event) => {
  const target = event.target.closest("button, a, [data-close-drawer]");
  for (const menu of $$("details.menu[open], details.switcher[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  if (!target) return;
  const data = target.dataset;
  if ("closeView" in data) closeView(target.closest("dialog"));
  else if ("openDrawer" in data) drawer(true);
  else if ("closeDrawer" in data) drawer(false);
  else if (data.react) onMessage(target, "react", { name: data.react });
  else if (data.shortcut) onMessage(target, "shortcut", { callback: data.shortcut });
  else if ("dismiss" in data) onMessage(target, "dismiss");
  else if (data.action && (data.kind === "button" || data.kind === "overflow")) use(target);
});

// Menus float above everything and stay on the screen.
function place(menu) {
  const items = $(".menu-items", menu);
  const by = $("summary", menu).getBoundingClientRect();
  items.style.position = "fixed";
  items.style.right = "auto";
  const [width, height] = [items.offsetWidth, items.offsetHeight];
  const wanted = menu.matches(".message-menu, .accessory *") ? by.right - width : by.left;
  const below = by.bottom + 4;
  const top = below + height > innerHeight - 8 ? Math.max(8, by.top - 4 - height) : below;
  items.style.left = `${Math.max(8, Math.min(wanted, innerWidth - width - 8))}px`;
  items.style.top = `${top}px`;
}

const placeOpen = () => $$("details.menu[open]").forEach(place);
document.addEventListener("toggle", (event) => { if (event.target.matches?.("details.menu[open]")) place(event.target); }, true);
document.addEventListener("scroll", placeOpen, true);
addEventListener("resize", placeOpen);

document.addEventListener("change", (event) => {
  const field = event.target.closest("[data-action]");
  if (!field || field.dataset.kind === "button") return;
  if (field.closest(".b-input") && field.closest("dialog")) return;
  use(field);
});

document.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  if (form.matches(".modal-form")) submitView(form.closest("dialog"));
});

// `cancel` is the Escape key; the server decides what is open.
document.addEventListener("cancel", (event) => {
  if (event.target.matches?.("dialog.modal")) { event.preventDefault(); closeView(event.target); }
}, true);

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || $("dialog[open]")) return;
  const menu = $("details.menu[open], details.switcher[open]");
  if (menu) { menu.open = false; $("summary", menu).focus(); return; }
  if (document.body.classList.contains("drawer-open")) { drawer(false); return; }
  if (event.target.matches("textarea, input, select") && event.target.value) return;
  $("[data-close-pane]")?.click();
});

function drawer(open) {
  document.body.classList.toggle("drawer-open", open);
  $(".scrim").hidden = !open;
  if (open) $("#sidebar [aria-current]")?.focus();
  else $("[data-open-drawer]")?.focus();
}
