"use strict";
let shown = "", open = "";
const grid = document.getElementById("grid"), tabs = document.getElementById("tabs");
const events = document.getElementById("events"), said = document.getElementById("said");

function letters(column) {
  return (column > 25 ? letters(Math.floor(column / 26) - 1) : "") + String.fromCharCode(65 + column % 26);
}

function add(parent, name, text) {
  const made = parent.appendChild(document.createElement(name));
  if (text !== undefined) made.textContent = text;
  return made;
}

async function write(row, column, text) {
  const answer = await fetch("cell", {
    method: "POST", headers: {"Content-Type": "application/json"},
    body: JSON.stringify({tab: open, row, column, text}),
  });
  said.textContent = answer.ok ? "" : await answer.text();
}

function draw(state) {
  if (!state.tabs.some((tab) => tab.title === open)) open = state.tabs[0].title;
  tabs.replaceChildren();
  for (const tab of state.tabs) {
    const button = add(tabs, "button", tab.title);
    if (tab.title === open) button.setAttribute("aria-current", "true");
    button.onclick = () => { open = tab.title; draw(state); };
  }
  const rows = state.tabs.find((tab) => tab.title === open).rows;
  const width = Math.max(6, ...rows.map((row) => row.length)) + 1;
  grid.replaceChildren();
  const head = add(grid, "tr");
  add(head, "th", "");
  for (let column = 0; column < width; column++) add(head, "th", letters(column));
  for (let row = 0; row < rows.length + 4; row++) {
    const line = add(grid, "tr");
    add(line, "th", String(row + 1));
    for (let column = 0; column < width; column++) {
      const cell = add(add(line, "td"), "input");
      cell.value = (rows[row] || [])[column] || "";
      cell.setAttribute("aria-label", letters(column) + (row + 1));
      cell.onchange = () => write(row, column, cell.value);
    }
  }
  while (events.rows.length > 1) events.deleteRow(1);
  for (const event of state.events) {
    const line = add(events, "tr");
    for (const text of [event.start, event.end, event.summary]) add(line, "td", text);
  }
}

async function look() {
  try {
    const text = await (await fetch("state")).text();
    // somebody who types is not disturbed
    if (text !== shown && !(document.activeElement instanceof HTMLInputElement)) {
      shown = text;
      draw(JSON.parse(text));
    }
    if (said.dataset.away) { said.textContent = ""; delete said.dataset.away; }
  } catch {
    said.textContent = "The local Google has stopped. Start it again.";
    said.dataset.away = "yes";
  }
  setTimeout(look, 1000);
}

look();
