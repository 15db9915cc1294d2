// A form to try an operation with. Requests go to the service that serves the page, and to no other. Tokens and values stay in
// the memory of the page: they go neither into its address nor into what a browser keeps.

import { button, code, copy, el, examplesOf, joined, more, pretty, resolve, schemaOf, terms } from './docs-schema.js';

const patience = 120_000; // milliseconds; a merge of large clinics may take longer, and goes on without us
const largestShown = 200_000; // characters of an answer

// known holds the tokens and the ids that were typed in, so that they need not be typed again for the next operation.
const known = new Map();

const TOKENS = {
  sessionToken: { header: 'x-tidepool-session-token', label: 'Session token', before: '' },
  redoxToken: { header: 'verification-token', label: 'Verification token', before: '' },
  xealthToken: { header: 'Authorization', label: 'Bearer token', before: 'Bearer ' },
};

// tokenOf returns the kind of token that goes into a header; a token in the query is a parameter.
function tokenOf(operation, doc) {
  const [needed] = operation.security || doc.security || [];
  const name = Object.keys(needed || {})[0];
  return TOKENS[name] && { ...TOKENS[name], key: name };
}

// field is an input with a label. What is typed is remembered under the key, if there is one.
function field(label, input, key, required) {
  input.required = required;
  if (key) {
    input.value = known.get(key) || '';
    input.dataset.key = key;
    input.addEventListener('input', () => known.set(key, input.value));
  }
  return el('label', {}, el('span', {}, label, required ? el('span', { class: 'flag' }, ' required') : null), input);
}

function inputOf(parameter) {
  const schema = schemaOf(parameter.schema);
  const values = schema.type === 'boolean' ? ['true', 'false'] : schema.enum;
  if (values) return el('select', {}, ['', ...values].map((value) => el('option', { value }, value === '' ? '–' : String(value))));
  const hint = schema.type === 'array' ? { placeholder: 'separated by commas' } : {};
  return el('input', { type: 'text', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', ...hint });
}

// parameterFields returns the fields, and a list of parameters with their inputs.
function parameterFields(operation) {
  const inputs = operation.parameters.map((parameter) => ({ parameter, input: inputOf(parameter) }));
  const fields = (list) => el('div', { class: 'fields' }, list.map(({ parameter, input }) =>
    field(parameter.name, input, parameter.in === 'path' ? `path ${parameter.name}` : '', Boolean(parameter.required))));
  const filter = ({ parameter }) => /^[cb]gm\./.test(parameter.name);
  const plain = inputs.filter((one) => !filter(one)), filters = inputs.filter(filter);
  return { inputs, part: [plain.length ? fields(plain) : null, filters.length ? more(`${filters.length} filters`, () => fields(filters)) : null] };
}

// bodyField returns a field with the first example, and a choice if there are more.
function bodyField(operation) {
  if (!operation.requestBody) return { part: null };
  const holder = resolve(operation.requestBody), examples = examplesOf(holder.content['application/json']);
  const area = el('textarea', { spellcheck: 'false', autocomplete: 'off', autocapitalize: 'off' });
  const set = (index) => {
    area.value = examples.length ? pretty(examples[index].value) : '';
    area.rows = Math.min(Math.max(area.value.split('\n').length, 3), 20);
    area.dispatchEvent(new Event('input', { bubbles: true }));
  };
  const choice = el('select', {}, examples.map(({ summary }, index) => el('option', { value: index }, summary)));
  choice.addEventListener('change', () => set(Number(choice.value)));
  const note = el('p', { class: 'flag', role: 'status' });
  area.addEventListener('input', () => { note.textContent = complaint(area.value); });
  set(0);
  return { area, part: [examples.length > 1 ? field('Example', choice, '', false) : null, field('Body', area, '', Boolean(holder.required)), note] };
}

function complaint(text) {
  if (text.trim() === '') return '';
  try {
    JSON.parse(text);
    return '';
  } catch (error) {
    return `This is not JSON: ${error.message}`;
  }
}

// requestOf returns what the form says. Entries of a list are separated by commas that are not encoded.
function requestOf(operation, inputs, token, area) {
  let path = operation.path;
  const query = [];
  for (const { parameter, input } of inputs) {
    const list = schemaOf(parameter.schema).type === 'array';
    const value = (list ? input.value.split(',') : [input.value]).map((part) => encodeURIComponent(part.trim())).join(',');
    if (parameter.in === 'path' && value !== '') path = path.replace(`{${parameter.name}}`, value);
    else if (parameter.in === 'query' && value !== '') query.push(`${encodeURIComponent(parameter.name)}=${value}`);
  }
  const headers = {};
  if (token) headers[token.kind.header] = token.input.value === '' ? '' : token.kind.before + token.input.value;
  const body = area && area.value.trim() !== '' ? area.value : undefined;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  return { method: operation.method.toUpperCase(), url: location.origin + path + (query.length ? `?${query.join('&')}` : ''), headers, body };
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

// curl returns the request as a line for a shell. A token that is not there yet is taken from the variable TOKEN.
function curl(request, token, file) {
  const words = ['curl -sS'];
  if (request.method !== (request.body === undefined ? 'GET' : 'POST')) words[0] += ` -X ${request.method}`;
  for (const [name, value] of Object.entries(request.headers)) {
    words.push(value === '' ? `-H "${name}: ${token.kind.before}$TOKEN"` : `-H ${quoted(`${name}: ${value}`)}`);
  }
  if (request.body !== undefined) words.push(`--data-raw ${quoted(request.body)}`);
  if (file) words.push(`-o ${file}`);
  return [...words, quoted(request.url)].join(' \\\n  ');
}

// fileOf returns a name for an answer that is no text.
function fileOf(operation) {
  const media = Object.keys(resolve(operation.responses['200']).content || {})[0] || '';
  return media.includes('excel') ? 'report.xlsx' : '';
}

async function send(request) {
  const { method, url, body } = request;
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([, value]) => value !== ''));
  const start = performance.now();
  const answer = await fetch(url, {
    method, headers, body, credentials: 'omit', cache: 'no-store', redirect: 'manual', referrerPolicy: 'no-referrer', signal: AbortSignal.timeout(patience),
  });
  const content = await answer.blob();
  return { answer, content, took: Math.round(performance.now() - start) };
}

async function bodyOf(answer, content, file) {
  const media = answer.headers.get('Content-Type') || '';
  if (content.size === 0) return el('p', {}, 'The answer has no body.');
  if (!/json|^text\//.test(media)) {
    const link = el('a', { href: URL.createObjectURL(content), download: file || 'answer' }, 'Save the answer as a file');
    return el('p', {}, link);
  }
  const raw = await content.text();
  let text = raw;
  try {
    text = media.includes('json') ? pretty(JSON.parse(raw)) : raw;
  } catch { /* it is shown as it came */ }
  const cut = text.length > largestShown;
  return [code(cut ? text.slice(0, largestShown) : text, 'Body of the answer'),
    el('p', { class: 'row' }, button('Copy answer', () => copy(text, 'Answer')), cut ? 'Only the beginning is shown; all of it is copied.' : null)];
}

// reasonOf says what the reason of an error means.
async function reasonOf(answer, content, doc) {
  if (answer.ok || !/json/.test(answer.headers.get('Content-Type') || '')) return null;
  try {
    const { reason } = JSON.parse(await content.text());
    return doc['x-reasons'][reason] ? el('p', {}, el('code', {}, reason), ' ', joined(doc['x-reasons'][reason])) : null;
  } catch {
    return null;
  }
}

async function show(place, status, request, operation, doc) {
  place.replaceChildren();
  status.textContent = 'Waiting for the answer …';
  try {
    const { answer, content, took } = await send(request);
    status.textContent = `${answer.status} ${answer.statusText}, ${took} ms, ${content.size.toLocaleString('en')} bytes`;
    const headers = [...answer.headers].map(([name, value]) => [el('code', {}, name), value]);
    place.append(...[await reasonOf(answer, content, doc), await bodyOf(answer, content, fileOf(operation)),
      more('Headers of the answer', () => terms(headers))].flat().filter(Boolean));
  } catch (error) {
    status.textContent = error.name === 'TimeoutError' ? 'No answer came in two minutes.' : `The request could not be sent: ${error.message}`;
  }
}

// attempt returns the form of an operation, with its curl line and a place for the answer.
export function attempt(operation, doc) {
  const kind = tokenOf(operation, doc);
  const token = kind && { kind, input: el('input', { type: 'text', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false' }) };
  const { inputs, part } = parameterFields(operation);
  const body = bodyField(operation);
  const line = code('', 'Request as a curl line'), place = el('div', { class: 'answer' }), status = el('p', { class: 'status', role: 'status' });
  const request = () => requestOf(operation, inputs, token, body.area);
  const update = () => { line.textContent = curl(request(), token, fileOf(operation)); };
  const submit = el('button', { type: 'submit' }, `Send ${operation.method.toUpperCase()} request`);
  const form = el('form', { novalidate: '' }, token ? field(kind.label, token.input, `token ${kind.key}`, true) : null, part, body.part,
    line, el('p', { class: 'row' }, submit, button('Copy curl line', () => copy(line.textContent, 'Curl line'))));
  form.addEventListener('input', update);
  form.addEventListener('focusin', () => refill(form) && update());
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const missing = inputs.find(({ parameter, input }) => parameter.in === 'path' && input.value.trim() === '');
    if (missing) {
      status.textContent = `The path needs ${missing.parameter.name}.`;
      missing.input.focus();
      return;
    }
    submit.disabled = true;
    await show(place, status, request(), operation, doc);
    submit.disabled = false;
  });
  update();
  return [form, status, place];
}

// refill takes over what was typed into other forms meanwhile. It reports whether there was something.
function refill(form) {
  let changed = false;
  for (const input of form.querySelectorAll('[data-key]')) {
    const value = known.get(input.dataset.key);
    if (input.value === '' && value) {
      input.value = value;
      changed = true;
    }
  }
  return changed;
}
