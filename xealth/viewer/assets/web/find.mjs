// Finds text in a report, and marks it where it stands. A PDF places text in pieces that end anywhere, also within a word; so
// the pieces of a page are joined for the search, and a match may be parts of several.

export class Find {
  #report;
  #pages;
  #contents = []; // of each page: its text, and of each character of that the piece and the place there
  #query = "";
  #matches = []; // page, start, end
  #position = -1;
  #turn = Promise.resolve();

  constructor(report, pages) {
    this.#report = report;
    this.#pages = pages;
    pages.addEventListener("text", ({ detail }) => { if (this.#query) this.#mark(detail); });
  }

  clear() {
    this.#query = "";
    this.#matches = [];
    this.#unmark();
    return "";
  }

  // go leads to the next match, or with -1 to the one before, and returns what to tell about it. One search follows the other,
  // so that whoever is faster than a long report gets to the right place.
  go(text, step = 1) {
    this.#turn = this.#turn.catch(() => {}).then(() => this.#go(text, step));
    return this.#turn;
  }

  async #go(text, step) {
    const query = fold(text).text.replace(/ +/g, " ").trim();
    if (query === "") return this.clear();
    if (query !== this.#query) {
      this.#unmark();
      this.#query = query;
      this.#matches = await this.#search(query);
      this.#position = step > 0 ? -1 : this.#matches.length;
    }
    const count = this.#matches.length;
    if (count === 0) return "Not found";
    this.#position = (this.#position + step + count) % count;
    await this.#show(this.#matches[this.#position].page);
    return `${this.#position + 1} of ${count}`;
  }

  async #search(query) {
    const matches = [];
    for (let page = 1; page <= this.#report.numPages; page++) {
      const { text } = await this.#content(page);
      for (let start = text.indexOf(query); start !== -1; start = text.indexOf(query, start + query.length)) {
        matches.push({ page, start, end: start + query.length });
      }
    }
    return matches;
  }

  async #content(number) {
    if (!this.#contents[number]) {
      const { items } = await (await this.#report.getPage(number)).getTextContent();
      // Items without a text of their own have no element in the text layer.
      this.#contents[number] = join(items.filter((item) => item.str !== undefined));
    }
    return this.#contents[number];
  }

  async #show(page) {
    const sheet = this.#pages.sheet(page);
    if (!sheet.text) await sheet.draw(this.#pages.scale);
    await sheet.text;
    this.#unmark();
    for (const other of new Set(this.#matches.map((match) => match.page))) await this.#mark(other);
    this.#pages.go(page);
    document.querySelector(".text mark.current")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  // mark marks the matches on a page, if that is drawn.
  async #mark(page) {
    const elements = await this.#pages.sheet(page).text;
    if (!elements) return;
    const content = await this.#content(page);
    const parts = new Map(); // by piece
    this.#matches.forEach((match, index) => {
      if (match.page !== page) return;
      for (const part of partsOf(content, match)) {
        parts.set(part.piece, [...(parts.get(part.piece) ?? []), { ...part, current: index === this.#position }]);
      }
    });
    for (const [piece, marks] of parts) paint(elements[piece], marks);
  }

  #unmark() {
    for (const mark of document.querySelectorAll(".text mark")) {
      const piece = mark.parentNode;
      mark.replaceWith(...mark.childNodes);
      piece.normalize();
    }
  }
}

// fold returns text without what people leave out when they search: case, accents, ligatures, kinds of blanks. origins holds
// which part of the original each character comes from.
function fold(original) {
  let text = "";
  const origins = [];
  let start = 0;
  for (const character of original) {
    const folded = character.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/\s/gu, " ");
    for (let i = 0; i < folded.length; i++) origins.push({ start, end: start + character.length });
    text += folded;
    start += character.length;
  }
  return { text, origins };
}

// join makes one text of the pieces of a page. The end of a line is a blank, and several blanks are one.
function join(pieces) {
  let text = "";
  const origins = [];
  const add = (character, origin) => {
    if (character === " " && (text === "" || text.endsWith(" "))) return;
    text += character;
    origins.push(origin);
  };
  pieces.forEach(({ str, hasEOL }, piece) => {
    const folded = fold(str);
    folded.origins.forEach((origin, i) => add(folded.text[i], { piece, ...origin }));
    if (hasEOL) add(" ", { piece, start: str.length, end: str.length });
  });
  return { text, origins };
}

// partsOf returns what a match covers of each piece.
function partsOf({ origins }, match) {
  const parts = [];
  for (const { piece, start, end } of origins.slice(match.start, match.end)) {
    const last = parts.at(-1);
    if (start === end) continue; // the end of a line
    if (last?.piece === piece) last.end = end;
    else parts.push({ piece, start, end });
  }
  return parts;
}

// paint puts marks around parts of a piece, which stand in the order of the text.
function paint(element, marks) {
  const text = element.textContent;
  const nodes = [];
  let done = 0;
  for (const { start, end, current } of marks) {
    const mark = document.createElement("mark");
    mark.className = current ? "current" : "";
    mark.textContent = text.slice(start, end);
    nodes.push(text.slice(done, start), mark);
    done = end;
  }
  element.replaceChildren(...nodes, text.slice(done));
}
