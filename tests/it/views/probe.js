// Run in a page under test, in a frame: tries it as a reader would, and posts what it finds.
window.errors = [];
addEventListener("error", (event) => window.errors.push(event.message));
addEventListener("securitypolicyviolation", (event) => window.errors.push(`refused: ${event.blockedURI}`));
addEventListener("load", () => {
  const found = { errors: window.errors, wrong: [], traces: 0, steps: 0 };
  const must = (holds, what) => { if (!holds) found.wrong.push(what); };
  const box = (element) => element.getBoundingClientRect();
  const key = (name) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
  const wide = innerWidth > 900;
  must(document.documentElement.scrollWidth <= innerWidth, `as wide as ${innerWidth}, not ${document.documentElement.scrollWidth}`);
  must(performance.getEntriesByType("resource").length === 0, "no request");
  for (const trace of document.querySelectorAll(".trace")) {
    found.traces += 1;
    const rows = [...trace.querySelectorAll(".row.step")];
    const list = trace.querySelector(".rows");
    const panel = trace.querySelector(".panel");
    const chosen = () => rows.findIndex((row) => row.getAttribute("aria-selected") === "true");
    must(chosen() === Number(trace.dataset.first), "the step that goes wrong is chosen first");
    must(rows.filter((row) => row.getAttribute("aria-selected") === "true").length === 1, "one row is chosen");
    list.focus({ preventScroll: true });
    key("Home");
    must(chosen() === 0, "Home");
    let states = new Set([panel.textContent]);
    for (let n = 1; n < rows.length; n += 1) {
      key(n % 2 ? "ArrowRight" : "j");
      must(chosen() === n, `step ${n}`);
      states.add(panel.textContent);
      found.steps += 1;
    }
    must(rows.length < 2 || states.size > 1, "the state follows the step");
    key("ArrowRight");
    must(chosen() === rows.length - 1, "no step behind the last");
    key("ArrowLeft");
    must(chosen() === Math.max(0, rows.length - 2), "back");
    key("End");
    must(chosen() === rows.length - 1, "End");
    rows[0].click();
    must(chosen() === 0, "a click");
    const wrong = rows.findIndex((row) => row.classList.contains("wrong"));
    trace.querySelector("[data-go=wrong]").click();
    must(wrong < 1 || chosen() === wrong, "what goes wrong");
    must(panel.querySelectorAll("h3").length === 4, "four parts of the state");
    const heads = [...trace.querySelectorAll(".head .lane")].map(box);
    for (const row of rows) {
      const outer = box(row);
      must(outer.height > 10 && box(row.querySelector("code")).width > 10, "a row shows its call");
      const lanes = [...row.querySelectorAll(".lane")];
      lanes.forEach((lane, n) => must(Math.abs(box(lane).left - heads[n].left) < 1, "a lane is under its head"));
      must(row.querySelectorAll(".lane.acts u").length === 1, "one lane acts");
      const dot = box(row.querySelector(".lane.acts u"));
      must(dot.top >= outer.top - 1 && dot.bottom <= outer.bottom + 1, "the dot is in its row");
      for (const bar of row.querySelectorAll(".lane i")) {
        const inner = box(bar);
        const lane = box(bar.parentElement);
        must(inner.left >= lane.left && inner.right <= lane.right + 1 && inner.height > 5, "a bar is in its lane");
      }
      must(box(row.querySelector(".what")).right <= outer.right + 1, "the text is in its row");
    }
    for (const [n, row] of rows.entries()) {
      row.querySelectorAll(".ways i.from").forEach((from) => {
        const column = [...from.parentElement.children].indexOf(from);
        const to = rows.findIndex((other, m) => m > n && other.querySelectorAll(".ways i")[column].className === "to");
        must(to > n && rows[to].classList.contains("wrong"), "a way leads to what goes wrong");
        const between = [...trace.querySelectorAll(".row")].filter((other) => box(other).top > box(row).top && box(other).top < box(rows[to]).top);
        must(between.every((other) => other.querySelectorAll(".ways i")[column].className === "via"), "a way is whole");
      });
    }
    const [left, right] = [box(list), box(panel)];
    must(wide ? right.left >= left.right : Math.abs(right.left - left.left) < 2, "the state is beside the steps, or below");
  }
  for (const block of document.querySelectorAll(".table")) {
    const body = block.querySelector("tbody");
    const shown = () => [...body.rows].filter((row) => !row.hidden).length;
    const all = shown();
    const only = block.querySelector("input[type=checkbox]");
    if (only) {
      only.click();
      must(shown() === body.querySelectorAll(".marked").length, "the marked rows alone");
      only.click();
    }
    const word = block.querySelector("input[type=search]");
    if (word) {
      word.value = "no such word";
      word.dispatchEvent(new Event("input"));
      must(shown() === 0, "a filter");
      word.value = "";
      word.dispatchEvent(new Event("input"));
    }
    must(shown() === all, "all rows again");
    const button = block.querySelector("th button");
    if (button && all > 1) {
      const first = () => body.rows[0].textContent;
      button.click();
      const up = first();
      button.click();
      must(up !== first() || new Set([...body.rows].map((row) => row.cells[0].textContent)).size === 1, "sorted both ways");
    }
  }
  const colours = getComputedStyle(document.body);
  found.colours = [colours.color, colours.backgroundColor];
  parent.postMessage(JSON.stringify(found), "*");
});
