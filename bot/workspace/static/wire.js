// The page's constants, and its way of talking to the server.
export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
export const { as: viewer, channel: here, thread } = document.body.dataset;
const token = $("meta[name=workspace-token]").content;

export async function post(action, body) {
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

export function toast(text) {
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
