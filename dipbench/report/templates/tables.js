// Tables that sort by a click on a head, are filtered by a text, and are copied as they are shown.

const element = (name, content, settings) => {
  const made = Object.assign(document.createElement(name), settings);
  made.append(...[content].flat());
  return made;
};

// --- what is shown: the text of a cell, without the marks of its notes

const textOf = (cell) => {
  const copy = cell.cloneNode(true);
  copy.querySelectorAll("sup, svg").forEach((part) => part.remove());
  return copy.textContent.replace(/\s+/g, " ").trim();
};
const numberOf = (cell) => {
  const text = cell.dataset.value ?? textOf(cell).replace("\u2212", "-").replace("<", "").replace("\u221e", "Infinity");
  return text === "" ? NaN : Number(text.split(" ")[0]);
};

// --- sorting

const sort = (table, head) => {
  const heads = [...table.tHead.rows[0].cells], column = heads.indexOf(head);
  const first = head.dataset.first ?? "descending", other = first === "descending" ? "ascending" : "descending";
  const order = head.getAttribute("aria-sort") === first ? other : first;
  heads.forEach((cell) => cell.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", order);
  const sign = order === "ascending" ? 1 : -1, rows = [...table.tBodies[0].rows];
  const keys = new Map(rows.map((row) => [row, column ? numberOf(row.cells[column]) : textOf(row.cells[0])]));
  rows.sort((one, other) => {
    const [a, b] = [keys.get(one), keys.get(other)];
    if (typeof a === "string") return sign * a.localeCompare(b, "en", { numeric: true });
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b); // holes come last
    return a === b ? 0 : sign * (a < b ? -1 : 1);
  });
  table.tBodies[0].append(...rows);
};
const makeSortable = (table) => {
  for (const head of table.tHead.rows[0].querySelectorAll("th")) {
    const button = element("button", [...head.childNodes], { type: "button", onclick: () => sort(table, head) });
    if (head.cellIndex === 0) head.dataset.first = "ascending";
    head.append(button);
  }
};

// --- filtering: every word must be in the method's name

const filter = (table, words, status) => {
  const rows = [...table.tBodies[0].rows], wanted = words.toLowerCase().split(/\s+/);
  for (const row of rows) {
    const text = textOf(row.cells[0]).toLowerCase();
    row.hidden = !wanted.every((word) => text.includes(word));
  }
  const shown = rows.filter((row) => !row.hidden).length;
  status.textContent = shown === rows.length ? "" : `${shown} of ${rows.length} rows`;
};

// --- copying: what is shown, in three formats

const shownRows = (table) =>
  [...table.rows].filter((row) => !row.hidden).map((row) => [...row.cells].filter((cell) => !cell.matches(".dots")));
const special = {
  "\\": "\\textbackslash{}", "^": "\\textasciicircum{}", "~": "\\textasciitilde{}", "|": "\\textbar{}", "<": "\\textless{}",
  ">": "\\textgreater{}", "[": "{[}", "]": "{]}", "\u00b1": "$\\pm$", "\u221e": "$\\infty$", "\u2212": "$-$",
  "\u2013": "--", "\u2026": "\\dots{}",
};
const tex = (text) => text.replace(/[\\^~|<>[\]\u00b1\u221e\u2212\u2013\u2026]|[{}&%$#_]/g, (found) => special[found] ?? `\\${found}`);
const isOracle = (cell) => cell.matches(".oracle, .oracle *");
const formats = {
  LaTeX(table) {
    const [head, ...lines] = shownRows(table).map((cells) => cells.map((cell) => {
      const text = tex(textOf(cell));
      return cell.matches(".best") ? `\\textbf\x7b${text}}` : isOracle(cell) ? `\\textit\x7b${text}}` : text;
    }).join(" & ") + " \\\\");
    const columns = "l" + "r".repeat(shownRows(table)[0].length - 1);
    return [
      `% ${captionOf(table)}`, `\\begin{tabular}\x7b${columns}}`, "\\toprule", head, "\\midrule", ...lines, "\\bottomrule",
      "\\end{tabular}",
    ].join("\n");
  },
  Markdown(table) {
    const row = (cells) => `| ${cells.join(" | ")} |`;
    const [head, ...lines] = shownRows(table).map((cells) => row(cells.map((cell) => {
      const text = textOf(cell).replace(/[\\`*_[\]<>|]/g, "\\$&");
      return text && (cell.matches(".best") ? `**${text}**` : isOracle(cell) ? `*${text}*` : text);
    })));
    return [head, row(shownRows(table)[0].map((_, place) => (place ? "--:" : ":--"))), ...lines, "", captionOf(table)].join("\n");
  },
  CSV(table) {
    const cell = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    return shownRows(table).map((cells) => cells.map((one) => cell(textOf(one).replaceAll("\u2212", "-"))).join(",")).join("\n");
  },
};
const captionOf = (table) => `${table.closest("section").querySelector("h2").textContent}: ${textOf(table.caption)}`;

const copy = async (text) => {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // where a page from a file may not
    const field = element("textarea", text);
    (document.querySelector("dialog[open]") ?? document.body).append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
};

// --- the line of tools above a table

const toolsOf = (table) => {
  const status = element("output", "");
  const tools = element("p", [], { className: "tools" });
  if (table.matches(".main")) {
    const field = element("input", [], { type: "search", placeholder: "filter methods" });
    field.setAttribute("aria-label", "filter methods");
    field.addEventListener("input", () => filter(table, field.value, status));
    tools.append(field);
  }
  for (const [name, format] of Object.entries(formats)) {
    tools.append(element("button", `copy ${name}`, {
      type: "button",
      onclick: async () => {
        await copy(format(table) + "\n");
        status.textContent = `copied as ${name}`;
      },
    }));
  }
  tools.append(status);
  table.parentElement.before(tools);
};

for (const table of document.querySelectorAll("table.sortable")) {
  makeSortable(table);
  toolsOf(table);
}

// --- paper shows what is folded

let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  folded.forEach((part) => { part.open = true; });
});
addEventListener("afterprint", () => folded.forEach((part) => { part.open = false; }));
