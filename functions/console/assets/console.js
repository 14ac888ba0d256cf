// What pages can do besides: a preview while one types, drafts that survive a closed tab, trials and progress in place.
// Every page works without it.
(() => {
  "use strict";
  const $ = (id) => document.getElementById(id);

  const part = async (address, form) => {
    const options = form ? { method: "POST", body: new URLSearchParams(new FormData(form)) } : {};
    const answer = await fetch(address, options);
    if (!answer.ok) throw new Error(String(answer.status));
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  };

  // Progress: looked at each second, and the whole page once the run has ended.
  const follow = async () => {
    const now = $("progress");
    if (!now || now.dataset.open !== "yes") return;
    try {
      const next = (await part(now.dataset.part)).getElementById("progress");
      if (next.dataset.open !== "yes") return location.reload();
      now.replaceWith(next);
    } catch { /* Somebody is signed out, or the network is away: the page stays as it is. */ }
    setTimeout(follow, 1000);
  };
  follow();

  // A file is read into the field that is sent.
  document.querySelectorAll("input[type=file][data-into]").forEach((input) => {
    input.addEventListener("change", async () => {
      const [file] = input.files;
      if (!file) return;
      $(input.dataset.into).value = await file.text();
      const kinds = { csv: "csv", yaml: "promptfoo", yml: "promptfoo" };
      $("f-format").value = kinds[file.name.split(".").pop()] || "jsonl";
    });
  });

  // What is saved is no draft any more.
  const saved = document.querySelector("[data-saved]");
  if (saved) localStorage.removeItem(`draft:${saved.dataset.saved}`);

  const editor = $("editor");
  if (!editor) return;

  // Rows are added by copying the last one.
  editor.addEventListener("click", (event) => {
    const list = event.target.dataset.add && $(event.target.dataset.add);
    if (!list) return;
    const row = list.lastElementChild.cloneNode(true);
    row.querySelectorAll("textarea").forEach((field) => { field.value = ""; });
    list.append(row);
    row.querySelector("textarea").focus();
  });

  // The preview. Fields of sample values stay while the variables do, so that nobody loses what they type.
  let asked = 0;
  const preview = async () => {
    const turn = ++asked;
    try {
      const next = await part(editor.dataset.preview, editor);
      if (turn !== asked) return;
      const [values, rendered] = [next.getElementById("values"), next.getElementById("rendered")];
      if (values.dataset.names !== $("values").dataset.names) $("values").replaceWith(values);
      $("rendered").replaceWith(rendered);
    } catch { /* The button still previews. */ }
  };

  // Drafts. Neither what proves the session nor the name of a form is kept.
  const key = `draft:${editor.dataset.draft}`;
  const unkept = new Set(["csrf", "once", "based_on"]);
  const typed = () => JSON.stringify([...new FormData(editor)].filter(([name]) => !unkept.has(name)));
  const begun = typed();
  const keep = () => { try { localStorage.setItem(key, typed()); } catch { /* There is no room. */ } };
  const restore = (pairs) => {
    const lists = { example_input: "examples", message_content: "messages" };
    for (const [name, list] of Object.entries(lists)) {
      const rows = pairs.filter(([known]) => known === name).length;
      while ($(list) && $(list).children.length < rows) $(list).append($(list).lastElementChild.cloneNode(true));
    }
    const places = {};
    for (const [name, text] of pairs) {
      const at = places[name] = (places[name] ?? -1) + 1;
      const field = editor.querySelectorAll(`[name="${CSS.escape(name)}"]`)[at];
      if (field) field.value = text;
    }
  };
  let waiting;
  const changed = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { keep(); preview(); }, 350);
  };
  editor.addEventListener("input", changed);
  const kept = localStorage.getItem(key);
  if (kept && kept !== begun && !document.querySelector("[role=alert]")) $("draft").hidden = false;
  $("draft").addEventListener("click", (event) => {
    const act = event.target.dataset.act;
    if (!act) return;
    if (act === "restore") { restore(JSON.parse(kept)); preview(); }
    localStorage.removeItem(key);
    $("draft").hidden = true;
  });

  // Trials are shown in place.
  editor.addEventListener("submit", async (event) => {
    if (event.submitter?.dataset.act !== "try") {
      keep();
      return;
    }
    event.preventDefault();
    const [place, button] = [$("tried-here"), event.submitter];
    button.disabled = true;
    place.textContent = "Asking the model …";
    try {
      const answer = await fetch("/console/try", { method: "POST", body: new URLSearchParams(new FormData(editor)) });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      place.replaceChildren(...page.getElementById("tried").childNodes);
    } catch {
      place.textContent = "There was no answer. Try again.";
    }
    button.disabled = false;
  });
})();
