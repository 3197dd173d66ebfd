// The message box, with suggestions for commands and people.
import { $, $$, post, toast } from "./wire.js";

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

document.addEventListener("submit", (event) => {
  if (event.target.matches(".composer")) send(event.target);
});
