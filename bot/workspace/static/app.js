// Keeps the page live and sends what the person does. The server draws everything.
"use strict";

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const { as: viewer, channel: here, thread } = document.body.dataset;
const token = $("meta[name=workspace-token]").content;
const query = new URLSearchParams({ as: viewer, channel: here, thread });

// ---------------------------------------------------------------- talking to the server

async function post(action, body) {
  try {
    const answer = await fetch(`/act/${action}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Workspace-Token": token },
      body: JSON.stringify({ as: viewer, ...body }),
    });
    if (!answer.ok) return { error: await answer.text() };
    return await answer.json();
  } catch {
    return { error: "The workspace does not answer. Is it still running?" };
  }
}

function toast(text) {
  const note = document.createElement("div");
  note.className = "toast";
  note.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "linkish";
  close.textContent = "Dismiss";
  close.addEventListener("click", () => note.remove());
  note.append(close);
  $("#toasts").append(note);
  setTimeout(() => note.remove(), 9000);
}

// ---------------------------------------------------------------- live parts

const dirty = new Set();
const busy = new Set();

async function refresh(part) {
  const target = $(`#${part}`);
  if (!target) return;
  if (busy.has(part)) { dirty.add(part); return; }
  busy.add(part);
  try {
    const answer = await fetch(`/fragment/${part}?${query}`);
    if (answer.ok) show(part, target, await answer.text());
  } catch { /* the event stream says when the server is back */ }
  busy.delete(part);
  if (dirty.delete(part)) refresh(part);
}

function show(part, target, html) {
  if (part === "modal") showModal(target, html);
  else if (part === "messages" || part === "thread") showList(target, html);
  else keepingPlace(target, () => { target.innerHTML = html; });
  remember(target);
}

// Open menus, the focus and what was typed survive a redraw.
function keepingPlace(root, redraw) {
  const focused = root.contains(document.activeElement) ? document.activeElement.id : "";
  const open = $$("details[open][data-keep]", root).map((d) => d.dataset.keep);
  const typed = new Map($$("input[id], textarea[id], select[id]", root).map((e) => [e.id, held(e)]));
  redraw();
  for (const details of $$("details[data-keep]", root)) {
    if (open.includes(details.dataset.keep)) details.open = true;
  }
  for (const [id, value] of typed) hold(document.getElementById(id), value);
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

const held = (field) => (/checkbox|radio/.test(field.type) ? field.checked : field.value);
function hold(field, value) {
  if (!field) return;
  if (/checkbox|radio/.test(field.type)) field.checked = value;
  else if (field.tagName !== "SELECT" || $$("option", field).some((o) => o.value === value)) field.value = value;
}

const drawn = new WeakMap();
function remember(root) {
  for (const child of root.children) if (!drawn.has(child)) drawn.set(child, child.outerHTML);
}

function showList(list, html) {
  const scroller = list.closest(".stream");
  const atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
  const fresh = document.createElement("template");
  fresh.innerHTML = html;
  const old = new Map([...list.children].map((child) => [child.dataset.key, child]));
  let cursor = list.firstElementChild;
  for (const child of [...fresh.content.children]) {
    const known = old.get(child.dataset.key);
    old.delete(child.dataset.key);
    if (known && drawn.get(known) === child.outerHTML) {
      if (known === cursor) cursor = cursor.nextElementSibling;
      else list.insertBefore(known, cursor);
    } else if (known) {
      const next = known === cursor ? cursor.nextElementSibling : cursor;
      drawn.set(child, child.outerHTML);
      swap(known, child);
      cursor = next;
    } else {
      drawn.set(child, child.outerHTML);
      list.insertBefore(child, cursor);
    }
  }
  for (const gone of old.values()) gone.remove();
  if (atEnd) scroller.scrollTop = scroller.scrollHeight;
  if (document.visibilityState === "visible") post("read", { channel: here });
}

// A redrawn message is as the server says, except for the menu that is open in it.
function swap(known, child) {
  const focused = known.contains(document.activeElement) ? document.activeElement.id : "";
  const open = $$("details[open][data-keep]", known).map((d) => d.dataset.keep);
  known.replaceWith(child);
  for (const details of $$("details[data-keep]", child)) details.open = open.includes(details.dataset.keep);
  if (focused) (document.getElementById(focused) ?? $("summary, button, a", child))?.focus({ preventScroll: true });
}

function listen() {
  const stream = new EventSource("/live");
  // Whatever happened before the stream was open was not told.
  stream.onopen = () => { everything(); document.body.classList.remove("offline"); };
  stream.onerror = () => document.body.classList.add("offline");
  stream.onmessage = (event) => {
    for (const change of JSON.parse(event.data)) partsOf(change).forEach(refresh);
  };
}

function partsOf({ what, channel }) {
  if (what === "message") return channel === here ? ["messages", "thread"] : ["sidebar"];
  if (what === "channel") return ["sidebar", "heading"];
  if (what === "view") return ["modal"];
  if (what === "home") return ["home"];
  if (what === "call") return ["calls"];
  return ["sidebar"];
}

function everything() {
  ["sidebar", "heading", "messages", "thread", "home", "calls", "modal"].forEach(refresh);
}

// ---------------------------------------------------------------- modals

function showModal(target, html) {
  if (target.dataset.html === html) return;
  target.dataset.html = html;
  const before = $("dialog", target)?.dataset.view;
  keepingPlace(target, () => { target.innerHTML = html; openModal(before); });
}

function openModal(before) {
  const dialog = $("#modal dialog");
  if (!dialog || dialog.open) return;
  dialog.showModal();
  if (dialog.dataset.view !== before) {
    $(".modal-body input, .modal-body textarea, .modal-body select, .modal-body button", dialog)?.focus();
  }
  $(".wrong input, .wrong textarea, .wrong select", dialog)?.focus();
}

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
  if (form.matches(".composer")) send(form);
  else if (form.matches(".modal-form")) submitView(form.closest("dialog"));
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

// ---------------------------------------------------------------- the message box

const commands = JSON.parse(document.body.dataset.commands);
const people = JSON.parse(document.body.dataset.people);

async function send(form) {
  const box = $("textarea", form);
  const text = box.value.trim();
  if (!text) return;
  box.value = "";
  grow(box);
  hideHints(form);
  const { error } = await post("send", { channel: form.dataset.channel, thread: form.dataset.thread, text });
  if (error) {
    toast(error);
    if (!box.value) { box.value = text; grow(box); }
  }
}

function grow(box) {
  box.style.height = "auto";
  box.style.height = `${Math.min(box.scrollHeight, 180)}px`;
}

// What could come next: [{insert, label, about}] and where it would replace the text.
function suggestions(box) {
  const before = box.value.slice(0, box.selectionStart);
  const slash = before.match(/^\/\S*$/);
  if (slash) {
    const found = commands.filter((c) => c.name.startsWith(slash[0]));
    return { from: 0, list: found.map((c) => ({ insert: `${c.name} `, label: `${c.name} ${c.usage}`, about: c.description })) };
  }
  const command = commands.find((c) => before.startsWith(`${c.name} `));
  const rest = command && before.slice(command.name.length + 1);
  if (command && !rest.includes(" ")) {
    const found = command.words.filter(([word]) => word.split(" ")[0].startsWith(rest));
    return {
      from: command.name.length + 1,
      list: found.map(([word, about]) => ({ insert: `${word.split(" ")[0]} `, label: word, about })),
    };
  }
  const name = before.match(/(^|\s)@([\w.-]*)$/);
  if (name) {
    const wanted = name[2].toLowerCase();
    const found = people.filter((p) => p.name.toLowerCase().startsWith(wanted) || p.label.toLowerCase().startsWith(wanted));
    return {
      from: before.length - name[2].length - 1,
      list: found.slice(0, 8).map((p) => ({ insert: `@${p.name} `, label: `@${p.name}`, about: p.label })),
    };
  }
  return { from: 0, list: [] };
}

function showHints(form) {
  const [box, hints] = [$("textarea", form), $(".hints", form)];
  const { list } = suggestions(box);
  hints.replaceChildren(...list.map((hint, i) => {
    const item = document.createElement("li");
    item.id = `${hints.id}-${i}`;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", "false");
    const label = document.createElement("code");
    label.textContent = hint.label;
    const about = document.createElement("span");
    about.textContent = hint.about;
    item.append(label, about);
    item.addEventListener("mousedown", (event) => { event.preventDefault(); take(form, i); });
    return item;
  }));
  hints.hidden = list.length === 0;
  box.setAttribute("aria-expanded", String(list.length > 0));
  box.removeAttribute("aria-activedescendant");
}

function hideHints(form) {
  $(".hints", form).hidden = true;
  $("textarea", form).setAttribute("aria-expanded", "false");
}

function take(form, index) {
  const box = $("textarea", form);
  const { from, list } = suggestions(box);
  const after = box.value.slice(box.selectionStart);
  box.value = box.value.slice(0, from) + list[index].insert + after;
  box.selectionStart = box.selectionEnd = from + list[index].insert.length;
  box.focus();
  showHints(form);
}

function moveHint(form, step) {
  const items = $$(".hints li", form);
  const now = items.findIndex((item) => item.getAttribute("aria-selected") === "true");
  const next = (now + step + items.length + (now < 0 && step < 0 ? 1 : 0)) % items.length;
  items.forEach((item, i) => item.setAttribute("aria-selected", String(i === next)));
  items[next].scrollIntoView({ block: "nearest" });
  $("textarea", form).setAttribute("aria-activedescendant", items[next].id);
}

function boxKey(form, event) {
  const open = !$(".hints", form).hidden;
  const chosen = $$(".hints li", form).findIndex((item) => item.getAttribute("aria-selected") === "true");
  if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    moveHint(form, event.key === "ArrowDown" ? 1 : -1);
  } else if (open && event.key === "Tab" && !event.shiftKey) {
    event.preventDefault();
    take(form, Math.max(chosen, 0));
  } else if (open && event.key === "Escape") {
    event.stopPropagation();
    hideHints(form);
  } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    if (open && chosen >= 0) take(form, chosen);
    else form.requestSubmit();
  }
}

for (const form of $$(".composer")) {
  const box = $("textarea", form);
  box.addEventListener("input", () => { grow(box); showHints(form); });
  box.addEventListener("keydown", (event) => boxKey(form, event));
  box.addEventListener("blur", () => hideHints(form));
}

// ---------------------------------------------------------------- beginning

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
