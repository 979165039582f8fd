"use strict";
// Tables that can be filtered and sorted; long ones are cut until the reader asks for the rest.
(() => {
  const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

  const valueOf = (row, column) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();

  function enhance(table) {
    const body = table.tBodies[0];
    const controls = document.querySelector(`.controls[data-for="${table.id}"]`);
    const [search, check, count] = ["input[type=search]", "input[type=checkbox]", "output"]
      .map((selector) => controls?.querySelector(selector));
    const more = document.querySelector(`button[data-more="${table.id}"]`);
    const rows = [...body.rows];
    const words = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
    const first = Number(table.dataset.first);
    let isWhole = false;

    function show() {
      const wanted = (search?.value ?? "").trim().toLowerCase();
      let found = 0;
      for (const row of body.rows) {
        const fits = words.get(row).includes(wanted) && (!check?.checked || "marked" in row.dataset);
        row.hidden = !fits || (!isWhole && found >= first);
        found += fits;
      }
      if (count) count.textContent = `${found} of ${rows.length}`;
      if (more) {
        more.hidden = isWhole || found <= first;
        more.textContent = `Show all ${found}`;
      }
    }

    function sort(header) {
      const column = header.cellIndex;
      const isNumber = header.classList.contains("n");
      const was = header.getAttribute("aria-sort");
      const direction = was === "ascending" ? "descending" : "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      header.setAttribute("aria-sort", direction);
      const sign = direction === "ascending" ? 1 : -1;
      const number = (row) => Number(valueOf(row, column) || NaN);
      const sorted = rows.slice().sort((a, b) => {
        if (!isNumber) return sign * collator.compare(valueOf(a, column), valueOf(b, column));
        const [x, y] = [number(a), number(b)];
        return Number.isNaN(x) ? 1 : Number.isNaN(y) ? -1 : sign * (x - y);
      });
      body.append(...sorted);
      show();
    }

    for (const header of table.tHead.rows[0].cells) {
      if (!("sort" in header.dataset)) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = header.textContent;
      header.replaceChildren(button);
      button.addEventListener("click", () => sort(header));
    }
    search?.addEventListener("input", show);
    check?.addEventListener("change", show);
    more?.addEventListener("click", () => { isWhole = true; show(); });
    show();
  }

  document.querySelectorAll("table[data-live]").forEach(enhance);
  // A link to a closed kind of finding opens it.
  const open = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (target instanceof HTMLDetailsElement) target.open = true;
  };
  addEventListener("hashchange", open);
  open();
})();
