"use strict";
(() => {
  const element = (name, text, of) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (of) of.append(made);
    return made;
  };
  const parts = [
    ["tasks", "Tasks", ["task", "where", "state", "preempt"], "no task yet"],
    ["batches", "Batches", ["whose", "batch", "pending"], "nothing pending"],
    ["pages", "Page tables, as last written", ["page", "entry", "by"], "nothing written yet"],
    ["translations", "Accesses through translations", ["page", "last access", "last flush call"],
      "no access yet"],
  ];
  const traces = [...document.querySelectorAll(".trace")].map((trace) => {
    const states = JSON.parse(trace.querySelector("script").textContent);
    const rows = [...trace.querySelectorAll(".row.step")];
    const list = trace.querySelector(".rows");
    const panel = trace.querySelector(".panel");
    const output = trace.querySelector("output");
    let at = -1;
    const show = (state, before) => {
      panel.replaceChildren();
      for (const [key, title, heads, none] of parts) {
        element("h3", title, panel);
        if (!state[key].length) { element("p", none, panel); continue; }
        const table = element("table", undefined, panel);
        const head = element("tr", undefined, element("thead", undefined, table));
        heads.forEach((text) => { element("th", text, head).scope = "col"; });
        const body = element("tbody", undefined, table);
        const old = new Set((before ? before[key] : []).map((row) => row.join("\n")));
        for (const row of state[key]) {
          const line = element("tr", undefined, body);
          if (before && !old.has(row.join("\n"))) line.className = "new";
          row.forEach((text) => element("td", text, line));
        }
      }
    };
    const go = (to, scroll) => {
      to = Math.max(0, Math.min(rows.length - 1, to));
      if (!rows.length || to === at) return;
      if (rows[at]) rows[at].setAttribute("aria-selected", "false");
      at = to;
      const row = rows[at];
      row.setAttribute("aria-selected", "true");
      list.setAttribute("aria-activedescendant", row.id);
      const before = at > 0 ? states[rows[at - 1].dataset.at] : undefined;
      show(states[row.dataset.at], before);
      output.textContent = `step ${row.dataset.n}, row ${at + 1} of ${rows.length}`;
      if (scroll) row.scrollIntoView({ block: "nearest" });
    };
    const wrong = () => {
      const next = rows.findIndex((row, n) => n > at && row.classList.contains("wrong"));
      const first = rows.findIndex((row) => row.classList.contains("wrong"));
      if (next >= 0 || first >= 0) go(next >= 0 ? next : first, true);
    };
    const moves = {
      first: () => go(0, true), back: () => go(at - 1, true), next: () => go(at + 1, true),
      last: () => go(rows.length - 1, true), wrong,
    };
    trace.querySelectorAll("[data-go]").forEach((button) => {
      button.addEventListener("click", () => moves[button.dataset.go]());
    });
    rows.forEach((row, n) => row.addEventListener("click", () => go(n, false)));
    go(Number(trace.dataset.first), false);
    return { trace, moves };
  });
  const keys = {
    ArrowLeft: "back", ArrowUp: "back", k: "back", ArrowRight: "next", ArrowDown: "next",
    j: "next", Home: "first", End: "last", n: "wrong",
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target instanceof HTMLInputElement) return;
    const name = keys[event.key];
    const within = traces.find((one) => one.trace.contains(document.activeElement));
    const nearest = () => {
      const middle = innerHeight / 2;
      const far = (one) => {
        const box = one.trace.getBoundingClientRect();
        return Math.max(box.top - middle, middle - box.bottom);
      };
      return [...traces].sort((a, b) => far(a) - far(b))[0];
    };
    const one = within || nearest();
    if (!name || !one) return;
    event.preventDefault();
    one.moves[name]();
  });
  document.querySelectorAll(".table").forEach((block) => {
    const body = block.querySelector("tbody");
    const rows = [...body.rows];
    const word = block.querySelector("input[type=search]");
    const only = block.querySelector("input[type=checkbox]");
    const filter = () => rows.forEach((row) => {
      const text = row.textContent.toLowerCase();
      const has = !word || word.value.toLowerCase().split(/\s+/).every((w) => text.includes(w));
      row.hidden = !(has && (!only || !only.checked || row.classList.contains("marked")));
    });
    [word, only].forEach((input) => input && input.addEventListener("input", filter));
    const number = (text) => {
      const plain = text.replace(/[, %]/g, "");
      return plain !== "" && !Number.isNaN(Number(plain)) ? Number(plain) : undefined;
    };
    block.querySelectorAll("th button").forEach((button, column) => {
      button.addEventListener("click", () => {
        const head = button.closest("th");
        const down = head.getAttribute("aria-sort") === "ascending";
        block.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const key = (row) => row.cells[column].textContent;
        const order = (a, b) => {
          const [x, y] = [number(key(a)), number(key(b))];
          const by = x !== undefined && y !== undefined ? x - y : key(a).localeCompare(key(b));
          return down ? -by : by;
        };
        body.append(...rows.sort(order));
      });
    });
  });
})();
