// The map of a sweep: the PSNR of one method over two of its settings, of one image or the mean of all.
{
  const { make, select } = dipbench, ALL = "";

  class HeatMap {
    constructor(experiment, place) {
      this.sweep = experiment.sweep;
      this.images = Object.keys(Object.values(this.sweep.psnr)[0]);
      this.image = ALL;
      this.output = Object.keys(this.sweep.outputs)[0];
      const output = select("output", Object.entries(this.sweep.outputs), (name) => { this.output = name; this.draw(); });
      const choices = [[ALL, "mean of all"], ...this.images.map((name) => [name, name])];
      const image = select("image", choices, (name) => { this.image = name; this.draw(); });
      this.table = make("table", { className: "heat" });
      const box = make("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": `PSNR of ${this.sweep.method}` }, this.table);
      place.append(make("p", { className: "controls" }, output.field, image.field), box);
      this.draw();
    }

    /** The PSNR of a cell; null where there is none. */
    value(cell) {
      const images = this.image === ALL ? this.images : [this.image];
      const found = images.map((name) => this.sweep.psnr[this.output][name]?.[cell] ?? null).filter((value) => value !== null);
      return found.length ? found.reduce((sum, value) => sum + value, 0) / found.length : null;
    }

    draw() {
      const { rows, columns, settings, outputs } = this.sweep;
      const values = this.sweep.labels.map((_, cell) => this.value(cell)), known = values.filter((value) => value !== null);
      const low = Math.min(...known), high = Math.max(...known);
      const cell = (value) => {
        if (value === null) return make("td", {}, "–");
        const share = high > low ? (value - low) / (high - low) : 1;
        return make("td", { className: value === high ? "best" : "", style: `--share: ${Math.round(100 * share)}%` }, value.toFixed(2));
      };
      const head = make("tr", {}, make("th", { scope: "col" }, `${settings[0]} \\ ${settings[1]}`), ...columns.map((name) => make("th", { scope: "col" }, name)));
      const body = rows.map((name, row) => make("tr", {}, make("th", { scope: "row" }, name), ...columns.map((_, column) => cell(values[row * columns.length + column]))));
      const where = this.image === ALL ? `mean of ${this.images.length} image${this.images.length > 1 ? "s" : ""}` : this.image;
      this.table.replaceChildren(make("caption", {}, `PSNR [dB] of ${this.sweep.method}, ${outputs[this.output]}, ${where}`), make("thead", {}, head), make("tbody", {}, ...body));
    }
  }

  dipbench.onExperiment((experiment) => {
    const place = experiment.section.querySelector(".explore-heat");
    if (!place || !experiment.sweep) return;
    place.hidden = false;
    experiment.section.querySelectorAll(".static-heat").forEach((figure) => figure.classList.add("replaced"));
    new HeatMap(experiment, place);
  });
}
