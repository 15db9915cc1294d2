// The pages of a report below each other. Only pages near the window are drawn, so that long reports open at once and stay
// small in memory.

const cssUnits = 96 / 72; // PDF counts in points
const steps = [0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4];
const maxPixels = 16 * 1024 * 1024; // browsers draw nothing on larger canvases
const margin = 18; // room beside a page for its shadow and a scroll bar

// Events tell what happened: page (another one is current), scale, and text (that of the page in detail is there).
export class Pages extends EventTarget {
  #pdfjs;
  #report;
  #frame;
  #sheets = [];
  #observer;
  mode = "auto";
  scale = 1;
  current = 1;

  constructor(pdfjs, report, frame) {
    super();
    this.#pdfjs = pdfjs;
    this.#report = report;
    this.#frame = frame;
  }

  // show puts a sheet of the right size in place for every page.
  async show() {
    const first = await this.#report.getPage(1);
    for (let number = 1; number <= this.#report.numPages; number++) {
      const sheet = new Sheet(this.#pdfjs, this.#report, number, first.getViewport({ scale: 1 }), this);
      this.#sheets.push(sheet);
      this.#frame.append(sheet.element);
    }
    this.#layout();
    this.#observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        const sheet = this.#sheets[target.dataset.page - 1];
        if (isIntersecting) sheet.draw(this.scale);
        else sheet.clear();
      }
    }, { root: this.#frame, rootMargin: "150% 0%" });
    for (const sheet of this.#sheets) this.#observer.observe(sheet.element);
    this.#frame.addEventListener("scroll", () => this.#track(), { passive: true });
    new ResizeObserver(() => { if (typeof this.mode === "string") this.#rescale(); }).observe(this.#frame);
    await this.#sheets[0].draw(this.scale);
  }

  sheet(number) { return this.#sheets[number - 1]; }

  go(number) {
    if (!(number >= 1 && number <= this.#sheets.length)) return;
    this.#frame.scrollTop = this.sheet(number).element.offsetTop - this.#frame.offsetTop - 12;
    this.#turnTo(number);
  }

  // zoom takes auto, width, page, or a factor.
  zoom(mode) {
    this.mode = Number(mode) || mode;
    this.#rescale();
  }

  zoomIn() { this.zoom(steps.find((step) => step > this.scale + 0.01) ?? steps.at(-1)); }

  zoomOut() { this.zoom(steps.findLast((step) => step < this.scale - 0.01) ?? steps[0]); }

  // changed is called by a sheet whose page turned out to have another size than the first.
  changed() { this.#layout(); }

  #factor() {
    if (typeof this.mode === "number") return this.mode;
    const { width, height } = this.#sheets[this.current - 1].size;
    const padding = Number.parseFloat(getComputedStyle(this.#frame).paddingLeft);
    const fitWidth = (this.#frame.clientWidth - 2 * padding - (this.#frame.clientWidth > 600 ? margin : 0)) / (width * cssUnits);
    if (this.mode === "width") return fitWidth;
    if (this.mode === "page") return Math.min(fitWidth, (this.#frame.clientHeight - 2 * padding) / (height * cssUnits));
    return Math.min(fitWidth, 1.25); // beyond that, lines get longer than is good to read
  }

  #rescale() {
    const sheet = this.#sheets[this.current - 1].element;
    const offset = (this.#frame.scrollTop - sheet.offsetTop) / (sheet.offsetHeight || 1);
    const before = this.scale;
    this.#layout();
    if (Math.abs(before - this.scale) < 0.001) return;
    this.#frame.scrollTop = sheet.offsetTop + offset * sheet.offsetHeight;
    for (const other of this.#sheets) other.refresh(this.scale);
  }

  #layout() {
    this.scale = Math.min(Math.max(this.#factor(), 0.1), 4);
    for (const sheet of this.#sheets) sheet.resize(this.scale);
    this.dispatchEvent(new Event("scale"));
  }

  #track() {
    const middle = this.#frame.offsetTop + this.#frame.scrollTop + this.#frame.clientHeight / 3;
    let number = this.#sheets.findIndex(({ element }) => element.offsetTop + element.offsetHeight > middle) + 1;
    if (this.#frame.scrollTop + this.#frame.clientHeight >= this.#frame.scrollHeight - 2) number = this.#lastFullyVisible(number);
    this.#turnTo(number || this.#sheets.length);
  }

  // At the end of the report, short pages cannot reach the top of the window.
  #lastFullyVisible(number) {
    const end = this.#frame.offsetTop + this.#frame.scrollTop + this.#frame.clientHeight;
    const last = this.#sheets.findLastIndex(({ element }) => element.offsetTop + element.offsetHeight <= end) + 1;
    return Math.max(number, last);
  }

  #turnTo(number) {
    if (number === this.current) return;
    this.current = number;
    this.dispatchEvent(new Event("page"));
  }
}

class Sheet {
  #pdfjs;
  #report;
  #pages;
  #number;
  #known = false; // whether size is that of the page itself
  #drawn = 0; // the scale of what is to be seen, 0 for nothing
  #wanted = 0;
  #task = null;
  text = null; // resolves to the elements of the text layer once the page is drawn

  constructor(pdfjs, report, number, size, pages) {
    this.#pdfjs = pdfjs;
    this.#report = report;
    this.#pages = pages;
    this.#number = number;
    this.size = size;
    this.element = document.createElement("div");
    this.element.className = "sheet";
    this.element.dataset.page = number;
    this.element.setAttribute("role", "region");
    this.element.setAttribute("aria-label", `Page ${number}`);
  }

  resize(scale) {
    const { style } = this.element;
    style.width = `${Math.floor(this.size.width * scale * cssUnits)}px`;
    style.height = `${Math.floor(this.size.height * scale * cssUnits)}px`;
    style.setProperty("--total-scale-factor", scale * cssUnits);
  }

  // refresh draws again what is to be seen at another scale. Until that is done, the browser stretches the old drawing.
  refresh(scale) { if (this.#wanted) this.draw(scale); }

  clear() {
    this.#wanted = this.#drawn = 0;
    this.#task?.cancel();
    this.#task = null;
    this.text = null;
    for (const canvas of this.element.querySelectorAll("canvas")) canvas.width = canvas.height = 0; // gives memory back at once
    this.element.replaceChildren();
  }

  async draw(scale) {
    if (this.#wanted === scale) return;
    this.#wanted = scale;
    this.#task?.cancel();
    const page = await this.#report.getPage(this.#number);
    if (this.#wanted !== scale) return;
    this.#measure(page);
    const viewport = page.getViewport({ scale: scale * cssUnits });
    const canvas = document.createElement("canvas");
    const density = Math.min(window.devicePixelRatio || 1, Math.sqrt(maxPixels / (viewport.width * viewport.height)));
    canvas.width = Math.floor(viewport.width * density);
    canvas.height = Math.floor(viewport.height * density);
    this.#task = page.render({ canvas, viewport, transform: density === 1 ? null : [density, 0, 0, density, 0, 0] });
    try {
      await this.#task.promise;
    } catch (error) {
      if (error?.name === "RenderingCancelledException") return;
      throw error;
    }
    if (this.#wanted !== scale) return;
    this.#drawn = scale;
    this.element.replaceChildren(canvas);
    this.element.dataset.drawn = scale;
    this.text = this.#addText(page, viewport);
    await Promise.all([this.text, this.#addLinks(page, viewport)]);
    this.#pages.dispatchEvent(new CustomEvent("text", { detail: this.#number }));
  }

  #measure(page) {
    if (this.#known) return;
    this.#known = true;
    const size = page.getViewport({ scale: 1 });
    const differs = size.width !== this.size.width || size.height !== this.size.height;
    this.size = size;
    if (differs) this.#pages.changed();
  }

  async #addText(page, viewport) {
    const container = document.createElement("div");
    container.className = "text";
    const layer = new this.#pdfjs.TextLayer({ textContentSource: page.streamTextContent(), container, viewport });
    await layer.render();
    this.element.append(container);
    return layer.textDivs;
  }

  // Links within the report are followed; those to elsewhere open a window of their own that does not know where from.
  async #addLinks(page, viewport) {
    for (const annotation of await page.getAnnotations()) {
      if (annotation.subtype !== "Link" || (!annotation.url && !annotation.dest)) continue;
      const [x1, y1, x2, y2] = viewport.convertToViewportRectangle(annotation.rect);
      const link = document.createElement("a");
      link.className = "link";
      link.style.left = `${(100 * Math.min(x1, x2)) / viewport.width}%`;
      link.style.top = `${(100 * Math.min(y1, y2)) / viewport.height}%`;
      link.style.width = `${(100 * Math.abs(x2 - x1)) / viewport.width}%`;
      link.style.height = `${(100 * Math.abs(y2 - y1)) / viewport.height}%`;
      if (annotation.url) {
        Object.assign(link, { href: annotation.url, target: "_blank", rel: "noopener noreferrer", title: annotation.url });
      } else {
        link.href = "#";
        link.onclick = (event) => { event.preventDefault(); this.#follow(annotation.dest); };
      }
      this.element.append(link);
    }
  }

  async #follow(destination) {
    const target = typeof destination === "string" ? await this.#report.getDestination(destination) : destination;
    if (target?.[0] !== undefined) this.#pages.go((await this.#report.getPageIndex(target[0])) + 1);
  }
}
