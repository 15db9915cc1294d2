// Renders /docs/openapi.json as a page.

import { addNames, button, content, copy, el, facts, joined, more, prose, resolve, schemaOf, terms, use } from './docs-schema.js';
import { attempt } from './docs-try.js';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const CALLERS = {
  service: 'backend services', user: 'any person with a session', admin: 'administrators of the clinic', member: 'members of the clinic',
  self: 'the person whose user id stands in the path', 'self-member': 'members of the clinic, for themselves',
  'service permission=custodian': 'backend services, for the permission “custodian” only', redox: 'Redox, with its verification token',
  xealth: 'Xealth, with its bearer token', report: 'the bearer of a restricted token of the patient',
};
const shownNames = 4; // of those that a search found inside an operation
let doc;

function parameterTerms(list) {
  return terms(list.map((parameter) => [
    [el('code', {}, parameter.name), el('span', { class: 'type' }, ` ${parameter.in}`),
      parameter.required ? el('span', { class: 'flag' }, ' required') : null],
    [prose(parameter.description), facts(schemaOf(parameter.schema))],
  ]));
}

// parameters puts the many filters cgm.… and bgm.… of the patient list into groups that can be opened.
function parameters(list) {
  const group = (prefix) => list.filter((parameter) => parameter.name.startsWith(prefix));
  const plain = list.filter((parameter) => !/^[cb]gm\./.test(parameter.name));
  return [el('h3', {}, 'Parameters'), parameterTerms(plain), ...['cgm.', 'bgm.'].filter((prefix) => group(prefix).length)
    .map((prefix) => more(`${group(prefix).length} filters named ${prefix}…`, () => parameterTerms(group(prefix))))];
}

function reasons(operation) {
  const meanings = (names) => terms(names.map((name) => [el('code', {}, name), doc['x-reasons'][name]]));
  const own = operation['x-reasons'] || [], common = doc['x-common-reasons'] || [];
  return [own.length ? [el('h4', {}, 'Reasons of this operation'), meanings(own)] : null, el('h4', {}, 'Reasons that many operations have'), meanings(common)];
}

function body(operation) {
  const responses = Object.entries(operation.responses).map(([status, node]) => [status, resolve(node)]);
  const answer = ([status, response]) => el('div', {}, el('p', {}, el('span', { class: 'status' }, status), joined(response.description)),
    content(response));
  const failed = responses.filter(([status]) => !status.startsWith('2'));
  const link = `${location.origin}${location.pathname}#${operation.operationId}`;
  return el('div', { class: 'body' },
    el('p', { class: 'row' }, el('a', { href: `#${operation.operationId}` }, operation.operationId), button('Copy link', () => copy(link, 'Link'))),
    el('p', { class: 'who' }, el('strong', {}, 'Who may call: '), operation.callers.join('; '), '.'),
    prose((operation.description || '').replace(/\n\nCallers: [^\n]*(\n[^\n]+)*$/, '')),
    more('Try it', () => attempt(operation, doc), 'more try'),
    operation.parameters.length ? parameters(operation.parameters) : null,
    operation.requestBody ? [el('h3', {}, 'Body'), content(resolve(operation.requestBody))] : null,
    el('h3', {}, 'Answers'), responses.filter(([status]) => status.startsWith('2')).map(answer),
    failed.length ? more('Errors', () => [failed.map(answer), reasons(operation)]) : null);
}

function operations() {
  return Object.entries(doc.paths).flatMap(([path, item]) => METHODS.filter((method) => item[method]).map((method) => ({
    ...item[method], method, path, parameters: [...(item.parameters || []), ...(item[method].parameters || [])].map(resolve),
    callers: (item[method]['x-access'] || []).map((caller) => CALLERS[caller] || caller),
  })));
}

function section(operation, hit) {
  const part = el('details', { class: 'op', id: operation.operationId }, el('summary', {},
    el('span', { class: `method ${operation.method}` }, operation.method.toUpperCase()), el('span', { class: 'title' }, operation.summary),
    el('span', { class: 'path' }, operation.path), hit));
  part.addEventListener('toggle', () => { if (part.open && part.children.length === 1) part.append(body(operation)); });
  return part;
}

// insideOf returns the names of all that is sent to an operation or answered by it.
function insideOf(operation) {
  const names = new Set(operation.parameters.map((parameter) => parameter.name));
  const good = Object.entries(operation.responses).filter(([status]) => status.startsWith('2')).map(([, node]) => node);
  for (const holder of [operation.requestBody, ...good].map(resolve)) {
    for (const { schema } of Object.values(holder.content || {})) addNames(schema, names);
  }
  for (const reason of operation['x-reasons'] || []) names.add(reason);
  return [...names].map((name) => ({ name, lower: name.toLowerCase() }));
}

function itemOf(operation, tag) {
  const hit = el('span', { class: 'hit', hidden: '' });
  return {
    part: section(operation, hit), link: el('li', {}, el('a', { href: `#${operation.operationId}` }, operation.summary)), hit,
    text: [operation.operationId, operation.method, operation.path, operation.summary, operation.description, tag].join(' ').toLowerCase(),
    inside: insideOf(operation),
  };
}

// follow opens the operation that the address names.
function follow() {
  const part = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (part && part.tagName === 'DETAILS') { part.open = true; part.scrollIntoView(); }
}

// find shows an item if each word stands in its text or is part of a name inside of it, and says which names those are.
function find(item, words) {
  const deep = words.filter((word) => !item.text.includes(word));
  const found = deep.map((word) => item.inside.filter(({ lower }) => lower.includes(word)).map(({ name }) => name));
  const shown = found.every((names) => names.length > 0);
  const names = [...new Set(found.flat())];
  item.link.hidden = item.part.hidden = !shown;
  item.hit.hidden = !shown || !names.length;
  item.hit.textContent = `has ${names.slice(0, shownNames).join(', ')}${names.length > shownNames ? `, and ${names.length - shownNames} more` : ''}`;
  return shown;
}

function search(groups, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const group of groups) {
    const shown = group.items.filter((item) => find(item, words)).length;
    group.head.hidden = group.section.hidden = shown === 0;
    count += shown;
  }
  document.querySelector('nav').classList.toggle('idle', !words.length);
  document.getElementById('introduction').hidden = words.length > 0; // what was found comes first
  document.getElementById('found').textContent = words.length ? `${count} found` : '';
}

function show() {
  const all = operations(), index = document.getElementById('index'), main = document.getElementById('main');
  main.replaceChildren(el('h1', {}, doc.info.title), el('p', { class: 'version' }, `Version ${doc.info.version}, ${all.length} operations. `,
    el('a', { href: '/docs/openapi.json' }, 'OpenAPI document')), el('div', { id: 'introduction' }, prose(doc.info.description)));
  const groups = doc.tags.map((tag) => {
    const items = all.filter((operation) => operation.tags[0] === tag.name).map((operation) => itemOf(operation, tag.name));
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
  .then((document_) => { doc = document_; use(doc); show(); })
  .catch((error) => { document.getElementById('state').textContent = `The interface document could not be loaded (${error.message}).`; });
