// What stands in the interface document, as parts of a page. Text is only ever set as text, never as markup.

let doc;

// use sets the document that references lead into.
export function use(document_) { doc = document_; }

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

export function button(text, act) {
  const node = el('button', { type: 'button' }, text);
  node.addEventListener('click', act);
  return node;
}

// inline renders `code` and **strong** within one line of text.
export function inline(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).filter(Boolean).map((part) => {
    if (part.startsWith('`')) return el('code', {}, part.slice(1, -1));
    return part.startsWith('**') ? el('strong', {}, inline(part.slice(2, -2))) : part;
  });
}

export const joined = (text) => inline((text || '').trim().replace(/\n\s*/g, ' '));

// prose renders paragraphs, lists and tables, which is all the Markdown that the document uses.
export function prose(text = '') {
  return text.trim().split(/\n{2,}/).filter(Boolean).map((block) => {
    if (block.startsWith('|')) return table(block);
    const [lead, ...items] = block.split(/(?:^|\n)- /);
    return [lead.trim() ? el('p', {}, joined(lead)) : null, items.length ? el('ul', {}, items.map((item) => el('li', {}, joined(item)))) : null];
  });
}

function table(block) {
  const [head, , ...rows] = block.split('\n').map((row) => row.split('|').slice(1, -1).map((cell) => inline(cell.trim())));
  const line = (cells, tag) => el('tr', {}, cells.map((cell) => el(tag, {}, cell)));
  return el('table', {}, line(head, 'th'), rows.map((row) => line(row, 'td')));
}

// terms renders pairs of a term and what there is to say about it.
export function terms(pairs) {
  return el('dl', {}, pairs.map(([term, meaning]) => el('div', {}, el('dt', {}, term), el('dd', {}, meaning))));
}

// more is a part that is rendered when it is opened first; schemas may be deep.
export function more(title, render, kind = 'more') {
  const part = el('details', { class: kind }, el('summary', {}, title));
  part.addEventListener('toggle', () => { if (part.open && part.children.length === 1) part.append(el('div', {}, render())); });
  return part;
}

// code is text that one may copy, in a box that can be scrolled by keyboard.
export function code(text, label) {
  return el('pre', { tabindex: '0', role: 'group', 'aria-label': label }, text);
}

export const pretty = (value) => JSON.stringify(value, null, 2);

// copy puts text on the clipboard, also where a page that is not served over TLS may not do so itself.
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = el('textarea', { readonly: '', 'aria-hidden': 'true', class: 'away' }, text);
    const active = document.activeElement;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
    active?.focus();
  }
  say(`${what} copied.`);
}

// say shows a short message, which screen readers speak.
function say(message) {
  const place = document.getElementById('said');
  place.textContent = message;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { place.textContent = ''; }, 4000);
}

function targetOf(reference) {
  return reference.slice(2).split('/').reduce((at, key) => at[key.replace(/~1/g, '/').replace(/~0/g, '~')], doc);
}

// resolve follows a reference; a description next to it wins over that of its target.
export function resolve(node) {
  if (!node || !node.$ref) return node || {};
  return { ...resolve(targetOf(node.$ref)), ...node, $ref: undefined };
}

export function schemaOf(node) {
  const schema = resolve(node);
  return schema.allOf ? schema.allOf.map(schemaOf).reduceRight((sum, part) => ({ ...part, ...sum }), schema) : schema;
}

// addNames collects the names of all members that a schema leads to.
export function addNames(node, names, seen = new Set()) {
  if (!node || typeof node !== 'object') return;
  if (node.$ref) {
    if (seen.has(node.$ref)) return;
    seen.add(node.$ref);
    addNames(targetOf(node.$ref), names, seen);
  }
  for (const [name, property] of Object.entries(node.properties || {})) {
    names.add(name);
    addNames(property, names, seen);
  }
  for (const part of [node.items, node.additionalProperties, ...(node.allOf || [])]) addNames(part, names, seen);
}

function typeWords(schema) {
  if (schema.type === 'array') return `array of ${typeWords(schemaOf(schema.items))}`;
  return [schema.type || 'object', schema.format && !schema.format.startsWith('^') ? `(${schema.format})` : ''].join(' ').trim();
}

function range(low, high, what) {
  if (high !== undefined) return `${low ?? 0} to ${high}${what}`;
  return low === undefined ? '' : `at least ${low}${what}`;
}

// facts is the type with all that limits it, in one line.
export function facts(schema) {
  const values = (schema.enum || []).map((value) => JSON.stringify(value));
  const shown = values.length > 20 ? [...values.slice(0, 5), `… ${values.length} in all`] : values;
  return el('p', { class: 'type' }, [typeWords(schema), schema.nullable && 'may be null', schema.readOnly && 'read-only',
    values.length && `one of ${shown.join(', ')}`, schema.pattern && `pattern ${schema.pattern}`, range(schema.minimum, schema.maximum, ''),
    range(schema.minLength, schema.maxLength, ' characters'), range(schema.minItems, schema.maxItems, ' entries'),
    schema.default !== undefined && `default ${JSON.stringify(schema.default)}`,
    schema.example !== undefined && `example ${JSON.stringify(schema.example)}`].filter(Boolean).join('; '));
}

function innerOf(schema) {
  if (schema.type === 'array') return innerOf(schemaOf(schema.items));
  if (schema.properties) return { title: `${Object.keys(schema.properties).length} members`, render: () => members(schema) };
  if (typeof schema.additionalProperties !== 'object') return null;
  const value = schemaOf(schema.additionalProperties);
  return { title: 'any name', render: () => el('ul', { class: 'tree' }, entry('any name', value, false)) };
}

function entry(name, schema, required) {
  const inner = innerOf(schema);
  return el('li', {}, el('code', {}, name), required && !schema.readOnly ? el('span', { class: 'flag' }, ' required') : null,
    prose(schema.description), facts(schema), inner ? more(inner.title, inner.render) : null);
}

function members(schema) {
  const required = new Set(schema.required);
  return el('ul', { class: 'tree' }, Object.entries(schema.properties)
    .map(([name, property]) => entry(name, schemaOf(property), required.has(name))));
}

// examplesOf returns what stands as examples in a media type: each a summary and a value.
export function examplesOf(mediaType) { return Object.values(mediaType?.examples || {}).map(resolve); }

function example({ summary, value }) {
  const text = pretty(value);
  return [code(text, `Example: ${summary}`), el('p', { class: 'row' }, button('Copy example', () => copy(text, 'Example')))];
}

// content is a body or an answer: its media types with their members and examples.
export function content(holder) {
  return Object.entries(holder.content || {}).map(([media, mediaType]) => {
    const schema = schemaOf(mediaType.schema), inner = innerOf(schema);
    return el('div', {}, el('p', {}, el('code', {}, media), ' ', joined(schema.description)), facts(schema),
      inner ? more(inner.title, inner.render) : null,
      examplesOf(mediaType).map((shown) => more(`Example: ${shown.summary}`, () => example(shown))));
  });
}
