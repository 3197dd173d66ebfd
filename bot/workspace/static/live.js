// Redraws the parts that changed; the server says which, and draws them.
import { $, $$, here, post, thread, viewer } from "./wire.js";

const query = new URLSearchParams({ as: viewer, channel: here, thread });
const dirty = new Set();
const busy = new Set();

export async function refresh(part) {
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
export function remember(root) {
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

export function listen() {
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

// ---------------------------------------------------------------- the modal

function showModal(target, html) {
  if (target.dataset.html === html) return;
  target.dataset.html = html;
  const before = $("dialog", target)?.dataset.view;
  keepingPlace(target, () => { target.innerHTML = html; openModal(before); });
}

export function openModal(before) {
  const dialog = $("#modal dialog");
  if (!dialog || dialog.open) return;
  dialog.showModal();
  if (dialog.dataset.view !== before) {
    $(".modal-body input, .modal-body textarea, .modal-body select, .modal-body button", dialog)?.focus();
  }
  $(".wrong input, .wrong textarea, .wrong select", dialog)?.focus();
}
