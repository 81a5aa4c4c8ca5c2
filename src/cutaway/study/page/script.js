// Sorts and filters the table of effects, and shows one part's strength on the tokens. The page reads without it.
(() => {
  "use strict";
  const strengths = JSON.parse(document.getElementById("data").textContent).strengths || {};
  const strip = document.getElementById("strip");
  const says = document.getElementById("strip-says");
  const tokens = strip ? [...strip.querySelectorAll(".token")] : [];
  const asTheyWere = tokens.map((token) => token.className);
  let chosen = null;

  const figure = (x) => (x < 0 ? "−" : "+") + Math.abs(x).toPrecision(3);

  function show(part) {
    const known = part !== null && Object.hasOwn(strengths, part);
    const largest = known ? Math.max(...strengths[part].map(Math.abs)) : 0;
    tokens.forEach((token, i) => {
      const x = known ? strengths[part][Number(token.dataset.at)] : 0;
      const level = largest ? Math.round((7 * Math.abs(x)) / largest) : 0;
      token.className = known ? "token" + (level ? ` ${x < 0 ? "f" : "a"}${level}` : "") : asTheyWere[i];
      token.title = known ? figure(x) : "";
    });
    if (says && known) {
      const at = strengths[part].findIndex((x) => Math.abs(x) === largest);
      const token = tokens.find((one) => Number(one.dataset.at) === at);
      const where = token ? ` on “${token.textContent}” (position ${at})` : "";
      says.textContent = `${part}: strongest${where}, ${figure(strengths[part][at])} by first order.`;
    } else if (says) {
      says.textContent = part === null ? says.dataset.default : `${part}: no strength on tokens was kept.`;
    }
    for (const one of document.querySelectorAll(".on")) one.classList.remove("on");
    if (part === null) return;
    for (const one of document.querySelectorAll("tr[data-part], .chip[data-part]")) {
      if (one.dataset.part === part) one.classList.add("on");
    }
  }

  // Far from the tokens a copy of them lies at the foot of the window while a part is pointed at.
  const peek = document.getElementById("peek");
  function remind(part) {
    const place = strip?.getBoundingClientRect();
    const seen = !strip || (place.bottom > 0 && place.top < window.innerHeight);
    peek.hidden = part === null || seen || !Object.hasOwn(strengths, part);
    if (peek.hidden) return;
    const copies = [says.cloneNode(true), strip.cloneNode(true)];
    for (const copy of copies) copy.removeAttribute("id");
    peek.replaceChildren(...copies);
  }

  const point = (part) => {
    show(part);
    remind(part);
  };
  const partOf = (event) => event.target.closest?.("[data-part]")?.dataset.part ?? null;
  document.addEventListener("mouseover", (event) => point(partOf(event) ?? chosen));
  document.addEventListener("focusin", (event) => point(partOf(event) ?? chosen));
  document.addEventListener("click", (event) => {
    const part = partOf(event);
    if (part === null) return;
    chosen = chosen === part ? null : part;
    point(chosen);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    chosen = null;
    point(null);
  });

  const table = document.getElementById("table");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const value = (row, column, numeric) => {
    const cell = row.cells[column];
    if (!numeric) return cell.textContent.trim();
    return cell.dataset.value === "" ? null : Number(cell.dataset.value);
  };

  function sort(header) {
    const column = header.cellIndex;
    const numeric = header.dataset.sort === "number";
    const down = header.getAttribute("aria-sort") === "ascending";
    for (const one of table.tHead.rows[0].cells) one.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    const keyed = rows.map((row, i) => [value(row, column, numeric), i, row]);
    keyed.sort(([a, i], [b, j]) => {
      if (a === null || b === null) return a === b ? i - j : a === null ? 1 : -1;
      const order = numeric ? a - b : a.localeCompare(b, "en", { numeric: true });
      return (down ? -order : order) || i - j;
    });
    body.append(...keyed.map(([, , row]) => row));
  }

  for (const header of table.tHead.rows[0].cells) {
    header.classList.add("sortable");
    header.tabIndex = 0;
    header.addEventListener("click", () => sort(header));
    header.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        sort(header);
      }
    });
  }

  const filter = document.getElementById("filter");
  filter.closest(".tools").hidden = false;
  filter.addEventListener("input", () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      left += row.hidden ? 0 : 1;
    }
    document.getElementById("count").textContent = words.length ? `${left} of ${rows.length}` : "";
  });
})();
