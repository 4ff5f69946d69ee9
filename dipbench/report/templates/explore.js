// What the curves and the pictures of an experiment share: its data, which are loaded image by image, and what is
// looked at. Without this file, or without what it loads, the page shows its figures and pictures as they are.
window.dipbench = (() => {
  const inlined = new Map(), got = new Map(), wanted = new Map();
  let unpacked = Promise.resolve();

  /** An element with these properties and children. */
  function make(tag, properties = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name in element) element[name] = value;
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }

  /** A select with a label before it; `options` are pairs of value and text. */
  function select(label, options, onchange) {
    const choice = make("select", { "aria-label": label }, ...options.map(([value, text]) => make("option", { value }, text)));
    choice.addEventListener("change", () => onchange(choice.value));
    return { choice, field: make("label", {}, `${label} `, choice) };
  }

  /** The content of one of the files in `explore/`, which calls `dipbench.got`. */
  async function load(file) {
    await unpacked;
    if (got.has(file)) return got.get(file);
    if (!wanted.has(file)) {
      wanted.set(file, new Promise((found, failed) => {
        document.head.append(make("script", { src: file, onload: () => found(got.get(file)), onerror: failed }));
      }));
    }
    return wanted.get(file);
  }

  /** Takes what a report of one file holds compressed: the files of `explore/` as a script, and those to be saved. */
  async function unpack(text) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const { script, files } = await new Response(stream).json();
    document.head.append(make("script", { textContent: script }));
    for (const held of document.querySelectorAll("[data-file]")) held.replaceWith(saving(held, files[held.dataset.file]));
  }

  /** A link that saves a text, in place of the words for it. */
  function saving(words, text) {
    const name = words.dataset.file.split("/").pop();
    return make("a", { href: URL.createObjectURL(new Blob([text])), download: name }, words.textContent);
  }

  /** The address of a picture: in a report of one file that of the small one, which is all that there is. */
  function address(picture, small = false) {
    return inlined.get(picture.f) || (small ? picture.s : picture.f) || picture.f;
  }

  /** Numbers from their differences; null stays. */
  function summed(differences, scale = 1) {
    let last = 0;
    return differences.map((step) => (step === null ? null : (last += step) / scale));
  }

  /** An experiment on the page: says "image" when another is looked at, "iteration" when the crosshair moves. */
  class Experiment extends EventTarget {
    constructor(section, config) {
      super();
      Object.assign(this, config, { section, data: null, iteration: null });
    }

    async look(image) {
      this.image = image;
      const data = await load(this.images[image]);
      if (this.image !== image) return;  // meanwhile another was asked for
      this.data = data;
      this.dispatchEvent(new Event("image"));
    }

    /** `from` is who moved it, `chosen` whether by a click, and then `method` whose curve was meant. */
    moveTo(iteration, from, chosen = false, method = null) {
      this.iteration = iteration;
      this.dispatchEvent(new CustomEvent("iteration", { detail: { from, chosen, method } }));
    }

    /** A choice of the image that follows when it is changed elsewhere; null where there is only one. */
    imageChoice() {
      const names = Object.keys(this.images);
      const { choice, field } = select("image", names.map((name) => [name, name]), (name) => this.look(name));
      this.addEventListener("image", () => { choice.value = this.image; });
      field.hidden = names.length < 2;
      return field;
    }
  }

  const builders = [];

  /** Builds every experiment that comes near the window. */
  function start() {
    for (const shown of document.querySelectorAll("img[data-picture]")) inlinedFrom(shown);
    const near = new IntersectionObserver((entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => {
      near.unobserve(entry.target);
      build(entry.target);
    }), { rootMargin: "600px" });
    document.querySelectorAll(".explore-data").forEach((data) => near.observe(data.closest("section")));
  }

  function inlinedFrom(shown) {
    if (shown.src.startsWith("data:")) inlined.set(shown.dataset.picture, shown.src);
  }

  function build(section) {
    const experiment = new Experiment(section, JSON.parse(section.querySelector(".explore-data").textContent));
    experiment.looking = experiment.look(Object.keys(experiment.images)[0]);
    experiment.looking.then(() => builders.forEach((builder) => builder(experiment)), () => {});
  }

  document.addEventListener("DOMContentLoaded", start);
  return {
    make, select, address, summed,
    got: (file, data) => got.set(file, data),
    inlined: (pictures) => Object.entries(pictures).forEach(([name, uri]) => inlined.set(name, uri)),
    unpack: (text) => { unpacked = unpack(text).catch(() => {}); },  // the figures stay where a browser cannot
    onExperiment: (builder) => builders.push(builder),
    isOneFile: () => inlined.size > 0,
  };
})();
