"use strict";

// The number that a cell begins with: "85.0 ± 12.4", "+1.5", "1,234", "< 0.001"; null where there is none.
function number(text) {
  const found = text.replace(/(\d),(?=\d{3})/g, "$1").replace("−", "-").match(/^\s*<?\s*([+-]?\d+(\.\d+)?)/);
  return found ? Number(found[1]) : null;
}

// Numbers before texts, and empty cells always last.
function compare(one, other, direction) {
  const empty = (text) => text === "" || text === "–";
  if (empty(one) || empty(other)) return empty(one) - empty(other);
  const [a, b] = [number(one), number(other)];
  if (a !== null && b !== null) return direction * (a - b);
  if (a !== null || b !== null) return a !== null ? -1 : 1;
  return direction * one.localeCompare(other);
}

function makeSortable(table) {
  const body = table.tBodies[0], original = [...body.rows];
  const headers = [...table.tHead.rows[0].cells];
  headers.forEach((header, column) => {
    const texts = original.map((row) => row.cells[column].textContent.trim()).filter((text) => text !== "" && text !== "–");
    if (column > 0 && texts.length && texts.every((text) => number(text) !== null)) {
      header.classList.add("number");
      original.forEach((row) => row.cells[column].classList.add("number"));
    }
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = header.textContent;
    header.replaceChildren(button);
    button.addEventListener("click", () => {
      const next = { ascending: "descending", descending: null }[header.getAttribute("aria-sort")];
      const order = next === undefined ? "ascending" : next;
      headers.forEach((other) => other.removeAttribute("aria-sort"));
      const rows = [...original];
      if (order) {
        header.setAttribute("aria-sort", order);
        const direction = order === "ascending" ? 1 : -1;
        const text = (row) => row.cells[column].textContent.trim();
        rows.sort((one, other) => compare(text(one), text(other), direction));
      }
      table.classList.toggle("sorted", order !== null);
      body.append(...rows);
    });
  });
}

function makeFilterable(place) {
  const field = place.querySelector("input"), told = place.querySelector("output");
  const rows = [...place.querySelectorAll("tbody tr")];
  place.querySelector(".filter").hidden = false;
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      shown += row.hidden ? 0 : 1;
    }
    told.textContent = words.length ? `${shown} of ${rows.length} rows` : "";
  });
}

document.querySelectorAll("table").forEach(makeSortable);
document.querySelectorAll(".sheet").forEach((place) => place.querySelector(".filter") && makeFilterable(place));

// Print shows what is folded on the screen.
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((fold) => { fold.open = true; }));
