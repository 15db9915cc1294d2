'use strict';
// Renders /docs/openapi.json as a page. Text is only ever set as text, never as markup.

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const CALLERS = {
  service: 'backend services', user: 'any person with a session', admin: 'administrators of the clinic', member: 'members of the clinic',
  self: 'the person whose user id stands in the path', 'self-member': 'members of the clinic, for themselves',
  'service permission=custodian': 'backend services, for the permission “custodian” only', redox: 'Redox, with its verification token',
  xealth: 'Xealth, with its bearer token', report: 'the bearer of a restricted token of the patient',
};
let doc;

function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

// inline renders `code` and **strong** within one line of text.
function inline(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).filter(Boolean).map((part) => {
    if (part.startsWith('`')) return el('code', {}, part.slice(1, -1));
    return part.startsWith('**') ? el('strong', {}, inline(part.slice(2, -2))) : part;
  });
}

const joined = (text) => inline((text || '').trim().replace(/\n\s*/g, ' '));

// prose renders paragraphs, lists and tables, which is all the Markdown that the document uses.
function prose(text = '') {
  return text.trim().split(/\n{2,}/).filter(Boolean).map((block) => {
    if (block.startsWith('|')) return table(block);
    const [lead, ...items] = block.split(/(?:^|\n)- /);
    return [lead.trim() ? el('p', {}, joined(lead)) : null, items.length ? el('ul', {}, items.map((item) => el('li', {}, joined(item)))) : null];
  });
}

function table(block) {
  const [head, , ...rows] = block.split('\n').map((row) => row.split('|').slice(1, -1).map((cell) => inline(cell.trim())));
  const line = (cells, tag) => el('tr', {}, cells.map((cell) => el(tag, {}, cell)));
  return el('div', { class: 'scroll' }, el('table', {}, line(head, 'th'), rows.map((row) => line(row, 'td'))));
}

// resolve follows a reference; a description next to it wins over that of its target.
function resolve(node) {
  if (!node || !node.$ref) return node || {};
  const target = node.$ref.slice(2).split('/').reduce((at, key) => at[key.replace(/~1/g, '/').replace(/~0/g, '~')], doc);
  return { ...resolve(target), ...node, $ref: undefined };
}

function schemaOf(node) {
  const schema = resolve(node);
  return schema.allOf ? schema.allOf.map(schemaOf).reduceRight((sum, part) => ({ ...part, ...sum }), schema) : schema;
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
function facts(schema) {
  const values = (schema.enum || []).map((value) => JSON.stringify(value));
  const shown = values.length > 20 ? [...values.slice(0, 5), `… ${values.length} in all`] : values;
  return el('p', { class: 'type' }, [typeWords(schema), schema.nullable && 'may be null', schema.readOnly && 'read-only',
    values.length && `one of ${shown.join(', ')}`, schema.pattern && `pattern ${schema.pattern}`, range(schema.minimum, schema.maximum, ''),
    range(schema.minLength, schema.maxLength, ' characters'), range(schema.minItems, schema.maxItems, ' entries'),
    schema.default !== undefined && `default ${JSON.stringify(schema.default)}`,
    schema.example !== undefined && `example ${JSON.stringify(schema.example)}`].filter(Boolean).join('; '));
}

// more is a part that is rendered when it is opened first; schemas may be deep.
function more(title, render) {
  const part = el('details', { class: 'more' }, el('summary', {}, title));
  part.addEventListener('toggle', () => { if (part.open && part.children.length === 1) part.append(el('div', {}, render())); });
  return part;
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

function content(holder) {
  return Object.entries(holder.content || {}).map(([media, { schema: node }]) => {
    const schema = schemaOf(node), inner = innerOf(schema);
    return el('div', {}, el('p', {}, el('code', {}, media), ' ', joined(schema.description)), facts(schema),
      inner ? more(inner.title, inner.render) : null);
  });
}

function parameterTable(list) {
  return el('div', { class: 'scroll' }, el('table', {}, el('tr', {}, ['Name', 'Where', 'Meaning'].map((head) => el('th', {}, head))),
    list.map((parameter) => el('tr', {},
      el('td', {}, el('code', {}, parameter.name), parameter.required ? el('span', { class: 'flag' }, ' required') : null),
      el('td', {}, parameter.in), el('td', {}, prose(parameter.description), facts(schemaOf(parameter.schema)))))));
}

// parameters puts the many filters cgm.… and bgm.… of the patient list into groups that can be opened.
function parameters(list) {
  const group = (prefix) => list.filter((parameter) => parameter.name.startsWith(prefix));
  const plain = list.filter((parameter) => !/^[cb]gm\./.test(parameter.name));
  return [el('h3', {}, 'Parameters'), parameterTable(plain), ...['cgm.', 'bgm.'].filter((prefix) => group(prefix).length)
    .map((prefix) => more(`${group(prefix).length} filters named ${prefix}…`, () => parameterTable(group(prefix))))];
}

function body(operation) {
  const responses = Object.entries(operation.responses).map(([status, node]) => [status, resolve(node)]);
  const answer = ([status, response]) => el('div', {}, el('p', {}, el('span', { class: 'status' }, status), joined(response.description)),
    content(response));
  const failed = responses.filter(([status]) => !status.startsWith('2'));
  return el('div', { class: 'body' },
    el('p', { class: 'who' }, el('strong', {}, 'Who may call: '), operation.callers.join('; '), '.'),
    prose((operation.description || '').replace(/\n\nCallers: [^\n]*(\n[^\n]+)*$/, '')),
    operation.parameters.length ? parameters(operation.parameters) : null,
    operation.requestBody ? [el('h3', {}, 'Body'), content(resolve(operation.requestBody))] : null,
    el('h3', {}, 'Answers'), responses.filter(([status]) => status.startsWith('2')).map(answer),
    failed.length ? more('Errors', () => failed.map(answer)) : null);
}

function operations() {
  return Object.entries(doc.paths).flatMap(([path, item]) => METHODS.filter((method) => item[method]).map((method) => ({
    ...item[method], method, path, parameters: [...(item.parameters || []), ...(item[method].parameters || [])].map(resolve),
    callers: (item[method]['x-access'] || []).map((caller) => CALLERS[caller] || caller),
  })));
}

function section(operation) {
  const part = el('details', { class: 'op', id: operation.operationId }, el('summary', {},
    el('span', { class: `method ${operation.method}` }, operation.method.toUpperCase()), el('span', { class: 'title' }, operation.summary),
    el('span', { class: 'path' }, operation.path)));
  part.addEventListener('toggle', () => { if (part.open && part.children.length === 1) part.append(body(operation)); });
  return part;
}

// follow opens the operation that the address names.
function follow() {
  const part = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (part && part.tagName === 'DETAILS') { part.open = true; part.scrollIntoView(); }
}

function search(groups, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const group of groups) {
    for (const item of group.items) {
      item.shown = words.every((word) => item.text.includes(word));
      item.link.hidden = item.part.hidden = !item.shown;
      count += item.shown;
    }
    group.head.hidden = group.section.hidden = !group.items.some((item) => item.shown);
  }
  document.querySelector('nav').classList.toggle('idle', !words.length);
  document.getElementById('found').textContent = words.length ? `${count} found` : '';
}

function show() {
  const all = operations(), index = document.getElementById('index'), main = document.getElementById('main');
  main.replaceChildren(el('h1', {}, doc.info.title), el('p', { class: 'version' }, `Version ${doc.info.version}, ${all.length} operations. `,
    el('a', { href: '/docs/openapi.json' }, 'OpenAPI document')), el('div', {}, prose(doc.info.description)));
  const groups = doc.tags.map((tag) => {
    const items = all.filter((operation) => operation.tags[0] === tag.name).map((operation) => ({
      part: section(operation), link: el('li', {}, el('a', { href: `#${operation.operationId}` }, operation.summary)),
      text: [operation.operationId, operation.method, operation.path, operation.summary, operation.description, tag.name].join(' ').toLowerCase(),
    }));
    const head = el('div', {}, el('h2', {}, tag.name), el('ul', {}, items.map((item) => item.link)));
    const part = el('section', {}, el('h2', {}, tag.name), prose(tag.description), items.map((item) => item.part));
    index.append(head);
    main.append(part);
    return { items, head, section: part };
  });
  document.getElementById('search').addEventListener('input', (event) => search(groups, event.target.value));
  search(groups, '');
  addEventListener('hashchange', follow);
  follow();
}

fetch('/docs/openapi.json').then((answer) => answer.ok ? answer.json() : Promise.reject(new Error(`status ${answer.status}`)))
  .then((document_) => { doc = document_; show(); })
  .catch((error) => { document.getElementById('state').textContent = `The interface document could not be loaded (${error.message}).`; });
