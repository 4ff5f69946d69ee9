// Where a number comes from: its runs, and the line with which each can be cited, as `dipbench cite` prints it.

const lineOf = (origins, [key, , , , parts, outputs], output) => {
  const [protocol, scene, task, method, software, machine] = parts.map((place) => origins.texts[place]);
  const number = outputs[output][0] ? `PSNR ${outputs[output][0]} dB` : "no PSNR";
  return [number, protocol, scene, task, `${method}:${output}`, software, machine, `run ${key}`].join(" | ");
};

const outputOf = (run, named) => named || Object.keys(run[5])[0];

// the peak of the curve that an output is on, and what the output has lost since
const peakOf = (run, output) => {
  const best = run[5][output.endsWith("ema") ? "best_ema" : "best"];
  if (!best?.[0] || output.startsWith("best")) return "";
  const lost = Number(best[0]) - Number(run[5][output][0]);
  return `; peak ${best[0]} dB at iteration ${best[1]}, ${lost.toFixed(2)} dB lost`;
};

const runsOf = (origins, cell) => {
  const table = cell.closest("table"), row = cell.parentElement;
  const named = table.matches(".main") ? row : table.tHead.rows[0].cells[cell.cellIndex];
  const method = origins.methods.indexOf(named.dataset.method), image = row.dataset.image;
  const runs = origins.runs.filter((run) =>
    run[1] === method && (image === undefined || run[2] === Number(image)) && outputOf(run, named.dataset.output) in run[5]);
  return { named, runs: runs.map((run) => ({ run, output: outputOf(run, named.dataset.output) })) };
};

const entryOf = (origins, { run, output }) => {
  const [value, iteration] = run[5][output], line = lineOf(origins, run, output);
  const iterations = iteration > 1 ? `; iteration ${iteration}` : "";
  return element("li", [
    element("strong", `${origins.images[run[2]]}, seed ${run[3]}${value && `: ${value} dB`}`),
    `${iterations}${peakOf(run, output)}; run `, element("code", run[0]), " ",
    element("button", "copy", { type: "button", onclick: () => copy(line) }),
    element("code", line, { className: "line" }),
  ]);
};

const dialog = document.querySelector("dialog.origin");
const show = (origins, cell) => {
  const { named, runs } = runsOf(origins, cell);
  if (!runs.length) return;
  const label = textOf(named.matches("tr") ? named.cells[0] : named), lines = runs.map(({ run, output }) => lineOf(origins, run, output));
  dialog.replaceChildren(
    element("form", element("button", "close"), { method: "dialog" }),
    element("h2", `${label}: ${textOf(cell)}`),
    element("p", [
      runs.length > 1 ? `The mean of ${runs.length} runs. ` : "", "Each line is what ", element("code", "dipbench cite"), " prints. ",
      element("button", runs.length > 1 ? "copy all lines" : "copy the line", { type: "button", onclick: () => copy(lines.join("\n") + "\n") }),
    ]),
    element("ul", runs.map((one) => entryOf(origins, one))),
  );
  dialog.showModal();
};

// one cell of a table is reached by the tab key, the others by the arrows
const arrows = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const neighbour = (cell, [down, across]) => {
  let row = cell.parentElement;
  if (down) {
    const rows = [...row.closest("table").querySelectorAll("tbody tr, tfoot tr")].filter((one) => !one.hidden);
    row = rows[rows.indexOf(row) + down];
  }
  const found = row?.cells[cell.cellIndex + across];
  return found?.matches("td") ? found : null;
};

for (const section of document.querySelectorAll("section:has(script.origins)")) {
  const origins = JSON.parse(section.querySelector("script.origins").textContent);
  for (const table of section.querySelectorAll("table.sortable")) {
    const first = table.querySelector("tbody td");
    if (first) first.tabIndex = 0;
    const cellOf = (event) => event.target.closest("tbody td, tfoot td");
    table.addEventListener("click", (event) => { if (cellOf(event)) show(origins, cellOf(event)); });
    table.addEventListener("mouseover", (event) => {
      const cell = cellOf(event);
      if (!cell || cell.title) return;
      const { runs } = runsOf(origins, cell), keys = runs.slice(0, 3).map(({ run }) => `run ${run[0]}, seed ${run[3]}`);
      if (runs.length > 3) keys.push(`${runs.length - 3} more`);
      cell.title = keys.join("\n");
    });
    table.addEventListener("keydown", (event) => {
      const cell = cellOf(event);
      if (!cell) return;
      if (event.key === "Enter" || event.key === " ") show(origins, cell);
      else if (!arrows[event.key]) return;
      const next = arrows[event.key] && neighbour(cell, arrows[event.key]);
      if (next) {
        cell.tabIndex = -1;
        next.tabIndex = 0;
        next.focus();
      }
      event.preventDefault();
    });
  }
}
