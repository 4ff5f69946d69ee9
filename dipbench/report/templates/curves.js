// The curves of an experiment by uPlot: a panel of the signal that is chosen, and below it how well the data are fitted.
{
  const { make, select, summed } = dipbench, FIT = "psnr_measurement", FALLBACK = { psnr_ema: "psnr", ssim_ema: "ssim" };
  const { SHAPES, outline, symbol } = dipbench.marks;

  class Curves {
    constructor(experiment, place) {
      this.experiment = experiment;
      this.place = place;
      this.off = new Set();
      this.log = false;
      this.plots = [];
      this.area = make("div", { className: "plots", tabIndex: 0, role: "group" });
      this.legend = make("div", { className: "legend" });
      this.said = make("p", { className: "small reading-of", role: "status" });
      this.controls = make("p", { className: "controls" });
      place.append(this.controls, this.area, this.said, this.legend);
      this.addControls();
      experiment.addEventListener("image", () => this.show());
      experiment.addEventListener("iteration", ({ detail }) => detail.from !== this && this.follow());
      this.area.addEventListener("keydown", (event) => this.onKey(event));
      new ResizeObserver(() => this.resize()).observe(this.area);
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
      this.show();
    }

    addControls() {
      const { choice, field } = select("signal", [], (name) => { this.signal = name; this.draw(); });
      const log = make("input", { type: "checkbox", onchange: () => { this.log = log.checked; this.draw(); } });
      this.signals = choice;
      this.controls.append(this.experiment.imageChoice(), field, make("label", {}, log, " log axis"));
    }

    /** Another image: its signals, its methods, and the plots anew. */
    show() {
      this.data = this.experiment.data.curves;
      this.area.hidden = this.legend.hidden = !this.data;
      if (!this.data) { this.said.textContent = `No fit left a curve on ${this.experiment.image}.`; return; }
      this.x = summed(this.data.x);
      const names = Object.keys(this.data.signals).filter((name) => name !== FIT);
      this.signal = names.includes(this.signal) ? this.signal : names[0] || FIT;
      const titles = Object.entries(this.data.signals).filter(([name]) => name !== FIT || !names.length);
      this.signals.replaceChildren(...titles.map(([name, { title }]) => make("option", { value: name }, title)));
      this.signals.value = this.signal;
      const fitted = Object.values(this.data.signals).flatMap(({ lines }) => Object.keys(lines));
      this.methods = Object.keys(this.experiment.colours).filter((label) => fitted.includes(label));
      this.draw();
    }

    /** The line of a method: mean and deviation in the signal's unit; the raw one where there is no average. */
    line(signal, method) {
      const from = this.data.signals[signal].lines[method] ? signal : FALLBACK[signal];
      const { lines, digits } = this.data.signals[from] || { lines: {} };
      if (!lines[method]) return null;
      const mean = summed(lines[method].m, 10 ** digits), spread = lines[method].s && summed(lines[method].s, 10 ** digits);
      return { mean: this.x.map((_, at) => mean[at] ?? null), spread };
    }

    draw() {
      this.plots.forEach((plot) => plot.destroy());
      this.plots = [this.plot(this.signal, 300)];
      if (this.signal !== FIT && this.data.signals[FIT]) this.plots.push(this.plot(FIT, 150));
      this.drawLegend();
      this.read(null);
      this.area.setAttribute("aria-label", this.description());
    }

    colour(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }

    plot(signal, height) {
      const { title, unit, range, digits } = this.data.signals[signal], dB = unit === "dB";
      const lines = this.methods.map((method) => [method, this.line(signal, method)]).filter(([, line]) => line);
      const isGrey = ([method]) => this.experiment.grey.includes(method);
      lines.sort((one, other) => isGrey(other) - isGrey(one));  // below the others
      const series = [{}], data = [this.x], bands = [];
      for (const [method, { mean, spread }] of lines) {
        const stroke = this.experiment.colours[method], show = !this.off.has(method);
        data.push(mean);
        series.push({ label: method, stroke, width: isGrey([method]) ? 1 : 2, show, spanGaps: false, points: { show: false } });
        if (!spread) continue;
        for (const sign of [1, -1]) {
          data.push(mean.map((value, at) => (value === null ? null : value + sign * (spread[at] ?? 0))));
          series.push({ label: method, stroke: "transparent", width: 0, show, points: { show: false }, band: true });
        }
        bands.push({ series: [series.length - 2, series.length - 1], fill: `${stroke}33` });
      }
      const grid = { stroke: this.colour("--line"), width: 1 }, ink = this.colour("--quiet") || "#666";
      const axis = { stroke: ink, grid, ticks: { ...grid, size: 4 }, font: "12px system-ui, sans-serif", labelFont: "12px system-ui, sans-serif", labelSize: 20 };
      const upper = signal === this.signal;
      const plot = new uPlot({
        width: this.area.clientWidth || 600,
        height,
        series,
        bands,
        legend: { show: false },
        scales: { x: { time: false, distr: this.log ? 3 : 1, range: (_, first, last) => [first, last] }, y: range ? { range } : {} },
        axes: [
          { ...axis, label: upper && this.data.signals[FIT] && signal !== FIT ? undefined : "iteration", size: 34 },
          { ...axis, label: unit ? `${upper ? title.split(",")[0] : "data fit"} [${unit}]` : title, size: 52 },
        ],
        cursor: { y: false, sync: { key: this.experiment.name, setSeries: false }, drag: { x: true, y: false }, points: { size: 7 }, focus: { prox: 24 } },
        focus: { alpha: 1 },
        hooks: {
          setCursor: [(self) => upper && self.cursor.event && this.moved(self)],
          setSeries: [(self, index) => { self.near = index; }],
          draw: [(self) => { if (upper && dB) { this.drawLevels(self, digits); this.drawMarks(self); } this.drawIteration(self); }],
          ready: [(self) => self.over.addEventListener("click", () => this.clicked(self))],
        },
      }, data, this.area);
      plot.root.setAttribute("aria-hidden", "true");  // the group says what it shows
      return plot;
    }

    resize() {
      const width = this.area.clientWidth;
      if (width) this.plots.forEach((plot) => width !== plot.width && plot.setSize({ width, height: plot.height }));
    }

    drawLevels(plot) {
      const { ctx, bbox } = plot, [low, high] = [plot.scales.y.min, plot.scales.y.max];
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = this.colour("--quiet") || "#666";
      ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.lineWidth = devicePixelRatio;
      ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
      ctx.textAlign = "right";
      ctx.textBaseline = "bottom";
      let above = Infinity;  // the last name that was written, from the top down
      for (const [label, psnr] of Object.entries(this.data.levels)) {
        if (psnr < low || psnr > high || this.off.has(label)) continue;
        const y = plot.valToPos(psnr, "y", true);
        ctx.beginPath();
        ctx.moveTo(bbox.left, y);
        ctx.lineTo(bbox.left + bbox.width, y);
        ctx.stroke();
        if (Math.abs(y - above) > 12 * devicePixelRatio) {
          ctx.fillText(this.experiment.short[label] || label, bbox.left + bbox.width - 4, y - 3 * devicePixelRatio);
          above = y;
        }
      }
      ctx.restore();
    }

    /** The marks that belong to the lines that are shown: of an average on averages. */
    marks() {
      const averaged = this.signal.endsWith("_ema");
      const has = (method) => Boolean(this.data.signals[this.signal].lines[method]);
      return this.data.marks.filter((mark) => !this.off.has(mark.m) && mark.ema === (averaged && has(mark.m)));
    }

    shape(mark) {
      const rules = [...new Set(this.data.marks.filter(({ rule }) => rule).map(({ rule }) => rule))];
      return mark.rule ? SHAPES[rules.indexOf(mark.rule) % SHAPES.length] : mark.ema ? "diamond" : "circle";
    }

    drawMarks(plot) {
      const { ctx, bbox } = plot;
      ctx.save();
      ctx.beginPath();
      ctx.rect(bbox.left - 6, bbox.top - 6, bbox.width + 12, bbox.height + 6);
      ctx.clip();
      for (const mark of this.marks()) {
        const x = plot.valToPos(mark.i, "x", true), y = plot.valToPos(mark.p, "y", true);
        ctx.beginPath();
        outline(ctx, this.shape(mark), x, y, 5 * devicePixelRatio);
        ctx.fillStyle = this.colour("--paper") || "#fff";
        ctx.strokeStyle = this.experiment.colours[mark.m];
        ctx.lineWidth = 1.5 * devicePixelRatio;
        ctx.fill();
        ctx.stroke();
      }
      ctx.restore();
    }

    drawIteration(plot) {
      const at = this.experiment.iteration;
      if (at === null || at < plot.scales.x.min || at > plot.scales.x.max) return;
      const { ctx, bbox } = plot, x = plot.valToPos(at, "x", true);
      ctx.save();
      ctx.strokeStyle = this.colour("--accent") || "#22577a";
      ctx.lineWidth = devicePixelRatio;
      ctx.strokeRect(x, bbox.top, 0, bbox.height);
      ctx.restore();
    }

    /** The legend: a button a method, which hides its line and says its value. */
    drawLegend() {
      const line = (method) => this.line(this.signal, method), { unit, digits } = this.data.signals[this.signal];
      this.values = new Map();
      const button = (method, colour, value) => {
        const number = make("span", { className: "value" }, value);
        this.values.set(method, { number, line: line(method) });
        return make("button", { type: "button", title: method, "aria-pressed": String(!this.off.has(method)), onclick: () => this.toggle(method) },
          make("span", { className: "swatch", style: `--colour: ${colour}` }), this.experiment.short[method] || method, " ", number);
      };
      const fits = this.methods.map((method) => button(method, this.experiment.colours[method], ""));
      const levels = unit === "dB" ? Object.entries(this.data.levels) : [];
      const dashed = levels.map(([label, psnr]) => button(label, "transparent", psnr.toFixed(2)));
      dashed.forEach((one) => one.classList.add("level"));
      const kinds = new Map(this.marks().map((mark) => [mark.t, this.shape(mark)]));
      const marks = unit === "dB" ? [...kinds].map(([title, shape]) => make("span", { className: "mark" }, symbol(shape), ` ${title}`)) : [];
      this.legend.replaceChildren(...fits, ...dashed, ...marks);
      this.digits = Math.min(digits, 6);
    }

    toggle(method) {
      if (!this.off.delete(method)) this.off.add(method);
      this.draw();
      [...this.legend.querySelectorAll("button")].find(({ title }) => title === method)?.focus();
    }

    /** Says every value at a place of the grid; null: none. */
    read(at) {
      this.at = at;
      for (const { number, line } of this.values.values()) {
        if (line) number.textContent = at === null || line.mean[at] === null ? "" : this.text(line, at);
      }
      const many = this.methods.some((method) => this.line(this.signal, method)?.spread);
      const { title, unit } = this.data.signals[this.signal];
      const what = `${title}${unit ? ` [${unit}]` : ""}${many ? ", mean and standard deviation over the seeds" : ""}`;
      this.said.textContent = at === null ? `${what}. Point at the curves, or use the arrow keys.` : `Iteration ${this.x[at].toLocaleString("en")}: ${what}`;
    }

    text({ mean, spread }, at) {
      const deviation = spread && spread[at] !== null && spread[at] !== undefined ? ` ± ${spread[at].toFixed(this.digits)}` : "";
      return mean[at].toFixed(this.digits) + deviation;
    }

    moved(plot) {
      const { idx, left } = plot.cursor;
      if (left < 0 || idx === null || idx === undefined) { this.read(null); return; }
      this.read(idx);
      if (idx !== this.last) this.experiment.moveTo(this.x[(this.last = idx)], this);
    }

    clicked(plot) {
      const { idx } = plot.cursor;
      if (idx === null || idx === undefined) return;
      this.experiment.moveTo(this.x[idx], this, true, plot.near ? plot.series[plot.near].label : null);
      this.plots.forEach((one) => one.redraw(false));
    }

    onKey(event) {
      const step = { ArrowLeft: -1, ArrowRight: 1, PageDown: -20, PageUp: 20, Home: -Infinity, End: Infinity }[event.key];
      if (!step) return;
      event.preventDefault();
      const at = Math.max(0, Math.min(this.x.length - 1, (this.at ?? 0) + step * (event.shiftKey ? 10 : 1)));
      this.experiment.moveTo(this.x[at], this);
      this.follow();
    }

    /** Shows where the experiment is. */
    follow() {
      if (!this.data) return;
      const at = nearest(this.x, this.experiment.iteration);
      this.read(at);
      this.plots.forEach((plot) => {
        plot.redraw(false);
        plot.setCursor({ left: plot.valToPos(this.x[at], "x"), top: 10 });
      });
    }

    /** For who cannot see it: the highest value of each line. */
    description() {
      const { title, unit } = this.data.signals[this.signal];
      const peaks = this.methods.map((method) => {
        const line = this.line(this.signal, method), values = line ? line.mean.filter((value) => value !== null) : [];
        if (!values.length) return "";
        const most = Math.max(...values);
        return `${method}: highest ${most.toFixed(2)} at iteration ${this.x[line.mean.indexOf(most)]}, last ${values.at(-1).toFixed(2)}`;
      });
      return `${title}${unit ? ` in ${unit}` : ""} against iteration on ${this.experiment.image}. ${peaks.filter(Boolean).join("; ")}.`;
    }
  }

  function nearest(sorted, value) {
    return sorted.reduce((best, one, at) => (Math.abs(one - value) < Math.abs(sorted[best] - value) ? at : best), 0);
  }

  dipbench.onExperiment((experiment) => {
    const place = experiment.section.querySelector(".explore-curves");
    if (!place) return;
    place.hidden = false;
    experiment.section.querySelectorAll(".static-curves").forEach((figure) => figure.classList.add("replaced"));
    experiment.curves = new Curves(experiment, place);
  });
}
