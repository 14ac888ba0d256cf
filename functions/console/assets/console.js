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

  // Drafts of a prompt are kept beside each other, the newest last, until each is saved or thrown away.
  const drafts = (prompt) => JSON.parse(localStorage.getItem(`drafts:${prompt}`)) ?? [];
  const replace = (prompt, former, draft) => {
    const others = drafts(prompt).filter((kept) => kept !== former && kept !== draft);
    localStorage.setItem(`drafts:${prompt}`, JSON.stringify(draft ? [...others, draft] : others));
  };

  // What the page before this one sent: only where that is saved, and only that, is no draft any more.
  const sent = sessionStorage.getItem("sent");
  sessionStorage.removeItem("sent");
  const saved = document.querySelector("[data-saved]");
  if (saved && sent) replace(saved.dataset.saved, sent);

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

  // Neither what proves the session nor the name of a form is kept. What a draft was written on is, so that whoever
  // brings it back after somebody else saved is told.
  const prompt = editor.dataset.draft;
  const unkept = new Set(["csrf", "once"]);
  const typed = () => JSON.stringify([...new FormData(editor)].filter(([name]) => !unkept.has(name)));
  const base = (draft) => JSON.parse(draft).find(([name]) => name === "based_on")?.[1];
  const says = (draft) => JSON.stringify(JSON.parse(draft).filter(([name, text]) => text && name !== "based_on"));
  // A page that answers a form holds what was sent, and goes on with that draft.
  const opened = location.pathname.endsWith("/edit");
  let own = opened ? null : sent;
  const keep = () => {
    try {
      const draft = typed();
      replace(prompt, own, draft);
      own = draft;
    } catch { /* There is no room. */ }
  };
  const restore = (pairs) => {
    const lists = { example_input: "examples", message_content: "messages" };
    for (const [name, list] of Object.entries(lists)) {
      const rows = pairs.filter(([known]) => known === name).length;
      while ($(list) && $(list).children.length < rows) $(list).append($(list).lastElementChild.cloneNode(true));
    }
    const places = {};
    for (const [name, text] of pairs) {
      const at = places[name] = (places[name] ?? -1) + 1;
      let field = editor.querySelectorAll(`[name="${CSS.escape(name)}"]`)[at];
      // The preview that follows has the fields of the draft's own variables.
      if (!field && name.startsWith("value:")) {
        field = Object.assign(document.createElement("input"), { type: "hidden", name });
        $("values").append(field);
      }
      if (field) field.value = text;
    }
  };
  let waiting;
  const changed = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { keep(); preview(); }, 350);
  };
  editor.addEventListener("input", changed);
  let offered;
  const offer = () => {
    offered = opened && drafts(prompt).findLast((draft) => draft !== own);
    $("draft").hidden = !offered;
  };
  const begun = says(typed());
  if (opened) drafts(prompt).filter((draft) => says(draft) === begun).forEach((draft) => replace(prompt, draft));
  offer();
  $("draft").addEventListener("click", (event) => {
    const act = event.target.dataset.act;
    if (act === "discard") {
      replace(prompt, offered);
      offer();
    }
    if (act === "restore") {
      $("newer").hidden = base(offered) === base(typed());
      restore(JSON.parse(offered));
      own = offered;
      $("draft").hidden = true;
      preview();
    }
  });

  // Trials are shown in place.
  editor.addEventListener("submit", async (event) => {
    if (event.submitter?.dataset.act !== "try") {
      keep();
      if (!event.submitter?.formTarget) sessionStorage.setItem("sent", own ?? "");
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
