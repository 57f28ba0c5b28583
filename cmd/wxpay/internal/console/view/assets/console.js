"use strict";
(() => {
  const rows = () => [...document.querySelectorAll("[data-row]")];
  let at = -1;
  const move = (by) => {
    const list = rows();
    if (!list.length) return;
    list[at]?.classList.remove("at");
    at = Math.max(0, Math.min(list.length - 1, at + by));
    list[at].classList.add("at");
    list[at].querySelector("a")?.focus({ preventScroll: true });
    list[at].scrollIntoView({ block: "nearest" });
  };
  const help = () => {
    const dialog = document.getElementById("help");
    dialog.open ? dialog.close() : dialog.showModal();
  };
  document.querySelector("[data-help]")?.addEventListener("click", help);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && event.target.matches("input,textarea")) event.target.blur();
    if (event.target.matches("input:not([type=checkbox]),textarea,select")) return;
    const pages = document.querySelectorAll("nav a");
    switch (event.key) {
      case "/": {
        const search = document.querySelector("[data-search]");
        if (!search) return;
        search.focus();
        search.select();
        break;
      }
      case "j": move(1); break;
      case "k": move(-1); break;
      case "?": help(); break;
      default:
        if (!(event.key >= "1" && event.key <= "9") || !pages[event.key - 1]) return;
        pages[event.key - 1].click();
    }
    event.preventDefault();
  });

  // A journal that grows: the server sends whole rows, in which everything from outside is text.
  const live = document.querySelector("[data-live]");
  if (live) {
    const state = document.querySelector("[data-live-state]");
    const most = 500;
    const source = new EventSource(live.dataset.live);
    const tell = (open) => { if (state) state.textContent = open ? state.dataset.on : state.dataset.off; };
    source.onopen = () => tell(true);
    source.onerror = () => tell(false);
    source.addEventListener("row", (event) => {
      const holder = document.createElement("template");
      holder.innerHTML = JSON.parse(event.data);
      for (const row of holder.content.children) row.classList.add("new");
      live.prepend(holder.content);
      if (at >= 0) at++;
      while (live.children.length > most) live.lastElementChild.remove();
      document.querySelector("[data-empty]")?.remove();
    });
    addEventListener("pagehide", () => source.close());
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const text = document.getElementById(button.dataset.copy).textContent;
    const said = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "✓";
    } catch {
      getSelection().selectAllChildren(document.getElementById(button.dataset.copy));
      button.textContent = "…";
    }
    setTimeout(() => { button.textContent = said; }, 1200);
  });

  // Lengths: the documentation counts characters, and some of the platform's checks bytes, so both show where they differ.
  const bytes = (text) => new TextEncoder().encode(text).length;
  const count = (input) => {
    const out = input.closest(".field")?.querySelector("[data-count]");
    if (!out) return;
    const length = [...input.value].length, size = bytes(input.value);
    out.textContent = size === length ? length : `${length} (${size} ${out.dataset.bytes})`;
    const max = Number(out.dataset.max || 0), min = Number(out.dataset.min || 0);
    out.classList.toggle("bad", (max > 0 && length > max) || (length > 0 && length < min));
  };
  document.querySelectorAll(".field input,.field textarea").forEach(count);

  // Samples that follow the form.
  const form = document.querySelector("[data-preview]");
  let timer = 0, asked = 0;
  const preview = async () => {
    const mine = ++asked;
    const response = await fetch(form.dataset.preview, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    const text = await response.text();
    if (response.ok && mine === asked) document.getElementById("preview").innerHTML = text;
  };
  document.addEventListener("input", (event) => {
    count(event.target);
    if (!form?.contains(event.target)) return;
    clearTimeout(timer);
    timer = setTimeout(preview, 200);
  });

  document.querySelectorAll("select[data-submit]").forEach((select) =>
    select.addEventListener("change", () => select.form.requestSubmit()));

  // The phone tells the shop's page, which has opened it, what its user did.
  const outcome = document.querySelector("[data-outcome]");
  if (outcome && window.opener) window.opener.postMessage({ wxpaySandbox: outcome.dataset.outcome }, "*");
})();
