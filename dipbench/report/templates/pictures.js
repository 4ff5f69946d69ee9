// The pictures of an experiment: any two of them by a wipe, their difference or in turn, a loupe over all, and the way
// of a fit. Differences are made by CSS, since a page from a disk may not read the pixels of its pictures.
{
  const { make, select, address } = dipbench;
  const WAYS = { wipe: "wipe", difference: "difference ×4", flip: "flip" };

  class Pictures {
    constructor(experiment, place) {
      this.experiment = experiment;
      this.way = "wipe";
      this.share = 50;  // per cent of the width that the left picture has
      this.flipped = false;
      this.loupe = false;
      this.at = [50, 50];  // of the loupe, in per cent
      this.stage = make("div", { className: "stage", tabIndex: 0, role: "img" });
      this.one = make("img", { alt: "" });
      this.other = make("img", { alt: "" });
      const layer = (image) => make("span", { className: "layer" }, image);
      this.stage.append(layer(this.one), layer(this.other), make("span", { className: "edge" }));
      this.caption = make("p", { className: "small under", role: "status" });
      this.tiles = make("div", { className: "picks" });
      place.append(this.controls(), make("div", { className: "compare" }, make("div", { className: "seen" }, this.stage, this.slider(), this.scrubber(), this.caption, this.help()), this.tiles));
      this.listen();
      this.show();
    }

    controls() {
      const left = select("left", [], (number) => { this.left = Number(number); this.draw(); });
      const right = select("right", [], (number) => { this.right = Number(number); this.draw(); });
      this.choices = [left.choice, right.choice];
      const name = `way-${this.experiment.name}`;
      this.ways = Object.entries(WAYS).map(([way, title]) => {
        const radio = make("input", { type: "radio", name, value: way, checked: way === this.way, onchange: () => this.go(way) });
        return make("label", {}, radio, ` ${title}`);
      });
      this.loupeBox = make("input", { type: "checkbox", onchange: () => this.setLoupe(this.loupeBox.checked) });
      const ways = make("span", { role: "radiogroup", "aria-label": "how two pictures are compared", className: "ways" }, ...this.ways);
      return make("p", { className: "controls" }, this.experiment.imageChoice(), left.field, right.field, ways, make("label", {}, this.loupeBox, " loupe"));
    }

    slider() {
      this.wipe = make("input", { type: "range", min: 0, max: 100, value: this.share, "aria-label": "how much is of the left picture" });
      this.wipe.addEventListener("input", () => { this.share = Number(this.wipe.value); this.draw(); });
      return this.wipe;
    }

    /** The way of a fit: a choice of the fit and a slider over what was kept of it. */
    scrubber() {
      const { choice, field } = select("on the way", [], () => this.scrub(Number(this.range.value)));
      this.fits = choice;
      this.range = make("input", { type: "range", min: 0, "aria-label": "iteration" });
      this.range.addEventListener("input", () => {
        this.scrub(Number(this.range.value));
        this.experiment.moveTo(this.frames()[Number(this.range.value)].i, this);
      });
      this.iteration = make("output", {});
      this.film = make("p", { className: "controls film" }, field, this.range, this.iteration);
      return this.film;
    }

    help() {
      return make("p", { className: "small keys" }, "Keys: ", ...[["w", "wipe"], ["d", "difference"], ["f", "flip"], ["l", "loupe"], ["← →", "other picture"], ["⇧ ← →", "move the wipe or the loupe"]].flatMap(([key, what]) => [make("kbd", {}, key), ` ${what}  `]));
    }

    listen() {
      this.experiment.addEventListener("image", () => this.show());
      this.experiment.addEventListener("iteration", ({ detail }) => detail.from !== this && this.follow(detail));
      this.stage.addEventListener("keydown", (event) => this.onKey(event));
      this.stage.addEventListener("pointermove", (event) => this.onPointer(event));
      this.stage.addEventListener("pointerdown", (event) => { this.stage.focus({ preventScroll: true }); this.onPointer(event, true); });
      this.tiles.addEventListener("pointermove", (event) => {
        const frame = event.target.closest(".frame");
        if (this.loupe && frame) this.look(event, frame);
      });
    }

    /** Another image: its tiles, the truth on the left and the first fit on the right. */
    show() {
      const found = this.experiment.data.pictures;
      this.stage.parentElement.hidden = this.tiles.hidden = !found;
      if (!found) return;
      this.all = found.tiles;
      this.all.forEach((tile) => { tile.name = tile.title + (tile.p === undefined ? "" : ` ${tile.p.toFixed(2)} dB`); });
      const options = () => this.all.map((tile, number) => make("option", { value: number }, tile.title));
      this.choices.forEach((choice) => choice.replaceChildren(...options()));
      const same = (title) => this.all.findIndex((tile) => tile.title === title);
      const truth = Math.max(0, this.all.findIndex((tile) => tile.given === "truth"));
      const fit = this.all.findIndex((tile) => tile.i && tile.main), output = this.all.findIndex((tile) => tile.m);
      this.left = this.titles ? Math.max(0, same(this.titles[0])) : truth;
      this.right = this.titles && same(this.titles[1]) >= 0 ? same(this.titles[1]) : Math.max(fit, 0) || Math.max(output, 0);
      this.showTiles();
      this.showFilms(found.films);
      this.draw();
    }

    showTiles() {
      this.buttons = this.all.map((tile, number) => make("button", { type: "button", className: "pick", title: `show ${tile.title} on the right`, onclick: () => { this.right = number; this.frame = null; this.draw(); } },
        make("span", { className: "frame" }, make("img", { src: address(tile, true), alt: `${this.experiment.image}, ${tile.name}`, loading: "lazy", className: tile.w < 256 ? "pixels" : "", width: tile.w, height: tile.h })),
        make("span", { className: "name" }, tile.title, make("br"), make("span", { className: "quiet" }, tile.p === undefined ? "" : `${tile.p.toFixed(2)} dB`, tile.protocol ? `, by another protocol: ${tile.protocol}` : ""))));
      const whole = (tile) => (dipbench.isOneFile() ? "" : make("a", { href: tile.f, target: "_blank", className: "small" }, "PNG"));
      this.tiles.replaceChildren(...this.all.map((tile, number) => make("div", {}, this.buttons[number], whole(tile))));
    }

    showFilms(films) {
      this.films = films;
      const names = Object.keys(films), before = this.fits.value;
      this.film.hidden = !names.length;
      this.fits.replaceChildren(...names.map((name) => make("option", { value: name }, this.experiment.short[name] || name)));
      if (names.includes(before)) this.fits.value = before;
      this.frame = null;
      if (names.length) this.scrub(this.frames().length - 1, false);
    }

    frames() { return this.films[this.fits.value] || []; }

    /** Moves the slider to a frame, and shows it on the right. */
    scrub(number, shown = true) {
      const frames = this.frames();
      this.range.max = frames.length - 1;
      this.range.value = number = Math.min(number, frames.length - 1);
      const frame = frames[number], psnr = frame.p === undefined ? "" : `, ${frame.p.toFixed(2)} dB`;
      this.iteration.value = `iteration ${frame.i.toLocaleString("en")}${psnr}`;
      this.range.setAttribute("aria-valuetext", this.iteration.value);
      if (!shown) return;
      const like = this.all.find((tile) => tile.m === this.fits.value);
      this.frame = { ...like, ...frame, name: `${this.fits.value}, ${this.iteration.value}` };
      this.draw();
    }

    /** The crosshair of the curves was moved: the nearest frame; a click also chooses the fit. */
    follow({ chosen, method }) {
      if (!this.films || !Object.keys(this.films).length) return;
      if (chosen && this.films[method]) this.fits.value = method;
      const at = Math.log(this.experiment.iteration), frames = this.frames();
      const far = (frame) => Math.abs(Math.log(frame.i) - at);
      const number = frames.reduce((best, frame, place) => (far(frame) < far(frames[best]) ? place : best), 0);
      this.scrub(number, chosen || this.frame !== null);
    }

    go(way) {
      if (way === "flip" && this.way === "flip") this.flipped = !this.flipped;
      this.way = way;
      this.ways.forEach((label) => { label.firstChild.checked = label.firstChild.value === way; });
      this.draw();
    }

    setLoupe(on) {
      this.loupe = this.loupeBox.checked = on;
      if (on) this.tiles.querySelectorAll("img").forEach((image, number) => { image.src = address(this.all[number]); });
      this.draw();
    }

    draw() {
      const left = this.all[this.left], right = this.frame || this.all[this.right];
      this.titles = [left.title, this.all[this.right].title];
      this.one.src = address(left);
      this.other.src = address(right);
      for (const [image, picture] of [[this.one, left], [this.other, right]]) image.classList.toggle("pixels", picture.w < 512);
      this.stage.style.aspectRatio = `${Math.max(left.w, right.w)} / ${Math.max(left.h, right.h)}`;
      this.stage.className = `stage ${this.way}${this.flipped ? " flipped" : ""}`;
      this.stage.style.setProperty("--share", `${this.share}%`);
      this.wipe.hidden = this.way !== "wipe";
      this.wipe.value = this.share;
      this.choices[0].value = this.left;
      this.choices[1].value = this.right;
      this.buttons.forEach((button, number) => button.setAttribute("aria-pressed", String(number === this.right && !this.frame)));
      for (const area of [this.stage, this.tiles]) {
        area.classList.toggle("loupe", this.loupe);
        area.style.setProperty("--at", `${this.at[0]}% ${this.at[1]}%`);
      }
      this.caption.textContent = this.words(left, right);
      this.stage.setAttribute("aria-label", `${this.experiment.image}: ${this.caption.textContent}`);
    }

    words(left, right) {
      const inexact = dipbench.isOneFile() ? ". The pictures of this file are compressed; the report's folder has them as they are" : "";
      const said = { wipe: `left ${left.name}, right ${right.name}`, difference: `difference of ${left.name} and ${right.name}, ×4`, flip: this.flipped ? left.name : right.name };
      return said[this.way] + inexact;
    }

    onPointer(event, pressed = false) {
      if (this.loupe) this.look(event, this.stage);
      else if (this.way === "wipe" && (pressed || event.buttons)) {
        const { left, width } = this.stage.getBoundingClientRect();
        this.share = Math.round(Math.max(0, Math.min(100, (100 * (event.clientX - left)) / width)));
        this.draw();
      } else if (this.way === "flip" && pressed) this.go("flip");
    }

    /** Puts the loupe of all pictures where the pointer is on one. */
    look(event, frame) {
      const { left, top, width, height } = frame.getBoundingClientRect();
      this.at = [(100 * (event.clientX - left)) / width, (100 * (event.clientY - top)) / height].map((place) => Math.max(0, Math.min(100, place)));
      this.draw();
    }

    onKey(event) {
      const { key, shiftKey } = event, side = { ArrowLeft: -1, ArrowRight: 1 }[key], up = { ArrowUp: -1, ArrowDown: 1 }[key];
      const acts = { w: () => this.go("wipe"), d: () => this.go("difference"), f: () => this.go("flip"), l: () => this.setLoupe(!this.loupe) };
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (acts[key.toLowerCase()]) acts[key.toLowerCase()]();
      else if (side && !shiftKey) this.step(side);
      else if (shiftKey && this.loupe && (side || up)) this.nudge(side || 0, up || 0);
      else if (shiftKey && side) { this.share = Math.max(0, Math.min(100, this.share + 5 * side)); this.draw(); }
      else return;
      event.preventDefault();
    }

    step(by) {
      this.right = (this.right + by + this.all.length) % this.all.length;
      this.frame = null;
      this.draw();
    }

    nudge(dx, dy) {
      this.at = [this.at[0] + 5 * dx, this.at[1] + 5 * dy].map((place) => Math.max(0, Math.min(100, place)));
      this.draw();
    }
  }

  dipbench.onExperiment((experiment) => {
    const place = experiment.section.querySelector(".explore-pictures");
    if (!place) return;
    place.hidden = false;
    experiment.section.querySelectorAll(".static-pictures").forEach((pictures) => pictures.classList.add("replaced"));
    experiment.pictures = new Pictures(experiment, place);
  });
}
