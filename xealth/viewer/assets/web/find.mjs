// Finds text in a report. A match is marked as a whole piece of text, as the PDF places it.

export class Find {
  #report;
  #pages;
  #contents = []; // the pieces of text of each page
  #query = "";
  #matches = []; // page and piece
  #position = -1;

  constructor(report, pages) {
    this.#report = report;
    this.#pages = pages;
  }

  clear() {
    this.#query = "";
    this.#unmark();
    return "";
  }

  // next goes to the next match, and returns what to tell about it.
  async next(text) {
    const query = text.trim().toLowerCase();
    if (query === "") return this.clear();
    if (query !== this.#query) {
      this.#query = query;
      this.#matches = await this.#search(query);
      this.#position = -1;
    }
    this.#unmark();
    if (this.#matches.length === 0) return "Not found";
    this.#position = (this.#position + 1) % this.#matches.length;
    await this.#show(this.#matches[this.#position]);
    return `${this.#position + 1} of ${this.#matches.length}`;
  }

  async #search(query) {
    const matches = [];
    for (let page = 1; page <= this.#report.numPages; page++) {
      const pieces = await this.#content(page);
      pieces.forEach((piece, index) => { if (piece.includes(query)) matches.push({ page, index }); });
    }
    return matches;
  }

  async #content(number) {
    if (!this.#contents[number]) {
      const { items } = await (await this.#report.getPage(number)).getTextContent();
      // Items without a text of their own have no element in the text layer.
      this.#contents[number] = items.filter((item) => item.str !== undefined).map((item) => item.str.toLowerCase());
    }
    return this.#contents[number];
  }

  async #show({ page, index }) {
    const sheet = this.#pages.sheet(page);
    if (!sheet.text) await sheet.draw(this.#pages.scale);
    const elements = await sheet.text;
    for (const match of this.#matches) if (match.page === page) elements?.[match.index]?.classList.add("match");
    elements?.[index]?.classList.add("current");
    this.#pages.go(page);
    elements?.[index]?.scrollIntoView({ block: "nearest" });
  }

  #unmark() {
    for (const element of document.querySelectorAll(".text .match")) element.classList.remove("match", "current");
  }
}
